"""Of a write about a series, whether it was begun; of other writes nobody ever counted how often they were tried."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("series_write", sa.Column("is_begun", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE series_write SET is_begun = (attempts > 0)")
    op.drop_column("series_write", "attempts")
    op.drop_column("intent", "attempts")


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

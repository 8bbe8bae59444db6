"""Since when a create that waits for its rooms has not been sent: only such a one may be dropped unsent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables import types

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intent", sa.Column("unsent_since", types.Instant(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

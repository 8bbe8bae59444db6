"""When Graph refused a subscription whose notifications bring their event: it is asked again a week later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables import types

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscription", sa.Column("content_refused_at", types.Instant(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

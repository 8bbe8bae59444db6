"""What the history says of a write, kept with its intent until it is done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("intent", sa.Column("told", sa.String(), nullable=False, server_default=""))
    # Until now creations and deletions were told when they were decided: those on their way are in the history already.
    op.execute("UPDATE intent SET told = 'event_changed' WHERE kind = 'change'")


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

"""Who leads in what is done by one process at a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables.types import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "leader",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leader")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

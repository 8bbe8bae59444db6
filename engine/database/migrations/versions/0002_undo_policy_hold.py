"""Cases that can be undone, what a store settles by itself, and cancellations that are counted and held."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from engine.database.tables import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")


def upgrade() -> None:
    op.add_column("case", sa.Column("undo", JSON, nullable=True))
    op.add_column("store", sa.Column("policy", JSON, nullable=True))
    op.add_column("link", sa.Column("hold", sa.String(), nullable=True))
    op.add_column("link", sa.Column("cancelled_at", types.Instant(), nullable=True))
    op.create_index("ix_link_cancelled_at", "link", ["cancelled_at"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

"""Which staff keep which store."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "store_keeper",
        sa.Column("store_id", sa.Integer(), nullable=False),
        sa.Column("address_folded", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_store_keeper_store_id_store")),
        sa.PrimaryKeyConstraint("store_id", "address_folded", name=op.f("pk_store_keeper")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

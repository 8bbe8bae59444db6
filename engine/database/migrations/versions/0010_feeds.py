"""Calendar feeds, each with the digest of its secret."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables.types import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("room_id", sa.Integer(), nullable=True),
        sa.Column("store_id", sa.Integer(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("owner_folded", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("rotated_at", Instant(), nullable=True),
        sa.Column("read_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_feed_room_id_room")),
        sa.ForeignKeyConstraint(["store_id"], ["store.id"], name=op.f("fk_feed_store_id_store")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
        sa.UniqueConstraint("digest", name=op.f("uq_feed_digest")),
    )
    op.create_index(op.f("ix_feed_owner_folded"), "feed", ["owner_folded"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

"""Series made in the app: their patterns, and the writes that make and change their events as a whole."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables import types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("series", schema=None) as batch_op:
        batch_op.add_column(sa.Column("recurrence", types.Json, nullable=True))
        batch_op.add_column(sa.Column("left_out", types.Json, nullable=False, server_default="[]"))
    op.create_table(
        "series_write",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("mailbox", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=True),
        sa.Column("payload", types.Json, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_series_write_series_id_series")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series_write")),
    )
    with op.batch_alter_table("series_write", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_series_write_series_id"), ["series_id"], unique=False)


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

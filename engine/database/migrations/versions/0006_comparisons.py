"""What the nightly comparison found, room by room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables import types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comparison",
        sa.Column("room_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("compared_at", types.Instant(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("bookings", sa.Integer(), nullable=False),
        sa.Column("copies_total", sa.Integer(), nullable=False),
        sa.Column("bookings_total", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_comparison_room_id_room")),
        sa.PrimaryKeyConstraint("room_id", name=op.f("pk_comparison")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

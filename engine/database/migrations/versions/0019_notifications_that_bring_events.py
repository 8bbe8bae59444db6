"""Notifications that bring their event: keys to open them, and what they told that no reading has confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables import types

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "content_key",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("private_key", sa.Text(), nullable=False),
        sa.Column("made_at", types.Instant(), nullable=False),
        sa.Column("ends_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_key")),
    )
    op.add_column("subscription", sa.Column("certificate", sa.String(), server_default="", nullable=False))
    op.add_column("room_copy", sa.Column("modified_at", types.Instant(), nullable=True))
    op.add_column("room_copy", sa.Column("unconfirmed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_room_copy_unconfirmed",
        "room_copy",
        ["room_id"],
        postgresql_where=sa.text("unconfirmed"),
        sqlite_where=sa.text("unconfirmed = 1"),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

"""Tell the dates of series apart: the table series, and what ties a copy to its master."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uid", sa.String(), nullable=True),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("read_version", sa.Integer(), nullable=True),
        sa.Column("organizer_mailbox", sa.String(), nullable=True),
        sa.Column("organizer_event_id", sa.String(), nullable=True),
        sa.Column("title", types.LongText, nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("web_link", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("uid", name=op.f("uq_series_uid")),
    )
    with op.batch_alter_table("room_copy", schema=None) as batch_op:
        batch_op.add_column(sa.Column("series_master", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("hydrated", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.create_index("ix_room_copy_series_master", ["room_id", "series_master"], unique=False)
        batch_op.create_index(
            "ix_room_copy_doubt",
            ["room_id"],
            unique=False,
            postgresql_where=sa.text("doubt"),
            sqlite_where=sa.text("doubt = 1"),
        )
    with op.batch_alter_table("loan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loan_series"), ["series"], unique=False)
    _forget_masters()


def _forget_masters() -> None:
    """Have masters that were kept as bookings read anew, with their dates: they never became loans."""
    op.execute("DELETE FROM room_copy WHERE payload LIKE '%\"seriesMaster\"%' OR payload = ''")
    op.execute("UPDATE room SET delta_link = NULL, next_link = NULL")


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

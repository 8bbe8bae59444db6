"""Backfills, and their meetings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from engine.database.tables import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")


def upgrade() -> None:
    op.create_table(
        "backfill",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("from_at", types.Instant(), nullable=False),
        sa.Column("to_at", types.Instant(), nullable=False),
        sa.Column("rooms", JSON, nullable=False),
        sa.Column("unread", JSON, nullable=False),
        sa.Column("cursor_at", types.Instant(), nullable=True),
        sa.Column("cursor_key", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("planned_at", types.Instant(), nullable=True),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("ordered_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_backfill")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "backfill_meeting",
        sa.Column("backfill_number", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("start_at", types.Instant(), nullable=True),
        sa.Column("end_at", types.Instant(), nullable=True),
        sa.Column("rooms", JSON, nullable=False),
        sa.Column("organizer", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("loan_number", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.Column("seen_decision", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("outcome_facts", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["backfill_number"], ["backfill.number"], name=op.f("fk_backfill_meeting_backfill_number_backfill")
        ),
        sa.PrimaryKeyConstraint("backfill_number", "position", name=op.f("pk_backfill_meeting")),
        sa.UniqueConstraint("backfill_number", "key", name="uq_backfill_meeting_backfill_number"),
    )
    op.create_index("ix_backfill_meeting_loan_number", "backfill_meeting", ["loan_number"], unique=False)
    op.create_index(
        "ix_backfill_meeting_state", "backfill_meeting", ["backfill_number", "state", "position"], unique=False
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

"""Own calendars, and what was written into them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables import types

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "own_calendar",
        sa.Column("address_folded", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sealed", types.LongText, nullable=False),
        sa.Column("detail", types.LongText, nullable=False),
        sa.Column("connected_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("address_folded", name=op.f("pk_own_calendar")),
    )
    op.create_table(
        "own_calendar_entry",
        sa.Column("address_folded", sa.String(), nullable=False),
        sa.Column("loan_number", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=True),
        sa.Column("told", types.Json, nullable=False),
        sa.PrimaryKeyConstraint("address_folded", "loan_number", name=op.f("pk_own_calendar_entry")),
    )
    op.create_index(op.f("ix_own_calendar_entry_loan_number"), "own_calendar_entry", ["loan_number"])


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

"""Calendar mails: what people hold of loans, and which mails they want."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables.types import Instant

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("loan_number", sa.Integer(), nullable=False),
        sa.Column("address_folded", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("loan_number", "address_folded", name=op.f("pk_invitation")),
    )
    op.create_index(op.f("ix_invitation_address_folded"), "invitation", ["address_folded"], unique=False)
    op.create_table(
        "mail_preference",
        sa.Column("address_folded", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("address_folded", name=op.f("pk_mail_preference")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

"""In what words Graph refused a subscription whose notifications bring their event."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subscription", sa.Column("content_refusal", sa.String(), server_default="", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

"""What came of a job in values, not only in one line."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(astext_type=Text()), "postgresql")


def upgrade() -> None:
    op.add_column("job", sa.Column("report", JSON, nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

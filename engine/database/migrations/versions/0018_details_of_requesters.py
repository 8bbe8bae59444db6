"""Details of requesters from outside, for their contacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from engine.database.tables import types

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    words = ("phone", "birth_date", "company", "job_title", "street", "postcode", "town")
    op.create_table(
        "person_details",
        sa.Column("person_id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in words),
        sa.Column("changed_at", types.Instant(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_details_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_details")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

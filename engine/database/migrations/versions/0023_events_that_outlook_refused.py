"""Which loans have no event because Outlook refused it: their links say so, and dates of a series share one case."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_FLAG = """
    UPDATE link SET refused = :yes WHERE state = 'pending' AND EXISTS (
        SELECT 1 FROM decision WHERE decision.loan_number = link.loan_number AND decision.code = 'write_refused'
    )
"""
_OF_SERIES = """
    SELECT filed.id, loan.series FROM "case" AS filed
    JOIN loan ON loan.number = filed.loan_number JOIN link ON link.loan_number = loan.number
    WHERE filed.code = 'write_refused' AND filed.state = 'open' AND loan.series IS NOT NULL
    AND link.state = 'pending' AND link.refused
"""
_SUBJECT = """'series:' || (SELECT series FROM loan WHERE loan.number = "case".loan_number)"""
_SHARE = f"""
    UPDATE "case" SET subject = {_SUBJECT} WHERE id IN (SELECT MIN(id) FROM ({_OF_SERIES}) AS found GROUP BY series)
"""
_CLOSE = f"""
    UPDATE "case" SET state = 'closed', closed_by = 'engine', settlement = 'cause_gone', closed_at = opened_at
    WHERE id IN (SELECT id FROM ({_OF_SERIES}) AS found) AND subject <> {_SUBJECT}
"""


def upgrade() -> None:
    op.add_column("link", sa.Column("refused", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute(sa.text(_FLAG).bindparams(sa.bindparam("yes", True, sa.Boolean())))
    op.execute(sa.text(_SHARE))
    op.execute(sa.text(_CLOSE))


def downgrade() -> None:
    raise NotImplementedError("restore a backup: going back would lose what the newer version wrote")

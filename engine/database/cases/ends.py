"""What the clock does to cases: those about a booking that is over close by themselves."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, bindparam, exists, or_, select, update

from engine.database.cases.refused import has_unmade_date
from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.loans.loan import CaseState
from engine.loans.status import WITHDRAWN_STATUSES
from engine.outbox.changes import CASE, CLOCK, Event
from engine.reconcile.over import END_TOLD_FOR, OVER, OVER_FOR, UNDONE

BATCH = 200
"""Cases closed in one transaction: a few milliseconds during which nobody else writes."""

_case = metadata.tables["case"]
_loan = metadata.tables["loan"]
_copy = metadata.tables["room_copy"]
_over_before, _told_before = (bindparam(name, type_=Instant()) for name in ("over_before", "told_before"))

_IS_TO_COME = exists().where(
    _copy.c.ical_uid == _case.c.ical_uid,
    or_(_copy.c.end_at >= _over_before, and_(_copy.c.live, _copy.c.end_at.is_(None))),
)
"""Some room shows its meeting, or has shown it, at a time that is not over; or at one that nobody can read."""

_LOAN_IS_OVER = exists().where(_loan.c.number == _case.c.loan_number, _loan.c.end_at < _over_before)
_LOAN_IS_WITHDRAWN = exists().where(
    _loan.c.number == _case.c.loan_number,
    _loan.c.status.in_([status.value for status in WITHDRAWN_STATUSES]),
    or_(
        _loan.c.changed_at < _told_before,
        and_(~_case.c.standing, _case.c.opened_at < _loan.c.changed_at),
    ),
)
"""Long enough for what tells of that very end; a value that lost before it is nobody's wish any more."""

_HAS_REFUSED_DATES = has_unmade_date(_loan.c.end_at >= _over_before)
"""It names the first loan of a series, and others of it are still to be made."""

_DUE = and_(
    _case.c.state == CaseState.OPEN.value,
    ~_HAS_REFUSED_DATES,
    or_(
        and_(_case.c.loan_number.is_not(None), _LOAN_IS_OVER, ~_IS_TO_COME),
        and_(_case.c.loan_number.is_(None), _case.c.ical_uid.is_not(None), ~_IS_TO_COME),
        and_(_case.c.code.not_in(UNDONE), _LOAN_IS_WITHDRAWN),
    ),
)
"""Cases of rooms, and of keys that were given up, name neither loan nor meeting: time does not mend those."""

_FIND = Prepared(select(_case.c.id).where(_DUE).order_by(_case.c.id))
_CLOSE = update(_case).where(_case.c.id.in_(bindparam("ids", expanding=True)), _DUE)


def close_over(database: Database) -> int:
    """Close the cases whose booking is over; return how many."""
    with database.read() as transaction:
        due = [row.id for row in _FIND.run(transaction.connection, _limits(transaction))]
    return sum(_close(database, due[start : start + BATCH]) for start in range(0, len(due), BATCH))


def _close(database: Database, ids: list[int]) -> int:
    with database.write() as transaction:
        closed = {
            "state": CaseState.CLOSED.value,
            "closed_at": transaction.now,
            "closed_by": "engine",
            "settlement": OVER,
        }
        statement = _CLOSE.values(**closed).returning(_case.c.id)
        ended = transaction.connection.execute(statement, {"ids": ids, **_limits(transaction)}).scalars().all()
        for case_id in ended:
            transaction.changes.note(CASE, case_id, Event.UPDATED, reason=CLOCK)
        return len(ended)


def _limits(transaction: Transaction) -> dict[str, Any]:
    return {"over_before": transaction.now - OVER_FOR, "told_before": transaction.now - END_TOLD_FOR}

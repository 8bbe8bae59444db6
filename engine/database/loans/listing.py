"""Finding loans by what people filter on, and reading a loan's history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select

from engine.database.sql.limits import LIMIT_MAX
from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.ids import ID_MAX, BookableId, LoanNumber
from engine.loans.loan import Decision
from engine.loans.register import LoanFilter
from engine.loans.status import ItemState

_loan = metadata.tables["loan"]
_item = metadata.tables["loan_item"]
_decision = metadata.tables["decision"]
_HISTORY = Prepared(select(_decision).where(_decision.c.loan_number == bindparam("of_number")).order_by(_decision.c.id))


def list_numbers(connection: Connection, wanted: LoanFilter) -> Sequence[int]:
    """Return the numbers of the loans *wanted*, ascending, at most 1000."""
    statement = select(_loan.c.number).order_by(_loan.c.number).limit(max(0, min(wanted.limit, LIMIT_MAX)))
    if wanted.after is not None:
        statement = statement.where(_loan.c.number > max(0, min(wanted.after, ID_MAX)))
    if wanted.starts_before is not None:
        statement = statement.where(_loan.c.start_at < wanted.starts_before)
    if wanted.ends_after is not None:
        statement = statement.where(_loan.c.end_at > wanted.ends_after)
    if wanted.statuses:
        statement = statement.where(_loan.c.status.in_([status.value for status in wanted.statuses]))
    if wanted.series is not None:
        statement = statement.where(_loan.c.series == wanted.series)
    if wanted.item_id is not None:
        has_it = exists().where(
            _item.c.loan_number == _loan.c.number,
            _item.c.bookable_id == max(0, min(wanted.item_id, ID_MAX)),
            _item.c.state != ItemState.CANCELLED.value,
        )
        statement = statement.where(has_it)
    return connection.execute(statement).scalars().all()


def list_history(connection: Connection, number: int) -> list[Decision]:
    """Return the decisions about a loan, oldest first."""
    return [_parse(row) for row in _HISTORY.run(connection, {"of_number": number})]


def _parse(row: Any) -> Decision:
    return Decision(
        at=row.at,
        code=row.code,
        facts=row.facts,
        actor=row.actor,
        loan_number=LoanNumber(row.loan_number) if row.loan_number is not None else None,
        ical_uid=row.ical_uid,
        room_id=BookableId(row.room_id) if row.room_id is not None else None,
    )

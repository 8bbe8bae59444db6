"""Cases as people see them: listing them, settling one by hand."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, select

from engine.database.connection import Transaction
from engine.database.listing import LIMIT_MAX
from engine.database.prepared import Prepared
from engine.database.tables import metadata
from engine.database.wishes import ID_MAX
from engine.errors import NotAllowed, NotFound
from engine.ids import BookableId, LoanNumber
from engine.loans.loan import Case, CaseState

_case = metadata.tables["case"]
_room = metadata.tables["room"]
_CASES = select(_case, _room.c.name.label("room")).join(_room, _room.c.id == _case.c.room_id, isouter=True)
_ONE = Prepared(_CASES.where(_case.c.id == bindparam("of_id")))
_CLOSE = Prepared(
    _case.update()
    .where(_case.c.id == bindparam("of_id"), _case.c.state == CaseState.OPEN.value)
    .values(
        state=CaseState.CLOSED.value,
        closed_at=bindparam("at"),
        closed_by=bindparam("by"),
        settlement=bindparam("how"),
    )
)


def list_cases(connection: Connection, *, state: CaseState | None, after: int | None, limit: int) -> list[Case]:
    """Return cases by number, ascending; those after *after*, at most *limit* (1000)."""
    statement = _CASES.order_by(_case.c.id).limit(max(0, min(limit, LIMIT_MAX)))
    if state is not None:
        statement = statement.where(_case.c.state == state.value)
    if after is not None:
        statement = statement.where(_case.c.id > max(0, min(after, ID_MAX)))
    return [_parse(row) for row in connection.execute(statement)]


def settle_case(transaction: Transaction, case_id: int, *, settlement: str, actor: str) -> Case:
    """Close a case and mark its subject. Raises NotFound, and NotAllowed when it is closed already."""
    connection = transaction.connection
    row = _ONE.run(connection, {"of_id": case_id}).first() if 0 < case_id <= ID_MAX else None
    if row is None:
        raise NotFound(f"there is no case {case_id}")
    values = {"of_id": case_id, "at": transaction.now, "by": actor, "how": settlement}
    if not _CLOSE.run(connection, values).rowcount:
        raise NotAllowed(f"case {case_id} was closed already, by {row.closed_by}: {row.settlement}")
    kind, colon, key = row.subject.partition(":")
    if colon:
        transaction.mark(kind, key)
    return _parse(_ONE.run(connection, {"of_id": case_id}).one())


def _parse(row: Any) -> Case:
    return Case(
        id=row.id,
        code=row.code,
        facts=row.facts,
        state=CaseState(row.state),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        settlement=row.settlement,
        loan_number=LoanNumber(row.loan_number) if row.loan_number is not None else None,
        ical_uid=row.ical_uid,
        room_id=BookableId(row.room_id) if row.room_id is not None else None,
        room=row.room,
    )

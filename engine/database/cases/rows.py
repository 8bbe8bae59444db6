"""Cases as rows: listing them, closing one, opening it again. What settling does to a loan: `settlements.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, null, select

from engine.database.cases.refused import refused_dates
from engine.database.sql.limits import LIMIT_MAX
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.errors import NotAllowed, NotFound
from engine.ids import ID_MAX, BookableId, LoanNumber
from engine.loans.loan import Case, CaseState
from engine.outbox.changes import CASE, USER, Event, reason_of

_case = metadata.tables["case"]
_room = metadata.tables["room"]
CASES = select(_case, _room.c.name.label("room")).join(_room, _room.c.id == _case.c.room_id, isouter=True)
"""Rows for `read_filed`."""

_ONE = Prepared(CASES.where(_case.c.id == bindparam("of_id")))
_LOCK = Prepared(select(_case.c.id).where(_case.c.id == bindparam("of_id")).with_for_update())
_CLOSE = Prepared(
    _case.update()
    .where(_case.c.id == bindparam("of_id"))
    .values(
        state=bindparam("new_state"),
        closed_at=bindparam("at"),
        closed_by=bindparam("by"),
        settlement=bindparam("how"),
        undo=bindparam("before", type_=_case.c.undo.type),
    )
)
_REOPEN = Prepared(
    _case.update()
    .where(_case.c.id == bindparam("of_id"))
    .values(state=CaseState.OPEN.value, closed_at=None, closed_by=None, settlement=None, undo=null())
)
_OPEN_TWIN = Prepared(
    select(_case.c.id).where(
        _case.c.subject == bindparam("subject"),
        _case.c.code == bindparam("code"),
        _case.c.state == CaseState.OPEN.value,
    )
)


@dataclass(frozen=True, slots=True)
class Filed:
    """A case with what only this package needs of it: its subject, whether it stands by itself, what undoes it."""

    case: Case
    subject: str
    standing: bool
    undo: Mapping[str, Any] | None

    @property
    def key(self) -> tuple[str, str] | None:
        """The key to look at again once it is settled."""
        kind, colon, key = self.subject.partition(":")
        if not colon:
            return None
        return (kind, key.partition(":")[0]) if kind == "loan" else (kind, key)


def list_cases(connection: Connection, *, state: CaseState | None, after: int | None, limit: int) -> list[Case]:
    """Return cases by number, ascending; those after *after*, at most *limit* (1000)."""
    statement = CASES.order_by(_case.c.id).limit(max(0, min(limit, LIMIT_MAX)))
    if state is not None:
        statement = statement.where(_case.c.state == state.value)
    if after is not None:
        statement = statement.where(_case.c.id > max(0, min(after, ID_MAX)))
    return [_parse(row) for row in connection.execute(statement)]


def load_case(connection: Connection, case_id: int, *, lock: bool = False) -> Filed:
    """Return one case; with *lock*, nobody else settles it until the transaction ends. Raises NotFound."""
    row = None
    if 0 < case_id <= ID_MAX:
        if lock:
            _LOCK.run(connection, {"of_id": case_id}).all()
        row = _ONE.run(connection, {"of_id": case_id}).first()
    if row is None:
        raise NotFound(f"there is no case {case_id}")
    return read_filed(row)


def read_filed(row: Any) -> Filed:
    """Return the case of a row of `CASES`."""
    return Filed(_parse(row), row.subject, row.standing, row.undo or None)


def check_open(case: Case) -> None:
    """Raise NotAllowed for a case that is settled already."""
    if case.state is not CaseState.OPEN:
        raise NotAllowed(f"case {case.id} was closed already, by {case.closed_by}: {case.settlement}")


def close_filed(
    transaction: Transaction,
    filed: Filed,
    *,
    settlement: str,
    actor: str,
    undo: Mapping[str, Any] | None = None,
    state: CaseState = CaseState.CLOSED,
) -> Case:
    """Close a case by hand, and mark its subject to be looked at again."""
    values = {"of_id": filed.case.id, "at": transaction.now, "by": actor, "how": settlement, "before": undo or None}
    _CLOSE.run(transaction.connection, {**values, "new_state": state.value})
    transaction.changes.note(CASE, filed.case.id, Event.UPDATED, reason=reason_of("", actor))
    _look_again(transaction, filed)
    return load_case(transaction.connection, filed.case.id).case


def reopen_filed(transaction: Transaction, filed: Filed) -> None:
    """Open a case again. Raises NotAllowed when another one has been opened for the same since."""
    twin = _OPEN_TWIN.run(transaction.connection, {"subject": filed.subject, "code": filed.case.code}).scalar()
    if twin is not None:
        raise NotAllowed(f"case {filed.case.id} cannot be opened again: the same is open as case {twin}")
    _REOPEN.run(transaction.connection, {"of_id": filed.case.id})
    transaction.changes.note(CASE, filed.case.id, Event.UPDATED, reason=USER)
    _look_again(transaction, filed)


def _look_again(transaction: Transaction, filed: Filed) -> None:
    if filed.key is not None:
        transaction.mark(*filed.key)
    for number in refused_dates(transaction.connection, filed.subject, filed.case.code):
        transaction.mark("loan", str(number))


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

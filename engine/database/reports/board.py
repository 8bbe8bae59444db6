"""Reading for the board: many entries at once, in one statement, without building whole loans."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select

from engine.database.loans.occupancy import is_in_its_loan
from engine.database.loans.told import find_unasked
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.board import BoardEntry, BoardMeeting, Changes
from engine.loans.loan import Home, ItemKind
from engine.loans.status import WITHDRAWN_STATUSES, ItemState, LoanStatus, tell_requested

_loan = metadata.tables["loan"]
_item = metadata.tables["loan_item"]
_person = metadata.tables["person"]
_copy = metadata.tables["room_copy"]
_decision = metadata.tables["decision"]

LOOK_BACK = 200
"""How many decisions before the cursor are read again: on PostgreSQL a smaller id may be committed later."""

LATE = 8
"""How many decisions before a page's cursor count as new to it on PostgreSQL, for the same reason."""

# Calling an enum costs several times as much as looking its member up, and there are thousands.
_STATES = {state.value: state for state in ItemState}
_STATUSES = {status.value: status for status in LoanStatus}
_HOMES = {home.value: home for home in Home}

_start: ColumnElement[Any] = bindparam("start", type_=_loan.c.end_at.type)
_end: ColumnElement[Any] = bindparam("end", type_=_loan.c.end_at.type)
_ENTRIES = (
    select(
        _item.c.bookable_id,
        _item.c.state,
        _item.c.holds,
        _loan.c.number,
        _loan.c.version,
        _loan.c.status,
        _loan.c.home,
        _loan.c.start_at,
        _loan.c.end_at,
        _loan.c.title,
        _loan.c.private,
        _loan.c.series,
        _loan.c.store_id,
        _person.c.name,
        _person.c.address,
    )
    .join(_item, _item.c.loan_number == _loan.c.number)
    .join(_person, _person.c.id == _loan.c.person_id)
    .where(
        _loan.c.end_at > _start,
        _loan.c.start_at < _end,
        _loan.c.status.not_in([status.value for status in WITHDRAWN_STATUSES]),
        _item.c.kind == ItemKind.ROOM.value,
        _item.c.state != ItemState.CANCELLED.value,
    )
)
_ENTRIES_OF = _ENTRIES.where(_loan.c.number.in_(bindparam("numbers", expanding=True)))
_MEETINGS = select(_copy.c.room_id, _copy.c.start_at, _copy.c.end_at).where(
    _copy.c.live,
    _copy.c.end_at > _start,
    _copy.c.start_at < _end,
    _copy.c.start_at < _copy.c.end_at,
    ~is_in_its_loan(),
)
_NEWEST = select(func.max(_decision.c.id))
_SINCE = (
    select(_decision.c.id, _decision.c.loan_number).where(_decision.c.id > bindparam("after")).order_by(_decision.c.id)
)


class Board:
    """Implements `BoardShelf`. One object may serve several readers: what was told already is known by the cursor."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: set[int] = set()

    def entries(self, interval: Interval, numbers: Collection[LoanNumber] | None = None) -> Sequence[BoardEntry]:
        """Return every entry that overlaps *interval*; with *numbers*, of these loans only."""
        values: dict[str, Any] = {"start": interval.start, "end": interval.end}
        statement = _ENTRIES
        if numbers is not None:
            statement, values = _ENTRIES_OF, {**values, "numbers": list(numbers)}
        with self._database.read() as transaction:
            rows = transaction.connection.execute(statement, values).all()
            waiting = {row.number for row in rows if row.state == ItemState.REQUESTED.value and row.holds}
            unasked = find_unasked(transaction.connection, waiting)
        return [_entry(row, unasked) for row in rows]

    def meetings(self, interval: Interval) -> Sequence[BoardMeeting]:
        """Return the meetings that overlap *interval* in a room that no loan of theirs has."""
        values = {"start": interval.start, "end": interval.end}
        with self._database.read() as transaction:
            rows = transaction.connection.execute(_MEETINGS, values)
            return [BoardMeeting(BookableId(row[0]), Interval(row[1], row[2])) for row in rows]

    def newest(self) -> int:
        """Return the id of the newest decision, 0 when there is none."""
        with self._database.read() as transaction:
            return transaction.connection.execute(_NEWEST).scalar() or 0

    def changed_since(self, cursor: int) -> Sequence[LoanNumber]:
        """Return the loans something was decided about since *cursor*, or a little before it."""
        late = LATE if self._database.dialect == "postgresql" else 0
        with self._database.read() as transaction:
            rows = transaction.connection.execute(_SINCE, {"after": cursor - late}).all()
        return tuple(dict.fromkeys(LoanNumber(row.loan_number) for row in rows if row.loan_number is not None))

    def changes(self, cursor: int | None) -> Changes:
        """
        Return the loans something was decided about since *cursor*.

        The ids just before the cursor are read again, and those told already left out; so what a slow transaction
        commits late is told late, and not lost. Called by one reader at a time.
        """
        with self._database.read() as transaction:
            if cursor is None:
                newest = transaction.connection.execute(_NEWEST).scalar() or 0
                told = transaction.connection.execute(_SINCE, {"after": newest - LOOK_BACK})
                self._told = {row.id for row in told}
                return Changes((), newest)
            rows = transaction.connection.execute(_SINCE, {"after": cursor - LOOK_BACK}).all()
        fresh = [row for row in rows if row.id not in self._told]
        if not fresh:
            return Changes((), cursor)
        newest = max(cursor, *(row.id for row in fresh))
        self._told = {row for row in (*self._told, *(row.id for row in fresh)) if row > newest - LOOK_BACK}
        return Changes(tuple(dict.fromkeys(row.loan_number for row in fresh if row.loan_number is not None)), newest)


def _entry(row: Any, unasked: Collection[LoanNumber]) -> BoardEntry:
    state = _STATES[row.state]
    if state is ItemState.REQUESTED:
        state = tell_requested(_STATUSES[row.status], is_unasked=row.number in unasked)
    return BoardEntry(
        room_id=BookableId(row.bookable_id),
        number=LoanNumber(row.number),
        version=row.version,
        interval=Interval(row.start_at, row.end_at),
        holds=row.holds,
        state=state,
        status=_STATUSES[row.status],
        home=_HOMES[row.home],
        title=row.title,
        requester=row.name,
        address=Address(row.address),
        private=row.private,
        is_series=row.series is not None,
        store_id=StoreId(row.store_id),
    )

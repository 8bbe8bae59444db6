"""Looking through cases: by shelf, topic, room and store. Implements `CaseShelves`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, exists, func, or_, select

from engine.database.cases.refused import has_date, is_about
from engine.database.cases.rows import CASES, Filed, load_case, read_filed
from engine.database.settling.settlements import read_rooms, view_case
from engine.database.sql.connection import Database
from engine.database.sql.limits import LIMIT_MAX
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import ID_MAX, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Case, CaseState
from engine.reconcile.cases.listing import TOPICS, CaseFilter, CaseLine, MeetingSeen, Shelf, Topic, topic_of
from engine.rooms.room import Room

_case = metadata.tables["case"]
_loan = metadata.tables["loan"]
_item = metadata.tables["loan_item"]
_room = metadata.tables["room"]
_copy = metadata.tables["room_copy"]

BY_ITSELF = "engine"
"""Who closes a case whose cause is gone."""

_SHELVES: Mapping[Shelf, ColumnElement[bool]] = {
    Shelf.OPEN: _case.c.state == CaseState.OPEN.value,
    Shelf.SETTLED: and_(_case.c.state != CaseState.OPEN.value, _case.c.closed_by != BY_ITSELF),
    Shelf.GONE: and_(_case.c.state != CaseState.OPEN.value, _case.c.closed_by == BY_ITSELF),
}
_SEEN = (
    select(_copy.c.start_at, _copy.c.end_at, _room.c.name)
    .join(_room, _room.c.id == _copy.c.room_id)
    .where(_copy.c.ical_uid == bindparam("uid"), _copy.c.start_at < _copy.c.end_at)
    .order_by(_copy.c.live.desc(), _copy.c.start_at, _room.c.name)
)
_OPEN_OF = CASES.where(is_about(bindparam("number", type_=Integer())), _SHELVES[Shelf.OPEN]).order_by(_case.c.id)
_NEWEST = select(func.max(_case.c.id))


class CaseList:
    """Reads cases as people look through them. Each method is one reading transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_cases(self, wanted: CaseFilter) -> Sequence[CaseLine]:
        """Return the cases *wanted*, each with its ways out."""
        statement = _narrow(CASES, wanted).limit(max(0, min(wanted.limit, LIMIT_MAX)))
        if wanted.topic is not None:
            statement = statement.where(_case.c.code.in_(TOPICS[wanted.topic]))
        if wanted.before is not None:
            statement = statement.where(_after(wanted.shelf, max(0, min(wanted.before, ID_MAX))))
        order = (_case.c.id.desc(),) if wanted.shelf is Shelf.OPEN else (_case.c.closed_at.desc(), _case.c.id.desc())
        with self._database.read() as transaction:
            rows = transaction.connection.execute(statement.order_by(*order)).all()
            load_rooms = cache(read_rooms)
            return [_line(transaction, read_filed(row), load_rooms) for row in rows]

    def show(self, case_id: int) -> CaseLine:
        """Return one case. Raises NotFound."""
        with self._database.read() as transaction:
            return _line(transaction, load_case(transaction.connection, case_id), read_rooms)

    def count(self, wanted: CaseFilter) -> Mapping[Topic, int]:
        """Return how many cases of each topic lie on the shelf *wanted*, whatever its topic and limit."""
        statement = _narrow(select(_case.c.code, func.count()), wanted).group_by(_case.c.code)
        counts: dict[Topic, int] = {}
        with self._database.read() as transaction:
            for code, count in transaction.connection.execute(statement):
                topic = topic_of(code)
                counts[topic] = counts.get(topic, 0) + count
        return counts

    def open_of(self, number: LoanNumber) -> Sequence[Case]:
        """Return the open cases of one loan, the oldest first."""
        with self._database.read() as transaction:
            return [read_filed(row).case for row in transaction.connection.execute(_OPEN_OF, {"number": number})]

    def newest(self) -> int:
        """Return the number of the case that was opened last; 0 when there never was one."""
        with self._database.read() as transaction:
            return transaction.connection.execute(_NEWEST).scalar() or 0


def _narrow(statement: Select[Any], wanted: CaseFilter) -> Select[Any]:
    statement = statement.where(_SHELVES[wanted.shelf])
    if wanted.room_id is not None:
        statement = statement.where(_of_room(wanted.room_id))
    if wanted.store_id is not None:
        statement = statement.where(_of_store(wanted.store_id))
    return statement


def _of_room(room_id: BookableId) -> ColumnElement[bool]:
    room = max(0, min(room_id, ID_MAX))
    return or_(
        _case.c.room_id == room,
        exists().where(_item.c.loan_number == _case.c.loan_number, _item.c.bookable_id == room),
        has_date(exists().where(_item.c.loan_number == _loan.c.number, _item.c.bookable_id == room)),
        exists().where(_copy.c.ical_uid == _case.c.ical_uid, _copy.c.room_id == room),
    )


def _of_store(store_id: StoreId) -> ColumnElement[bool]:
    store = max(0, min(store_id, ID_MAX))
    rooms = select(_room.c.id).where(_room.c.store_id == store)
    return or_(
        exists().where(_loan.c.number == _case.c.loan_number, _loan.c.store_id == store),
        has_date(_loan.c.store_id == store),
        _case.c.room_id.in_(rooms),
        and_(
            _case.c.loan_number.is_(None),
            exists().where(_copy.c.ical_uid == _case.c.ical_uid, _copy.c.room_id.in_(rooms)),
        ),
    )


def _after(shelf: Shelf, before: int) -> ColumnElement[bool]:
    """Return what comes after case *before* in the list."""
    if shelf is Shelf.OPEN:
        return _case.c.id < before
    last = _case.alias()
    closed_at = select(last.c.closed_at).where(last.c.id == before).scalar_subquery()
    return or_(_case.c.closed_at < closed_at, and_(_case.c.closed_at == closed_at, _case.c.id < before))


def _line(transaction: Transaction, filed: Filed, load_rooms: Callable[[Transaction], Sequence[Room]]) -> CaseLine:
    return CaseLine(view_case(transaction, filed, load_rooms), filed.key, _seen(transaction, filed.case))


def _seen(transaction: Transaction, case: Case) -> MeetingSeen | None:
    """Return when and where the meeting of a case is that has no loan."""
    if case.loan_number is not None or case.ical_uid is None:
        return None
    rows = transaction.connection.execute(_SEEN, {"uid": case.ical_uid}).all()
    if not rows:
        return None
    same = [row for row in rows if row.start_at == rows[0].start_at]
    return MeetingSeen(Interval(rows[0].start_at, rows[0].end_at), tuple(dict.fromkeys(row.name for row in same)))

"""What is recorded about a room at a time: facts, of which `reconcile.telling.why` says why it is booked, or is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, exists, select

from engine.database.cases.refused import is_about
from engine.database.loans.occupancy import is_in_its_loan
from engine.database.loans.told import find_unasked
from engine.database.rooms.book import read_room
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.errors import NotFound
from engine.ids import ID_MAX, BookableId, LoanNumber
from engine.interval import Interval
from engine.loans.status import ItemState, LoanStatus, tell_requested
from engine.reconcile.dates import Outside
from engine.reconcile.over import OVER, OVER_FOR
from engine.reconcile.plan import SAID_ONCE
from engine.reconcile.telling.why import ENDINGS, Answer, Known, LoanThen, MeetingThen, Said, say_why

_loan = metadata.tables["loan"]
_item = metadata.tables["loan_item"]
_link = metadata.tables["link"]
_copy = metadata.tables["room_copy"]
_case = metadata.tables["case"]
_decision = metadata.tables["decision"]
_room = metadata.tables["room"]
_subscription = metadata.tables["subscription"]
_at = bindparam("at", type_=Instant())

MEETINGS_MAX = 20
"""How many meetings, and how many loans, of one instant are told of: a room has few, those that are over included."""

_ROOM = (
    select(_room, _subscription.c.expires_at, _subscription.c.remote_id)
    .join(_subscription, _subscription.c.room_id == _room.c.id, isouter=True)
    .where(_room.c.id == bindparam("room"))
)
_LOANS = (
    select(_loan.c.number, _loan.c.status, _loan.c.start_at, _loan.c.end_at, _item.c.state, _item.c.holds)
    .join(_item, _item.c.loan_number == _loan.c.number)
    .where(_item.c.bookable_id == bindparam("room"), _item.c.blocked_start <= _at, _item.c.blocked_end > _at)
    .order_by(_item.c.holds.desc(), _loan.c.number.desc())
    .limit(MEETINGS_MAX)
)
_MEETINGS = (
    select(_copy.c.ical_uid, _copy.c.start_at, _copy.c.end_at, _copy.c.live, _copy.c.listed)
    .where(
        _copy.c.room_id == bindparam("room"),
        _copy.c.start_at <= _at,
        _copy.c.end_at > _at,
        _copy.c.ical_uid.is_not(None),
        ~is_in_its_loan(),
    )
    .order_by(_copy.c.live.desc(), _copy.c.start_at)
    .limit(MEETINGS_MAX)
)
_CASES = select(_case.c.code, _case.c.facts, _case.c.opened_at).where(_case.c.state != "closed").order_by(_case.c.id)
_LAST_CASE = (
    select(_case.c.code, _case.c.facts, _case.c.opened_at)
    .where(_case.c.ical_uid == bindparam("uid"), _case.c.loan_number.is_(None), _case.c.settlement == OVER)
    .order_by(_case.c.id.desc())
    .limit(1)
)
_LAST_REJECTION = (
    select(_decision.c.facts, _decision.c.at)
    .where(
        _decision.c.ical_uid == bindparam("uid"), _decision.c.loan_number.is_(None), _decision.c.code == "not_synced"
    )
    .order_by(_decision.c.id.desc())
    .limit(1)
)
_LAST = (
    select(_decision)
    .where(_decision.c.loan_number == bindparam("loan"), _decision.c.code.in_(ENDINGS))
    .order_by(_decision.c.id.desc())
    .limit(1)
)
_LAST_OF_ROOM = (
    select(_decision)
    .where(_decision.c.room_id == bindparam("room"), _decision.c.loan_number.is_(None), _decision.c.ical_uid.is_(None))
    .order_by(_decision.c.id.desc())
    .limit(1)
)
_UNWRITTEN = (
    select(_decision)
    .where(
        _decision.c.loan_number == bindparam("loan"),
        _decision.c.code.in_(SAID_ONCE),
        ~exists().where(_link.c.loan_number == bindparam("loan")),
    )
    .order_by(_decision.c.id.desc())
    .limit(1)
)


class WhyDesk:
    """Answers from what was recorded; reads nothing from Outlook."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, room_id: BookableId, at: datetime) -> Answer:
        """Say why the room is booked, or is not, at *at* (aware). Raises NotFound."""
        with self._database.read() as transaction:
            known = _gather(transaction, room_id, at)
        return Answer(known.room, at, say_why(known))


def _gather(transaction: Transaction, room_id: BookableId, at: datetime) -> Known:
    connection = transaction.connection
    row = connection.execute(_ROOM, {"room": room_id}).first() if 0 < room_id <= ID_MAX else None
    if row is None:
        raise NotFound(f"there is no room {room_id}")
    parameters = {"room": room_id, "at": at}
    said = connection.execute(_LAST_OF_ROOM, {"room": room_id}).first()
    return Known(
        room=read_room(row),
        at=at,
        now=transaction.now,
        loans=tuple(_loan_then(transaction, each) for each in connection.execute(_LOANS, parameters).all()),
        meetings=tuple(_meeting_then(transaction, each) for each in connection.execute(_MEETINGS, parameters).all()),
        window=Interval(row.window_start, row.window_end) if row.window_start is not None else None,
        contacted_at=row.contacted_at,
        read_at=row.read_at,
        signalled_at=row.signalled_at,
        subscribed_until=row.expires_at if row.remote_id is not None else None,
        room_said=_said(said) if said is not None else None,
    )


def _loan_then(transaction: Transaction, row: Any) -> LoanThen:
    last = transaction.connection.execute(_LAST, {"loan": row.number}).first()
    unwritten = transaction.connection.execute(_UNWRITTEN, {"loan": row.number}).first()
    status, state = LoanStatus(row.status), ItemState(row.state)
    if state is ItemState.REQUESTED:
        state = tell_requested(status, is_unasked=bool(find_unasked(transaction.connection, [row.number])))
    return LoanThen(
        number=LoanNumber(row.number),
        status=status,
        state=state,
        holds=bool(row.holds),
        interval=Interval(row.start_at, row.end_at),
        cases=_cases(transaction, _CASES.where(is_about(row.number))),
        last=_said(last) if last is not None else None,
        unwritten=_said(unwritten) if unwritten is not None else None,
    )


def _meeting_then(transaction: Transaction, row: Any) -> MeetingThen:
    return MeetingThen(
        interval=Interval(row.start_at, row.end_at),
        live=bool(row.live),
        listed=bool(row.listed),
        cases=_cases(transaction, _CASES.where(_case.c.ical_uid == row.ical_uid)) or _said_then(transaction, row),
    )


def _said_then(transaction: Transaction, row: Any) -> tuple[Said, ...]:
    """Return what was told of a meeting that has no case: it is outside the view's dates; or it is over, and its case
    has closed, or it never had one."""
    is_over = row.end_at <= transaction.now - OVER_FOR
    if is_over and (cases := _cases(transaction, _LAST_CASE, {"uid": row.ical_uid})):
        return cases
    said = transaction.connection.execute(_LAST_REJECTION, {"uid": row.ical_uid}).first()
    if said is None or not (is_over or said.facts["reason"] in set(Outside)):
        return ()
    return (Said(said.facts["reason"], said.facts, said.at),)


def _cases(transaction: Transaction, statement: Any, values: dict[str, Any] | None = None) -> tuple[Said, ...]:
    rows: Sequence[Any] = transaction.connection.execute(statement, values).all()
    return tuple(Said(row.code, row.facts, row.opened_at) for row in rows)


def _said(row: Any) -> Said:
    return Said(row.code, row.facts, row.at, row.actor)

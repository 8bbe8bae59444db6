"""What the passes over series made in the app remember. Implements `reconcile.series.writes.SeriesLedger`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import bindparam, exists, null, select, update

from engine.database.cases.records import open_cases, write_decisions
from engine.database.links.bookings import change_link
from engine.database.links.codec import parse_recurrence, render_base
from engine.database.links.freeing import await_rooms
from engine.database.links.loan_side import FIRST_LOOK_SECONDS, edit_loan, leave_unmade
from engine.database.loans.rows import load_loans
from engine.database.rooms.book import RoomCache
from engine.database.series.codec import read_series_write
from engine.database.series.own import give_uid
from engine.database.series.rows import (
    LINKED_DATES,
    ONE_SERIES,
    add_write,
    forget_write,
    let_go,
    load_bases,
    load_led,
    load_versions,
    set_recurrence,
)
from engine.database.sql.connection import Database
from engine.database.sql.lists import is_any_of
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.ids import EventId, fold_address
from engine.loans.loan import Loan, TextLevel
from engine.loans.recurrence import cut_before
from engine.loans.status import WITHDRAWN_STATUSES, ItemState, LoanAction
from engine.reconcile.actions import LoanEdit, Note
from engine.reconcile.freeing import LOOK_SECONDS, replaces_another
from engine.reconcile.ledger import SyncRules
from engine.reconcile.series.writes import (
    LED,
    AppSeriesState,
    CreatePlan,
    SeriesDate,
    SeriesDraft,
    SeriesWrite,
    SeriesWriteKind,
    Unanswered,
)
from engine.reconcile.told import CREATED, tell_done
from engine.reconcile.views import Base, Face
from engine.rooms.event import EventCopy
from engine.rooms.room import RoomBook
from engine.rooms.series import day_key, day_of, is_date_of

_series = metadata.tables["series"]
_write = metadata.tables["series_write"]
_link = metadata.tables["link"]
_loan = metadata.tables["loan"]
_copy = metadata.tables["room_copy"]

_WRITES = Prepared(select(_write).where(_write.c.series_id == bindparam("of_series")).order_by(_write.c.id))
_ENDS = Prepared(select(_write.c.payload).where(_write.c.kind == SeriesWriteKind.END.value))
_CHANGED = update(_series).where(_series.c.id == bindparam("of_id"))
_NEXT_VERSION = Prepared(_CHANGED.values(version=_series.c.version + 1))
_KNOW_EVENT = Prepared(_CHANGED.values(version=_series.c.version + 1, read_version=_series.c.version + 1))
_CHANGE_WRITE = Prepared(update(_write).where(_write.c.id == bindparam("of_id")))
_BEGIN = Prepared(update(_write).where(_write.c.id == bindparam("of_id")).values(is_begun=True))
_STAYS = Prepared(
    select(_loan.c.number)
    .join(_link, _link.c.loan_number == _loan.c.number)
    .where(
        _loan.c.series == bindparam("of_series"),
        _loan.c.number.not_in(bindparam("its_own", expanding=True)),
        _loan.c.status.not_in([status.value for status in WITHDRAWN_STATUSES]) | _link.c.cancelled_at.is_not(None),
    )
    .limit(1)
)
"""A date that goes on with its series, or that Outlook has cancelled."""
_ended, _kept, _stayed = (_copy.alias(name) for name in ("ended", "kept", "stayed"))
_is_theirs = is_any_of(_kept.c.ical_uid, "keys")
_SHOWN_WITHOUT = Prepared(
    select(_ended.c.room_id)
    .join(_write, (_write.c.id == bindparam("of_id")) & (_write.c.created_at < _ended.c.observed_at))
    .join(_stayed, (_stayed.c.room_id == _ended.c.room_id) & (_stayed.c.series_master == _ended.c.series_master))
    .where(
        is_any_of(_ended.c.ical_uid, "keys"),
        _ended.c.gone,
        _stayed.c.ical_uid <= bindparam("last_key"),
        _stayed.c.end_at > bindparam("now", type_=Instant()),
        ~_stayed.c.gone | (_stayed.c.observed_at > _ended.c.observed_at),
        ~exists().where(_kept.c.room_id == _ended.c.room_id, _is_theirs, ~_kept.c.gone),
    )
    .limit(1)
)
"""A room that dropped dates since their end was decided, all it had of them, and still had one to come of those that
stay. It drops the dates of a series that is cancelled together, and none of those that are over."""

HEAR_SECONDS = 9.0
"""After a series was made, when to ask whether it was declined whole: before its dates are looked at one by one."""


class AppSeriesLedger:
    """All methods are one short transaction each."""

    def __init__(self, database: Database, rooms: RoomCache, rules: Callable[[], SyncRules]) -> None:
        self._database = database
        self._rooms = rooms
        self._rules = rules

    def draw(self, count: int) -> str:
        return self._database.draw(count)

    def load(self, series_id: int) -> AppSeriesState | None:
        with self._database.read() as transaction:
            connection = transaction.connection
            found = ONE_SERIES.run(connection, {"of_id": series_id}).first()
            if found is None:
                return None
            writes = _WRITES.run(connection, {"of_series": series_id})
            return AppSeriesState(
                id=series_id,
                recurrence=parse_recurrence(found.recurrence),
                dates=load_led(transaction, series_id),
                writes=tuple(read_series_write(row, found.uid, found.zone) for row in writes),
                must_wait=_follows_an_end(transaction, series_id),
            )

    def text_level(self, loan: Loan) -> TextLevel:
        return self._rooms.text_level(loan.store_id) or self._rules().text_level

    def withhold(self, state: AppSeriesState, seconds: float) -> None:
        with self._database.write() as transaction:
            transaction.mark("series", str(state.id), delay=seconds)
            for each in state.dates:
                transaction.mark("loan", str(each.loan.number))

    def awaits_its_rooms(self, state: AppSeriesState) -> bool:
        loans = [each.loan for each in state.dates if replaces_another(each.generation)]
        if not loans:
            return False  # it goes on from none
        rooms = {item.id for loan in loans for item in loan.rooms}
        with self._database.write() as transaction:
            awaits = await_rooms(transaction, [loan.number for loan in loans], rooms)
            if awaits:
                transaction.mark("series", str(state.id), delay=LOOK_SECONDS)
        return awaits

    def release(self, series_id: int) -> None:
        with self._database.write() as transaction:
            let_go(transaction, [each.loan.number for each in load_led(transaction, series_id)])

    def save_create(self, series_id: int, plan: CreatePlan, mailbox: str, draft: SeriesDraft) -> SeriesWrite:
        kind = SeriesWriteKind.CREATE
        with self._database.write() as transaction:
            write_id = add_write(transaction, series_id, kind, mailbox=mailbox, event_id=None, draft=draft)
            let_go(transaction, [each.loan.number for each in plan.alone])
        return SeriesWrite(write_id, series_id, kind, mailbox, None, draft, zone=plan.recurrence.zone)

    def redirect(self, write: SeriesWrite, mailbox: str, note: Note) -> SeriesWrite:
        with self._database.write() as transaction:
            _CHANGE_WRITE.run(transaction.connection, {"of_id": write.id, "mailbox": mailbox})
            for each in write.draft.dates:
                write_decisions(transaction, [note], loan_number=each.number, ical_uid=None)
        return replace(write, mailbox=mailbox)

    def finish_create(self, write: SeriesWrite, master: EventCopy) -> None:
        with self._database.write() as transaction:
            if not forget_write(transaction, write):
                return
            self._know_event(transaction, write, master)
            versions = load_versions(transaction, [each.number for each in write.draft.dates])
            for each in write.draft.dates:
                self._tie(transaction, write, master, each, _as_created(write, each), code=CREATED)
                is_same = versions.get(each.number) == each.version
                transaction.mark("loan", str(each.number), delay=FIRST_LOOK_SECONDS if is_same else 0.0)
            transaction.mark("series", str(write.series_id), delay=HEAR_SECONDS + 0.5)

    def _know_event(self, transaction: Transaction, write: SeriesWrite, master: EventCopy) -> None:
        """Give the series its uid; what a room showed of it before is the same series."""
        give_uid(transaction, write.series_id, master.ical_uid)
        values = {
            "of_id": write.series_id,
            "organizer_mailbox": fold_address(write.mailbox),
            "organizer_event_id": master.event_id,
            "title": master.subject if not write.draft.private else "",
            "private": write.draft.private,
            "web_link": master.web_link,
        }
        _KNOW_EVENT.run(transaction.connection, values)

    def _tie(
        self,
        transaction: Transaction,
        write: SeriesWrite,
        master: EventCopy,
        each: SeriesDate,
        base: Base,
        *,
        code: str,
    ) -> None:
        """Tie a date to its series' event, as it was written."""
        key = day_key(master.ical_uid, each.day)
        change_link(
            transaction,
            each.number,
            each.generation,
            state="linked",
            ical_uid=key,
            organizer_mailbox=write.mailbox,
            base=render_base(base),
            written_at=transaction.now,
            asked_at=transaction.now,
            web_link=master.web_link,
        )
        write_decisions(transaction, [tell_done(code)], loan_number=each.number, ical_uid=key)

    def _changed(self, write: SeriesWrite, each: SeriesDate, agreed: Base) -> Base:
        """Return what both sides agree on about a date once a change is done: hours and rooms as far as it wrote them.
        What else the desk has changed in its loan is still to be written for this date alone."""
        draft = write.draft
        added = self.room_book().numbers_of(room.address for room in draft.rooms)
        dropped = self.room_book().numbers_of(draft.drop_rooms)

        def change(face: Face) -> Face:
            interval = face.interval if draft.recurrence is None else each.interval
            return Face(interval, face.requester, (face.rooms - dropped) | added)

        outlook = replace(change(agreed.outlook), requester=fold_address(write.mailbox))
        return Base(outlook=outlook, loan=change(agreed.loan))

    def room_book(self) -> RoomBook:
        return self._rooms.book()

    def load_faces(self, write: SeriesWrite) -> Mapping[date, Face]:
        with self._database.read() as transaction:
            return {day: base.outlook for day, base in load_bases(transaction, write).items()}

    def has_cancelled_the_rest(self, write: SeriesWrite) -> bool:
        its_own = [each.number for each in write.draft.dates]
        with self._database.read() as transaction:
            found = _STAYS.run(transaction.connection, {"of_series": str(write.series_id), "its_own": its_own})
            return found.first() is None

    def was_shown_without(self, write: SeriesWrite) -> bool:
        if write.uid is None or write.draft.last is None:
            return False
        keys = [day_key(write.uid, each.day) for each in write.draft.dates]
        with self._database.read() as transaction:
            values = {"of_id": write.id, "keys": keys, "last_key": day_key(write.uid, write.draft.last)}
            return _SHOWN_WITHOUT.run(transaction.connection, {**values, "now": transaction.now}).first() is not None

    def begin(self, write: SeriesWrite) -> None:
        with self._database.write() as transaction:
            _BEGIN.run(transaction.connection, {"of_id": write.id})

    def find_unanswered(self, series_id: int) -> Unanswered | None:
        with self._database.read() as transaction:
            return _load_unanswered(transaction, series_id)

    def refuse(self, series_id: int, unanswered: Unanswered) -> None:
        with self._database.write() as transaction:
            if _load_unanswered(transaction, series_id) != unanswered:
                return  # somebody changed a date, or a room spoke up
            for each in unanswered.dates:
                self._refuse_date(transaction, each)
            first = unanswered.dates[0]
            cases = [Note("room_declined", {"item_id": room}, room_id=room) for room in sorted(first.rooms)]
            open_cases(transaction, f"loan:{first.number}", cases, standing=False, loan_number=first.number)
            add_write(
                transaction,
                series_id,
                SeriesWriteKind.END,
                mailbox=unanswered.mailbox,
                event_id=unanswered.event_id,
                draft=SeriesDraft(dates=unanswered.dates),
            )
            transaction.mark("series", str(series_id))

    def _refuse_date(self, transaction: Transaction, each: SeriesDate) -> None:
        connection = transaction.connection
        loan = load_loans(connection, [each.number])[0]
        states = {item.id: ItemState.DECLINED for item in loan.rooms}
        edit_loan(transaction, loan, LoanEdit(states=states, action=LoanAction.REFUSE))
        change_link(transaction, each.number, each.generation, state="ended")
        write_decisions(transaction, [Note("all_rooms_declined")], loan_number=each.number, ical_uid=None)

    def finish_change(self, write: SeriesWrite, master: EventCopy) -> None:
        with self._database.write() as transaction:
            if not forget_write(transaction, write):
                return
            values = {"of_id": write.series_id, "organizer_event_id": master.event_id}
            _NEXT_VERSION.run(transaction.connection, values)
            if write.draft.recurrence is not None:
                set_recurrence(transaction, write.series_id, write.draft.recurrence)
            agreed = load_bases(transaction, write)
            for each in write.draft.dates:
                base = agreed.get(each.day)
                base = self._changed(write, each, base) if base is not None else _as_created(write, each)
                self._tie(transaction, write, master, each, base, code="event_changed")
                transaction.mark("loan", str(each.number), delay=FIRST_LOOK_SECONDS)

    def finish_end(self, write: SeriesWrite) -> None:
        successor = write.draft.successor
        note = tell_done("event_deleted")
        if successor is not None:
            note = Note("series_goes_on", {"series": successor}, actor="engine")
        with self._database.write() as transaction:
            if not forget_write(transaction, write):
                return
            for each in write.draft.dates:
                change_link(transaction, each.number, each.generation, written_at=transaction.now)
                write_decisions(transaction, [note], loan_number=each.number, ical_uid=None)
            _cut_pattern(transaction, write)
            if successor is not None:
                transaction.mark("series", str(successor))

    def give_back(self, write: SeriesWrite, note: Note | None) -> None:
        """Tie each date to its event again as it was: its own pass does what the series was to do."""
        numbers = [each.number for each in write.draft.dates]
        successor = write.draft.successor
        with self._database.write() as transaction:
            connection = transaction.connection
            if not forget_write(transaction, write):
                return
            if successor is not None:
                connection.execute(_link.delete().where(_link.c.loan_number.in_(numbers), _link.c.state == LED))
                connection.execute(update(_loan).where(_loan.c.number.in_(numbers)).values(series=str(write.series_id)))
                connection.execute(_series.delete().where(_series.c.id == successor))
            for each in write.draft.dates:
                change_link(transaction, each.number, each.generation, state="linked")
                if note is not None:
                    write_decisions(transaction, [note], loan_number=each.number, ical_uid=None)
                transaction.mark("loan", str(each.number))
            if note is not None:
                open_cases(transaction, f"loan:{numbers[0]}", [note], standing=False, loan_number=numbers[0])

    def fail(self, write: SeriesWrite, note: Note) -> None:
        """Leave the dates as a loan is left whose event was refused: a later edit tries it anew, by itself."""
        numbers = [each.number for each in write.draft.dates]
        with self._database.write() as transaction:
            if not forget_write(transaction, write):
                return
            transaction.connection.execute(
                update(_link)
                .where(_link.c.loan_number.in_(numbers), _link.c.state == LED)
                .values(state="pending", ical_uid=null())
            )
            leave_unmade(transaction, numbers, note)


def _as_created(write: SeriesWrite, each: SeriesDate) -> Base:
    """Return what both sides agree on about a date that was written whole."""
    outlook = Face(each.interval, fold_address(write.mailbox), each.rooms)
    return Base(outlook=outlook, loan=replace(outlook, requester=each.requester))


def _load_unanswered(transaction: Transaction, series_id: int) -> Unanswered | None:
    connection = transaction.connection
    found = ONE_SERIES.run(connection, {"of_id": series_id}).one()
    rows = LINKED_DATES.run(connection, {"of_series": str(series_id)}).all()
    loans = {loan.number: loan for loan in load_loans(connection, [row.loan_number for row in rows])}
    living = [row for row in rows if loans[row.loan_number].blocks and is_date_of(row.ical_uid, found.uid)]
    states = {item.state for row in living for item in loans[row.loan_number].rooms}
    if states != {ItemState.REQUESTED} or len(living) < 2 or found.organizer_event_id is None:
        return None
    asked_before = transaction.now - timedelta(seconds=HEAR_SECONDS)
    if any(row.asked_at is None or row.asked_at > asked_before for row in living):
        return None  # too early to call it silence
    dates = tuple(_as_date(row, loans[row.loan_number]) for row in living)
    return Unanswered(found.organizer_mailbox, EventId(found.organizer_event_id), dates)


def _as_date(link: Any, loan: Loan) -> SeriesDate:
    day = day_of(link.ical_uid)
    assert day is not None, "a date of a series is named by its day"
    requester, rooms = fold_address(loan.requester.address), frozenset(item.id for item in loan.rooms)
    return SeriesDate(loan.number, link.generation, loan.version, day, loan.interval, requester, rooms)


def _cut_pattern(transaction: Transaction, write: SeriesWrite) -> None:
    """Let a series made in the app end where it has ended in Outlook."""
    found = ONE_SERIES.run(transaction.connection, {"of_id": write.series_id}).first()
    recurrence = parse_recurrence(found.recurrence) if found is not None else None
    if write.draft.last is not None and recurrence is not None:
        set_recurrence(transaction, write.series_id, cut_before(recurrence, write.draft.last + timedelta(days=1)))


def _follows_an_end(transaction: Transaction, series_id: int) -> bool:
    """Tell whether an end is still being written of which this series is the rest."""
    return any(payload["successor"] == series_id for payload in _ENDS.run(transaction.connection).scalars())

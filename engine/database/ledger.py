"""The ledger: what passes over rooms and bookings remember. Implements `reconcile.ledger.Ledger`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, delete, func, select, update

from engine.database.bookings import finish_change, load_intents, load_link
from engine.database.codec import render_base
from engine.database.connection import Database, Transaction
from engine.database.loan_side import FIRST_LOOK_SECONDS, return_to_base
from engine.database.loans import load_loan
from engine.database.marks import Priority
from engine.database.mirror import HELD_BY_LOAN, WITHDRAWN, Marker, Mirror, copy_table, item_table, link_table
from engine.database.occupancy import find_held
from engine.database.prepared import Prepared
from engine.database.records import close_case_of, open_cases, write_decisions
from engine.database.roombook import RoomCache
from engine.database.series import (
    count_dates_before,
    find_series,
    find_unsettled,
    name_now,
    save_organizers_master,
    touch_series,
)
from engine.database.settle import Settler, is_told
from engine.database.tables import metadata
from engine.database.types import Instant
from engine.errors import Clash, MailboxClosed
from engine.ids import BookableId, EventId, ICalUid, LoanNumber, fold_address
from engine.interval import Interval
from engine.loans.loan import Loan, TextLevel
from engine.loans.rules import RuleBreach
from engine.reconcile.actions import Note, Plan
from engine.reconcile.ledger import (
    Booking,
    Intent,
    IntentKind,
    Link,
    PageSaved,
    Reading,
    Series,
    SyncRules,
    UnsettledSeries,
    Writing,
)
from engine.reconcile.series_writes import SeriesWriteKind
from engine.reconcile.told import FOUND_AGAIN, tell_done
from engine.reconcile.views import RoomCopy
from engine.rooms.calendar import ChangesPage
from engine.rooms.event import Answer, EventCopy
from engine.rooms.room import RoomBook, RoomState

room_table = metadata.tables["room"]
intent_table = metadata.tables["intent"]
series_write_table = metadata.tables["series_write"]


class SyncLedger:
    """All methods are one short transaction each; times are the transaction's own clock."""

    def __init__(self, database: Database, rooms: RoomCache, rules: Callable[[], SyncRules], *, instance: str) -> None:
        self._database = database
        self._rooms = rooms
        self._rules = rules
        self._mirror = Mirror(database.dialect, rooms)
        self._settler = Settler(rooms, rules, self._mirror, instance=instance)

    def room_book(self) -> RoomBook:
        return self._rooms.book()

    def times_of(self, copy: EventCopy) -> Interval | None:
        book = self._rooms.book()
        invited = [book.by_address(each.address) for each in copy.attendees if each.answer is not Answer.DECLINED]
        return self._rooms.times_of(copy, {room.id for room in invited if room is not None})

    def _write(self, *, durable: bool = True) -> AbstractContextManager[Transaction]:
        """Open a writing transaction, the rooms being up to date before it begins."""
        self._rooms.book()
        return self._database.write(durable=durable)

    def _read(self) -> AbstractContextManager[Transaction]:
        self._rooms.book()
        return self._database.read()

    # --- rooms

    def load_reading(self, room_id: BookableId) -> Reading | None:
        room = self._rooms.book().by_id(room_id)
        if room is None or room.state is RoomState.EXCLUDED:  # another process may have changed that a moment ago
            self._rooms.forget()
            room = self._rooms.book().by_id(room_id)
        if room is None or room.state is RoomState.EXCLUDED:
            return None
        with self._read() as transaction:
            row = _READING.run(transaction.connection, {"room": room_id}).one()
        window = Interval(row.window_start, row.window_end) if row.window_start else None
        return Reading(room, row.delta_link, row.next_link, window, row.reading, row.contacted_at, row.signalled_at)

    def begin_reading(self, room_id: BookableId, window: Interval) -> Reading:
        with self._write() as transaction:
            transaction.connection.execute(
                update(room_table)
                .where(room_table.c.id == room_id)
                .values(
                    reading=room_table.c.reading + 1,
                    next_link=None,
                    delta_link=None,
                    window_start=window.start,
                    window_end=window.end,
                    read_at=transaction.now,
                )
            )
        found = self.load_reading(room_id)
        assert found is not None, "a reading begins only for a room that is followed"
        return found

    def save_page(
        self, reading: Reading, page: ChangesPage, *, whole: bool, import_existing: bool, priority: int
    ) -> PageSaved:
        first_contact = reading.contacted_at is None
        with self._write(durable=False) as transaction:  # after a power cut the room is read from the older link
            changed, marked = self._mirror.save_page(
                transaction,
                reading.room.id,
                page,
                reading=reading.number,
                whole=whole,
                listed=first_contact and not import_existing,
                priority=Priority(priority),
                book=self._rooms.book(),
                contacted_at=None if import_existing else reading.contacted_at,
            )
            self._save_progress(transaction, reading, page, changed=0 if whole else changed)
            if whole and page.delta_link is not None and not first_contact:
                marked += self._doubt_unseen(transaction, reading, priority)
            unsettled = find_unsettled(transaction.connection, reading.room.id) if page.next_link is None else ()
        return PageSaved(changed, marked, tuple(UnsettledSeries(*found) for found in unsettled))

    def _save_progress(self, transaction: Transaction, reading: Reading, page: ChangesPage, *, changed: int) -> None:
        values: dict[str, Any] = {"room_id": reading.room.id, "next": page.next_link}
        if page.delta_link is not None:
            values |= {"delta": page.delta_link, "now": transaction.now}
        if changed:
            values |= {"changed": changed, "covered_since": transaction.now - SIGNAL_COVERS}
        statement = _PROGRESS[page.delta_link is not None, bool(changed)]
        statement.run(transaction.connection, values)

    def _refuse_emptiness(self, transaction: Transaction, reading: Reading) -> None:
        """
        Believe no calendar that comes back empty where many bookings were (design: brakes). The page is not saved.

        A room that was really emptied shows each meeting's end; one that shows nothing at all was restored from
        nowhere, or the reading went wrong. Raises MailboxClosed: the room is suspended until it shows something
        again, or its loans are cancelled here.
        """
        values = {"room": reading.room.id, "number": reading.number, "now": transaction.now}
        if _SEEN_BY.run(transaction.connection, values).scalar():
            return
        lost = _LINKED_TO_COME.run(transaction.connection, values).scalar_one()
        if lost >= EMPTY_FROM:
            raise MailboxClosed(
                f"its calendar came back empty, although {lost} bookings to come were in it; nothing is cancelled. "
                "Restore the calendar, or cancel the loans here if they are really over"
            )

    def _doubt_unseen(self, transaction: Transaction, reading: Reading, priority: int) -> int:
        assert reading.window is not None
        row = _READING.run(transaction.connection, {"room": reading.room.id}).one()
        self._refuse_emptiness(transaction, reading)
        uids = self._mirror.doubt_unseen(
            transaction, reading.room.id, reading=reading.number, began_at=row.read_at, window=reading.window
        )
        return Marker(transaction, priority=Priority(priority)).mark_meetings(uids)

    def save_dates(self, room_id: BookableId, master_id: EventId, copies: Sequence[EventCopy]) -> None:
        with self._write() as transaction:
            self._mirror.save_dates(transaction, room_id, master_id, copies, self._rooms.book())

    def suspend_room(self, room_id: BookableId, reason: str) -> None:
        self._set_state(room_id, RoomState.ACTIVE, RoomState.SUSPENDED, Note("room_suspended", {"reason": reason}))

    def resume_room(self, room_id: BookableId) -> None:
        self._set_state(room_id, RoomState.SUSPENDED, RoomState.ACTIVE, Note("room_resumed"))

    def _set_state(self, room_id: BookableId, before: RoomState, after: RoomState, note: Note) -> None:
        with self._write() as transaction:
            changed = transaction.connection.execute(
                update(room_table)
                .where(room_table.c.id == room_id, room_table.c.state == before.value)
                .values(state=after.value, state_since=transaction.now, state_detail=str(note.facts.get("reason", "")))
            )
            if not changed.rowcount:
                return
            note = replace(note, actor="engine", room_id=room_id)
            write_decisions(transaction, [note], loan_number=None, ical_uid=None)
            if after is RoomState.SUSPENDED:
                open_cases(transaction, f"room:{room_id}", [note], standing=True)
            else:
                close_case_of(transaction, f"room:{room_id}", "room_suspended")
                transaction.mark("subscription", str(room_id))
        self._rooms.forget()

    # --- bookings

    def bookings_of(self, rooms: Sequence[BookableId]) -> list[tuple[str, str]]:
        """Return the keys of every booking to come in *rooms*: loans that are linked, meetings that are not."""
        with self._read() as transaction:
            parameters = {"rooms": list(rooms), "now": transaction.now}
            loans = _LOANS_OF.run(transaction.connection, parameters).scalars()
            meetings = _MEETINGS_OF.run(transaction.connection, parameters).scalars()
        return [*(("loan", str(number)) for number in loans), *(("meeting", uid) for uid in meetings)]

    def load_booking(self, kind: str, key: str) -> Booking | None:
        with self._read() as transaction:
            connection = transaction.connection
            link = load_link(connection, kind, key)
            taken_over = kind == "meeting" and link is not None and link[1].state in HELD_BY_LOAN
            if not taken_over:
                return self._read_booking(transaction, kind, key, link)
        assert link is not None
        with self._write() as transaction:
            transaction.mark("loan", str(link[0]))
        return None

    def _read_booking(
        self, transaction: Transaction, kind: str, key: str, found: tuple[int, Link] | None
    ) -> Booking | None:
        connection = transaction.connection
        if kind == "meeting":
            withdrawn = LoanNumber(found[0]) if found is not None and found[1].state == WITHDRAWN else None
            series = find_series(connection, key)
            if withdrawn is not None and (series is None or _is_being_ended(connection, withdrawn, series)):
                return None  # ours, and withdrawn: what is still heard of it is its echo
            copies, seen_at = self._mirror.load_copies(transaction, ICalUid(key))
            if withdrawn is not None and not any(_is_to_come(copy, transaction.now) for copy in copies):
                return None
            series = name_now(series, copies)
            return Booking(kind, key, None, None, copies, seen_at=seen_at, series=series, withdrawn=withdrawn)
        loan = load_loan(connection, int(key))
        if loan is None:
            return None
        link = found[1] if found else None
        copies = self._mirror.load_copies(transaction, link.ical_uid)[0] if link and link.ical_uid else ()
        intents = load_intents(connection, loan.number)
        series = name_now(find_series(connection, link.ical_uid), copies) if link is not None else None
        return Booking(kind, key, loan, link, copies, intents, series=series)

    def save_copy(self, room_id: BookableId, event_id: EventId, copy: EventCopy | None) -> None:
        with self._write() as transaction:
            self._mirror.save_copy(transaction, room_id, event_id, copy, self._rooms.book())

    def load_series(self, key: str) -> Series | None:
        with self._read() as transaction:
            return find_series(transaction.connection, key)

    def save_series(self, series: Series, mailbox: str, copy: EventCopy | None) -> None:
        with self._write() as transaction:
            save_organizers_master(transaction, series, mailbox, copy)

    def series_rank(self, booking: Booking) -> int:
        with self._read() as transaction:
            return count_dates_before(transaction, booking) + 1

    def clashes(
        self, items: Sequence[BookableId], interval: Interval, *, apart_from: LoanNumber | None
    ) -> Mapping[BookableId, Clash]:
        with self._read() as transaction:
            held = find_held(transaction.connection, items, interval, apart=apart_from)
        return {
            busy.item_id: Clash(
                busy.item_id,
                self._rooms.name_of(busy.item_id),
                busy.interval.start,
                busy.interval.end,
                busy.loan_number,
            )
            for busy in held
        }

    def breaches(self, rooms: Sequence[BookableId], interval: Interval) -> tuple[RuleBreach, ...]:
        return self._rooms.breaches(rooms, interval, now=self._now())

    def _now(self) -> datetime:
        if self._database.clock is not None:
            return self._database.clock()
        with self._read() as transaction:
            return transaction.now

    def store_text_level(self, loan: Loan) -> TextLevel:
        return self._rooms.text_level(loan.store_id) or self._rules().text_level

    def save_plan(self, booking: Booking, plan: Plan, writing: Writing) -> tuple[Intent, ...]:
        with self._write() as transaction:
            return self._settler.save(transaction, booking, plan, writing)

    def adopt(self, booking: Booking, loan_number: LoanNumber, generation: int, copy: EventCopy) -> bool:
        with self._write() as transaction:
            intents = load_intents(transaction.connection, loan_number)
            ours = [each for each in intents if each.generation == generation and each.kind is IntentKind.CREATE]
            intent = next((each for each in ours if each.draft.marker == copy.transaction_id), None)
            if intent is None:
                return False
            self._finish(transaction, intent, copy, told=FOUND_AGAIN)
        return True

    def is_own_create_under_way(self, mailbox: str, interval: Interval) -> bool:
        start = interval.start.isoformat()
        with self._read() as transaction:
            rows = _CREATES.run(transaction.connection, {"mailbox": mailbox}).all()
            series = _SERIES_CREATES.run(transaction.connection, {"mailbox": mailbox}).all()
        dates = (each["start"] for row in series for each in row.payload["dates"])
        return any(row.payload.get("start") == start for row in rows) or start in dates

    # --- writes

    def finish_intent(self, intent: Intent, copy: EventCopy | None, *, told: str | None = None) -> None:
        with self._write() as transaction:
            self._finish(transaction, intent, copy, told=told or intent.told)

    def _finish(self, transaction: Transaction, intent: Intent, copy: EventCopy | None, *, told: str) -> None:
        """Store the outcome of a write, once: an answer may come after its event was seen in a calendar already."""
        if not _drop(transaction, intent):
            return
        _tell(transaction, intent, told, copy)
        match intent.kind:
            case IntentKind.CREATE | IntentKind.CHANGE:
                assert copy is not None, "a create and a change leave a copy"
                finish_change(transaction, intent, copy)
                touch_series(transaction, intent.ical_uid)
                transaction.mark("loan", str(intent.loan_number), delay=FIRST_LOOK_SECONDS)
                if intent.kind is IntentKind.CREATE:
                    self._mark_if_changed_since(transaction, intent)
            case IntentKind.DELETE:
                pass

    def _mark_if_changed_since(self, transaction: Transaction, intent: Intent) -> None:
        """Look at once when the room's copy came in before its answer to us did: nobody will mark it again."""
        known = _COPY_OF.run(transaction.connection, {"number": intent.loan_number}).first()
        if known is not None:
            transaction.mark("loan", str(intent.loan_number))

    def drop_intent(self, intent: Intent, *, told: str | None = None) -> None:
        with self._write() as transaction:
            if _drop(transaction, intent) and told is not None:
                _tell(transaction, intent, told, None)
            transaction.mark("loan", str(intent.loan_number))

    def redirect_intent(self, intent: Intent, mailbox: str, note: Note) -> Intent:
        assert intent.base is not None
        outlook = replace(intent.base.outlook, requester=fold_address(mailbox))
        base = replace(intent.base, outlook=outlook)
        with self._write() as transaction:
            transaction.connection.execute(
                update(intent_table)
                .where(intent_table.c.id == intent.id)
                .values(mailbox=mailbox, base=render_base(base))
            )
            transaction.connection.execute(
                update(link_table)
                .where(link_table.c.loan_number == intent.loan_number, link_table.c.generation == intent.generation)
                .values(organizer_mailbox=mailbox)
            )
            write_decisions(transaction, [note], loan_number=intent.loan_number, ical_uid=None)
        return replace(intent, mailbox=mailbox, base=base)

    def fail_intent(self, intent: Intent, note: Note) -> None:
        with self._write() as transaction:
            if not _drop(transaction, intent):
                return
            subject = f"loan:{intent.loan_number}"
            write_decisions(transaction, [note], loan_number=intent.loan_number, ical_uid=intent.ical_uid)
            open_cases(transaction, subject, [note], standing=False, loan_number=intent.loan_number)
            if intent.kind is IntentKind.CHANGE:
                return_to_base(transaction, intent.loan_number)

    def note_conflict(self, booking: Booking, note: Note) -> None:
        assert booking.loan is not None, "a conflict is about a loan"
        number, version = booking.loan.number, booking.loan.version
        subject = f"loan:{number}:{note.facts.get('field')}:{version}"
        with self._write() as transaction:
            if is_told(transaction, subject, note):
                return  # the engine died since, before it had done what made the value lose
            write_decisions(transaction, [note], loan_number=number, ical_uid=None)
            open_cases(transaction, subject, [note], standing=False, loan_number=number)

    def refuse_edit(self, booking: Booking, note: Note) -> None:
        assert booking.loan is not None, "only a loan is edited"
        number = booking.loan.number
        with self._write() as transaction:
            write_decisions(transaction, [note], loan_number=number, ical_uid=None)
            open_cases(transaction, f"loan:{number}", [note], standing=False, loan_number=number)
            return_to_base(transaction, number)

    def open_case(self, subject: str, note: Note) -> None:
        with self._write() as transaction:
            open_cases(transaction, subject, [note], standing=True)

    def close_case(self, subject: str, code: str) -> None:
        with self._write() as transaction:
            close_case_of(transaction, subject, code)


def _progress(*, ends: bool, changed: bool) -> Prepared:
    """Return the statement that notes how far a reading has come."""
    values: dict[str, Any] = {"next_link": bindparam("next")}
    if ends:
        now = bindparam("now", type_=Instant())
        values |= {"delta_link": bindparam("delta"), "read_at": now}
        values["contacted_at"] = func.coalesce(room_table.c.contacted_at, now)
    if changed:
        values["changed_unsignalled"] = _unsignalled()
    return Prepared(update(room_table).where(room_table.c.id == bindparam("room_id")).values(**values))


def _unsignalled() -> Any:
    """Return the new count of changes that no notification announced: those found long after the last one."""
    signalled, count = room_table.c.signalled_at, room_table.c.changed_unsignalled
    silent = signalled.is_(None) | (signalled < bindparam("covered_since", type_=Instant()))
    return case((silent, count + bindparam("changed")), else_=count)


_PROGRESS = {
    (ends, changed): _progress(ends=ends, changed=changed) for ends in (True, False) for changed in (True, False)
}

EMPTY_FROM = 10
"""From how many bookings to come in a room on an empty reading of it is not believed."""

_SEEN_BY = Prepared(
    select(copy_table.c.event_id)
    .where(copy_table.c.room_id == bindparam("room"), copy_table.c.reading == bindparam("number"))
    .limit(1)
)
_LINKED_TO_COME = Prepared(
    select(func.count(func.distinct(item_table.c.loan_number)))
    .join(link_table, link_table.c.loan_number == item_table.c.loan_number)
    .where(
        item_table.c.bookable_id == bindparam("room"),
        item_table.c.holds,
        item_table.c.blocked_start > bindparam("now", type_=Instant()),
        link_table.c.state == "linked",
    )
)

SIGNAL_COVERS = timedelta(minutes=5)
"""How long after a notification a change that is found still counts as announced by it."""

_READING = Prepared(select(
    room_table.c.delta_link, room_table.c.next_link, room_table.c.window_start, room_table.c.window_end,
    room_table.c.reading, room_table.c.contacted_at, room_table.c.read_at, room_table.c.signalled_at,
).where(room_table.c.id == bindparam("room")))  # fmt: skip
_DROP_INTENT = Prepared(
    delete(intent_table).where(
        intent_table.c.id == bindparam("intent"),  # SQLite gives the number of a row that is gone to a later one
        intent_table.c.loan_number == bindparam("number"),
        intent_table.c.generation == bindparam("generation"),
        intent_table.c.kind == bindparam("kind"),
    )
)


def _drop(transaction: Transaction, intent: Intent) -> bool:
    """Forget an intent that is over; tell whether it was still there."""
    row = {
        "intent": intent.id, "number": intent.loan_number, "generation": intent.generation, "kind": intent.kind.value,
    }  # fmt: skip
    return _DROP_INTENT.run(transaction.connection, row).rowcount > 0


def _tell(transaction: Transaction, intent: Intent, code: str, copy: EventCopy | None) -> None:
    """Tell the history what became of a write. One decided by an earlier version may have been told then: ""."""
    if code:
        uid = intent.ical_uid or (copy.ical_uid if copy is not None else None)
        write_decisions(transaction, [tell_done(code)], loan_number=intent.loan_number, ical_uid=uid)


def _is_being_ended(connection: Connection, number: LoanNumber, series: Series) -> bool:
    """Tell whether a write is open that may end this date: until it is done the organizer's calendar still shows it."""
    writes = _WRITES_OF_SERIES.run(connection, {"series": series.id}).first()
    return writes is not None or bool(load_intents(connection, number))


def _is_to_come(copy: RoomCopy, now: datetime) -> bool:
    return copy.live and (copy.interval is None or copy.interval.end > now)


_WRITES_OF_SERIES = Prepared(
    select(series_write_table.c.id).where(series_write_table.c.series_id == bindparam("series")).limit(1)
)
_COPY_OF = Prepared(
    select(copy_table.c.event_id)
    .join(link_table, link_table.c.ical_uid == copy_table.c.ical_uid)
    .where(link_table.c.loan_number == bindparam("number"))
    .limit(1)
)
_CREATES = Prepared(
    select(intent_table.c.payload).where(
        and_(intent_table.c.kind == IntentKind.CREATE.value, intent_table.c.mailbox == bindparam("mailbox"))
    )
)
_SERIES_CREATES = Prepared(
    select(series_write_table.c.payload).where(
        series_write_table.c.kind == SeriesWriteKind.CREATE.value, series_write_table.c.mailbox == bindparam("mailbox")
    )
)

_LOANS_OF = Prepared(
    select(item_table.c.loan_number)
    .where(
        item_table.c.bookable_id.in_(bindparam("rooms", expanding=True)),
        item_table.c.holds,
        item_table.c.blocked_end > bindparam("now", type_=Instant()),
    )
    .distinct()
    .order_by(item_table.c.loan_number)
)
_MEETINGS_OF = Prepared(
    select(copy_table.c.ical_uid)
    .join(link_table, link_table.c.ical_uid == copy_table.c.ical_uid, isouter=True)
    .where(
        copy_table.c.room_id.in_(bindparam("rooms", expanding=True)),
        copy_table.c.live,
        ~copy_table.c.listed,
        copy_table.c.ical_uid.is_not(None),
        copy_table.c.end_at > bindparam("now", type_=Instant()),
        (link_table.c.id.is_(None))
        | (link_table.c.state == "left")
        | ((link_table.c.state == WITHDRAWN) & copy_table.c.series_master.is_not(None)),
    )
    .distinct()
    .order_by(copy_table.c.ical_uid)
)

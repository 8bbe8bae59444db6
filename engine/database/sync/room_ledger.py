"""What passes over rooms remember: how far each calendar was read, and which rooms cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, case, exists, func, null, select, update

from engine.database.inbox.contents import doubt_unshown
from engine.database.mirror.mirror import copy_table, item_table, link_table
from engine.database.rooms.states import resume, suspend
from engine.database.series.dates import find_unsettled
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sync.ledger_base import LedgerBase
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.database.work.meeting_marks import MeetingMarks
from engine.database.work.wakes import ask_about_unshown, ask_about_unshown_now
from engine.errors import MailboxClosed
from engine.ids import BookableId, EventId
from engine.interval import Interval
from engine.reconcile.ledger import PageSaved, Reading, UnsettledSeries
from engine.rooms.calendar import ChangesPage
from engine.rooms.event import EventCopy
from engine.rooms.room import Room, RoomState

room_table = metadata.tables["room"]


class RoomLedger(LedgerBase):
    """The part of the ledger about rooms."""

    def load_reading(self, room_id: BookableId) -> Reading | None:
        room = self._find_followed(room_id)
        if room is None:
            return None
        with self._read() as transaction:
            return _find_reading(transaction, room)

    def begin_reading(self, room_id: BookableId, window: Interval) -> Reading | None:
        room = self._find_followed(room_id)
        with self._write(durable=False) as transaction:  # after a power cut it begins once more
            values = {"room": room_id, "start": window.start, "end": window.end, "now": transaction.now}
            _BEGIN_READING.run(transaction.connection, values)
            return _find_reading(transaction, room) if room is not None else None

    def _find_followed(self, room_id: BookableId) -> Room | None:
        """Return the room if it is followed."""
        room = self._rooms.book().by_id(room_id)
        return room if room is not None and room.state is not RoomState.EXCLUDED else None

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
                marked += self._doubt_unseen(transaction, reading, page.shown, priority)
            if page.delta_link is not None and whole:
                ask = ask_about_unshown if first_contact else ask_about_unshown_now
                ask(transaction, reading.room.id, priority=Priority(priority))
            if page.delta_link is not None and reading.unconfirmed_before is not None:
                uids = doubt_unshown(transaction, reading.room.id, reading.unconfirmed_before)
                marked += self._mark(transaction, reading.room.id, uids, priority)
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

    def _refuse_emptiness(self, transaction: Transaction, reading: Reading, shown: Sequence[EventId]) -> None:
        """
        Believe no calendar that comes back empty where many bookings were (design: brakes). The page is not saved.

        A room that was really emptied shows each meeting's end; one that shows nothing at all was restored from
        nowhere, or the reading went wrong. What it was asked for and does not show was not in it: a room that is set up
        anew starts empty. Raises MailboxClosed: the room is suspended until it shows something again, or its loans are
        cancelled here.
        """
        values = {"room": reading.room.id, "number": reading.number, "now": transaction.now}
        if shown or _SEEN_BY.run(transaction.connection, values).scalar():
            return
        lost = _LINKED_TO_COME.run(transaction.connection, values).scalar_one()
        if lost >= EMPTY_FROM:
            raise MailboxClosed(
                f"its calendar came back empty, although {lost} bookings to come were in it; nothing is cancelled. "
                "Restore the calendar, or cancel the loans here if they are really over"
            )

    def _doubt_unseen(self, transaction: Transaction, reading: Reading, shown: Sequence[EventId], priority: int) -> int:
        assert reading.window is not None
        row = _READING.run(transaction.connection, {"room": reading.room.id}).one()
        self._refuse_emptiness(transaction, reading, shown)
        uids = self._mirror.doubt_unseen(
            transaction, reading.room.id, reading=reading.number, shown=shown, began_at=row.read_at,
            window=reading.window,
        )  # fmt: skip
        return self._mark(transaction, reading.room.id, uids, priority)

    def _mark(self, transaction: Transaction, room_id: BookableId, uids: Sequence[str], priority: int) -> int:
        """Mark the bookings of what was put in doubt; returns how many."""
        marks = MeetingMarks(transaction, priority=Priority(priority))
        marked = marks.mark(uids)
        self._mirror.end_withdrawn(transaction, room_id, marks.withdrawn)
        return marked

    def save_dates(self, room_id: BookableId, master_id: EventId, copies: Sequence[EventCopy]) -> None:
        with self._write() as transaction:
            self._mirror.save_dates(transaction, room_id, master_id, copies, self._rooms.book())

    def suspend_room(self, room_id: BookableId, reason: str) -> bool:
        with self._write() as transaction:
            changed = suspend(transaction, room_id, reason)
            if changed:
                self._rooms.change(transaction)
        return changed

    def resume_room(self, room_id: BookableId) -> None:
        with self._write() as transaction:
            if resume(transaction, room_id):
                self._rooms.change(transaction)
                uids = self._mirror.find_doubtful(transaction, room_id)
                self._mark(transaction, room_id, uids, Priority.LIVE)


def _find_reading(transaction: Transaction, room: Room) -> Reading:
    """Return where the reading of *room* stands."""
    row = _READING.run(transaction.connection, {"room": room.id}).one()
    window = Interval(row.window_start, row.window_end) if row.window_start else None
    is_round_new = row.unconfirmed and row.next_link is None
    return Reading(
        room, row.delta_link, row.next_link, window, row.reading, row.contacted_at, row.signalled_at,
        unconfirmed_before=transaction.now if is_round_new else None,
    )  # fmt: skip


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
        exists()
        .where(copy_table.c.room_id == item_table.c.bookable_id, copy_table.c.ical_uid == link_table.c.ical_uid)
        .where(copy_table.c.live),
    )
)

SIGNAL_COVERS = timedelta(minutes=5)
"""How long after a notification a change that is found still counts as announced by it."""

_BEGIN_READING = Prepared(
    update(room_table)
    .where(room_table.c.id == bindparam("room"))
    .values(
        reading=room_table.c.reading + 1,
        next_link=null(),
        delta_link=null(),
        window_start=bindparam("start", type_=Instant()),
        window_end=bindparam("end", type_=Instant()),
        read_at=bindparam("now", type_=Instant()),
    )
)
_READING = Prepared(select(
    room_table.c.delta_link, room_table.c.next_link, room_table.c.window_start, room_table.c.window_end,
    room_table.c.reading, room_table.c.contacted_at, room_table.c.read_at, room_table.c.signalled_at,
    exists().where(copy_table.c.room_id == room_table.c.id, copy_table.c.unconfirmed).label("unconfirmed"),
).where(room_table.c.id == bindparam("room")))  # fmt: skip

"""Observing one booking: what the rooms' copies say, what is in doubt, and the organizer's copy where it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from engine.errors import MailboxClosed, Malformed, Refused, Unmatched
from engine.ids import BookableId, EventId, ICalUid
from engine.loans.loan import ItemKind
from engine.loans.status import ItemState
from engine.reconcile.answers import FIRST_CHECK, AnswerCheck
from engine.reconcile.ledger import Booking, Ledger
from engine.reconcile.observe import (
    Known,
    is_any_overtaken,
    needs_organizer,
    shows_other_rooms,
    unshown_rooms,
    view_meeting,
)
from engine.reconcile.views import MeetingView, RoomCopy
from engine.rooms.calendar import RoomCalendar
from engine.worker.answers import AnswerClock, is_check_due
from engine.worker.organizers import OrganizerReader
from engine.worker.series import SeriesReader


@dataclass(frozen=True, slots=True)
class Observed:
    """A booking with what was read for it in this pass."""

    booking: Booking
    known: Known
    meeting: MeetingView
    check: AnswerCheck | None = None
    unshown: bool = False
    """Whether only the organizer's copy tells the yes of a room, whose own copy can be asked for."""

    @property
    def unsettled(self) -> bool:
        """Whether how long whole days last depends on a room that has not answered (decision 0016), be it one that its
        loan could not have."""
        shown = [copy.event for copy in self.known.copies]
        shown += [self.known.organizer_copy] if self.known.organizer_copy is not None else []
        is_whole = any(copy.all_day is not None for copy in shown)
        return is_whole and ItemState.REQUESTED in self.meeting.answers.values()


class Observer:
    """Makes one view of all that can be known of a booking."""

    def __init__(
        self,
        ledger: Ledger,
        calendar: RoomCalendar,
        series: SeriesReader,
        answers: AnswerClock,
        organizers: OrganizerReader,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._series = series
        self._answers = answers
        self._organizers = organizers
        self._now = now

    async def observe(self, booking: Booking, *, read_organizer: bool = False) -> Observed:
        """Look at both sides of a booking, and ask for what is missing; *read_organizer*: the organizer's copy too."""
        known = _known(booking)
        if any(copy.doubt for copy in known.copies):
            if known.base is not None and not any(copy.live and not copy.doubt for copy in known.copies):
                known = await self._organizers.read(booking, known)
            booking = await self._settle_doubts(booking)
            if known.organizer_read and known.organizer_copy is None and any(copy.live for copy in booking.copies):
                known = _known(booking)  # its organizer has it no more, and a room has: it was given to somebody else
            else:
                known = replace(known, copies=booking.copies)
        check = self._answers.check(booking)
        wanted = read_organizer or is_check_due(booking)
        wanted = wanted or needs_organizer(known, check_answers=check is not None and check.due)
        book = self._ledger.room_book()
        wanted = wanted or shows_other_rooms(known, book) or is_any_overtaken(known, book)
        if wanted and not known.organizer_read:
            known = await self._organizers.read(booking, known, to_write=read_organizer)
        is_elsewhere = await self._look_for_other_copies(booking, known)
        if is_elsewhere:
            booking = self._ledger.load_booking(booking.kind, booking.key) or booking
            known = await self._organizers.read(booking, _known(booking))
        elif is_elsewhere is False and (not known.organizer_closed or self._organizers.is_strangers(booking)):
            known = replace(known, organizer_read=True)  # as good as read: no calendar that can be read has it
        unshown = self._unshown(booking, known)
        if unshown and known.organizer_copy is not None and self._may_ask_rooms(booking):
            known = await self._ask_for_copies(booking, known, known.organizer_copy.ical_uid, unshown)
            unshown = self._unshown(booking, known)
        meeting = view_meeting(known, self._ledger.room_book(), self._ledger.times_of)
        return Observed(booking, known, meeting, check, bool(unshown))

    async def is_shown(self, booking: Booking) -> bool:
        """Tell whether a room that is said to show a date has it indeed, now that it is asked."""
        book = self._ledger.room_book()
        for copy in booking.copies:
            room = book.by_id(copy.room_id)
            if room is None or booking.series is None or not copy.live:
                continue
            try:
                if copy.event.series_master_id is None:
                    shown = await self._calendar.fetch_event(room.address, copy.event.event_id)
                else:
                    shown = await self._series.read_in_room(booking.series, room.address)
            except (MailboxClosed, Malformed, Refused):
                continue
            if shown is not None and not shown.is_cancelled:
                return True
        return False

    def _unshown(self, booking: Booking, known: Known) -> frozenset[BookableId]:
        """Return the rooms whose yes nobody but the organizer's copy tells, although their calendars are followed
        there."""
        base = known.base
        interval = known.organizer_interval or (base.outlook.interval if base is not None else None)
        if interval is None or interval.end <= self._now():
            return frozenset()
        book = self._ledger.room_book()
        rooms = (book.by_id(room) for room in unshown_rooms(known, book))
        readings = (self._ledger.load_reading(room.id) for room in rooms if room is not None and room.is_synced)
        return frozenset(each.room.id for each in readings if each is not None and each.shows(interval))

    def _may_ask_rooms(self, booking: Booking) -> bool:
        """Tell whether a room that said yes must have its copy by now: a while after it was asked, or when something
        has left a room."""
        link = booking.link
        if link is None:
            return False
        return link.is_check_due or (link.asked_at is not None and self._now() - link.asked_at >= FIRST_CHECK)

    async def _ask_for_copies(
        self, booking: Booking, known: Known, uid: ICalUid, rooms: frozenset[BookableId]
    ) -> Known:
        """Ask *rooms* themselves for their copies of a meeting; what one does not have, it has dropped."""
        missing, found = set[BookableId](), False
        for room_id in sorted(rooms):
            room = self._ledger.room_book().by_id(room_id)
            if room is None:
                continue
            try:
                copy = await self._series.find_in_room(booking.series, room.address, uid)
            except (MailboxClosed, Malformed, Refused, Unmatched):
                continue  # a mailbox that refuses us says nothing about a meeting
            if copy is None:
                missing.add(room_id)
            elif booking.series is None:  # dates come with the next reading of their room, as a series
                self._ledger.save_copy(room_id, copy.event_id, copy, seen_at=_seen_at(known, room_id, copy.event_id))
                found = True
        copies = (self._ledger.load_booking(booking.kind, booking.key) or booking).copies if found else known.copies
        return replace(known, copies=copies, missing=frozenset(missing))

    async def _settle_doubts(self, booking: Booking) -> Booking:
        """Ask for every doubtful copy by its id: only 404 means gone. Behind the newest one of a room that was set up
        anew may be one of its former calendar. One that its room put in doubt again meanwhile is asked for again. A
        room whose mailbox is closed is suspended, and the doubt stays until it is taken up again."""
        book, asked = self._ledger.room_book(), set[tuple[EventId, datetime | None]]()
        while doubtful := [copy for copy in booking.copies if copy.doubt and _newest_of(copy) not in asked]:
            for copy in doubtful:
                asked.add(_newest_of(copy))
                if (room := book.by_id(copy.room_id)) is None:
                    continue
                try:
                    found = await self._calendar.fetch_event(room.address, copy.event.event_id)
                except MailboxClosed as error:
                    self._ledger.suspend_room(room.id, str(error))
                    continue
                self._ledger.save_copy(copy.room_id, copy.event.event_id, found, seen_at=copy.seen_at)
            booking = self._ledger.load_booking(booking.kind, booking.key) or booking
        return booking

    async def _look_for_other_copies(self, booking: Booking, known: Known) -> bool | None:
        """
        Look for a meeting that its rooms end, and that its organizer has no more, in rooms that may have another copy.

        Until a room shows it, a meeting that was given to another organizer looks like one that was cancelled; where
        the copy a room had is gone, it may have one with another id. Where the organizer is none of ours, its mailbox
        is closed, or nobody has it of whom a room ever told, these rooms are all there is to ask.

        Returns:
            Whether one of them has it; None when there was no need to ask, or not all could be asked.
        """
        link = booking.link
        if known.organizer_copy is not None or any(copy.live for copy in known.copies):
            return None
        is_sought = known.organizer_read or known.organizer_lost or known.organizer_closed
        if not is_sought and not (known.copies and self._organizers.is_strangers(booking)):
            return None
        if known.base is None or booking.series is not None or link is None or link.ical_uid is None:
            return None
        found, asked = False, True
        for room_id in sorted(known.base.outlook.rooms - {copy.room_id for copy in known.copies if not copy.gone}):
            room = self._ledger.room_book().by_id(room_id)
            try:
                copy = await self._calendar.find_event(room.address, link.ical_uid) if room else None
            except (MailboxClosed, Malformed, Refused, Unmatched):
                asked = False
                continue
            if copy is not None:
                self._ledger.save_copy(room_id, copy.event_id, copy, seen_at=_seen_at(known, room_id, copy.event_id))
                found = True
        return found or (False if asked else None)


def _newest_of(copy: RoomCopy) -> tuple[EventId, datetime | None]:
    """Name what a room told of a copy last."""
    return copy.event.event_id, copy.seen_at


def _seen_at(known: Known, room_id: BookableId, event_id: EventId) -> datetime | None:
    """Return when a room last told of a copy before it was asked for it; None when it never did."""
    return next((c.seen_at for c in known.copies if (c.room_id, c.event.event_id) == (room_id, event_id)), None)


def _known(booking: Booking) -> Known:
    link, loan = booking.link, booking.loan
    base = link.base if link is not None and link.state == "linked" else None
    before = {item.id: item.state for item in loan.rooms} if loan is not None else {}
    rooms = frozenset(item.id for item in loan.items if item.kind is ItemKind.ROOM) if loan is not None else frozenset()
    return Known(
        copies=booking.copies if link is None or link.state == "linked" else (),
        base=base,
        written_at=link.written_at if link is not None else None,
        answers_before=before,
        taken_out=rooms - before.keys(),
    )

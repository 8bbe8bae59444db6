"""Reading the organizer's copy of a meeting: where it is, whether it may be read, and what it adds to what is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.errors import MailboxClosed, Malformed, Refused, Unmatched
from engine.ids import ICalUid, domain_of, fold_address
from engine.interval import Interval
from engine.reconcile.ledger import Booking, Ledger, Series, SyncRules
from engine.reconcile.observe import Known, Shared, is_handed_over, may_name_unknown_room, needs_own_date
from engine.rooms.calendar import RoomCalendar
from engine.rooms.event import Answer, EventCopy
from engine.worker.answers import AnswerClock, is_check_due
from engine.worker.series import SeriesReader


class OrganizerReader:
    """Finds and reads organizers' copies."""

    def __init__(
        self,
        ledger: Ledger,
        calendar: RoomCalendar,
        series: SeriesReader,
        answers: AnswerClock,
        rules: Callable[[], SyncRules],
    ) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._series = series
        self._answers = answers
        self._rules = rules

    async def read(self, booking: Booking, known: Known, *, to_write: bool = False) -> Known:
        """Read the organizer's copy if its mailbox may be read; otherwise leave *known* as it is.

        *to_write*: as it is right now, since it is to be changed. Otherwise the dates of a series share a reading.
        """
        link = booking.link
        heir = self._heir(booking, known)
        mailbox = heir or (link.mailbox if link is not None and link.mailbox else self._organizer_mailbox(booking))
        is_over = bool(known.copies) and not any(each.live for each in known.copies)
        is_beyond = booking.series is not None and not self._series.covers(booking.series)
        if mailbox is None or (is_beyond and not to_write and not (is_over and known.base is not None)):
            return known
        if self._ledger.room_book().by_address(mailbox) is not None:
            return (
                known  # its own organizer, by an address not heard of yet when this became a loan: nobody asks for it
            )
        try:
            if booking.series is not None and not (to_write and link is not None and link.event_id is not None):
                is_first = known.base is None or (is_check_due(booking) and link is not None and link.event_id is None)
                is_late = self._answers.is_late(booking)
                if is_first and not to_write and not needs_own_date(known, self._ledger.room_book(), is_late=is_late):
                    series = await self._series.read_shared(booking.series, mailbox)
                    if series.event_id is not None or known.base is None:
                        return _with_shared(known, series)
                if to_write or is_beyond:
                    copy = await self._series.find_date(booking.series, mailbox)
                else:
                    # No loan yet: it is looked at again for the answer of a room, of which no version of a series tells
                    since_change = booking.loan is not None and not self._answers.is_due(booking)
                    copy = await self._series.read_date(booking.series, mailbox, since_change=since_change)
            elif link is not None and link.event_id is not None and heir is None:
                copy = await self._calendar.fetch_event(mailbox, link.event_id)
                if copy is None and link.ical_uid is not None and any(each.live for each in known.copies):
                    copy = await self._calendar.find_event(mailbox, link.ical_uid)  # given away and back: another id
            elif uid := (link.ical_uid if link else _uid(booking)):
                copy = await self._calendar.find_event(mailbox, uid)
                if copy is None and is_over and link is not None and heir is not None and link.mailbox:
                    copy = await self._calendar.find_event(link.mailbox, uid)  # given back to who had it
            else:
                return known
        except (MailboxClosed, Refused):
            return replace(known, organizer_closed=True)
        except (Malformed, Unmatched):
            return known
        if copy is None and is_beyond and not is_over:
            return known  # it may have moved: nothing tells where to, so far ahead
        if copy is None and (known.base is None or heir is not None):
            # Not found under an organizer who may have it elsewhere: the room copies must do.
            return replace(known, organizer_lost=heir is not None and is_over)
        if copy is not None and not copy.attendees and any(each.live for each in known.copies):
            # Nobody invited, while a room still shows the meeting: a list on its way, or one that came through garbled.
            return replace(known, organizer_read=True)
        if copy is not None and may_name_unknown_room(copy, self._ledger.room_book()):
            self._ledger.catch_up_with_rooms()  # another process may have read the list of rooms a moment ago
        interval = self._times_of(copy) if copy is not None else None
        return replace(known, organizer_read=True, organizer_copy=copy, organizer_interval=interval)

    def _times_of(self, copy: EventCopy) -> Interval | None:
        """Return the times of an organizer's copy; whole days are those where its rooms are that did not decline."""
        book = self._ledger.room_book()
        invited = [book.by_address(each.address) for each in copy.attendees if each.answer is not Answer.DECLINED]
        return self._ledger.times_of(copy, {room.id for room in invited if room is not None})

    def _organizer_mailbox(self, booking: Booking) -> str | None:
        """Return the organizer's mailbox when it is one of ours: not a room, not from outside. Rooms that have left the
        meeting may name a former organizer: they are asked last."""
        book = self._ledger.room_book()
        for copy in sorted(booking.copies, key=lambda copy: not copy.live):
            organizer = copy.event.organizer
            if organizer is None or book.by_address(organizer.address) is not None:
                continue
            if domain_of(organizer.address) in self._rules().domains:
                return organizer.address
        return None

    def _heir(self, booking: Booking, known: Known) -> str | None:
        """Return who has taken the meeting over, as its rooms show it; None when its organizer is who it was. An heir
        whose mailbox could not be read when the change was agreed on is looked for again."""
        organizer = self._organizer_mailbox(booking) if known.base is not None else None
        mailbox = booking.link.mailbox if booking.link is not None else None
        is_elsewhere = (
            mailbox is not None and organizer is not None and fold_address(mailbox) != fold_address(organizer)
        )
        return organizer if is_elsewhere or is_handed_over(known) else None

    def is_strangers(self, booking: Booking) -> bool:
        """Tell whether a meeting is nobody's of ours: asked for from outside, or written straight into a room."""
        mailbox = booking.link.mailbox if booking.link is not None else None
        return not mailbox or domain_of(mailbox) not in self._rules().domains


def _with_shared(known: Known, series: Series) -> Known:
    if series.event_id is None:
        return known
    return replace(known, shared=Shared(series.title, series.private, series.web_link))


def _uid(booking: Booking) -> ICalUid | None:
    return booking.copies[0].event.ical_uid if booking.copies else None

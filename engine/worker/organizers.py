"""Reading the organizer's copy of a meeting: where it is, whether it may be read, and what it adds to what is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.errors import MailboxClosed, Malformed, Refused, Unmatched
from engine.ids import ICalUid, domain_of, fold_address
from engine.interval import Interval
from engine.reconcile.ledger import Booking, Ledger, Series, SyncRules
from engine.reconcile.observe import Known, Shared, is_handed_over, may_name_unknown_room, needs_own_date
from engine.reconcile.organizers import Asking, Way, choose_way, is_moved, is_returned, learn, order_by_news
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
        heir = self._heir(booking, known)
        mailbox = heir or (booking.link.mailbox if booking.link is not None else None)
        mailbox = mailbox or self._organizer_mailbox(booking)
        if mailbox is None or self._ledger.room_book().by_address(mailbox) is not None:
            return known  # a room, by an address not heard of yet when this became a loan: nobody asks for it
        asking = self._asking(booking, known, is_handed_over=heir is not None, to_write=to_write)
        way = choose_way(asking)
        try:
            if way is Way.SHARED and booking.series is not None:
                series = await self._series.read_shared(booking.series, mailbox)
                if series.event_id is not None or not asking.is_agreed:
                    return _with_shared(known, series)
                way = choose_way(replace(asking, is_apart=True))
            if way is None:
                return known
            copy = await self._find(booking, known, mailbox, way, asking)
        except (MailboxClosed, Refused):
            return replace(known, organizer_closed=True)
        except (Malformed, Unmatched):
            return known
        known = learn(known, copy, asking)
        return self._with_times(known, known.organizer_copy) if known.organizer_copy is not None else known

    def _asking(self, booking: Booking, known: Known, *, is_handed_over: bool, to_write: bool) -> Asking:
        link, series = booking.link, booking.series
        is_late, book = self._answers.is_late(booking), self._ledger.room_book()
        return Asking(
            is_date=series is not None,
            is_listed=series is None or self._series.covers(series),
            is_near=known.base is not None and self._series.reaches(known.base.outlook.interval),
            is_agreed=known.base is not None,
            is_over=bool(known.copies) and not any(each.live for each in known.copies),
            is_handed_over=is_handed_over,
            is_id_known=link is not None and link.event_id is not None,
            is_uid_known=bool(_uid(booking)),
            is_ordered=is_check_due(booking),
            is_apart=series is not None and needs_own_date(known, book, is_late=is_late),
            is_for_write=to_write,
        )

    async def _find(self, booking: Booking, known: Known, mailbox: str, way: Way, asking: Asking) -> EventCopy | None:
        """Ask *mailbox* for its copy; None where it has none."""
        link, series = booking.link, booking.series
        if series is not None and way is Way.DATE_NOW:
            return await self._series.find_date(series, mailbox)
        if series is not None and way is Way.DATE:
            # No loan yet: it is looked at again for the answer of a room, of which no version of a series tells
            since_change = booking.loan is not None and not self._answers.is_due(booking)
            agreed_at = known.base.read_at if known.base is not None else None
            return await self._series.read_date(series, mailbox, since_change=since_change, agreed_at=agreed_at)
        copy = None
        if way is Way.EVENT and link is not None and link.event_id is not None:
            copy = await self._calendar.fetch_event(mailbox, link.event_id)
            if link.ical_uid is not None and is_moved(copy, known):
                copy = await self._calendar.find_event(mailbox, link.ical_uid)
        elif way is Way.MEETING and (uid := _uid(booking)):
            copy = await self._calendar.find_event(mailbox, uid)
            if link is not None and link.mailbox and is_returned(copy, asking):
                copy = await self._calendar.find_event(link.mailbox, uid)
        return copy

    def _with_times(self, known: Known, copy: EventCopy) -> Known:
        if may_name_unknown_room(copy, self._ledger.room_book()):
            self._ledger.catch_up_with_rooms()  # another process may have imported it since this pass began
        return replace(known, organizer_interval=self._times_of(copy))

    def _times_of(self, copy: EventCopy) -> Interval | None:
        """Return the times of an organizer's copy; whole days are those where its rooms are that did not decline."""
        invited = (each.address for each in copy.attendees if each.answer is not Answer.DECLINED)
        return self._ledger.times_of(copy, self._ledger.room_book().numbers_of(invited))

    def _organizer_mailbox(self, booking: Booking) -> str | None:
        """Return the mailbox of the organizer whom rooms name, when it is one of ours: not a room, not from outside."""
        book = self._ledger.room_book()
        for copy in order_by_news(booking.copies):
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
    """Return what the meeting is called in all mailboxes: as it was linked, else as a room shows it."""
    if booking.link is not None:
        return booking.link.ical_uid
    return booking.copies[0].event.ical_uid if booking.copies else None

"""Carrying out a decided write: one request, safe to repeat after a crash at any point.

The intent was committed before the request and goes after its outcome is stored. A create repeats
itself under its transaction id; a change is looked up before it is repeated; a delete may find
nothing left to do.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from engine.errors import MailboxClosed, Malformed, Refused, Stale, Unmatched
from engine.ids import EventId, fold_address
from engine.interval import Interval
from engine.loans.status import LoanStatus
from engine.reconcile.actions import Note
from engine.reconcile.freeing import Readiness
from engine.reconcile.ledger import Booking, Draft, Intent, IntentKind, Ledger, SyncRules
from engine.reconcile.notes import note_lost_interval, note_lost_rooms
from engine.reconcile.told import DECLINED_INSTEAD, GONE_ALREADY, NOT_KNOWN, tell_unmade
from engine.rooms.calendar import PLAIN, EventDraft, EventPatch, RoomCalendar
from engine.rooms.event import Answer, EventCopy, Privacy
from engine.rooms.room import Room
from engine.worker.locks import Holding
from engine.worker.series import SeriesReader

log = logging.getLogger(__name__)

PREVIEW_COMPARED = 200
"""How many characters of a body are compared; a preview holds 255 (Graph docs: event)."""


class Writes:
    """Carries out intents."""

    def __init__(
        self,
        ledger: Ledger,
        calendar: RoomCalendar,
        series: SeriesReader,
        *,
        rules: Callable[[], SyncRules],
        locks: Holding,
    ) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._series = series
        self._rules = rules
        self._locks = locks
        """One write in flight per mailbox (design: exchange answers parallel writers with conflicts)."""

    async def carry_out(
        self, booking: Booking, intents: Iterable[Intent], *, organizer_copy: EventCopy | None, resumed: bool
    ) -> None:
        """
        Carry out *intents* in their order.

        Args:
            booking: as it was loaded.
            organizer_copy: the organizer's copy if it was read in this very pass.
            resumed: whether an earlier pass may have sent them already.
        """
        intents = tuple(intents)
        for intent in intents:
            async with self._locks.holding(fold_address(intent.mailbox)):
                match intent.kind:
                    case IntentKind.CREATE:
                        match self._ledger.prepare_create(intent):
                            case Readiness.SEND:
                                await self._create(intent)
                            case Readiness.WAIT:
                                return
                            case Readiness.OVERTAKEN:
                                continue
                    case IntentKind.CHANGE:
                        await self._change(booking, intent, organizer_copy, resumed=resumed)
                    case IntentKind.DELETE:
                        await self._end(booking, intent, intents, resumed=resumed)

    # --- create

    async def _create(self, intent: Intent) -> None:
        try:
            copy = await self._calendar.create_event(intent.mailbox, self._event_draft(intent))
        except (MailboxClosed, Unmatched, Refused, Malformed) as error:
            await self._create_elsewhere(intent, error)
            return
        self._ledger.finish_intent(intent, copy)

    async def _create_elsewhere(self, intent: Intent, error: Exception) -> None:
        """Use the default user's mailbox for somebody who has none; else give up and say so."""
        default = self._rules().default_user
        if default is None or fold_address(default) == fold_address(intent.mailbox):
            self._ledger.fail_intent(intent, tell_unmade(error, default))
            return
        note = Note("default_mailbox_used", {"mailbox": intent.mailbox}, actor="engine")
        if (redirected := self._ledger.redirect_intent(intent, default, note)) is not None:
            await self._create(redirected)

    def _event_draft(self, intent: Intent) -> EventDraft:
        draft = intent.draft
        assert draft.interval is not None, "a create names its times"
        return EventDraft(
            subject=draft.subject or "",
            body_html=draft.body or "",
            interval=draft.interval,
            rooms=draft.rooms,
            transaction_id=draft.marker,
            loan_ref=draft.marker,
            private=bool(draft.private),
            fields=draft.fields or PLAIN,
        )

    # --- change

    async def _change(self, booking: Booking, intent: Intent, copy: EventCopy | None, *, resumed: bool) -> None:
        assert intent.event_id is not None, "a change names its event"
        try:
            if copy is None or resumed:
                copy = await self._calendar.fetch_event(intent.mailbox, intent.event_id)
        except (MailboxClosed, Refused) as error:
            self._give_up(intent, error)
            return
        overtaken = NOT_KNOWN if resumed else None
        if copy is None:
            self._ledger.drop_intent(intent, told=overtaken)
            return
        if resumed and _says(copy, intent.draft):
            self._ledger.finish_intent(intent, copy, told=None if self._says_no_more(copy, intent) else NOT_KNOWN)
            return
        if copy.etag != intent.etag:
            self._ledger.drop_intent(intent, told=overtaken)
            return
        try:
            draft = _spare_foreign_text(intent.draft, copy, booking)
            changed = await self._calendar.change_event(intent.mailbox, copy, _event_patch(draft))
        except (Stale, Unmatched):
            if booking.series is not None:
                self._series.forget(booking.series)  # else the next pass would write to the same old version again
            self._ledger.drop_intent(intent)
            return
        except (MailboxClosed, Refused) as error:
            self._give_up(intent, error)
            return
        self._ledger.finish_intent(intent, changed)

    def _give_up(self, intent: Intent, error: Exception) -> None:
        """Give up a write that is refused, and say so."""
        self._ledger.fail_intent(intent, Note("write_refused", {"error": str(error)}, actor="engine"))

    # --- delete

    async def _end(self, booking: Booking, intent: Intent, intents: tuple[Intent, ...], *, resumed: bool) -> None:
        """Delete an event; where something takes its place, not before cases keep what somebody did to it meanwhile."""
        successor = _successor_of(booking, intents)
        if successor is None or intent.event_id is None or intent.etag is None:
            await self._delete(booking, intent, resumed=resumed)
            return
        is_read = not resumed and booking.series is None  # else its copy was read a while ago
        etag = intent.etag if is_read else await self._tell_of_late_edit(booking, intent, successor)
        try:
            await self._delete(booking, intent, resumed=resumed, etag=etag)
        except Stale:
            await self._tell_of_late_edit(booking, intent, successor)
            await self._delete(booking, intent, resumed=resumed)

    async def _delete(self, booking: Booking, intent: Intent, *, resumed: bool, etag: str = "") -> None:
        booking = self._with_event_of(intent, booking)
        try:
            if not intent.mailbox:
                raise Unmatched("no person has this event: it was written straight into a room's calendar")
            event_id = intent.event_id or await self._find_event_id(booking, intent)
            is_done = event_id is not None and await self._calendar.delete_event(intent.mailbox, event_id, etag=etag)
        except (MailboxClosed, Refused, Unmatched):
            is_deleted = await self._decline_for_rooms(booking, intent)
            self._ledger.finish_intent(intent, None, told=None if is_deleted else DECLINED_INSTEAD)
            return
        self._ledger.finish_intent(intent, None, told=None if is_done or resumed else GONE_ALREADY)

    def _with_event_of(self, intent: Intent, booking: Booking) -> Booking:
        """Return the booking as it was with the event of *intent*: the loan may have another one by now, and what rooms
        show is that one's."""
        if booking.link is None or booking.link.ical_uid == intent.ical_uid:
            return booking
        series = self._ledger.load_series(intent.ical_uid) if intent.ical_uid is not None else None
        return replace(booking, copies=(), series=series)

    async def _find_event_id(self, booking: Booking, intent: Intent) -> EventId | None:
        """Find what is to be deleted; of a series never more than the one date."""
        if booking.series is not None:
            found = await self._series.find_date(booking.series, intent.mailbox)
        elif intent.ical_uid is not None:
            found = await self._calendar.find_event(intent.mailbox, intent.ical_uid)
        else:
            return None
        return found.event_id if found is not None else None

    async def _tell_of_late_edit(self, booking: Booking, intent: Intent, successor: Draft) -> str:
        """Keep in cases what somebody did to an event since its end was decided: *successor* says otherwise. Return the
        version that was read; "" where there is none, or what is different is told."""
        try:
            copy = await self._calendar.fetch_event(intent.mailbox, intent.event_id or EventId(""))
        except (MailboxClosed, Refused):
            return ""  # a mailbox that refuses us tells of no edit
        if copy is None or copy.etag == intent.etag:
            return copy.etag if copy is not None else ""
        kept, is_told = self._interval_kept(booking, successor), False
        if kept is not None and copy.interval is not None and copy.interval not in (intent.draft.interval, kept):
            self._ledger.note_conflict(booking, note_lost_interval("app", kept=kept, lost=copy.interval))
            is_told = True
        book = self._ledger.room_book()
        rooms = book.numbers_of(attendee.address for attendee in copy.attendees)
        before, after = (book.numbers_of(room.address for room in draft.rooms) for draft in (intent.draft, successor))
        if rooms not in (before, after):
            self._ledger.note_conflict(booking, note_lost_rooms("app", kept=after, lost=rooms))
            is_told = True
        return "" if is_told else copy.etag

    def _interval_kept(self, booking: Booking, successor: Draft) -> Interval | None:
        """Return the times that the loan has by now: the desk may have moved it since *successor* was decided."""
        now = self._ledger.load_booking(booking.kind, booking.key)
        if successor.interval is None or now is None or now.loan is None:
            return successor.interval
        return now.loan.interval

    def _says_no_more(self, copy: EventCopy, intent: Intent) -> bool:
        """Tell whether *copy* is just as the write would leave it: else somebody changed it, who may have done all of
        that, too."""
        if intent.base is None:
            return True
        wanted = intent.base.outlook
        rooms = self._ledger.room_book().numbers_of(attendee.address for attendee in copy.attendees)
        return rooms == wanted.rooms and copy.interval in (None, wanted.interval)

    async def _decline_for_rooms(self, booking: Booking, intent: Intent) -> bool:
        """
        Free the rooms without the organizer: decline on their behalf, which the organizer is told. What a room
        organizes itself is deleted there. Tell whether it was.
        """
        self._ledger.note_freeing(intent)
        book, deleted = self._ledger.room_book(), False
        invited = book.numbers_of(room.address for room in intent.draft.rooms)
        shown = {copy.room_id: copy for copy in booking.copies if copy.live}
        for room_id in sorted(invited | shown.keys()):
            if (room := book.by_id(room_id)) is None:
                continue
            known = shown.get(room_id)
            copy = known.event if known is not None else await self._find_in(room, booking, intent)
            if copy is None or copy.is_cancelled or copy.answer is Answer.DECLINED:
                continue
            if copy.answer is Answer.ORGANIZER:
                deleted = await self._calendar.delete_event(room.address, copy.event_id)
            else:
                await self._calendar.decline_event(room.address, copy.event_id, "")
            if known is not None and booking.series is None:  # dates come with the next reading, as a series
                self._ledger.save_copy(room_id, copy.event_id, None, seen_at=known.seen_at)
        return deleted

    async def _find_in(self, room: Room, booking: Booking, intent: Intent) -> EventCopy | None:
        """Look in a room that was invited and has not shown the meeting yet: it may have said yes a moment ago."""
        if intent.ical_uid is None:
            return None
        try:
            return await self._series.find_in_room(booking.series, room.address, intent.ical_uid)
        except (MailboxClosed, Malformed, Refused, Unmatched):
            return None


def _successor_of(booking: Booking, intents: tuple[Intent, ...]) -> Draft | None:
    """Return what takes the place of an event whose end was decided: another one, or nothing where no room was left to
    its loan, and somebody may have given it rooms again. None: it ends for good."""
    if (made := next((each.draft for each in intents if each.kind is IntentKind.CREATE), None)) is not None:
        return made
    return Draft() if booking.loan is not None and booking.loan.status is LoanStatus.REFUSED else None


def _event_patch(draft: Draft) -> EventPatch:
    return EventPatch(
        interval=draft.interval,
        subject=draft.subject,
        body_html=draft.body,
        attendees=draft.rooms or None,
        drop_rooms=draft.drop_rooms,
        private=draft.private,
        fields=draft.fields,
    )


def _says(copy: EventCopy, draft: Draft) -> bool:
    """Tell whether *copy* already is as *draft* wants it: a change whose answer was lost has arrived."""
    there = {fold_address(attendee.address) for attendee in copy.attendees}
    wanted = {fold_address(room.address) for room in draft.rooms}
    dropped = {fold_address(address) for address in draft.drop_rooms}
    if draft.interval is not None and copy.interval != draft.interval:
        return False
    if draft.subject is not None and copy.subject != draft.subject:
        return False
    if draft.body is not None and not _says_text(copy, draft.body):
        return False
    if draft.fields is not None:
        return False  # not all of them are read
    if draft.private is not None and (copy.privacy is not Privacy.NORMAL) is not draft.private:
        return False
    return wanted <= there and not dropped & there


def _spare_foreign_text(draft: Draft, copy: EventCopy, booking: Booking) -> Draft:
    """Leave the body alone when somebody else has written in it since (P28: a Teams link, a person's notes)."""
    base = booking.link.base if booking.link is not None else None
    if draft.body is None or base is None:
        return draft
    return draft if _says_text(copy, base.body) else replace(draft, body=None)


def _says_text(copy: EventCopy, body: str) -> bool:
    """Tell whether the copy's text is *body*, as far as its preview shows it."""
    return plain_text(body)[:PREVIEW_COMPARED] == plain_text(copy.body_preview)[:PREVIEW_COMPARED]


def plain_text(body_html: str) -> str:
    """Return the letters of a small HTML text without any white space: a preview breaks lines as it likes."""
    return "".join(html.unescape(re.sub(r"<[^>]+>", "", body_html)).split())

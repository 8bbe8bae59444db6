"""The pass over one booking: observe both sides, plan, execute, remember.

Follow it from the top: `settle` is the whole story; the helpers are its steps in order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.errors import Clash, MailboxClosed, Malformed, Refused, Unmatched
from engine.ids import BookableId, EventId, ICalUid, LoanNumber, domain_of, fold_address
from engine.interval import Interval
from engine.loans.loan import Home, Loan, Requester
from engine.loans.rules import RuleBreach
from engine.loans.status import ItemState
from engine.reconcile.actions import ChangeEvent, CreateEvent, DeleteEvent, NewLoan, Note, Plan, Situation
from engine.reconcile.answers import FIRST_CHECK, AnswerCheck, check_answers
from engine.reconcile.field_map import TitleView, map_fields, view_title
from engine.reconcile.ledger import Booking, Draft, Ledger, Link, RoomRef, Series, SyncRules, Writing
from engine.reconcile.markers import parse_marker
from engine.reconcile.observe import (
    Known,
    Shared,
    is_handed_over,
    needs_organizer,
    needs_own_date,
    shows_other_rooms,
    unshown_rooms,
    view_meeting,
)
from engine.reconcile.over import drop_cases_when_over
from engine.reconcile.plan import ANSWER_GRACE_SECONDS, plan
from engine.reconcile.series_writes import LED
from engine.reconcile.shadow import cast_shadow, withhold_writes
from engine.reconcile.telling import mailbox_for
from engine.reconcile.texts import render_body, render_subject, without_link
from engine.reconcile.validate import PeopleRule
from engine.reconcile.views import Base, MeetingView, Presence
from engine.rooms.calendar import EventFields, RoomCalendar
from engine.rooms.event import Answer, EventCopy
from engine.rooms.series import day_of
from engine.worker.locks import Holding
from engine.worker.series import SeriesReader
from engine.worker.writes import Writes

log = logging.getLogger(__name__)

OWN_CREATE_WAIT_SECONDS = 2.0
"""How long a meeting waits that may be our own event, seen before the answer to its creation came in."""

MODE_WAIT_SECONDS = 60.0
"""How long a write that was decided before the mode forbade it waits between two looks at the mode."""

END_WAIT_SECONDS = 5.0
"""How long a change waits whose event is gone from the organizer's calendar while a room still shows it."""


@dataclass(frozen=True, slots=True)
class Observed:
    """A booking with what was read for it in this pass."""

    booking: Booking
    known: Known
    meeting: MeetingView
    check: AnswerCheck | None = None
    unshown: bool = False
    """Whether only the organizer's copy tells the yes of a room, whose own copy can be asked for."""


class BookingPass:
    """Compares and settles one booking at a time."""

    def __init__(
        self,
        ledger: Ledger,
        calendar: RoomCalendar,
        *,
        instance: str,
        rules: Callable[[], SyncRules],
        answer_timeout: timedelta,
        window: Callable[[], Interval],
        now: Callable[[], datetime],
        locks: Holding,
    ) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._instance = instance
        self._rules = rules
        self._answer_timeout = answer_timeout
        self._now = now
        self._series = SeriesReader(ledger, calendar, window=window, now=now)
        self._writes = Writes(ledger, calendar, self._series, rules=rules, locks=locks)

    async def settle(self, kind: str, key: str) -> Plan | None:
        """Bring the two sides of one booking into agreement. Returns the plan it followed, None when none was due."""
        booking = self._ledger.load_booking(kind, key)
        if booking is None:
            return None
        if is_led(booking):
            return self._tell_withheld(booking)
        if booking.intents and self._rules().mode != "two_way":
            waiting = Plan(look_again_seconds=MODE_WAIT_SECONDS)
            self._ledger.save_plan(booking, waiting, Writing())
            return waiting
        if booking.intents:
            await self._writes.carry_out(booking, booking.intents, organizer_copy=None, resumed=True)
            booking = self._ledger.load_booking(kind, key)
            if booking is None or booking.intents:
                return None
        if _awaits_its_series(booking):
            return None
        wait = self._seconds_to_answer(booking)
        if wait > 0:
            early = Plan(look_again_seconds=wait)
            self._ledger.save_plan(booking, early, Writing())
            return early
        observed = await self._observe(booking, read_organizer=booking.withdrawn is not None)
        if _is_echo(observed) or await self._is_ours(observed):
            return None
        made = self._plan(observed)
        if _changes_outlook(made) and observed.known.organizer_copy is None:
            observed = await self._observe(booking, read_organizer=True)
            made = self._plan(observed)
        if _changes_outlook(made) and observed.known.organizer_copy is None:
            return self._leave_unwritten(observed)
        intents = self._ledger.save_plan(observed.booking, made, self._writing(observed, made))
        if intents:
            copy = observed.known.organizer_copy
            await self._writes.carry_out(observed.booking, intents, organizer_copy=copy, resumed=False)
        return made

    def _tell_withheld(self, booking: Booking) -> Plan | None:
        """Tell in a case what a mode keeps the series of a loan from writing; the series itself waits for the mode."""
        mode = self._rules().mode
        if mode == "two_way":
            return None
        made = _plan_with_series(booking)
        made = cast_shadow(made, self._name_of) if mode == "shadow" else withhold_writes(made)
        made = replace(made, look_again_seconds=None)
        if booking.loan is not None:
            made = drop_cases_when_over(made, [booking.loan.interval], self._now())
        self._ledger.save_plan(booking, made, Writing())
        return made

    def _leave_unwritten(self, observed: Observed) -> Plan:
        """Deal with a change that has no copy to be written to: wait for an end on its way, else refuse the edit."""
        made = Plan(look_again_seconds=END_WAIT_SECONDS)
        if observed.known.organizer_read:
            self._ledger.save_plan(observed.booking, made, Writing())
        else:
            facts = {"error": "the organizer's calendar cannot be reached"}
            self._ledger.refuse_edit(observed.booking, Note("write_refused", facts, actor="engine"))
        return made

    async def preview(self, kind: str, key: str) -> tuple[Booking, Plan] | None:
        """Return what the mode `two_way` would do about one booking, without doing any of it."""
        booking = self._ledger.load_booking(kind, key)
        if booking is None:
            return None
        if is_led(booking):
            return booking, _plan_with_series(booking)
        if _awaits_its_series(booking):
            return booking, Plan()
        observed = await self._observe(booking, read_organizer=booking.withdrawn is not None)
        return booking, Plan() if _is_echo(observed) else self._plan(observed, mode="two_way")

    # --- observe

    def _seconds_to_answer(self, booking: Booking) -> float:
        """
        Return how long to leave an unknown meeting alone because its rooms have just been asked; 0: look now.

        Nothing would be decided before they answer, and reading the organizer's copy costs a request each time.
        """
        live = [copy for copy in booking.copies if copy.live]
        if booking.kind != "meeting" or booking.seen_at is None or not live:
            return 0.0
        if any(copy.listed or copy.doubt or copy.event.answer is not Answer.NONE for copy in live):
            return 0.0
        return ANSWER_GRACE_SECONDS - (self._now() - booking.seen_at).total_seconds()

    async def _observe(self, booking: Booking, *, read_organizer: bool = False) -> Observed:
        known = _known(booking)
        if any(copy.doubt for copy in known.copies):
            if known.base is not None and not any(copy.live and not copy.doubt for copy in known.copies):
                known = await self._read_organizer(booking, known)  # it may say at once that all is over
            if known.organizer_copy is not None or not known.organizer_read:
                booking = await self._settle_doubts(booking)
                known = replace(known, copies=booking.copies)
            else:
                known = replace(known, copies=tuple(replace(copy, live=False) for copy in known.copies))
        check = self._check(booking)
        wanted = read_organizer or _is_check_due(booking)
        wanted = wanted or needs_organizer(known, check_answers=check is not None and check.due)
        wanted = wanted or shows_other_rooms(known, self._ledger.room_book())
        if wanted and not known.organizer_read:
            known = await self._read_organizer(booking, known, to_write=read_organizer)
        is_elsewhere = await self._ask_unseen_rooms(booking, known)
        if is_elsewhere:
            booking = self._ledger.load_booking(booking.kind, booking.key) or booking
            known = await self._read_organizer(booking, _known(booking))
        elif is_elsewhere is False:
            known = replace(known, organizer_read=True)  # as good as read: no calendar that can be read has it
        unshown = self._unshown(booking, known)
        if unshown and known.organizer_copy is not None and self._may_ask_rooms(booking):
            known = await self._ask_for_copies(booking, known, known.organizer_copy.ical_uid, unshown)
            unshown = self._unshown(booking, known)
        return Observed(booking, known, view_meeting(known, self._ledger.room_book()), check, bool(unshown))

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
        followed = (each for each in readings if each is not None and each.window is not None)
        return frozenset(each.room.id for each in followed if each.window and each.window.overlaps(interval))

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
                if booking.series is not None:
                    copy = await self._series.read_in_room(booking.series, room.address)
                else:
                    copy = await self._calendar.find_event(room.address, uid)
            except (MailboxClosed, Malformed, Refused, Unmatched):
                continue  # a mailbox that refuses us says nothing about a meeting
            if copy is None:
                missing.add(room_id)
            elif booking.series is None:  # dates come with the next reading of their room, as a series
                self._ledger.save_copy(room_id, copy.event_id, copy)
                found = True
        copies = (self._ledger.load_booking(booking.kind, booking.key) or booking).copies if found else known.copies
        return replace(known, copies=copies, missing=frozenset(missing))

    async def _settle_doubts(self, booking: Booking) -> Booking:
        """Ask for every doubtful copy by its id: only 404 means gone. Behind the newest one of a room that was set up
        anew may be one of its former calendar."""
        book, asked = self._ledger.room_book(), set[EventId]()
        while doubtful := [copy for copy in booking.copies if copy.doubt and copy.event.event_id not in asked]:
            for copy in doubtful:
                asked.add(copy.event.event_id)
                if (room := book.by_id(copy.room_id)) is not None:
                    found = await self._calendar.fetch_event(room.address, copy.event.event_id)
                    self._ledger.save_copy(copy.room_id, copy.event.event_id, found)
            booking = self._ledger.load_booking(booking.kind, booking.key) or booking
        return booking

    async def _ask_unseen_rooms(self, booking: Booking, known: Known) -> bool | None:
        """
        Look in rooms that have not shown it yet for a meeting that left the others, and that its organizer has no more.

        Until a room shows it, a meeting that was given to another organizer looks like one that was cancelled. Where
        the organizer is none of ours, these rooms are all there is to ask.

        Returns:
            Whether one of them has it; None when there was no need to ask, or not all could be asked.
        """
        link = booking.link
        if known.organizer_copy is not None or any(copy.live for copy in known.copies):
            return None
        if not known.organizer_read and not (known.copies and self._is_strangers(booking)):
            return None
        if known.base is None or booking.series is not None or link is None or link.ical_uid is None:
            return None
        found, asked = False, True
        for room_id in sorted(known.base.outlook.rooms - {copy.room_id for copy in known.copies}):
            room = self._ledger.room_book().by_id(room_id)
            try:
                copy = await self._calendar.find_event(room.address, link.ical_uid) if room else None
            except (MailboxClosed, Malformed, Refused, Unmatched):
                asked = False
                continue
            if copy is not None:
                self._ledger.save_copy(room_id, copy.event_id, copy)
                found = True
        return found or (False if asked else None)

    def _is_strangers(self, booking: Booking) -> bool:
        """Tell whether a meeting is nobody's of ours: asked for from outside, or written straight into a room."""
        mailbox = booking.link.mailbox if booking.link is not None else None
        return not mailbox or domain_of(mailbox) not in self._rules().domains

    def _check(self, booking: Booking) -> AnswerCheck | None:
        link = booking.link
        if link is None or link.asked_at is None or booking.loan is None or not booking.loan.blocks:
            return None
        if booking.series is not None and not self._series.covers(booking.series):
            return None  # beyond what is read: its room's answer comes when the window reaches it
        return check_answers(
            asked_at=link.asked_at,
            checked_at=link.checked_at,
            now=self._now(),
            answer_timeout=self._answer_timeout,
        )

    async def _read_organizer(self, booking: Booking, known: Known, *, to_write: bool = False) -> Known:
        """Read the organizer's copy if its mailbox may be read; otherwise leave *known* as it is.

        *to_write*: as it is right now, since it is to be changed. Otherwise the dates of a series share a reading.
        """
        link = booking.link
        heir = self._heir(booking, known)
        mailbox = heir or (link.mailbox if link is not None and link.mailbox else self._organizer_mailbox(booking))
        if mailbox is None or (booking.series is not None and not self._series.covers(booking.series)):
            return known
        try:
            if booking.series is not None and not (to_write and link is not None and link.event_id is not None):
                is_first = known.base is None or (_is_check_due(booking) and link is not None and link.event_id is None)
                if is_first and not to_write and not needs_own_date(known, self._ledger.room_book()):
                    series = await self._series.read_shared(booking.series, mailbox)
                    return _with_shared(known, series)
                if to_write:
                    copy = await self._series.find_date(booking.series, mailbox)
                else:
                    since_change = not self._is_answer_due(booking)
                    copy = await self._series.read_date(booking.series, mailbox, since_change=since_change)
            elif link is not None and link.event_id is not None and heir is None:
                copy = await self._calendar.fetch_event(mailbox, link.event_id)
            elif uid := (link.ical_uid if link else _uid(booking)):
                copy = await self._calendar.find_event(mailbox, uid)
            else:
                return known
        except (MailboxClosed, Malformed, Refused, Unmatched):
            return known
        if copy is None and (known.base is None or heir is not None):
            return known  # not found under an organizer who may have it elsewhere: the room copies must do
        if copy is not None and not copy.attendees and any(each.live for each in known.copies):
            # Nobody invited, while a room still shows the meeting: a list on its way, or one that came through garbled.
            return replace(known, organizer_read=True)
        interval = self._ledger.times_of(copy) if copy is not None else None
        return replace(known, organizer_read=True, organizer_copy=copy, organizer_interval=interval)

    def _is_answer_due(self, booking: Booking) -> bool:
        check = self._check(booking)
        return _is_check_due(booking) or (check is not None and check.due)

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

    async def _is_ours(self, observed: Observed) -> bool:
        """Tie a meeting that carries our marker to its loan, instead of making a second one of it (P4, P5)."""
        booking = observed.booking
        if booking.kind != "meeting":
            return False
        copy = observed.known.organizer_copy
        ref = parse_marker(self._instance, copy.transaction_id) if copy is not None else None
        if ref is not None and copy is not None:
            number, generation = ref
            return self._ledger.adopt(booking, LoanNumber(number), generation, copy)
        return False

    # --- plan

    def _plan(self, observed: Observed, *, mode: str | None = None) -> Plan:
        booking, meeting = observed.booking, observed.meeting
        rules = self._rules()
        mode = mode or rules.mode
        loan = booking.loan
        clashes, clashes_here = self._clashes(meeting, meeting.interval, loan), None
        if loan is not None:
            is_here = loan.interval == meeting.interval
            clashes_here = clashes if is_here else self._clashes(meeting, loan.interval, loan)
        situation = Situation(
            meeting=meeting,
            loan=loan,
            base=observed.known.base,
            people=PeopleRule(rules.domains, _default_requester(rules)),
            now=self._now(),
            clashes=clashes,
            clashes_here=clashes_here,
            breaches=self._breaches(meeting, loan),
            seen_at=booking.seen_at,
            in_view=loan is None or rules.view.holds(loan),
            dates=rules.view.dates,
            title=self._title(booking, meeting.subject),
            text_differs=self._text_differs(booking, meeting.subject),
            listed=bool(booking.copies) and all(copy.listed for copy in booking.copies),
            is_kept=booking.link is not None and booking.link.hold == "rejected",
            may_write=mode != "read_only",
            series=booking.series.id if booking.series is not None else None,
            day=day_of(booking.series.key) if booking.series is not None else None,
            former=booking.withdrawn,
            dates_max=rules.series_dates_max if self._is_over_the_top(booking) else None,
        )
        made = plan(situation)
        if isinstance(made.loan, NewLoan) and self._own_create_under_way(observed):
            return Plan(look_again_seconds=OWN_CREATE_WAIT_SECONDS)
        made = _with_silence(made, observed, self._now())
        if made.end_link and (booking.link is None or booking.link.state in ("ended", "left")):
            made = replace(made, end_link=False)  # it has ended already
        made = cast_shadow(made, self._name_of) if mode == "shadow" else made
        times = [meeting.interval, loan.interval if loan is not None else None]
        return drop_cases_when_over(made, [each for each in times if each is not None], self._now())

    def _name_of(self, room_id: BookableId) -> str:
        room = self._ledger.room_book().by_id(room_id)
        return room.name if room is not None else f"#{room_id}"

    def _is_over_the_top(self, booking: Booking) -> bool:
        """Tell whether a date without a loan comes after as many as one series may have."""
        if booking.series is None or booking.loan is not None:
            return False
        return self._ledger.series_rank(booking) > self._rules().series_dates_max

    def _own_create_under_way(self, observed: Observed) -> bool:
        """Tell whether an unknown meeting may be our own event, whose creation has not been answered yet."""
        organizer, interval = observed.meeting.organizer, observed.meeting.interval
        is_read = observed.known.organizer_copy is not None and observed.booking.series is None
        if is_read or organizer is None or interval is None:
            return False
        return self._ledger.is_own_create_under_way(organizer.address, interval)

    def _clashes(
        self, meeting: MeetingView, interval: Interval | None, loan: Loan | None
    ) -> Mapping[BookableId, Clash]:
        """Return what else holds the rooms of *meeting* and the items of *loan* on *interval*."""
        if interval is None or meeting.presence is not Presence.LIVE:
            return {}
        items = set(meeting.holding)
        if loan is not None:
            held = {item.id for item in loan.held_items}
            if interval == loan.interval and items <= held:
                return {}
            items |= held
        number = loan.number if loan is not None else None
        return self._ledger.clashes(sorted(items), interval, apart_from=number)

    def _breaches(self, meeting: MeetingView, loan: Loan | None) -> tuple[RuleBreach, ...]:
        """Return what a booking made in Outlook breaks of our rules: it is flagged for as long as it does."""
        if meeting.interval is None or (loan is not None and (loan.home is Home.APP or not loan.blocks)):
            return ()
        return self._ledger.breaches(sorted(meeting.holding), meeting.interval)

    def _text_differs(self, booking: Booking, shown: str | None) -> bool:
        loan, link = booking.loan, booking.link
        if loan is None or link is None or link.base is None or loan.home is not Home.APP or not link.base.body:
            return False
        base = link.base
        is_marked_otherwise = base.private is not None and base.private is not loan.private
        is_told_otherwise = without_link(self._body(loan)) != without_link(base.body)
        return (
            is_marked_otherwise
            or is_told_otherwise
            or self._fields(loan) != base.fields
            or self._retitled(loan, base, shown)
        )

    def _retitled(self, loan: Loan, base: Base, shown: str | None) -> bool:
        """Tell whether a title that the settings chose says something else now. One event stands for a whole series,
        whose title names all its loans."""
        wanted = self._subject(loan)
        return self._rules().fields.names_more and loan.series is None and wanted not in (base.subject, shown)

    def _title(self, booking: Booking, shown: str | None) -> TitleView | None:
        loan, link = booking.loan, booking.link
        if loan is None or link is None or link.base is None or loan.home is not Home.APP or loan.series is not None:
            return None
        level = self._ledger.store_text_level(loan)
        return view_title(self._rules().fields, loan, level, written=link.base.subject, shown=shown)

    def _subject(self, loan: Loan) -> str:
        return render_subject(loan, self._ledger.store_text_level(loan), self._rules().fields)

    def _fields(self, loan: Loan) -> EventFields:
        return map_fields(self._rules().fields, loan, self._ledger.store_text_level(loan))

    def _body(self, loan: Loan) -> str:
        rules = self._rules()
        link = f"{rules.link_base}/loans/{loan.number}"
        return render_body(loan, self._ledger.store_text_level(loan), link, rules.fields)

    # --- execute

    def _writing(self, observed: Observed, made: Plan) -> Writing:
        booking, meeting = observed.booking, observed.meeting
        loan, link = booking.loan, booking.link
        organizer = meeting.organizer.address if meeting.organizer is not None else None
        writing = Writing(
            event_id=meeting.organizer_event_id,
            etag=meeting.organizer_etag,
            organizer_mailbox=_home_mailbox(link, organizer, loan, meeting.organizer_event_id),
            web_link=meeting.web_link,
            checked=self._is_answer_due(booking) or (observed.known.organizer_read and booking.series is None),
            unshown=observed.unshown,
        )
        if loan is None or not made.writes:
            return writing
        return replace(
            writing,
            mailbox=mailbox_for(loan.requester.address, self._rules()) if _creates(made) else None,
            subject=self._subject(loan),
            body=self._body(loan),
            shown=self._shown(observed.known.organizer_copy),
            fields=self._fields(loan),
        )

    def _shown(self, copy: EventCopy | None) -> Draft:
        if copy is None:
            return Draft()
        book = self._ledger.room_book()
        rooms = (book.by_address(attendee.address) for attendee in copy.attendees)
        refs = {room.id: RoomRef(room.address, room.name) for room in rooms if room is not None}
        return Draft(interval=copy.interval, rooms=tuple(refs[room] for room in sorted(refs)))


def _home_mailbox(link: Link | None, organizer: str | None, loan: Loan | None, event_id: EventId | None) -> str | None:
    """Return the mailbox that holds the organizer's copy: it follows an organizer who changes, and of an event of ours
    only when the event was found there."""
    linked = link.mailbox if link is not None else None
    if loan is not None and loan.home is Home.APP and linked is not None:
        moved = link is not None and event_id is not None and link.event_id not in (None, event_id)
        return (organizer or linked) if moved else linked
    return organizer or linked


def _plan_with_series(booking: Booking) -> Plan:
    """Return what becomes of a loan's event when its whole series is written."""
    loan, link = booking.loan, booking.link
    if loan is None or link is None or not loan.blocks or not loan.rooms:
        return Plan()
    return Plan(writes=(CreateEvent() if link.base is None else ChangeEvent(),))


def _creates(made: Plan) -> bool:
    return any(isinstance(write, CreateEvent) for write in made.writes)


def _changes_outlook(made: Plan) -> bool:
    """Tell whether a plan changes an event or replaces it: both ask the organizer's copy first, so that an edit made
    there a moment ago is merged and not overwritten."""
    kinds = {type(write) for write in made.writes}
    return ChangeEvent in kinds or kinds == {DeleteEvent, CreateEvent}


def _known(booking: Booking) -> Known:
    link, loan = booking.link, booking.loan
    base = link.base if link is not None and link.state == "linked" else None
    before = {item.id: item.state for item in loan.rooms} if loan is not None else {}
    return Known(
        copies=booking.copies if link is None or link.state == "linked" else (),
        base=base,
        written=link is not None and link.written_at is not None,
        answers_before=before,
    )


def _is_check_due(booking: Booking) -> bool:
    """Tell whether the organizer's copy was ordered to be read, once, for what only it shows."""
    return booking.link is not None and booking.link.state == "linked" and booking.link.is_check_due


def is_led(booking: Booking) -> bool:
    """Tell whether the loan waits for its series, which is being written as a whole."""
    return booking.link is not None and booking.link.state == LED


def _is_echo(observed: Observed) -> bool:
    """Tell whether a date that ended here is not in its organizer's calendar: its room has not heard of the end yet."""
    return observed.booking.withdrawn is not None and observed.known.organizer_copy is None


def _awaits_its_series(booking: Booking) -> bool:
    """Tell whether a date is in doubt: the pass over its room asks for its whole series, and marks it then."""
    return any(copy.doubt and copy.event.series_master_id is not None for copy in booking.copies)


def _with_shared(known: Known, series: Series) -> Known:
    if series.event_id is None:
        return known
    return replace(known, shared=Shared(series.title, series.private, series.web_link))


def _uid(booking: Booking) -> ICalUid | None:
    return booking.copies[0].event.ical_uid if booking.copies else None


def _with_silence(made: Plan, observed: Observed, now: datetime) -> Plan:
    """Add when to look again for missing answers and copies, and the case of a room that stays silent."""
    check, meeting = observed.check, observed.meeting
    if check is None or made.end_link or meeting.presence is not Presence.LIVE:
        return made
    silent = tuple(room for room, state in sorted(meeting.answers.items()) if state is ItemState.REQUESTED)
    if not silent and not observed.unshown:
        return made
    cases = made.cases
    if check.overdue and silent:
        facts = {"item_id": silent[0], "minutes": check.silent_minutes}
        cases = (*cases, Note("room_does_not_answer", facts, actor="engine", room_id=silent[0]))
    wait = max(1.0, (check.next_at - now).total_seconds())
    return replace(made, cases=cases, look_again_seconds=min(wait, made.look_again_seconds or wait))


def _default_requester(rules: SyncRules) -> Requester | None:
    return Requester(rules.default_user, rules.default_user) if rules.default_user else None

"""The pass over one booking: observe both sides, plan, execute, remember.

Follow it from the top: `settle` and `_follow` are the whole story, `observer.py`, `planner.py`, `writing.py` and
`writes.py` are its steps in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from engine.errors import MailboxClosed, Refused
from engine.interval import Interval
from engine.loans.loan import Home
from engine.reconcile.actions import ChangeEvent, CreateEvent, DeleteEvent, Note, Plan
from engine.reconcile.ledger import Booking, Ledger, SyncRules, Writing
from engine.reconcile.markers import Marker, parse_marker
from engine.reconcile.missing import await_end
from engine.reconcile.over import drop_cases_when_over
from engine.reconcile.plan import ANSWER_GRACE_SECONDS
from engine.reconcile.series.writes import LED
from engine.reconcile.shadow import cast_shadow, withhold_writes
from engine.reconcile.views import Presence
from engine.rooms.calendar import RoomCalendar
from engine.rooms.event import Answer, EventCopy
from engine.worker.answers import AnswerClock
from engine.worker.locks import Holding
from engine.worker.observer import Observed, Observer
from engine.worker.organizers import OrganizerReader
from engine.worker.planner import OWN_CREATE_WAIT_SECONDS, Planner
from engine.worker.series import SeriesReader
from engine.worker.wording import Wording
from engine.worker.writes import Writes
from engine.worker.writing import WritingBuilder

MODE_WAIT_SECONDS = 60.0
"""How long a write that was decided before the mode forbade it waits between two looks at the mode."""

ECHO_SECONDS = 60.0
"""How long a room may go on showing a date that has ended. What it still has then counts as brought back where the
organizer's calendar is closed."""


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
        self._now = now
        series = SeriesReader(ledger, calendar, window=window, now=now)
        answers = AnswerClock(series, answer_timeout=answer_timeout, now=now)
        wording = Wording(ledger, rules)
        organizers = OrganizerReader(ledger, calendar, series, answers, rules)
        self._observer = Observer(ledger, calendar, series, answers, organizers, now=now)
        self._planner = Planner(ledger, wording, rules=rules, now=now)
        self._writing = WritingBuilder(ledger, answers, wording, rules)
        self._writes = Writes(ledger, calendar, series, rules=rules, locks=locks)

    async def settle(self, kind: str, key: str) -> Plan | None:
        """Bring the two sides of one booking into agreement. Returns the plan it followed, None when none was due."""
        booking = self._ledger.load_booking(kind, key)
        if booking is None:
            return None
        if is_led(booking):
            return self._tell_withheld(booking)
        if booking.intents and self._rules().mode != "two_way":
            return self._wait(booking, MODE_WAIT_SECONDS)
        if booking.intents:
            await self._writes.carry_out(booking, booking.intents, organizer_copy=None, resumed=True)
            booking = self._ledger.load_booking(kind, key)
            if booking is None or booking.intents or is_led(booking):
                return None  # led: while a request was under way the desk has changed its whole series
        if _awaits_its_series(booking):
            return None
        if (wait := self._seconds_to_answer(booking)) > 0:
            return self._wait(booking, wait)
        if booking.leaves_a_room_behind:
            return await self._end_once_more(booking)
        observed = await self._observer.observe(booking, read_organizer=booking.withdrawn is not None)
        if await self._is_ours(observed):
            return None
        if _is_echo(observed):
            return await self._settle_echo(booking, observed)
        return await self._follow(booking, observed)

    async def _end_once_more(self, booking: Booking) -> Plan:
        """Free a room that was given a meeting just before it ended here, and has heard of no end."""
        if self._rules().mode != "two_way":
            return self._wait(booking, MODE_WAIT_SECONDS)
        made = Plan(writes=(DeleteEvent(),))
        observed = await self._observer.observe(booking)
        intents = self._ledger.save_plan(booking, made, self._writing.build(observed, made))
        await self._writes.carry_out(booking, intents, organizer_copy=None, resumed=False)
        return made

    async def _settle_echo(self, booking: Booking, observed: Observed) -> Plan | None:
        """Leave alone what a room still shows of a date that ended here, unless nobody can say that it is an echo and
        it stays: then it counts as brought back."""
        if not observed.known.organizer_closed:
            return None
        if (wait := self._seconds_of_echo(booking)) > 0:
            return self._wait(booking, wait)
        if not await self._observer.is_shown(booking):
            return None
        return await self._follow(booking, observed)

    async def _follow(self, booking: Booking, observed: Observed) -> Plan:
        """Plan by what is observed, looking at the organizer's copy before an event is changed, and carry it out."""
        made = self._planner.plan(observed)
        if _needs_reading(observed, made):
            observed = await self._observer.observe(booking, read_organizer=True)
            made = self._planner.plan(observed)
        if _changes_outlook(made) and observed.known.organizer_copy is None:
            return self._leave_unwritten(observed, made)
        if _ends_with_its_event(observed, made) and (wait := self._ledger.seconds_until_heard(booking)) > 0:
            return self._wait(observed.booking, wait)
        intents = self._ledger.save_plan(observed.booking, made, self._writing.build(observed, made))
        if intents:
            copy = observed.known.organizer_copy
            await self._writes.carry_out(observed.booking, intents, organizer_copy=copy, resumed=False)
        return made

    def _wait(self, booking: Booking, seconds: float) -> Plan:
        """Look again in so many seconds, and do nothing until then."""
        made = Plan(look_again_seconds=seconds)
        self._ledger.save_plan(booking, made, Writing())
        return made

    def _tell_withheld(self, booking: Booking) -> Plan | None:
        """Tell in a case what a mode keeps the series of a loan from writing; the series itself waits for the mode."""
        mode = self._rules().mode
        if mode == "two_way":
            return None
        made = _plan_with_series(booking)
        made = cast_shadow(made, self._ledger.name_of) if mode == "shadow" else withhold_writes(made)
        made = replace(made, look_again_seconds=None)
        if booking.loan is not None:
            made = drop_cases_when_over(made, [booking.loan.interval], self._now())
        self._ledger.save_plan(booking, made, Writing())
        return made

    def _leave_unwritten(self, observed: Observed, decided: Plan) -> Plan:
        """
        Deal with a change that has no copy to be written to: wait for an end on its way, else refuse the edit. What it
        was decided to wait for besides, the answer of a room above all, is waited for all the same where the edit is
        refused; an organizer without the event tells of none. Where only words cannot be written, the loan follows
        Outlook all the same.
        """
        booking, loan = observed.booking, observed.booking.loan
        assert loan is not None, "only a loan is written to Outlook"
        if observed.known.organizer_read:
            made = await_end(loan, observed.known.copies, decided.cases, self._now())
            made = drop_cases_when_over(made, [loan.interval], self._now())
            self._ledger.save_plan(booking, made, Writing())
            return made
        if decided.writes == (ChangeEvent(text=True),):
            self._ledger.save_plan(booking, replace(decided, writes=(), base_after=None), Writing())
        note = Note("write_refused", {"error": "the organizer’s calendar cannot be reached"}, actor="engine")
        self._ledger.refuse_edit(booking, note, look_again_seconds=decided.look_again_seconds)
        return Plan(look_again_seconds=decided.look_again_seconds)

    async def preview(self, kind: str, key: str) -> tuple[Booking, Plan] | None:
        """Return what the mode `two_way` would do about one booking, without doing any of it."""
        booking = self._ledger.load_booking(kind, key)
        if booking is None:
            return None
        if is_led(booking):
            return booking, _plan_with_series(booking)
        if _awaits_its_series(booking):
            return booking, Plan()
        observed = await self._observer.observe(booking, read_organizer=booking.withdrawn is not None)
        return booking, Plan() if _is_echo(observed) else self._planner.plan(observed, mode="two_way")

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

    def _seconds_of_echo(self, booking: Booking) -> float:
        """Return how long what a room shows of a date that ended here may be no more than an echo of it."""
        shown = (self._now() - booking.seen_at).total_seconds() if booking.seen_at is not None else 0.0
        return ECHO_SECONDS - shown

    async def _is_ours(self, observed: Observed) -> bool:
        """Tie a meeting that carries our marker to its loan, instead of making a second one of it (P4, P5)."""
        booking = observed.booking
        if booking.kind != "meeting":
            return False
        if booking.series is not None and self._ledger.is_own_series_under_way(booking.key):
            self._wait(booking, OWN_CREATE_WAIT_SECONDS if self._rules().mode == "two_way" else MODE_WAIT_SECONDS)
            return True
        copy = observed.known.organizer_copy
        marker = parse_marker(self._instance, copy.transaction_id) if copy is not None else None
        if marker is None or copy is None:
            return False
        return self._ledger.adopt(booking, marker, copy) or await self._is_successor(marker, copy)

    async def _is_successor(self, marker: Marker, copy: EventCopy) -> bool:
        """Tie a loan to a later event of its own than we know, where the one that we know is no more."""
        link = self._ledger.find_outdated(marker)
        if link is None or link.mailbox is None or link.event_id is None:
            return False
        try:
            is_there = await self._calendar.fetch_event(link.mailbox, link.event_id) is not None
        except (MailboxClosed, Refused):
            return False
        return not is_there and self._ledger.tie_successor(marker, copy)


def is_led(booking: Booking) -> bool:
    """Tell whether the loan waits for its series, which is being written as a whole."""
    return booking.link is not None and booking.link.state == LED


def _plan_with_series(booking: Booking) -> Plan:
    """Return what becomes of a loan's event when its whole series is written."""
    loan, link = booking.loan, booking.link
    if loan is None or link is None or not loan.blocks or not loan.rooms:
        return Plan()
    return Plan(writes=(CreateEvent() if link.base is None else ChangeEvent(),))


def _needs_reading(observed: Observed, made: Plan) -> bool:
    """Tell whether the organizer's copy is to be read before *made* is carried out, so that an edit made there a moment
    ago is merged and not overwritten. The dates of a series share a reading of a while ago: a change that is behind the
    times is refused by Outlook, and looked at anew, but an event that was replaced is not, were it cancelled since."""
    is_shared = observed.booking.series is not None and _replaces_event(made)
    return _changes_outlook(made) and (observed.known.organizer_copy is None or is_shared)


def _changes_outlook(made: Plan) -> bool:
    """Tell whether a plan changes an event or replaces it."""
    return any(isinstance(write, ChangeEvent) for write in made.writes) or _replaces_event(made)


def _replaces_event(made: Plan) -> bool:
    return {type(write) for write in made.writes} == {DeleteEvent, CreateEvent}


def _ends_with_its_event(observed: Observed, made: Plan) -> bool:
    """Tell whether a loan of the app is to end because its own event is gone."""
    booking = observed.booking
    is_ours = booking.loan is not None and booking.loan.home is Home.APP
    return is_ours and observed.meeting.presence is Presence.GONE and made.loan is not None


def _is_echo(observed: Observed) -> bool:
    """Tell whether a date that ended here is not in its organizer's calendar: its room has not heard of the end yet."""
    return observed.booking.withdrawn is not None and observed.known.organizer_copy is None


def _awaits_its_series(booking: Booking) -> bool:
    """Tell whether a date is in doubt: the pass over its room asks for its whole series, and marks it then."""
    return any(copy.doubt and copy.event.series_master_id is not None for copy in booking.copies)

"""Planning one booking: gathering the situation from what was observed, and what the plan becomes in a mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from engine.errors import Clash
from engine.ids import BookableId
from engine.interval import Interval
from engine.loans.loan import Home, Loan, Requester
from engine.loans.rules import RuleBreach
from engine.loans.status import ItemState
from engine.reconcile.actions import NewLoan, Note, Plan, Situation
from engine.reconcile.answers import SILENT, begin_waiting, second_look_at
from engine.reconcile.ledger import Booking, Ledger, SyncRules
from engine.reconcile.over import drop_cases_when_over
from engine.reconcile.plan import plan
from engine.reconcile.shadow import cast_shadow
from engine.reconcile.validate import PeopleRule
from engine.reconcile.views import MeetingView, Presence
from engine.rooms.series import day_of
from engine.worker.observer import Observed
from engine.worker.wording import Wording

OWN_CREATE_WAIT_SECONDS = 2.0
"""How long a meeting waits that may be our own event, seen before the answer to its creation came in."""


class Planner:
    """Asks the ledger for what a plan is made from, and has it made."""

    def __init__(
        self, ledger: Ledger, wording: Wording, *, rules: Callable[[], SyncRules], now: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._wording = wording
        self._rules = rules
        self._now = now

    def plan(self, observed: Observed, *, mode: str | None = None) -> Plan:
        """Return what a booking needs, as the mode allows it; *mode*: another one than that of the settings."""
        booking, meeting = observed.booking, observed.meeting
        rules = self._rules()
        mode = mode or rules.mode
        loan = booking.loan
        left = booking.former if booking.former is not None and not booking.former.blocks else None
        clashes, clashes_here = self._clashes(meeting, meeting.interval, loan), None
        if left is not None and left.assets and meeting.interval is not None:
            taken = self._ledger.clashes([item.id for item in left.assets], meeting.interval, apart_from=None)
            clashes = {**clashes, **taken}
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
            told=self._told_clash(booking, meeting.interval) if clashes else None,
            breaches=self._breaches(meeting, loan),
            seen_at=booking.seen_at,
            in_view=loan is None or rules.view.holds(loan),
            dates=rules.view.dates,
            title=self._wording.view_title(booking, meeting.subject),
            text_differs=self._wording.differ(booking, meeting.subject),
            listed=bool(booking.copies) and all(copy.listed for copy in booking.copies),
            is_kept=booking.link is not None and booking.link.hold == "rejected",
            may_write=mode != "read_only",
            series=booking.series.id if booking.series is not None else None,
            day=day_of(booking.series.key) if booking.series is not None else None,
            former=booking.withdrawn,
            left=left,
            dates_max=rules.series_dates_max if self._is_over_the_top(booking) else None,
        )
        made = plan(situation)
        if isinstance(made.loan, NewLoan) and self._own_create_under_way(observed):
            return Plan(look_again_seconds=OWN_CREATE_WAIT_SECONDS)
        made = _with_silence(made, observed, self._now())
        made = _with_second_look(made, observed, self._now())
        if made.end_link and (booking.link is None or booking.link.state in ("ended", "left")):
            made = replace(made, end_link=False)  # it has ended already
        made = cast_shadow(made, self._ledger.name_of) if mode == "shadow" else made
        times = [meeting.interval, loan.interval if loan is not None else None]
        return drop_cases_when_over(made, [each for each in times if each is not None], self._now())

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
        """Return what else holds the rooms of *meeting* and the items of *loan* on *interval*. So of a loan's room that
        said no: it is asked anew when the desk has moved the booking."""
        if interval is None or meeting.presence is not Presence.LIVE:
            return {}
        items = set(meeting.answers if loan is not None else meeting.holding)
        if loan is not None:
            held = {item.id for item in loan.held_items}
            if interval == loan.interval and items <= held:
                return {}
            items |= held
        number = loan.number if loan is not None else None
        return self._ledger.clashes(sorted(items), interval, apart_from=number)

    def _told_clash(self, booking: Booking, interval: Interval | None) -> Clash | None:
        """Return what is in the way of a meeting that is no loan, and was told to be."""
        if booking.loan is not None or interval is None:
            return None
        return self._ledger.told_clash(booking.key, interval)

    def _breaches(self, meeting: MeetingView, loan: Loan | None) -> tuple[RuleBreach, ...]:
        """Return what a booking made in Outlook breaks of our rules: it is flagged for as long as it does."""
        if meeting.interval is None or (loan is not None and (loan.home is Home.APP or not loan.blocks)):
            return ()
        return self._ledger.breaches(sorted(meeting.holding), meeting.interval)


def _with_silence(made: Plan, observed: Observed, now: datetime) -> Plan:
    """Add when to look again for missing answers and copies, and the case of a room that stays silent."""
    check, meeting = observed.check, observed.meeting
    if check is None or made.end_link or meeting.presence is not Presence.LIVE:
        return made
    if made.asks_anew:
        check = begin_waiting(now)
    loan = observed.booking.loan
    mine = {item.id for item in loan.rooms} if loan is not None else set()
    asked = [room for room, state in sorted(meeting.answers.items()) if state is ItemState.REQUESTED]
    if not asked and not observed.unshown:
        return made
    cases, silent = made.cases, [room for room in asked if room in mine]
    if check.overdue and silent:
        facts = {"item_id": silent[0], "minutes": check.silent_minutes}
        cases = (*cases, Note(SILENT, facts, actor="engine", room_id=silent[0]))
    wait = max(1.0, (check.next_at - now).total_seconds())
    return replace(made, cases=cases).looks_again_within(wait)


def _with_second_look(made: Plan, observed: Observed, now: datetime) -> Plan:
    """Add when to look again since a room of a loan has left its calendar, be it that its refusal is on its way."""
    if observed.booking.loan is None or made.end_link:
        return made
    second = second_look_at(observed.known.copies, observed.meeting.answers)
    if second is None or second <= now:
        return made
    return made.looks_again_within((second - now).total_seconds())


def _default_requester(rules: SyncRules) -> Requester | None:
    return Requester(rules.default_user, rules.default_user) if rules.default_user else None

"""Bugs in how the engine decides."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

from engine.database.sync.ledger import SyncLedger
from engine.database.sync.settle import Settler
from engine.ids import LoanNumber
from engine.interval import Interval
from engine.loans.loan import Home
from engine.reconcile import decide, merge, observe, plan
from engine.reconcile.decide import EndVerdict, LoanEnd, MeetingEnd, Verdict
from engine.reconcile.markers import Marker
from engine.worker import bookings, observer
from engine.worker.bookings import BookingPass
from engine.worker.planner import Planner
from tests.mutants.table import bug, replace_in


def _end(meeting: MeetingEnd, loan: LoanEnd, verdict: EndVerdict) -> None:
    replace_in(decide, "_ENDS", lambda ends: MappingProxyType({**ends, (meeting, loan): verdict}))


@bug("Keeps a loan whose meeting was cancelled.", story="meeting: outlook cancels")
def overlooks_a_cancellation_in_outlook() -> None:
    _end(MeetingEnd.GONE, LoanEnd.ALIVE, EndVerdict.REST)


@bug("Leaves the event of a cancelled loan in Outlook.", story="loan: desk cancels")
def leaves_the_event_of_a_cancelled_loan() -> None:
    _end(MeetingEnd.ALIVE, LoanEnd.WITHDRAWN, EndVerdict.REST)


@bug(
    "Lets an edit beat a cancellation: a loan that was changed is booked again.",
    story="loan: desk moves, outlook cancels",
)
def lets_an_edit_beat_a_cancellation() -> None:
    def make(plan_merge: Any) -> Any:
        def again(situation: Any, loan: Any, base: Any) -> Any:
            from engine.reconcile.actions import CreateEvent, Plan
            from engine.reconcile.views import Base, Presence, loan_face

            is_gone = situation.meeting.presence is Presence.GONE
            if is_gone and loan.blocks and loan_face(loan) != base.loan and loan.home is Home.APP:
                face = loan_face(loan)
                return Plan(writes=(CreateEvent(),), base_after=Base(outlook=face, loan=face))
            return plan_merge(situation, loan, base)

        return again

    replace_in(plan, "plan_merge", make)

    def make_end(decide_end: Any) -> Any:
        def alive(meeting: Any, loan: Any, home: Any) -> Any:
            is_gone = meeting is MeetingEnd.GONE and loan is LoanEnd.ALIVE and home is Home.APP
            return EndVerdict.COMPARE if is_gone else decide_end(meeting, loan, home)

        return alive

    replace_in(plan, "decide_end", make_end)


def _verdict(old: Verdict, new: Verdict) -> None:
    def make(decide_field: Any) -> Any:
        def other(**named: Any) -> Any:
            found = decide_field(**named)
            return new if found is old else found

        return other

    replace_in(merge, "decide_field", make)


@bug(
    "Lets Outlook win whatever both sides changed, wherever the booking was born.",
    tests="tests/unit/reconcile/test_plan.py",
)
def lets_outlook_always_win() -> None:
    _verdict(Verdict.APP_WINS, Verdict.OUTLOOK_WINS)


@bug("Writes over what Outlook changed.", story="loan: outlook moves")
def lets_the_app_overwrite() -> None:
    _verdict(Verdict.COPY_TO_LOAN, Verdict.COPY_TO_OUTLOOK)


@bug("Leaves what the desk changed unwritten.", story="loan: desk moves")
def leaves_edits_of_the_desk() -> None:
    _verdict(Verdict.COPY_TO_OUTLOOK, Verdict.REST)


@bug("Keeps no case of the value that lost.", story="loan: both move")
def drops_the_loser() -> None:
    replace_in(merge, "_settle", lambda _old: lambda *args, **named: None)


@bug("Opens a case of a disagreement where only one side changed anything.", story="loan: outlook moves")
def invents_conflicts() -> None:
    def make(settle: Any) -> Any:
        def eager(work: Any, verdict: Any, name: str, **named: Any) -> None:
            settle(work, Verdict.OUTLOOK_WINS if verdict is Verdict.COPY_TO_LOAN else verdict, name, **named)

        return eager

    replace_in(merge, "_settle", make)


@bug("Compares times and requester, but no rooms.", story="loan: outlook rerooms")
def compares_no_rooms() -> None:
    replace_in(merge, "_merge_rooms", lambda _old: lambda work: None)


@bug("Writes a new requester into the old event.", story="loan: desk gives away")
def keeps_the_event_of_another_requester() -> None:
    replace_in(merge, "_give_requester", lambda _old: lambda work, here, wanted: None)


@bug(
    "Ends a booking as soon as one of its rooms has declined.",
    tests="tests/unit/reconcile/test_plan.py",
)
def ends_with_the_first_refusal() -> None:
    def make(_old: Any) -> Any:
        from engine.loans.status import ItemState

        return lambda work: ItemState.DECLINED in {**merge._current(work), **work.states}.values()

    replace_in(merge, "_ends", make)


@bug(
    "Keeps a room's old yes when its times change.",
    tests="tests/unit/reconcile/test_plan.py",
)
def keeps_old_answers() -> None:
    replace_in(merge, "_forget_old_answers", lambda _old: lambda work: None)


@bug(
    "Believes every invited room to have accepted.",
    tests="tests/unit/reconcile/test_observe.py",
)
def believes_rooms_to_accept() -> None:
    from engine.loans.status import ItemState

    replace_in(observe, "_answer", lambda _old: lambda *args: ItemState.ACCEPTED)


@bug("Never reads the organizer's copy: rooms' copies must do.", story="meeting: is made")
def never_reads_the_organizer() -> None:
    replace_in(observer, "needs_organizer", lambda _old: lambda known, **named: False)


@bug(
    "Does not look who else holds the rooms.",
    tests="tests/simulation/test_outlook_to_app.py",
)
def ignores_clashes() -> None:
    replace_in(SyncLedger, "clashes", lambda _old: lambda self, *args, **named: {})


@bug(
    "Blocks exact times only, not the quarters of an hour they touch.",
    tests="tests/unit/test_interval.py",
)
def blocks_exact_times() -> None:
    replace_in(Interval, "blocked", lambda _old: lambda self: self)


@bug(
    "Believes any number of cancellations at once.",
    tests="tests/simulation/test_brake.py",
)
def has_no_brake() -> None:
    replace_in(Settler, "_brakes", lambda _old: lambda *args: False)


@bug(
    "Takes its own event for somebody's meeting, and makes a second loan of it.",
    tests="tests/simulation/test_app_to_outlook.py",
)
def knows_not_its_own_event() -> None:
    async def no(self: Any, observed: Any) -> bool:
        return False

    replace_in(BookingPass, "_is_ours", lambda _old: no)
    replace_in(Planner, "_own_create_under_way", lambda _old: lambda self, observed: False)


@bug("Knows an event as its own by a marker of any other engine.", story="loan: is made | another engine books")
def adopts_a_strangers_event() -> None:
    import re

    def make(_old: Any) -> Any:
        def parse(_instance: str, marker: str | None) -> Marker | None:
            found = re.fullmatch(r"accord-\w+-(\d+)-g(\d+)-[0-9a-f]+", marker or "")
            return Marker(int(found[1]), int(found[2]), "") if found else None

        return parse

    replace_in(bookings, "parse_marker", make)

    def make_adopt(_old: Any) -> Any:
        from engine.database.links.bookings import load_intents

        def adopt(self: Any, booking: Any, marker: Marker, copy: Any) -> bool:
            with self._write() as transaction:
                intents = load_intents(transaction.connection, LoanNumber(marker.number))
                for intent in intents:
                    self._finish(transaction, intent, copy)
            return True

        return adopt

    replace_in(SyncLedger, "adopt", make_adopt)


@bug(
    "Moves loans that are followed to the meeting's times rounded to the grid.",
    story="loan: is made | a stranger meets",
)
def rounds_what_it_keeps() -> None:
    def make(view: Any) -> Any:
        def rounded(*known: Any) -> Any:
            seen = view(*known)
            return replace(seen, interval=seen.interval.blocked()) if seen.interval is not None else seen

        return rounded

    replace_in(observer, "view_meeting", make)

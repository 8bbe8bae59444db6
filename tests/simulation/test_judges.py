"""Judges of the random worlds, each shown an engine with a bug that breaks its promise (docs/proof.md)."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from engine.database.loans import desk, occupancy
from engine.database.mirror.mirror import Mirror
from engine.graph.calendar import GraphCalendar
from engine.interval import Interval
from engine.loans.loan import CaseState, Home, ItemKind, Loan
from engine.loans.register import ItemRef, LoanChange, LoanOrder
from engine.loans.status import LoanAction
from engine.prove.campaign import promise_of
from engine.prove.found import read_schedule
from engine.prove.judges.invariants import Broken, check_quiet
from engine.prove.judges.witness import Witness
from engine.prove.people.memory import Contest, Remembered
from engine.prove.people.people import Crowd
from engine.prove.people.series import at, book_series
from engine.prove.schedule import draw_schedule, run_schedule
from engine.prove.world.world import World
from engine.reconcile import merge, observe
from engine.reconcile.brake import WINDOW, BrakeRule
from engine.reconcile.cases.ways import Way
from engine.reconcile.decide import Verdict, decide_field
from engine.simulator.people import event_path
from engine.worker.loop import Loop
from tests.mutants.__main__ import in_a_process
from tests.simulation.conftest import MakeWorld

SECONDS = 300.0
NO_BRAKE = {"ENGINE_SYNC__MASS_CANCEL_PERCENT": "100"}


def let_the_wrong_side_win() -> None:
    swapped = {Verdict.APP_WINS: Verdict.OUTLOOK_WINS, Verdict.OUTLOOK_WINS: Verdict.APP_WINS}

    def decide(**named: Any) -> Verdict:
        verdict = decide_field(**named)
        return swapped.get(verdict, verdict)

    merge.decide_field = decide


def tell_nobody_of_the_loser() -> None:
    merge._settle = lambda *_args, **_named: None


def take_copies_for_gone_that_are_there() -> None:
    """With every fourth page, all copies are written down as dead, and nobody who is asked has the meeting."""
    write = Mirror.save_page
    count = itertools.count(1)

    def forget(self: Any, transaction: Any, room_id: Any, page: Any, **named: Any) -> Any:
        saved = write(self, transaction, room_id, page, **named)
        if next(count) % 4 == 0:
            transaction.connection.execute(text("UPDATE room_copy SET live = 0, gone = 1 WHERE live = 1"))
            for uid in transaction.connection.execute(text("SELECT loan_number FROM link")).scalars().all():
                transaction.mark("loan", str(uid))
        return saved

    async def nothing(*_args: Any, **_named: Any) -> None:
        return None

    Mirror.save_page = forget
    GraphCalendar.fetch_event = nothing
    GraphCalendar.find_event = nothing


def overlook_what_only_outlook_knows() -> None:
    occupancy.find_busy = occupancy.find_held
    desk.find_busy = occupancy.find_held


def write_every_change_twice() -> None:
    change = GraphCalendar.change_event

    async def write(self: Any, mailbox: str, copy: Any, patch: Any) -> Any:
        return await change(self, mailbox, await change(self, mailbox, copy, patch), patch)

    GraphCalendar.change_event = write


def have_no_brake() -> None:
    BrakeRule.stops = lambda self, going, total: False


def leave_a_task_behind_each_pass() -> None:
    end = Loop._end

    def leave(self: Any, task: Any) -> None:
        self.__dict__.setdefault("left", []).append(asyncio.get_running_loop().create_task(asyncio.sleep(1e9)))
        end(self, task)

    Loop._end = leave


def look_at_one_loan_again_and_again() -> None:
    look, found = Loop._pass, []

    async def keep_looking(self: Any, claim: Any) -> None:
        await look(self, claim)
        if claim.kind == "loan" and not found:
            found.append(claim)
            for _ in range(100):
                await look(self, claim)

    Loop._pass = keep_looking


def overlook_the_last_of_a_page() -> None:
    save = Mirror.save_page

    def overlook(self: Any, transaction: Any, room_id: Any, page: Any, **named: Any) -> Any:
        return save(self, transaction, room_id, replace(page, changes=page.changes[:-1]), **named)

    Mirror.save_page = overlook


def let_rooms_that_tell_nothing_any_more_move_meetings() -> None:
    observe._rooms_behind = lambda _known: frozenset()


CALM = ("meet", "book", "move_meeting", "move_loan", "cancel_meeting")
BUGS: dict[str, tuple[Callable[[], None], tuple[str, ...], range]] = {
    "I10": (write_every_change_twice, ("book", "give_loan", "reroom_loan", "move_loan"), range(1, 10)),
    "I11": (let_the_wrong_side_win, ("meet", "book", "move_at_once"), range(1, 10)),
    "I12": (tell_nobody_of_the_loser, ("meet", "book", "move_at_once"), range(1, 10)),
    "I13": (take_copies_for_gone_that_are_there, CALM, range(1, 10)),
    "I14": (have_no_brake, ("meet", "meet", "meet", "clear_calendar"), range(1, 30)),
    "I17": (leave_a_task_behind_each_pass, CALM, range(1, 3)),
    "I17, a key": (look_at_one_loan_again_and_again, ("book",), range(1, 3)),
    "I20": (overlook_the_last_of_a_page, CALM, range(1, 5)),
}
"""By promise, and what of it: a bug, what people do, and the worlds in which it is looked for."""


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_a_bug_that_breaks_it_is_noticed(name: str) -> None:
    plant, among, seeds = BUGS[name]
    promise = name.partition(",")[0]

    def look() -> str | None:
        plant()
        found = (promise_of(run_schedule(draw_schedule(seed, among=among))) for seed in seeds)
        return next((each for each in found if each == promise), None)

    assert in_a_process(look, SECONDS) == promise


def test_a_bug_that_breaks_i2_is_noticed_where_people_met_before_the_engine_came() -> None:
    """Meetings from before are no loans: only the room's copy tells that the time is taken."""

    def look() -> str | None:
        overlook_what_only_outlook_knows()
        drawn = (draw_schedule(seed, is_from_before=True, among=("book",)) for seed in range(1, 20))
        return next((each for each in map(promise_of, map(run_schedule, drawn)) if each == "I2"), None)

    assert in_a_process(look, SECONDS) == "I2"


def test_a_bug_that_breaks_i10_is_noticed_where_a_loan_goes_to_and_fro() -> None:
    """A room that is gone and one that took its place show a meeting at two times."""

    def look() -> str | None:
        let_rooms_that_tell_nothing_any_more_move_meetings()
        name = "made-to-last-all-day-while-its-room-was-set-up-anew.json"
        return promise_of(run_schedule(read_schedule(Path(__file__).parent / "found" / name)))

    assert in_a_process(look, SECONDS) == "I10"


@pytest.mark.slow
@pytest.mark.parametrize("name", BUGS)
def test_without_the_bug_nothing_is(name: str) -> None:
    _, among, seeds = BUGS[name]
    outcome = run_schedule(draw_schedule(seeds[0], among=among))
    assert outcome.is_kept, outcome


class Lost:
    """A room that lost the first date of a series of two, then four meetings, one by one; another meeting stands."""

    def __init__(self, worlds: MakeWorld, settings: dict[str, str]) -> None:
        self.world = worlds(rooms=1, people=2, settings=settings, start=False)
        self._witness = Witness(self.world)
        self.world.open()
        self._person = self.world.person(1)
        day = (self.world.loop.now() + timedelta(days=3)).date()
        master = book_series(self.world, 1, day, 9, 1, kind="daily", times=2)["id"]
        first, self._last = self.world.run(self._person.dates(master, at(day, 0), at(day, 48)))
        others = [self.world.meet(1, hour, hour + 1, 1) for hour in range(8, 12)]
        self.world.meet(2, 14, 15, 1, days=4)
        self.world.settle()
        for event in (first, *others):
            self.world.run(self._person.cancel(event["id"]))
            self.world.settle()
        assert len(self.world.live_loans) == 2

    def cancel_last(self) -> None:
        self.world.run(self._person.cancel(self._last["id"]))
        self.world.settle()

    def move_last_to_what_is_taken(self) -> None:
        taken = self.world.at(14, days=4), self.world.at(15, days=4)
        self.world.run(self._person.move(self._last["id"], *taken))
        self.world.settle()
        self.world.heal()

    def judge(self) -> None:
        self._witness.check_brake()


class TestWhatARoomLost:
    """I14: a series goes with the last of its dates, by what became of that one."""

    @pytest.fixture
    def lost(self, worlds: MakeWorld) -> Callable[..., Lost]:
        return lambda **settings: Lost(worlds, settings)

    def test_is_too_much_when_the_last_date_goes_within_the_hour(self, lost: Callable[..., Lost]) -> None:
        story = lost(**NO_BRAKE)

        story.cancel_last()

        with pytest.raises(Broken, match="I14: room 1 lost 5 of 6 bookings"):
            story.judge()

    def test_is_no_mass_when_the_last_date_goes_later(self, lost: Callable[..., Lost]) -> None:
        story = lost(**NO_BRAKE)
        story.world.wait(WINDOW.total_seconds())

        story.cancel_last()

        story.judge()

    def test_is_no_mass_when_the_room_declines_the_last_date_later(self, lost: Callable[..., Lost]) -> None:
        """The series had a date left when the others went."""
        story = lost()
        story.world.wait(WINDOW.total_seconds())

        story.move_last_to_what_is_taken()

        assert story.world.cases() == []
        story.judge()

    def test_was_asked_about_when_somebody_lets_the_last_date_go(self, lost: Callable[..., Lost]) -> None:
        """The room declined that date; the brake held its end back, and counted the series then."""
        story = lost()
        story.move_last_to_what_is_taken()
        (case,) = story.world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=100)
        assert case.code == "mass_cancel_held"

        story.world.office.cases.settle(case.id, Way.CONFIRM, room_id=None, actor="app:test")
        story.world.settle()

        assert len(story.world.live_loans) == 1
        story.judge()


class TestAnEditOfALoanThatNobodyCouldBeAskedFor:
    """I4: it went with its loan, and the meeting that comes back is another loan, as Outlook has it."""

    @pytest.fixture
    def world(self, worlds: MakeWorld) -> World:
        return worlds(rooms=1, people=3)

    def end_and_come_back(self, world: World) -> Crowd:
        """The desk's edit never reaches Outlook: the meeting is given to somebody else, and leaves its room."""
        crowd, event = Crowd(world, random.Random(1)), world.meet(1, 9, 10, 1)
        world.settle()
        (loan,) = world.live_loans
        memory = crowd.remember_meeting(event, 1, None)
        world.tenant.faults.add(effect="lose", probability=1.0)
        world.tenant.faults.add(effect="error", path="/events", status=503, probability=1.0)
        memory.interval = Interval(world.at(14), world.at(15))
        world.change(loan.number, LoanChange(start=memory.interval.start, end=memory.interval.end))
        world.tenant.office.change_organizer(world.people[0], event["iCalUId"], world.people[2])
        world.wait(1.0)
        world.tenant.office.release(world.room_addresses[0], event["iCalUId"])
        world.tenant.faults.clear()
        world.heal()
        assert "cancelled_in_outlook" in world.history(loan.number)
        (theirs,) = world.run(world.person(3).events())
        room = {"toRecipients": [{"emailAddress": {"address": world.room_addresses[0]}}]}
        world.run(world.person(3).call("POST", f"{event_path(theirs['id'])}/forward", room))
        world.heal()
        assert [each.interval for each in world.live_loans] == [Interval(world.at(9), world.at(10))]
        return crowd

    def test_is_gone_with_it(self, world: World) -> None:
        crowd = self.end_and_come_back(world)
        world.untold.handed_over.update(world.linked_uids())

        check_quiet(world, crowd)

    def test_is_lost_where_somebody_could_be_asked(self, world: World) -> None:
        crowd = self.end_and_come_back(world)

        with pytest.raises(Broken, match=r"I4: loan \d: the last edit said"):
            check_quiet(world, crowd)


class TestAnEditOfAnEventNobodyCouldKnowOf:
    """Its creation was never answered, and its mailbox closed before that was repeated (B52)."""

    @pytest.fixture
    def world(self, worlds: MakeWorld) -> World:
        return worlds(rooms=1, people=3)

    def move_unheard_of(self, world: World) -> tuple[Crowd, Remembered]:
        """Person 2 moves the event to 11 o'clock; the default user's calendar has another from then on."""
        world.tenant.faults.add(effect="error_after", method="POST", path="events$", probability=1.0)
        loan = world.book(2, 9, 10, 1)
        world.wait(0.5)
        (event,) = world.run(world.person(2).events())
        crowd = Crowd(world, random.Random(1))
        memory = Remembered("app", number=loan.number, person=2, interval=Interval(world.at(11), world.at(12)))
        crowd.bookings.append(memory)
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.set_mailbox(2, "disabled")
        world.tenant.faults.clear()
        world.heal()
        world.set_mailbox(2, "active")
        assert "default_mailbox_used" in world.history(loan.number)
        assert world.loan(loan.number).interval == Interval(world.at(9), world.at(10))
        return crowd, memory

    def test_is_in_vain(self, world: World) -> None:
        crowd, _ = self.move_unheard_of(world)

        check_quiet(world, crowd)

    def test_loses_without_a_case(self, world: World) -> None:
        crowd, memory = self.move_unheard_of(world)
        memory.interval, loser = Interval(world.at(9), world.at(10)), Interval(world.at(11), world.at(12))
        crowd.contests.append(Contest(memory, memory.number or 0, memory.interval, loser))

        check_quiet(world, crowd)

    def test_says_nothing_of_other_edits(self, world: World) -> None:
        crowd, memory = self.move_unheard_of(world)
        memory.interval = Interval(world.at(14), world.at(15))

        with pytest.raises(Broken, match=r"I4: loan \d: the last edit said"):
            check_quiet(world, crowd)

    def test_is_lost_where_its_event_was_known(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        crowd, _ = self.move_unheard_of(world)
        (event,) = world.run(world.person(2).events())
        monkeypatch.setattr(world, "names_of", lambda _number: [event["iCalUId"]])

        with pytest.raises(Broken, match=r"I4: loan \d: the last edit said"):
            check_quiet(world, crowd)


class Lent:
    """A meeting in a room, whose loan the desk lent a trolley beside it."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.furnish(["Projector", "Trolley"])
        self._crowd = Crowd(world, random.Random(1))
        self._event = world.meet(1, 9, 10, 1)
        world.settle()
        (loan,) = world.live_loans
        self.projector, self.trolley = world.things
        self._memory = self._crowd.remember_meeting(self._event, 1, None)
        self._memory.things = frozenset({int(self.trolley)})
        world.change(loan.number, LoanChange(items=(world.item(1), self.thing)))

    @property
    def thing(self) -> ItemRef:
        return ItemRef(ItemKind.ASSET, self.trolley)

    def lend_elsewhere(self, *rooms: int) -> Loan:
        items = (*map(self.world.item, rooms), self.thing)
        interval = Interval(self.world.at(14), self.world.at(15))
        return self.world.office.desk.book(LoanOrder(self.world.requester(2), interval, items), actor="app:test")

    def move(self, start: float) -> None:
        self._memory.interval = Interval(self.world.at(start), self.world.at(start + 1))
        self.world.run(self.world.person(1).move(self._event["id"], self.world.at(start), self.world.at(start + 1)))
        self.world.settle()

    def remember_projector(self) -> None:
        self._memory.things |= {int(self.projector)}

    def judge(self) -> None:
        """Of a meeting that has become another loan, without the trolley."""
        (loan,) = (each for each in self.world.live_loans if each.home is Home.OUTLOOK and each.rooms)
        assert [item.name for item in loan.items] == ["Room 1"]
        assert self.world.cases_of(loan.number) == set()
        check_quiet(self.world, self._crowd)


class TestWhatWasLent:
    """I4: it is there, or a case tells of it: one of the loan, or of the one that its meeting was before."""

    @pytest.fixture
    def lent(self, worlds: MakeWorld) -> Lent:
        return Lent(worlds(rooms=1, people=3))

    def lose_it_then_the_room(self, story: Lent) -> None:
        story.lend_elsewhere()
        story.world.book(3, 16, 17, 1)
        story.world.settle()
        story.move(14)
        story.move(16)
        assert [loan.home for loan in story.world.live_loans] == [Home.APP, Home.APP]
        story.move(11)

    def test_is_told_where_its_loan_went_on_without_it_and_ended_later(self, lent: Lent) -> None:
        self.lose_it_then_the_room(lent)

        lent.judge()

    def test_and_nothing_else_is_told_by_that_case(self, lent: Lent) -> None:
        self.lose_it_then_the_room(lent)
        lent.remember_projector()

        with pytest.raises(Broken, match=r"I4: loan \d: things"):
            lent.judge()

    def test_is_lost_where_its_loan_ended_at_once(self, lent: Lent, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever lost the last room then still had it, and it should have come along."""
        drop_rooms = merge._drop_taken_rooms

        def drop_all(work: Any) -> None:
            drop_rooms(work)
            merge._drop_taken_things(work)

        monkeypatch.setattr(merge, "_drop_taken_rooms", drop_all)
        other = lent.lend_elsewhere(1)
        lent.world.settle()
        lent.world.tenant.office.set_processing(lent.world.room_addresses[0], AllowConflicts=True)
        lent.move(14)
        lent.world.act_on(other.number, LoanAction.CANCEL)
        lent.world.settle()

        with pytest.raises(Broken, match=r"I4: loan \d: things"):
            lent.judge()

"""Backfill: what was there before us becomes loans when somebody says so, and is taken back when they say so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text

from engine.errors import Invalid, NotAllowed, NotFound
from engine.interval import Interval
from engine.loans.loan import Home
from engine.loans.register import LoanChange
from engine.loans.status import ItemState
from engine.prove.people.series import at, book_series, starts
from engine.prove.world.world import World
from engine.reconcile.backfill.book import Backfill, BackfillMeeting, BackfillState, MeetingState, Selection
from engine.reconcile.backfill.proposal import Step
from tests.simulation.conftest import MakeWorld

BY = "app:test"
LIST = {"ENGINE_SYNC__FIRST_CONTACT": "list"}


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    """A tenant with people and rooms; the engine has not met it yet."""
    return worlds(start=False, rooms=3, settings=LIST)


def whole(world: World) -> Interval:
    return Interval(world.at(0, days=0), world.at(0, days=60))


def plan(world: World, window: Interval | None = None, *rooms: int) -> Backfill:
    """Order a plan and let the service make it."""
    ids = [world.item(room).id for room in rooms]
    number = world.office.backfills.create(window or whole(world), ids, actor=BY).number
    world.settle()
    return world.office.backfills.find(number)


def lines(world: World, number: int) -> list[BackfillMeeting]:
    return list(world.office.backfills.list_meetings(number, step=None, state=None, after=0, limit=1000))


def steps(world: World, number: int) -> list[Step]:
    return [line.step for line in lines(world, number)]


def apply(world: World, number: int, selection: Selection | None = None) -> Backfill:
    world.office.backfills.order_apply(number, selection or Selection(), actor=BY)
    world.settle()
    return world.office.backfills.find(number)


def undo(world: World, number: int) -> Backfill:
    world.office.backfills.order_undo(number, actor=BY)
    world.settle()
    return world.office.backfills.find(number)


class TestThePlan:
    def test_changes_nothing(self, world: World) -> None:
        """A preview makes no loan and asks Outlook for nothing."""
        world.meet(1, 9, 10, 1)
        world.meet(2, 11, 12, 1, 2)
        world.wait(5)
        world.open()
        requests = sum(len(transport.requests) for transport in world.transports)

        found = plan(world)

        assert found.state is BackfillState.PLANNED
        assert steps(world, found.number) == [Step.CREATE, Step.CREATE]
        assert world.loans == ()
        assert sum(len(transport.requests) for transport in world.transports) == requests

    def test_holds_only_what_was_asked_for(self, world: World) -> None:
        """A stretch of time and some rooms limit it."""
        world.meet(1, 9, 10, 1)
        world.meet(1, 9, 10, 2, days=2)
        world.meet(1, 9, 10, 1, days=9)
        world.wait(5)
        world.open()

        found = plan(world, Interval(world.at(0, days=0), world.at(0, days=5)), 1)

        (line,) = lines(world, found.number)
        assert line.interval == Interval(world.at(9), world.at(10))
        assert line.rooms == (world.item(1).id,)


class TestApplied:
    def test_meetings_become_loans_and_are_followed(self, world: World) -> None:
        """What was planned becomes loans with their titles, nothing is written to Outlook, and later changes follow."""
        event = world.meet(2, 9, 10, 1, subject="Board")
        world.wait(5)
        world.open()
        assert world.loans == ()

        found = apply(world, plan(world).number)

        assert found.state is BackfillState.APPLIED
        world.wait(30)
        world.settle()
        (loan,) = world.loans
        assert (loan.home, loan.title, loan.requester.address) == (Home.OUTLOOK, "Board", "person-2@example.org")
        assert [item.state for item in loan.items] == [ItemState.ACCEPTED]
        assert "backfilled" in world.history(loan.number)
        world.run(world.person(2).move(event["id"], world.at(13), world.at(14)))
        world.settle()
        assert world.loan(loan.number).interval == Interval(world.at(13), world.at(14))
        assert world.count_writes() == 0

    def test_only_the_part_that_was_chosen(self, world: World) -> None:
        """Rooms and meetings may be left out; what was left out can be applied later, and nothing is doubled."""
        world.meet(1, 9, 10, 1)
        world.meet(1, 9, 10, 2)
        world.meet(1, 9, 10, 3)
        world.wait(5)
        world.open()
        found = plan(world)
        keys = {line.rooms: line.key for line in lines(world, found.number)}
        left_out = keys[(world.item(2).id,)]

        apply(world, found.number, Selection(rooms=(world.item(1).id, world.item(2).id), without=(left_out,)))
        assert len(world.loans) == 1

        apply(world, found.number)
        apply(world, found.number)
        assert len(world.loans) == 3

    def test_a_meeting_edited_since_the_plan_is_not_made_twice(self, world: World) -> None:
        """Who edits a listed meeting has made a loan of it (decision 0004); the plan notices and leaves it alone."""
        event = world.meet(1, 9, 10, 1)
        world.wait(5)
        world.open()
        found = plan(world)
        world.run(world.person(1).move(event["id"], world.at(15), world.at(16)))
        world.settle()

        apply(world, found.number)

        assert len(world.loans) == 1
        (line,) = lines(world, found.number)
        assert (line.state, line.outcome) == (MeetingState.FAILED, "backfill_has_loan")

    def test_survives_being_killed_at_any_step(self, world: World) -> None:
        """Killed between any two steps it goes on where it was: every meeting one loan, none left out."""
        for day in range(1, 9):
            for room in (1, 2, 3):
                world.meet(1, 9, 10, room, days=day)
        world.wait(5)
        world.open()
        found = plan(world)
        world.office.backfills.order_apply(found.number, Selection(), actor=BY)

        for seconds in (0.001, 0.01, 0.05, 0.2):
            world.wait(seconds)
            world.kill()
            world.start()
        world.settle()

        assert len(world.live_loans) == 24
        assert len(set(world.linked_uids())) == 24


class TestUndone:
    def test_takes_back_what_nobody_touched(self, world: World) -> None:
        """Loans go, meetings are listed again, Outlook is not touched; applied again, every meeting is one loan."""
        for room in (1, 2, 3):
            world.meet(room, 9, 10, room)
        world.wait(5)
        world.open()
        found = plan(world)
        apply(world, found.number)
        world.wait(60)
        world.settle()

        undone = undo(world, found.number)

        assert (undone.state, undone.left) == (BackfillState.UNDONE, 0)
        assert world.loans == ()
        assert world.office.status.listed_meetings() == 3
        assert all(not event["isCancelled"] for event in world.all_events())
        apply(world, found.number)
        world.heal()
        assert len(world.loans) == 3
        assert world.count_writes() == 0

    def test_leaves_what_people_changed(self, world: World) -> None:
        """Edited here, edited in Outlook, cancelled: each stays as people left it, and undo says why."""
        events = [world.meet(person, 9, 10, person) for person in (1, 2, 3)]
        world.wait(5)
        world.open()
        found = plan(world)
        apply(world, found.number)
        world.wait(60)
        by_room = {loan.items[0].id: loan for loan in world.loans}
        here, there, ended = (by_room[world.item(room).id] for room in (1, 2, 3))
        world.change(here.number, LoanChange(notes="with coffee"))
        world.run(world.person(2).move(events[1]["id"], world.at(15), world.at(16)))
        world.run(world.person(3).cancel(events[2]["id"]))
        world.settle()

        undone = undo(world, found.number)

        assert undone.left == 3
        why = {line.loan_number: line.outcome for line in lines(world, found.number)}
        assert why == {
            here.number: "backfill_left_changed_here",
            there.number: "backfill_left_changed_in_outlook",
            ended.number: "backfill_left_ended",
        }
        assert {loan.number for loan in world.live_loans} == {here.number, there.number}

    def test_leaves_what_people_changed_and_its_loan_has_not_followed(self, world: World) -> None:
        """The room shows a move, and its loan waits for the organizer's mailbox, which is busy: the move is an edit."""
        event = world.meet(1, 9, 10, 1)
        world.wait(5)
        world.open()
        found = plan(world)
        world.tenant.faults.add(effect="error", status=503, method="GET", mailbox=world.people[0])
        world.office.backfills.order_apply(found.number, Selection(), actor=BY)
        world.wait(20)
        world.run(world.person(1).move(event["id"], world.at(15), world.at(16)))
        world.wait(5)
        before = world.loans

        world.office.backfills.order_undo(found.number, actor=BY)
        world.wait(5)
        world.tenant.faults.clear()
        world.heal()

        assert [loan.interval.start for loan in before] == [world.at(9)]
        assert [line.outcome for line in lines(world, found.number)] == ["backfill_left_changed_in_outlook"]
        assert [loan.interval.start for loan in world.live_loans] == [world.at(15)]

    def test_calls_off_what_was_not_done_yet(self, world: World) -> None:
        """Undoing in the middle of applying stops it and takes back what was done."""
        for day in range(1, 9):
            for room in (1, 2, 3):
                world.meet(1, 9, 10, room, days=day)
        world.wait(5)
        world.open()
        found = plan(world)
        world.office.backfills.order_apply(found.number, Selection(), actor=BY)
        world.office.backfills.carry_on(found.number, at_once=10)
        assert len(world.loans) == 10

        undo(world, found.number)

        assert world.loans == ()


class TestALoanThatIsThereAlready:
    """The desk kept its own book before the connection: its loans have no meeting, and people's meetings no loan."""

    def enter(self, world: World, person: int, start: float, end: float, *rooms: int) -> int:
        """Enter a loan as the desk had it before: nothing knew of the meeting then."""
        number = world.book(person, start, end, *rooms).number
        world.settle()
        return number

    @pytest.fixture
    def world(self) -> Iterator[World]:
        """A world in which the desk's loans get no events of their own: the mode writes nothing."""
        made = World(rooms=3, settings={**LIST, "ENGINE_SYNC__MODE": "read_only"}).open()
        yield made
        made.close()

    def test_is_linked_when_it_is_the_same(self, world: World) -> None:
        """Same requester, room and times: certain. The loan gets its meeting, and no second one is made."""
        number = self.enter(world, 2, 9, 10, 1)
        self.meet_unseen(world, 2, 9, 10, 1)

        found = plan(world)
        (line,) = lines(world, found.number)
        assert (line.step, line.code, line.loan_number) == (Step.LINK, "backfill_link_certain", number)

        apply(world, found.number)
        world.wait(60)
        world.settle()
        (loan,) = world.loans
        assert (loan.number, loan.home) == (number, Home.OUTLOOK)
        assert world.links()[number] is not None
        assert world.count_writes() == 0

        undo(world, found.number)
        (loan,) = world.loans
        assert (loan.home, loan.blocks, world.links().get(number)) == (Home.APP, True, None)

    def test_follows_the_meeting_when_it_is_probably_the_same(self, world: World) -> None:
        """Same requester and room, times that overlap: likely. The loan takes the meeting's times; undo gives its own
        back."""
        number = self.enter(world, 2, 9, 10, 1)
        self.meet_unseen(world, 2, 9.5, 11, 1)
        found = plan(world)
        (line,) = lines(world, found.number)
        assert (line.step, line.code) == (Step.LINK, "backfill_link_likely")

        apply(world, found.number)
        world.wait(60)
        world.settle()
        assert world.loan(number).interval == Interval(world.at(9.5), world.at(11))

        undo(world, found.number)
        assert world.loan(number).interval == Interval(world.at(9), world.at(10))

    def test_is_a_conflict_when_it_is_somebody_elses(self, world: World) -> None:
        """Another requester's loan in the same room and time: nothing is done, and the loan is named."""
        number = self.enter(world, 1, 9, 10, 1)
        self.meet_unseen(world, 2, 9.5, 11, 1)

        found = plan(world)

        (line,) = lines(world, found.number)
        assert (line.step, line.loan_number) == (Step.CONFLICT, number)
        assert apply(world, found.number).by_state == {MeetingState.PLANNED: 1}

    def meet_unseen(self, world: World, person: int, start: float, end: float, room: int) -> None:
        """Have a meeting that was there at first contact: no door of ours makes both at once, so the mirror is told."""
        with world.database.write() as transaction:
            transaction.connection.execute(
                text("UPDATE room SET contacted_at = NULL, delta_link = NULL, window_start = NULL")
            )
        world.is_receiver_down = True
        world.meet(person, start, end, room)
        world.wait(10)
        world.is_receiver_down = False
        world.office.rooms.mark_rooms(priority=1)
        world.settle()


class TestWhatIsRefused:
    def test_says_what_to_do(self, world: World) -> None:
        """Unknown numbers and keys, and orders at the wrong time, change nothing and say why."""
        world.meet(1, 9, 10, 1)
        world.wait(5)
        world.open()
        backfills = world.office.backfills
        number = backfills.create(whole(world), (), actor=BY).number

        with pytest.raises(NotAllowed, match="still being planned"):
            backfills.order_apply(number, Selection(), actor=BY)
        world.settle()
        with pytest.raises(Invalid, match="no meeting"):
            backfills.order_apply(number, Selection(without=("nonsense",)), actor=BY)
        with pytest.raises(NotFound):
            backfills.find(99)
        assert world.loans == ()


class TestASeriesFromBefore:
    def test_is_a_loan_for_each_date_and_asked_for_once(self, world: World) -> None:
        """Every date becomes a loan of its own, of one series, with its title: one request for all of them."""
        day = (world.loop.now() + timedelta(days=2)).date()
        book_series(world, 2, day, 9, 1, times=6)
        world.wait(5)
        world.open()
        found = plan(world)
        assert steps(world, found.number) == [Step.CREATE] * 6
        before = sum(len(transport.requests) for transport in world.transports)

        apply(world, found.number)
        world.wait(60)
        world.settle()

        assert starts(world.live_loans) == [at(day + timedelta(weeks=number), 9) for number in range(6)]
        assert {loan.title for loan in world.loans} == {"Standup"}
        assert len({loan.series for loan in world.loans}) == 1
        assert world.loans[0].series is not None
        assert sum(len(transport.requests) for transport in world.transports) <= before + 2
        undo(world, found.number)
        assert world.loans == ()


class TestAStretchNobodyFollows:
    def test_is_read_for_the_plan(self, world: World) -> None:
        """What lies before the window is read when somebody asks for it, and becomes loans that are over."""
        long_ago = world.at(9, days=-60)
        world.run(world.person(1).book(long_ago, long_ago + timedelta(hours=1), rooms=world.room_addresses[:1]))
        world.meet(1, 9, 10, 1)
        world.wait(5)
        world.open()

        found = plan(world, Interval(world.at(0, days=-90), world.at(0, days=30)))
        assert steps(world, found.number) == [Step.CREATE, Step.CREATE]
        assert found.rooms_unread == 0

        apply(world, found.number)
        world.office.desk.run_clock()
        world.settle()
        assert [loan.status.value for loan in world.loans] == ["completed", "new"]
        world.heal()
        assert len(world.live_loans) == 1
        undo(world, found.number)
        assert world.loans == ()

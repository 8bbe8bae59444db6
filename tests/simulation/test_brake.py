"""The brake: the day something empties a calendar, nothing is cancelled until a person has said so (D4)."""

from __future__ import annotations

import pytest

from engine.errors import NotAllowed
from engine.loans.loan import Case, CaseState, Home
from engine.loans.status import ItemState
from engine.prove.world.world import World
from engine.reconcile.cases.ways import Way
from tests.simulation.conftest import MakeWorld

BY = "app:test"
LIMITS = {"ENGINE_SYNC__MASS_CANCEL_MAX": "6", "ENGINE_SYNC__MASS_CANCEL_PERCENT": "50"}


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=2, people=3, settings=LIMITS)


def fill(world: World, count: int, *, room: int = 1) -> list[str]:
    """Have *count* meetings booked in a room; return their ids in person 2's calendar."""
    made = [world.meet(2, 8 + at % 10, 9 + at % 10, room, days=1 + at // 10)["id"] for at in range(count)]
    world.settle()
    return made


def cancel_all(world: World, events: list[str]) -> None:
    for event in events:
        world.run(world.person(2).cancel(event))
    world.settle()


def the_case(world: World) -> Case:
    (case,) = world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=100)
    assert case.code == "mass_cancel_held"
    return case


class TestCancellationsInMasses:
    def test_are_held_and_told_in_one_case(self, world: World) -> None:
        """Ten of ten at once: not one loan is cancelled, and the room has one case that names them all."""
        events = fill(world, 10)

        cancel_all(world, events)

        assert len(world.live_loans) == 10
        case = the_case(world)
        assert (case.facts["count"], case.facts["total"], case.room) == (10, 10, "Room 1")
        assert len(world.office.cases.find(case.id).loans) == 10
        assert "cancellation_held" in world.history(1)

    def test_are_carried_out_once_confirmed(self, world: World) -> None:
        """All of them; the case is closed, and what comes later in the same hour is not held for their sake."""
        events = fill(world, 10)
        later = world.meet(3, 8, 9, 1, days=5)["id"]
        cancel_all(world, events)
        case = the_case(world)

        world.office.cases.settle(case.id, Way.CONFIRM, room_id=None, actor=BY)
        world.settle()

        assert len(world.live_loans) == 1
        assert world.cases() == []
        world.run(world.person(3).cancel(later))
        world.settle()
        assert world.live_loans == ()
        with pytest.raises(NotAllowed, match="book it anew"):
            world.office.cases.undo(case.id, actor=BY)

    def test_are_made_good_once_rejected(self, world: World) -> None:
        """Every loan lives on with an event of ours in its requester's calendar, and its room says yes again."""
        events = fill(world, 8)
        cancel_all(world, events)

        world.office.cases.settle(the_case(world).id, Way.REJECT, room_id=None, actor=BY)
        world.settle()
        world.heal()

        assert len(world.live_loans) == 8
        assert {loan.home for loan in world.live_loans} == {Home.APP}
        assert {item.state for loan in world.live_loans for item in loan.items} == {ItemState.ACCEPTED}
        assert len(world.run(world.person(2).events())) == 8
        assert world.cases() == []
        assert "kept_against_outlook" in world.history(1)

    def test_below_the_limit_go_through(self, world: World) -> None:
        """Four of ten are no mass, and one at a time never is."""
        events = fill(world, 10)

        cancel_all(world, events[:4])

        assert len(world.live_loans) == 6
        assert world.cases() == []

    def test_are_noticed_when_they_come_one_by_one(self, world: World) -> None:
        """What was cancelled within the hour counts: the seventh is held, and all that follow."""
        events = fill(world, 20)

        for event in events[:9]:
            cancel_all(world, [event])

        assert len(world.live_loans) == 20 - 6
        assert the_case(world).facts["count"] == 3

    def test_of_an_hour_ago_no_longer_count(self, world: World) -> None:
        events = fill(world, 20)
        cancel_all(world, events[:5])
        world.wait(3700.0)

        cancel_all(world, events[5:10])

        assert len(world.live_loans) == 10

    def test_of_a_room_do_not_hold_those_of_another(self, world: World) -> None:
        events, other = fill(world, 10), fill(world, 2, room=2)

        cancel_all(world, [*events, other[0]])

        assert len(world.live_loans) == 11

    def test_survive_a_restart(self, world: World) -> None:
        """What is held is in the database: a new process holds it too."""
        events = fill(world, 10)
        cancel_all(world, events)

        world.kill()
        world.start()
        world.heal()

        assert len(world.live_loans) == 10
        assert the_case(world).facts["count"] == 10

    def test_at_the_desk_are_nobodys_business(self, world: World) -> None:
        """Staff who cancel everything mean it; only what comes from Outlook is doubted."""
        from engine.loans.status import LoanAction

        fill(world, 10)
        for loan in world.live_loans:
            world.act(loan, LoanAction.CANCEL)
        world.settle()

        assert world.live_loans == ()
        assert world.cases() == []


class TestAnEmptySide:
    def test_a_room_calendar_that_was_nearly_emptied_cancels_nothing(self, world: World) -> None:
        """Somebody cleans the room's mailbox, and the delta token is lost with it: the organizers still list the
        room, which looks like a release of nearly every loan. One that shows nothing at all suspends the room
        (`test_comparison.py`)."""
        fill(world, 11)
        for event in world.run(world.person(2).events())[:10]:
            world.tenant.office.release(world.room_addresses[0], event["iCalUId"])
        world.lose_delta(1)
        world.heal()

        assert len(world.live_loans) == 11
        assert the_case(world).facts["count"] == 10

"""First contact lists what is there, and what is there stays listed when it comes into sight later (decision 0004)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.prove.people.series import at, book_series, starts
from engine.prove.world.world import World
from tests.simulation.conftest import MakeWorld

DAY = 86_400.0


@pytest.fixture
def world(long_sleeps: None, worlds: MakeWorld) -> World:
    """The engine sees 35 days ahead, and opens its window anew every 30 days."""
    return worlds(
        start=False, rooms=2, settings={"ENGINE_SYNC__FIRST_CONTACT": "list", "ENGINE_SYNC__HORIZON_DAYS": "35"}
    )


def wait_for_the_window(world: World) -> None:
    """Let the window slide far enough to be opened anew, and the rooms be read."""
    world.wait(31 * DAY)
    world.heal()


class TestAMeetingBeyondTheHorizon:
    def test_that_was_there_before_us_is_listed_when_it_comes_into_sight(self, world: World) -> None:
        """It is no news: nobody made it since the connection."""
        world.meet(1, 9, 10, 1, days=3)
        world.meet(1, 9, 10, 1, days=50)
        world.wait(5)
        world.open()
        assert world.office.status.listed_meetings() == 1

        wait_for_the_window(world)

        assert world.office.status.listed_meetings() == 2
        assert world.loans == ()

    def test_that_is_made_since_becomes_a_loan_when_it_comes_into_sight(self, world: World) -> None:
        world.open()
        world.meet(1, 9, 10, 1, days=50)
        world.settle()
        assert world.loans == ()

        wait_for_the_window(world)

        assert len(world.loans) == 1

    def test_that_somebody_changed_since_becomes_a_loan_too(self, world: World) -> None:
        """An edit makes it a meeting like any other, whether we saw the edit or not."""
        event = world.meet(1, 9, 10, 1, days=50)
        world.wait(5)
        world.open()
        world.run(world.person(1).move(event["id"], world.at(15, days=50), world.at(16, days=50)))
        world.settle()

        wait_for_the_window(world)

        assert len(world.loans) == 1
        assert world.office.status.listed_meetings() == 0

    def test_that_invites_another_room_since_becomes_a_loan(self, world: World) -> None:
        """The second room's copy is new, so the meeting is not as it was."""
        event = world.meet(1, 9, 10, 1, days=3)
        world.wait(5)
        world.open()

        world.run(world.person(1).set_rooms(event["id"], world.room_addresses))
        world.settle()

        (loan,) = world.loans
        assert len(loan.rooms) == 2


def test_a_date_that_is_cut_off_while_it_is_being_read_becomes_no_loan(worlds: MakeWorld) -> None:
    """One room is read anew without it, its organizer takes long to answer, and meanwhile the other room ends it."""
    world = worlds(start=False, rooms=2, settings={"ENGINE_SYNC__FIRST_CONTACT": "list"})
    day = (world.loop.now() + timedelta(days=2)).date()
    event = book_series(world, 1, day, 9, 1, 2, kind="daily", times=3)
    world.wait(5)
    world.open()
    assert world.loans == ()

    world.tenant.faults.add(effect="delay", seconds=5, path="delta", mailbox=world.room_addresses[1])
    world.tenant.faults.add(effect="delay", seconds=20, method="GET", mailbox=world.people[0])
    world.lose_delta(1)
    world.run(world.person(1).cancel_following(event["id"], day + timedelta(days=2)))
    world.settle()
    world.heal()

    assert starts(world.loans) == [at(day, 9), at(day + timedelta(days=1), 9)]

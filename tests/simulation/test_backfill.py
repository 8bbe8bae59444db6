"""Backfill: what was there before us becomes loans when somebody says so, and is taken back when they say so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.interval import Interval
from engine.loans.loan import Home
from engine.loans.status import ItemState
from engine.reconcile.backfill import Step
from engine.reconcile.backfill_book import Backfill, BackfillMeeting, BackfillState, Selection
from tests.simulation.world import World

BY = "app:test"
LIST = {"ENGINE_SYNC__FIRST_CONTACT": "list"}


@pytest.fixture
def world() -> Iterator[World]:
    """A tenant with people and rooms; the engine has not met it yet."""
    made = World(rooms=3, settings=LIST)
    yield made
    made.close()


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

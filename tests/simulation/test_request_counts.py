"""What a change costs in Graph requests, exactly: throttling is per request, and every write mails people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.prove.world.world import World
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld

PUNCTUAL: dict[str, Any] = {
    "attendant_delay": (0.4, 0.4),
    "notification_delay": (0.1, 0.1),
    "empty_page_rate": 0.0,
    "page_size": 50,
}
"""Nothing is drawn by chance: a room places a request, answers it 0.4 s later, and each is notified 0.1 s after."""

TOGETHER: dict[str, Any] = {**PUNCTUAL, "attendant_delay": (0.0, 0.0)}
"""The room answers at once: what a change does to its calendar is notified together."""

BURST = 20


@dataclass
class Count:
    """What the engine asked of Graph."""

    deltas: int = 0
    reads: int = 0
    writes: int = 0

    @property
    def requests(self) -> int:
        return self.deltas + self.reads + self.writes


@contextmanager
def counting(world: World) -> Iterator[Count]:
    """Count until everything has settled, the look at missing answers ten seconds after a write included."""
    (transport,) = world.transports
    before, count = len(transport.requests), Count()
    yield count
    world.settle()
    world.wait(15.0)
    world.settle()
    for request in transport.requests[before:]:
        if request.method != "GET":
            count.writes += 1
        elif "/delta" in request.url:
            count.deltas += 1
        else:
            count.reads += 1


CONTENT = {"ENGINE_SYNC__CONTENT": "true"}
"""Notifications bring their event, as they do unless the settings say otherwise."""

KINDS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "in turn": (PUNCTUAL, WITHOUT_CONTENT),
    "together": (TOGETHER, WITHOUT_CONTENT),
    "in turn, with content": (PUNCTUAL, CONTENT),
    "together, with content": (TOGETHER, CONTENT),
}
"""Whether a room takes its time or answers at once: one look at it finds both what was asked and the answer."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def world(worlds: MakeWorld, kind: str) -> World:
    tenant, settings = KINDS[kind]
    return worlds(tenant=tenant, settings=settings)


@pytest.fixture
def looks(kind: str) -> int:
    """How many deltas a change costs, or many at once: none where notifications bring all there is to see."""
    return 0 if KINDS[kind][1] is CONTENT else 1


class TestOneChangeInOutlook:
    def test_a_new_meeting(self, world: World, looks: int) -> None:
        """It is looked at once; the organizer's copy is read for title and sensitivity."""
        with counting(world) as count:
            world.meet(2, 9, 10, 1)

        assert (count.deltas, count.reads, count.writes) == (looks, 1, 0)
        (loan,) = world.live_loans
        assert [item.state for item in loan.rooms] == ["accepted"]

    def test_a_move(self, world: World, looks: int) -> None:
        """It is looked at once, and nothing else."""
        event = world.meet(2, 9, 10, 1)
        world.settle()

        with counting(world) as count:
            world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))

        assert (count.deltas, count.reads, count.writes) == (looks, 0, 0)
        assert world.live_loans[0].interval.start == world.at(11)

    def test_a_cancellation(self, world: World, looks: int) -> None:
        """It is looked at once, and one read: only the organizer's copy tells it from a swapped room."""
        event = world.meet(2, 9, 10, 1)
        world.settle()

        with counting(world) as count:
            world.run(world.person(2).cancel(event["id"]))

        assert (count.deltas, count.reads, count.writes) == (looks, 1, 0)
        assert world.live_loans == ()


class TestABurstInOutlook:
    def test_moves_are_read_together(self, world: World, looks: int) -> None:
        """Twenty moves in one room cost what one does: a twentieth of a request each, or none."""
        events = [self._meet(world, number, days=2) for number in range(BURST)]
        world.settle()

        with counting(world) as count:
            for number, event in enumerate(events):
                start = world.at(number / 2, days=3)
                world.run(world.person(2).move(event["id"], start, start + timedelta(minutes=30)))

        assert (count.deltas, count.reads, count.writes) == (looks, 0, 0)
        assert {loan.interval.start.date() for loan in world.live_loans} == {world.at(0, days=3).date()}

    def test_creations_are_read_together(self, world: World, looks: int) -> None:
        """Twenty new meetings are looked at together, and cost one read of the organizer's copy each."""
        with counting(world) as count:
            for number in range(BURST):
                self._meet(world, number, days=2)

        assert (count.deltas, count.reads, count.writes) == (looks, BURST, 0)
        assert len(world.live_loans) == BURST

    def _meet(self, world: World, number: int, *, days: int) -> dict[str, Any]:
        return world.meet(2, number / 2, number / 2 + 0.5, 1, days=days)


class TestOneChangeInTheApp:
    def test_a_booking(self, world: World, looks: int) -> None:
        """A loan costs one write, and one look at the room's answer."""
        with counting(world) as count:
            world.book(2, 9, 10, 1)

        assert (count.deltas, count.reads, count.writes) == (looks, 0, 1)
        (loan,) = world.live_loans
        assert [item.state for item in loan.rooms] == ["accepted"]

    def test_a_move(self, world: World, looks: int) -> None:
        """A moved loan costs one write, the read that it amends, and one look at the room's new answer."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.wait(15.0)

        with counting(world) as count:
            start = world.at(11)
            world.change(loan.number, LoanChange(start=start, end=start + timedelta(hours=1)))

        assert (count.deltas, count.reads, count.writes) == (looks, 1, 1)
        (loan,) = world.live_loans
        assert [item.state for item in loan.rooms] == ["accepted"]

    def test_another_requester(self, world: World, looks: int) -> None:
        """Another requester costs the read of the old event, its end and the new one, and two looks: at how the room
        lets go of the old, which the new waits for, and at its answer."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.wait(15.0)

        with counting(world) as count:
            world.change(loan.number, LoanChange(requester=world.requester(3)))

        assert (count.deltas, count.reads, count.writes) == (2 * looks, 1, 2)
        (loan,) = world.live_loans
        assert [item.state for item in loan.rooms] == ["accepted"]

    def test_a_cancellation(self, world: World) -> None:
        """A cancelled loan costs one write: how the meeting leaves the room's calendar decides nothing any more."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.wait(15.0)

        with counting(world) as count:
            world.act_on(loan.number, LoanAction.CANCEL)

        assert (count.deltas, count.reads, count.writes) == (0, 0, 1)

    def test_a_sweep_after_a_cancellation_blames_no_subscription(self, world: World) -> None:
        """What was announced and not looked at is found by the next sweep: the subscription is not deaf."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.act_on(loan.number, LoanAction.CANCEL)
        world.wait(3600.0)

        with counting(world) as count:
            world.office.rooms.mark_rooms(priority=2)

        assert (count.deltas, count.reads, count.writes) == (2, 0, 0)
        assert [room.changed_unsignalled for room in world.office.status.rooms()] == [0, 0]


class TestNothingChanges:
    @pytest.mark.parametrize(("after", "priority"), [(15.0, 1), (3600.0, 2)])
    def test_looking_again_costs_a_read_and_no_write(self, world: World, after: float, priority: int) -> None:
        """A second look at everything costs one delta per room, finds what is known, and blames no subscription."""
        world.meet(2, 9, 10, 1)
        world.book(3, 11, 12, 2)
        world.settle()
        world.wait(after)

        with counting(world) as count:
            world.office.rooms.mark_rooms(priority=priority)

        assert (count.deltas, count.reads, count.writes) == (2, 0, 0)
        assert [room.changed_unsignalled for room in world.office.status.rooms()] == [0, 0]

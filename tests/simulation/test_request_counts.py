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
from engine.prove.world import World
from tests.simulation.conftest import MakeWorld

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


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(tenant=PUNCTUAL)


CONTENT = {"ENGINE_SYNC__CONTENT": "true"}
"""Notifications bring their event."""


@pytest.fixture(params=[PUNCTUAL, TOGETHER], ids=["in turn", "together"])
def telling_world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(tenant=request.param, settings=CONTENT).open()
    yield made
    made.close()


@pytest.fixture
def prompt_world() -> Iterator[World]:
    made = World(tenant=TOGETHER).open()
    yield made
    made.close()


class TestOneChangeInOutlook:
    def test_a_new_meeting(self, prompt_world: World) -> None:
        """A new meeting costs one delta, and one read of the organizer's copy for title and sensitivity."""
        with counting(prompt_world) as count:
            prompt_world.meet(2, 9, 10, 1)

        assert (count.deltas, count.reads, count.writes) == (1, 1, 0)
        assert len(prompt_world.live_loans) == 1

    def test_a_new_meeting_whose_room_takes_its_time(self, world: World) -> None:
        """The room places the request and answers it moments later: one delta finds both."""
        with counting(world) as count:
            world.meet(2, 9, 10, 1)

        assert (count.deltas, count.reads, count.writes) == (1, 1, 0)

    def test_a_move_of_a_meeting_whose_room_takes_its_time(self, world: World) -> None:
        """The same for new times."""
        event = world.meet(2, 9, 10, 1)
        world.settle()

        with counting(world) as count:
            world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))

        assert (count.deltas, count.reads, count.writes) == (1, 0, 0)

    def test_a_move(self, prompt_world: World) -> None:
        """A moved meeting costs one delta and nothing else."""
        event = prompt_world.meet(2, 9, 10, 1)
        prompt_world.settle()

        with counting(prompt_world) as count:
            prompt_world.run(prompt_world.person(2).move(event["id"], prompt_world.at(11), prompt_world.at(12)))

        assert (count.deltas, count.reads, count.writes) == (1, 0, 0)
        assert prompt_world.live_loans[0].interval.start == prompt_world.at(11)

    def test_a_cancellation(self, prompt_world: World) -> None:
        """A cancelled meeting costs one delta, and one read: only the organizer's copy tells it from a swapped room."""
        event = prompt_world.meet(2, 9, 10, 1)
        prompt_world.settle()

        with counting(prompt_world) as count:
            prompt_world.run(prompt_world.person(2).cancel(event["id"]))

        assert (count.deltas, count.reads, count.writes) == (1, 1, 0)
        assert prompt_world.live_loans == ()


class TestABurstInOutlook:
    def test_moves_are_read_together(self, prompt_world: World) -> None:
        """Twenty moves in one room cost one delta: a tenth of a request each, or less."""
        events = [self._meet(prompt_world, number, days=2) for number in range(BURST)]
        prompt_world.settle()

        with counting(prompt_world) as count:
            for number, event in enumerate(events):
                start = prompt_world.at(number / 2, days=3)
                prompt_world.run(prompt_world.person(2).move(event["id"], start, start + timedelta(minutes=30)))

        assert (count.deltas, count.reads, count.writes) == (1, 0, 0)
        assert {loan.interval.start.date() for loan in prompt_world.live_loans} == {prompt_world.at(0, days=3).date()}

    def test_creations_are_read_together(self, prompt_world: World) -> None:
        """Twenty new meetings cost one delta, and one read of the organizer's copy each."""
        with counting(prompt_world) as count:
            for number in range(BURST):
                self._meet(prompt_world, number, days=2)

        assert (count.deltas, count.reads, count.writes) == (1, BURST, 0)
        assert len(prompt_world.live_loans) == BURST

    def _meet(self, world: World, number: int, *, days: int) -> dict[str, Any]:
        return world.meet(2, number / 2, number / 2 + 0.5, 1, days=days)


class TestOneChangeInTheApp:
    def test_a_booking(self, prompt_world: World) -> None:
        """A loan costs one write, and one delta for the room's answer."""
        with counting(prompt_world) as count:
            prompt_world.book(2, 9, 10, 1)

        assert (count.deltas, count.reads, count.writes) == (1, 0, 1)

    def test_a_booking_in_a_room_that_takes_its_time(self, world: World) -> None:
        """The request is placed and answered moments later: one delta finds both."""
        with counting(world) as count:
            world.book(2, 9, 10, 1)

        assert (count.deltas, count.reads, count.writes) == (1, 0, 1)

    def test_a_move(self, prompt_world: World) -> None:
        """A moved loan costs one write, the read that it amends, and one delta for the room's new answer."""
        loan = prompt_world.book(2, 9, 10, 1)
        prompt_world.settle()
        prompt_world.wait(15.0)

        with counting(prompt_world) as count:
            start = prompt_world.at(11)
            prompt_world.change(loan.number, LoanChange(start=start, end=start + timedelta(hours=1)))

        assert (count.deltas, count.reads, count.writes) == (1, 1, 1)

    def test_a_cancellation(self, prompt_world: World) -> None:
        """A cancelled loan costs one write: how the meeting leaves the room's calendar decides nothing any more."""
        loan = prompt_world.book(2, 9, 10, 1)
        prompt_world.settle()
        prompt_world.wait(15.0)

        with counting(prompt_world) as count:
            prompt_world.act_on(loan.number, LoanAction.CANCEL)

        assert (count.deltas, count.reads, count.writes) == (0, 0, 1)

    def test_a_sweep_after_a_cancellation_blames_no_subscription(self, prompt_world: World) -> None:
        """What was announced and not looked at is found by the next sweep: the subscription is not deaf."""
        loan = prompt_world.book(2, 9, 10, 1)
        prompt_world.settle()
        prompt_world.act_on(loan.number, LoanAction.CANCEL)
        prompt_world.wait(3600.0)

        with counting(prompt_world) as count:
            prompt_world.office.rooms.mark_rooms(priority=2)

        assert (count.deltas, count.reads, count.writes) == (2, 0, 0)
        assert [room.changed_unsignalled for room in prompt_world.office.status.rooms()] == [0, 0]


class TestNothingChanges:
    def test_looking_again_costs_a_read_and_no_write(self, prompt_world: World) -> None:
        """A second look at everything costs one delta per room, and writes nothing."""
        prompt_world.meet(2, 9, 10, 1)
        prompt_world.book(3, 11, 12, 2)
        prompt_world.settle()
        prompt_world.wait(15.0)

        with counting(prompt_world) as count:
            prompt_world.office.rooms.mark_rooms(priority=1)

        assert (count.deltas, count.reads, count.writes) == (2, 0, 0)


class TestNotificationsThatBringTheirEvent:
    """No room is read for a single meeting, whether it answers at once or takes its time."""

    def test_a_new_meeting_costs_the_organizers_copy(self, telling_world: World) -> None:
        with counting(telling_world) as count:
            telling_world.meet(2, 9, 10, 1)

        assert (count.deltas, count.reads, count.writes) == (0, 1, 0)
        (loan,) = telling_world.live_loans
        assert [item.state for item in loan.rooms] == ["accepted"]

    def test_a_move_costs_nothing(self, telling_world: World) -> None:
        event = telling_world.meet(2, 9, 10, 1)
        telling_world.settle()

        with counting(telling_world) as count:
            telling_world.run(telling_world.person(2).move(event["id"], telling_world.at(11), telling_world.at(12)))

        assert (count.deltas, count.reads, count.writes) == (0, 0, 0)
        assert telling_world.live_loans[0].interval.start == telling_world.at(11)

    def test_a_cancellation_costs_the_organizers_copy(self, telling_world: World) -> None:
        event = telling_world.meet(2, 9, 10, 1)
        telling_world.settle()

        with counting(telling_world) as count:
            telling_world.run(telling_world.person(2).cancel(event["id"]))

        assert (count.deltas, count.reads, count.writes) == (0, 1, 0)
        assert telling_world.live_loans == ()

    def test_a_burst_of_moves_costs_nothing(self, telling_world: World) -> None:
        events = [telling_world.meet(2, number / 2, number / 2 + 0.5, 1, days=2) for number in range(BURST)]
        telling_world.settle()

        with counting(telling_world) as count:
            for number, event in enumerate(events):
                start = telling_world.at(number / 2, days=3)
                end = start + timedelta(minutes=30)
                telling_world.run(telling_world.person(2).move(event["id"], start, end))

        assert (count.deltas, count.reads, count.writes) == (0, 0, 0)
        days = {loan.interval.start.date() for loan in telling_world.live_loans}
        assert days == {telling_world.at(0, days=3).date()}

    def test_bookings_in_the_app_cost_their_writes(self, telling_world: World) -> None:
        """And a move the read that it amends."""
        with counting(telling_world) as booked:
            loan = telling_world.book(2, 9, 10, 1)
        with counting(telling_world) as moved:
            start = telling_world.at(11)
            telling_world.change(loan.number, LoanChange(start=start, end=start + timedelta(hours=1)))
        (now,) = telling_world.live_loans
        with counting(telling_world) as cancelled:
            telling_world.act_on(loan.number, LoanAction.CANCEL)

        assert (booked.deltas, booked.reads, booked.writes) == (0, 0, 1)
        assert (moved.deltas, moved.reads, moved.writes) == (0, 1, 1)
        assert (cancelled.deltas, cancelled.reads, cancelled.writes) == (0, 0, 1)
        assert [item.state for item in now.rooms] == ["accepted"]

    def test_the_next_reading_finds_nothing_to_do(self, telling_world: World) -> None:
        """It brings the same once more: no further request, no write, and the subscription is not deaf."""
        telling_world.meet(2, 9, 10, 1)
        telling_world.book(3, 11, 12, 2)
        telling_world.wait(3600.0)

        with counting(telling_world) as count:
            telling_world.office.rooms.mark_rooms(priority=2)

        assert (count.deltas, count.reads, count.writes) == (2, 0, 0)
        assert [room.changed_unsignalled for room in telling_world.office.status.rooms()] == [0, 0]

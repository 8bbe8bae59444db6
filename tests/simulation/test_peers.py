"""
The situations of docs/peers.md, one test each, under the names they have there, where it says what others do in them.

Each has a loan or a meeting and something that goes wrong; in the end both sides say the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from engine.interval import Interval
from engine.loans.loan import Loan
from engine.loans.register import LoanChange
from engine.loans.status import LoanStatus
from engine.prove.people.people import parse_instant
from engine.prove.world.world import World
from tests.simulation.conftest import MakeWorld

OFTEN = 4
"""More often than one pass tries."""


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=2, people=3)


def live_events(world: World) -> list[dict[str, Any]]:
    return [event for event in world.all_events() if not event["isCancelled"]]


def times(event: dict[str, Any]) -> Interval:
    return Interval(parse_instant(event["start"]), parse_instant(event["end"]))


def hours(world: World, start: float) -> tuple[datetime, datetime]:
    return world.at(start), world.at(start + 1)


def move_at_desk(world: World, loan: Loan, start: float) -> None:
    begins, ends = hours(world, start)
    world.change(loan.number, LoanChange(start=begins, end=ends))


def booked(world: World) -> tuple[Loan, dict[str, Any]]:
    """Return a loan of the desk with its event, agreed on."""
    loan = world.book(2, 9, 10, 1)
    world.settle()
    world.wait(30)
    world.settle()
    (event,) = live_events(world)
    return loan, event


def check_equal(world: World, start: float) -> None:
    """Both sides have one booking, at this hour."""
    (loan,), (event,) = world.live_loans, live_events(world)
    assert loan.interval == times(event) == Interval(*hours(world, start))


@pytest.mark.parametrize("status", [400, 503])
def test_partial_listing(world: World, status: int) -> None:
    """The second page of a whole reading fails: nothing is taken for deleted."""
    for number in range(12):
        world.meet(1 + number % 3, 8 + number % 6, 8.5 + number % 6, 1 + number // 6)
    world.settle()
    assert len(world.live_loans) == 12
    for room in (1, 2):
        world.lose_delta(room)
    fault = world.tenant.faults.add(effect="error", status=status, method="GET", path=r"delta.*", nth=3, times=1)

    world.heal()

    assert len(world.live_loans) == len(live_events(world)) == 12
    assert fault.struck == fault.times


def test_crash_before_mapping(world: World) -> None:
    """The event is made, its id is not kept, and the engine dies: one loan, one event."""
    fault = world.tenant.faults.add(effect="drop_after", method="POST", path="/events$", times=1)
    world.book(2, 9, 10, 1)
    world.wait(0.02)
    world.kill()
    assert len(live_events(world)) == 1
    world.start()

    world.heal()

    check_equal(world, 9)
    assert fault.struck == fault.times


def test_lost_answer(world: World) -> None:
    """A creation takes effect and its answer is lost: one loan, one event."""
    fault = world.tenant.faults.add(effect="error_after", status=504, method="POST", path="/events$", times=1)
    world.book(2, 9, 10, 1)

    world.heal()

    check_equal(world, 9)
    assert fault.struck == fault.times


def test_cancel_against_edit(world: World) -> None:
    """Cancelled in Outlook while it is moved at the desk: it stays cancelled."""
    loan, event = booked(world)
    world.run(world.person(2).cancel(event["id"]))
    move_at_desk(world, loan, 11)

    world.heal()

    assert live_events(world) == []
    assert world.loan(loan.number).status is not LoanStatus.NEW


def test_throttled_edit(world: World) -> None:
    """A change is answered by 429 again and again: it is made in the end."""
    loan, _ = booked(world)
    fault = world.tenant.faults.add(effect="error", status=429, retry_after="1", method="PATCH", times=OFTEN)
    move_at_desk(world, loan, 11)

    world.settle()
    world.wait(120)

    check_equal(world, 11)
    assert fault.struck == fault.times


def test_both_edit(world: World) -> None:
    """Moved on both sides: one value stands on both, and a case keeps the other."""
    loan, event = booked(world)
    world.run(world.person(2).move(event["id"], *hours(world, 13)))
    move_at_desk(world, loan, 11)

    world.heal()

    (now,), (shown,) = world.live_loans, live_events(world)
    assert now.interval == times(shown)
    assert "both_changed" in world.cases_of(loan.number)


def test_edit_between_reading_and_writing(world: World) -> None:
    """Moved in Outlook after it was read, before it is written: refused by If-Match, and nothing is lost in silence."""
    loan, event = booked(world)
    move_at_desk(world, loan, 11)
    world.wait(0.007)
    world.run(world.person(2).move(event["id"], *hours(world, 13)))

    world.heal()

    (now,), (shown,) = world.live_loans, live_events(world)
    assert now.interval == times(shown)
    assert "both_changed" in world.cases_of(loan.number)


def test_restart(world: World) -> None:
    """A restart, a whole new reading and every notification once more: no write."""
    booked(world)
    world.meet(1, 14, 15, 2)
    world.heal()
    before = world.count_writes(), world.count_decisions()
    world.kill()
    world.start()
    for room in (1, 2):
        world.lose_delta(room)
    world.repeat_notifications()

    world.heal()

    assert (world.count_writes(), world.count_decisions()) == before


def test_cancelled_while_the_token_was_lost(world: World) -> None:
    """The delta token is useless, and a meeting was cancelled meanwhile: its loan ends, the other one does not."""
    made = world.meet(1, 14, 15, 1)
    world.meet(3, 16, 17, 1)
    world.settle()
    world.kill()
    world.lose_delta(1)
    world.run(world.person(1).cancel(made["id"]))
    world.start()

    world.heal()

    check_equal(world, 16)


def test_moved_by_the_other_side(world: World) -> None:
    """What was made at the desk is moved in Outlook, what was made in Outlook is moved at the desk: both arrive."""
    _, event = booked(world)
    made = world.meet(1, 14, 15, 2)
    world.settle()
    world.run(world.person(2).move(event["id"], *hours(world, 10)))
    number = world.loan_of(made["iCalUId"])
    assert number is not None
    move_at_desk(world, next(loan for loan in world.loans if loan.number == number), 16)

    world.heal()

    wanted = {Interval(*hours(world, 10)), Interval(*hours(world, 16))}
    assert {loan.interval for loan in world.live_loans} == {times(each) for each in live_events(world)} == wanted


def test_stale_page(world: World) -> None:
    """A page of changes comes once more, with what was before: nothing goes back in time."""
    made = world.meet(1, 14, 15, 1)
    world.settle()
    world.run(world.person(1).move(made["id"], *hours(world, 16)))
    world.settle()
    world.tenant.faults.add(effect="replay", count=3)
    world.tenant.faults.add(effect="duplicate", count=2)
    world.meet(3, 9, 10, 1)
    world.wait(timedelta(minutes=2).total_seconds())
    world.tenant.faults.clear()

    world.heal()

    assert {loan.interval for loan in world.live_loans} == {Interval(*hours(world, 9)), Interval(*hours(world, 16))}

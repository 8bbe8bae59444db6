"""A booking is changed at the desk whose event its organizer's calendar has no more, while a room shows it still."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.loans.loan import Loan
from engine.loans.register import LoanChange
from engine.prove.people.series import book_series
from engine.prove.world.world import World
from tests.simulation.conftest import MakeWorld

HOUR = 3600.0
HOURS = timedelta(hours=4)
ROOM = "room-1@example.org"


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=3)


def keep_events(world: World, *, keeps: bool = True) -> None:
    """Let the room process no meeting messages, a cancellation neither, or have it do so again."""
    world.tenant.office.set_processing(ROOM, AutomateProcessing="None" if keeps else "AutoAccept")


def meet(world: World) -> tuple[dict[str, Any], Loan]:
    """Return a meeting that its organizer has called off and its room has kept, and its loan."""
    event = world.meet(2, 9, 10, 1)
    world.settle()
    (loan,) = world.loans
    keep_events(world)
    world.run(world.person(2).delete(event["id"]))
    world.settle()
    assert world.loan(loan.number).blocks
    return event, loan


def move(world: World, loan: Loan, start: float, end: float) -> None:
    world.change(loan.number, LoanChange(start=world.at(start), end=world.at(end)))


def test_is_told_after_an_hour(world: World) -> None:
    """The loan is at eleven, the room at nine, and nothing mends that by itself."""
    _, loan = meet(world)

    move(world, loan, 11, 12)
    world.wait(HOUR - 60)
    assert world.cases() == []
    world.wait(120)

    assert world.cases() == ["event_missing"]
    assert world.loan(loan.number).interval.start == world.at(11)
    assert world.count_writes() == 0


def test_is_told_no_more_once_the_room_drops_the_event(world: World) -> None:
    event, loan = meet(world)
    move(world, loan, 11, 12)
    world.wait(2 * HOUR)

    world.tenant.office.release(ROOM, event["iCalUId"])
    world.settle()

    assert not world.loan(loan.number).blocks
    assert world.cases() == []


def test_is_told_no_more_once_the_change_is_taken_back(world: World) -> None:
    _, loan = meet(world)
    move(world, loan, 11, 12)
    world.wait(2 * HOUR)

    move(world, loan, 9, 10)
    world.settle()

    assert world.loan(loan.number).blocks
    assert world.cases() == []


def test_is_looked_at_less_and_less_often(world: World) -> None:
    _, loan = meet(world)
    (transport,) = world.transports
    move(world, loan, 11, 12)
    world.settle()
    before = len(transport.requests)

    world.wait(24 * HOUR)

    looks = [each for each in transport.requests[before:] if "person-2" in each.url]
    assert 24 <= len(looks) <= 100  # each asks for the event by its id and by its uid


def test_is_told_no_more_once_it_is_over(world: World) -> None:
    _, loan = meet(world)
    move(world, loan, 11, 12)
    world.wait(2 * HOUR)
    assert world.cases() == ["event_missing"]

    world.wait(72 * HOUR)

    assert world.cases() == []


def test_is_told_of_a_date_of_a_series(world: World) -> None:
    """Its organizer has called off one date, which the room kept; the others can be written as ever."""
    day = (world.loop.now() + timedelta(days=2)).date()
    master = book_series(world, 2, day, 9, 1, times=3)
    world.settle()
    loan, other = world.loans[0], world.loans[1]
    keep_events(world)
    date = world.run(world.person(2).date(master["id"], day))
    assert date is not None
    world.run(world.person(2).delete(date["id"]))
    world.settle()

    for each in (loan, other):
        world.change(each.number, LoanChange(start=each.interval.start + HOURS, end=each.interval.end + HOURS))
    world.wait(2 * HOUR)

    assert "event_missing" in world.cases_of(loan.number)
    assert "event_missing" not in world.cases_of(other.number)
    moved = world.run(world.person(2).date(master["id"], other.interval.start.date()))
    assert moved is not None
    assert moved["start"]["dateTime"].startswith(f"{other.interval.start + HOURS:%Y-%m-%dT%H:%M}")

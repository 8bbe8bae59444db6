"""The engine dies at any request while it writes a series as a whole, and starts again: one series, nothing doubled."""

from __future__ import annotations

import pytest

from engine.interval import Interval
from engine.loans.register import LoanChange
from engine.loans.status import ItemState
from engine.prove.people.people import parse_instant
from engine.prove.people.series import at, starts
from engine.prove.world.world import World
from engine.reconcile.series.book import AppSeries, DateChoice, Scope
from tests.simulation.conftest import MakeWorld
from tests.simulation.test_app_series import WEEK, book, first_day, masters, shown, states, utc
from tests.simulation.test_app_to_outlook import Crash, live_through


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 8))
class TestKilledOnTheWay:
    def test_of_a_series_with_special_dates(self, worlds: MakeWorld, nth: int, when: str) -> None:
        """One date is left out and one has another room: made, cut into shape, and only then asked for."""
        crash = Crash(nth, when)
        world = worlds(rooms=2, on_request=crash)
        day = first_day(world)
        for week in (1, 2):
            world.book_at(3, Interval(at(day + week * WEEK, 9), at(day + week * WEEK, 10)), 1)
        world.settle()
        choices = (DateChoice(day + WEEK, None), DateChoice(day + 2 * WEEK, (world.item(2),)))

        live_through(world, crash, lambda: book(world, choices=choices))

        mine = tuple(loan for loan in world.live_loans if loan.series)
        assert [loan.rooms[0].name for loan in mine] == ["Room 1", "Room 2", "Room 1"]
        assert states(mine) == {ItemState.ACCEPTED}
        assert len(masters(world)) == 1
        assert len(shown(world)) == 3
        assert world.cases() == []

    def test_of_the_following_dates(self, worlds: MakeWorld, nth: int, when: str) -> None:
        """Between the old series' end and the new one's beginning lies a crash."""
        crash = Crash(nth, when)
        world = worlds(rooms=2, on_request=crash)
        made = book(world)
        world.settle()
        change = LoanChange(items=(world.item(2),))
        number = made.loans[2].number

        live_through(
            world, crash, lambda: world.office.series.change(number, change, Scope.FOLLOWING, actor="app:test")
        )

        assert [loan.rooms[0].name for loan in world.live_loans] == ["Room 1", "Room 1", "Room 2", "Room 2"]
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert sorted(shown(world)) == utc(world, 9, 9, 9, 9)
        assert len(masters(world)) == 2

    def test_of_a_move_of_all(self, worlds: MakeWorld, nth: int, when: str) -> None:
        crash = Crash(nth, when)
        world = worlds(rooms=2, on_request=crash)
        made = book(world)
        world.settle()
        day = first_day(world)
        change = LoanChange(start=at(day, 14), end=at(day, 15))
        number = made.loans[0].number

        live_through(world, crash, lambda: world.office.series.change(number, change, Scope.ALL, actor="app:test"))

        assert starts(world.live_loans) == [at(day + week * WEEK, 14) for week in range(4)]
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert shown(world) == utc(world, 14, 14, 14, 14)

    def test_of_a_cancellation_of_the_rest(self, worlds: MakeWorld, nth: int, when: str) -> None:
        crash = Crash(nth, when)
        world = worlds(rooms=2, on_request=crash)
        made = book(world)
        world.settle()
        number = made.loans[1].number

        live_through(world, crash, lambda: world.office.series.cancel(number, Scope.FOLLOWING, actor="app:test"))

        assert [loan.number for loan in world.live_loans] == [made.loans[0].number]
        assert shown(world) == utc(world, 9)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 6))
def test_a_date_cancelled_in_outlook_while_the_engine_is_down_is_not_booked_again(
    worlds: MakeWorld,
    nth: int,
    when: str,
) -> None:
    """It died at any step of a change of the following dates; somebody cancels one where it stands by then (I6)."""
    crash, world, made = booked_series(worlds, nth, when)
    third = made.loans[2]
    is_lost = False

    def cancel() -> None:
        nonlocal is_lost
        for event in world.all_events():
            if parse_instant(event["start"]) == third.interval.start:
                world.run(world.person(2).cancel(event["id"]))
                is_lost = True

    live_through(world, crash, lambda: _take_following_to_room_2(world, made), meanwhile=cancel)

    live = [loan.number for loan in made.loans if loan.number != third.number or not is_lost]
    assert [loan.number for loan in world.live_loans] == live
    assert [loan.rooms[0].name for loan in world.live_loans] == ["Room 1"] + ["Room 2"] * (len(live) - 1)
    assert states(world.live_loans) == {ItemState.ACCEPTED}
    assert sorted(parse_instant(event["start"]) for event in world.all_events()) == starts(world.live_loans)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 4))
def test_a_date_cancelled_in_outlook_is_not_brought_back_by_other_hours(
    worlds: MakeWorld,
    nth: int,
    when: str,
) -> None:
    """Moving a whole series makes Exchange forget what is special about its dates: cancelled ones, too (I6)."""
    crash, world, made = booked_series(worlds, nth, when)
    day = first_day(world)
    (master,) = masters(world)
    to_fourteen = LoanChange(start=at(day, 14), end=at(day, 15))

    live_through(
        world,
        crash,
        lambda: world.office.series.change(made.loans[0].number, to_fourteen, Scope.ALL, actor="app:test"),
        meanwhile=lambda: world.run(world.person(2).cancel(world.dates(2, master["id"])[2]["id"])),
    )

    assert starts(world.live_loans) == [at(day + week * WEEK, 14) for week in (0, 1, 3)]
    assert states(world.live_loans) == {ItemState.ACCEPTED}
    assert sorted(parse_instant(event["start"]) for event in world.all_events()) == starts(world.live_loans)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_series_cancelled_in_outlook_before_its_end_was_sent_is_not_booked_again(
    worlds: MakeWorld,
    nth: int,
) -> None:
    crash = Crash(nth, "before")
    world = worlds(rooms=2, on_request=crash)
    made = book(world)
    world.settle()
    (master,) = masters(world)

    live_through(
        world,
        crash,
        lambda: _take_following_to_room_2(world, made),
        meanwhile=lambda: world.run(world.person(2).cancel(master["id"])),
    )

    assert world.live_loans == ()
    assert world.all_events() == []


def _take_following_to_room_2(world: World, made: AppSeries) -> None:
    change = LoanChange(items=(world.item(2),))
    world.office.series.change(made.loans[1].number, change, Scope.FOLLOWING, actor="app:test")


def booked_series(worlds: MakeWorld, nth: int, when: str) -> tuple[Crash, World, AppSeries]:
    """Return a death to come, the world it will happen in, and a series booked there before."""
    crash = Crash(nth, when)
    world = worlds(rooms=2, on_request=crash)
    made = book(world)
    world.settle()
    return crash, world, made

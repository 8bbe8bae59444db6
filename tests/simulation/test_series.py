"""Series that people make in Outlook: each date a loan of its own, and right after every change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from engine.loans.loan import Loan
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanAction, LoanStatus
from tests.simulation.series import at, book_series, recurrence, starts
from tests.simulation.world import World

WEEK = timedelta(days=7)


@pytest.fixture
def world() -> Iterator[World]:
    made = World(rooms=3).open()
    yield made
    made.close()


def first_day(world: World) -> date:
    return (world.loop.now() + timedelta(days=2)).date()


def weekly(world: World, *rooms: int, times: int = 4, **more: Any) -> tuple[dict[str, Any], date]:
    """Book a weekly series of person 2 at nine, and let everything arrive."""
    day = first_day(world)
    master = book_series(world, 2, day, 9, *(rooms or (1,)), times=times, **more)
    world.settle()
    return master, day


def loan_on(world: World, day: date) -> Loan:
    (found,) = [loan for loan in world.loans if loan.interval.start.date() == day]
    return found


class TestAWeeklySeries:
    def test_is_a_loan_for_each_date(self, world: World) -> None:
        _, day = weekly(world)

        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(4)]
        assert {loan.title for loan in world.loans} == {"Standup"}
        assert len({loan.series for loan in world.loans}) == 1
        assert world.loans[0].series is not None
        assert {item.state for loan in world.loans for item in loan.items} == {ItemState.ACCEPTED}
        assert world.cases() == []

    def test_stays_at_its_hour_when_clocks_change(self, world: World) -> None:
        """Twenty-six weeks cross the end of March: the hour on the wall stays."""
        _, day = weekly(world, times=26)

        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(26)]

    def test_is_told_in_each_history(self, world: World) -> None:
        weekly(world)

        assert all("date_of_series" in world.history(loan.number) for loan in world.loans)

    def test_in_two_rooms_is_one_loan_per_date_with_both(self, world: World) -> None:
        weekly(world, 1, 2)

        assert [len(loan.items) for loan in world.live_loans] == [2, 2, 2, 2]

    def test_looked_at_again_writes_and_changes_nothing(self, world: World) -> None:
        weekly(world)
        before = [(loan.number, loan.version) for loan in world.loans]

        world.lose_delta(1)
        world.heal()

        assert [(loan.number, loan.version) for loan in world.loans] == before
        assert world.count_writes() == 0


class TestOneDateChangedInOutlook:
    def test_moved_is_one_loan_moved(self, world: World) -> None:
        master, day = weekly(world)
        numbers = [loan.number for loan in world.loans]
        second = world.dates(2, master["id"])[1]

        world.run(world.person(2).move(second["id"], at(day + WEEK, 14), at(day + WEEK, 15)))
        world.settle()

        hours = [9, 14, 9, 9]
        assert starts(world.live_loans) == [at(day + number * WEEK, hour) for number, hour in enumerate(hours)]
        assert [loan.number for loan in world.loans] == numbers

    def test_cancelled_is_one_loan_cancelled(self, world: World) -> None:
        master, day = weekly(world)
        second = world.dates(2, master["id"])[1]

        world.run(world.person(2).cancel(second["id"]))
        world.settle()

        assert starts(world.live_loans) == [at(day, 9), at(day + 2 * WEEK, 9), at(day + 3 * WEEK, 9)]
        assert loan_on(world, day + WEEK).status is LoanStatus.CANCELLED

    def test_cancelled_without_a_word_is_found_all_the_same(self, world: World) -> None:
        """Delta may say nothing of a date that is gone: the series comes again without it (P13)."""
        world.tenant.faults.add(effect="resend_series")
        master, day = weekly(world)

        world.run(world.person(2).cancel(world.dates(2, master["id"])[1]["id"]))
        world.settle()

        assert starts(world.live_loans) == [at(day, 9), at(day + 2 * WEEK, 9), at(day + 3 * WEEK, 9)]

    def test_taken_to_another_room_keeps_its_loan(self, world: World) -> None:
        """The other room gets the one date by itself; it is the same booking."""
        master, day = weekly(world)
        second = world.dates(2, master["id"])[1]
        number = loan_on(world, day + WEEK).number

        world.run(world.person(2).set_rooms(second["id"], [world.room_addresses[1]]))
        world.settle()

        loan = world.loan(number)
        assert [(item.name, item.state) for item in loan.rooms] == [("Room 2", ItemState.ACCEPTED)]
        assert len(world.live_loans) == 4


class TestTheWholeSeriesChangedInOutlook:
    def test_moved_to_another_hour_moves_every_loan(self, world: World) -> None:
        master, day = weekly(world)
        numbers = [loan.number for loan in world.loans]

        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.settle()

        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(4)]
        assert [loan.number for loan in world.loans] == numbers

    def test_cancelled_cancels_every_loan(self, world: World) -> None:
        master, _ = weekly(world)

        world.run(world.person(2).cancel(master["id"]))
        world.settle()

        assert world.live_loans == ()

    def test_cut_short_cancels_what_came_after(self, world: World) -> None:
        master, day = weekly(world)

        world.run(world.person(2).change(master["id"], recurrence=recurrence(day, until=day + WEEK)))
        world.settle()

        assert starts(world.live_loans) == [at(day, 9), at(day + WEEK, 9)]

    def test_this_and_following_in_another_room(self, world: World) -> None:
        """The old series is cut short, a new one goes on: nothing is booked twice, nothing is lost (P51)."""
        master, day = weekly(world)

        world.run(world.person(2).change(master["id"], recurrence=recurrence(day, until=day + WEEK)))
        book_series(world, 2, day + 2 * WEEK, 9, 2, times=2)
        world.settle()

        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(4)]
        rooms = {loan.interval.start: [item.name for item in loan.rooms] for loan in world.live_loans}
        assert rooms[at(day + 2 * WEEK, 9)] == rooms[at(day + 3 * WEEK, 9)] == ["Room 2"]

    def test_taken_to_another_room_keeps_its_loans(self, world: World) -> None:
        master, _ = weekly(world)
        numbers = [loan.number for loan in world.loans]

        world.run(world.person(2).set_rooms(master["id"], [world.room_addresses[1]]))
        world.settle()
        world.heal()

        assert [loan.number for loan in world.live_loans] == numbers
        assert {tuple(item.name for item in loan.rooms) for loan in world.live_loans} == {("Room 2",)}


class TestARoomThatDeclinesSomeDates:
    def test_leaves_the_others_booked(self, world: World) -> None:
        """Below the limits a series is accepted and single dates are declined (B34)."""
        day = first_day(world)
        world.tenant.office.set_processing(
            world.room_addresses[0], ConflictPercentageAllowed=50, MaximumConflictInstances=2
        )
        world.run(world.person(3).book(at(day + WEEK, 9), at(day + WEEK, 10), rooms=[world.room_addresses[0]]))
        world.settle()

        weekly(world)
        world.wait(60)
        world.settle()

        mine = tuple(loan for loan in world.live_loans if loan.series is not None)
        assert starts(mine) == [at(day + number * WEEK, 9) for number in (0, 2, 3)]


class TestOneDateChangedInTheApp:
    def test_moved(self, world: World) -> None:
        master, day = weekly(world)
        loan = loan_on(world, day + WEEK)

        world.change(loan.number, LoanChange(start=at(day + WEEK, 14), end=at(day + WEEK, 15)))
        world.settle()
        world.heal()

        assert [event["start"]["dateTime"][:16] for event in world.dates(2, master["id"])] == [
            f"{at(day + number * WEEK, 14 if number == 1 else 9):%Y-%m-%dT%H:%M}" for number in range(4)
        ]
        assert world.loan(loan.number).interval.start == at(day + WEEK, 14)
        assert world.count_writes() == 1

    def test_cancelled(self, world: World) -> None:
        """One date goes, never the series."""
        master, day = weekly(world)

        world.act_on(loan_on(world, day + WEEK).number, LoanAction.CANCEL)
        world.settle()
        world.heal()

        assert len(world.dates(2, master["id"])) == 3
        assert starts(world.live_loans) == [at(day, 9), at(day + 2 * WEEK, 9), at(day + 3 * WEEK, 9)]
        assert world.count_writes() == 1

    def test_taken_to_another_room(self, world: World) -> None:
        master, day = weekly(world)
        loan = loan_on(world, day + WEEK)

        world.change(loan.number, LoanChange(items=(world.item(2),)))
        world.settle()
        world.heal()

        assert [(item.name, item.state) for item in world.loan(loan.number).rooms] == [("Room 2", ItemState.ACCEPTED)]
        second = world.dates(2, master["id"])[1]
        assert [each["emailAddress"]["address"] for each in second["attendees"]] == [world.room_addresses[1]]
        assert len(world.live_loans) == 4

"""A backup is put in place of the store: what Outlook has of ours since then is known again (F19)."""

from __future__ import annotations

import pytest

from engine.graph.transport import Request
from engine.ids import LoanNumber
from engine.loans.loan import Home
from engine.loans.register import LoanChange
from engine.prove.people.series import at, starts
from engine.prove.world.backups import back_up, restore
from engine.prove.world.losses import Backup
from engine.prove.world.world import World
from engine.reconcile.markers import make_marker, name_birth
from engine.reconcile.series.book import Scope
from tests.simulation.conftest import MakeWorld
from tests.simulation.test_app_series import WEEK, first_day, masters, shown, utc
from tests.simulation.test_app_series import book as book_series


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds()


def save(world: World) -> Backup:
    backup = back_up(world)
    assert backup is not None, "worlds in memory can be saved"
    return backup


def go_back(world: World, backup: Backup) -> None:
    """Put *backup* in place of the store and start an engine on it."""
    world.kill()
    restore(world, backup)
    world.start()


@pytest.mark.parametrize("seconds", [0.05, 20.0], ids=["its loan is looked at first", "its room is read first"])
def test_a_loan_is_tied_to_the_event_that_was_made_in_the_place_of_its_own(world: World, seconds: float) -> None:
    """Whoever is given a loan has a new event. Its marker names the loan, which follows it instead of ending."""
    loan = world.book(2, 9, 10, 1)
    world.wait(seconds)
    backup = save(world)
    world.change(loan.number, LoanChange(requester=world.requester(3)))
    world.settle()

    go_back(world, backup)
    world.wait(15)
    world.heal()

    (found,) = world.loans
    assert (found.number, found.home, found.blocks) == (loan.number, Home.APP, True)
    assert found.requester.address == world.people[2]
    assert [event["subject"] for event in world.all_events()] == [f"#{loan.number} Person 3"]
    assert "event_adopted" in world.history(loan.number)


def check_given_to_person_3(world: World, number: LoanNumber) -> None:
    """The only loan goes on as what the desk made of it, and has one event."""
    (found,) = world.loans
    assert (found.number, found.blocks, found.requester.address) == (number, True, world.people[2])
    assert "cancelled_in_outlook" not in world.history(number)
    assert [event["subject"] for event in world.all_events()] == [f"#{number} Person 3"]


def test_a_loan_is_not_ended_that_is_tied_to_another_event_while_its_own_is_looked_for(world: World) -> None:
    """The later one is known by the time the former organizer's mailbox has said that it has the event no more."""
    loan = world.book(2, 9, 10, 1)
    world.settle()
    backup = save(world)
    world.change(loan.number, LoanChange(requester=world.requester(3)))
    world.settle()

    go_back(world, backup)
    world.tenant.faults.add(effect="delay", method="GET", path="users/person-2.*/events/", seconds=5, times=1)
    world.wait(15)
    world.heal()

    check_given_to_person_3(world, loan.number)


def test_a_loan_is_not_ended_while_the_calendar_of_its_room_lags_behind(world: World) -> None:
    """A first reading after the start lists neither the end of the former event nor the later one. The backup knows
    that the desk has given the loan to somebody else, and not yet what was done about it."""
    loan = world.book(2, 9, 10, 1)
    world.settle()
    world.change(loan.number, LoanChange(requester=world.requester(3)))
    backup = save(world)
    world.wait(3)

    world.tenant.faults.add(effect="lag", seconds=20)
    go_back(world, backup)
    world.office.rooms.mark_rooms(priority=1)
    world.wait(40)
    world.heal()

    check_given_to_person_3(world, loan.number)


def test_a_loan_keeps_its_event_where_another_of_it_is_there_as_well(world: World) -> None:
    """Made twice, with a restored backup between: whichever is not the loan's is a booking of its own, and is told."""
    loan = world.book(2, 9, 10, 1)
    world.settle()
    made_at = world.loan(loan.number).made_at
    assert made_at is not None
    marker = make_marker(world.office.instance, loan.number, 2, name_birth(made_at), "00000000")

    world.meet(3, 14, 15, 1, transactionId=marker)
    world.settle()

    times = {each.number: (each.home, each.interval.start) for each in world.live_loans}
    assert times == {loan.number: (Home.APP, world.at(9)), loan.number + 1: (Home.OUTLOOK, world.at(14))}


def test_an_event_is_not_taken_for_that_of_a_loan_with_the_same_number(world: World) -> None:
    """Numbers are given a second time then: another loan has it, made at another moment (P58)."""
    backup = save(world)
    lost = world.book(2, 9, 10, 1)
    world.settle()
    world.change(lost.number, LoanChange(requester=world.requester(3)))
    world.settle()

    go_back(world, backup)
    again = world.book(1, 14, 15, 1)
    world.settle()
    world.heal()

    assert again.number == lost.number
    times = {loan.number: (loan.home, loan.interval.start) for loan in world.live_loans}
    assert times == {again.number: (Home.APP, world.at(14)), again.number + 1: (Home.OUTLOOK, world.at(9))}


def test_a_series_that_was_made_since_is_known_before_it_is_made_again(worlds: MakeWorld) -> None:
    """The backup is of the moment before the creation; since then the desk has moved the series. Its room shows it
    while Graph is too busy to make it again, at other times than it was to be made at."""
    backups: list[Backup] = []

    def save_at_creation(when: str, request: Request) -> None:
        if when == "before" and request.method == "POST" and b'"recurrence"' in (request.body or b""):
            backups.append(save(world))

    world = worlds(on_request=save_at_creation)
    made = book_series(world)
    world.settle()
    day = first_day(world)
    change = LoanChange(start=at(day, 14), end=at(day, 15))
    world.office.series.change(made.loans[0].number, change, Scope.ALL, actor="app:test")
    world.settle()

    world.tenant.faults.add(effect="error", method="POST", path="events$", status=503, times=9)
    go_back(world, backups[0])
    world.office.rooms.mark_rooms(priority=1)
    world.wait(30)
    world.heal()

    assert [(loan.number, loan.home) for loan in world.loans] == [(each.number, Home.APP) for each in made.loans]
    assert starts(world.loans) == [at(day + week * WEEK, 14) for week in range(4)]
    assert shown(world) == utc(world, 14, 14, 14, 14)
    assert len(masters(world)) == 1
    assert world.cases() == []

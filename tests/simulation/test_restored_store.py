"""A backup is put in place of the store: what Outlook has of ours since then is known again (F19)."""

from __future__ import annotations

import pytest

from engine.loans.loan import Home
from engine.loans.register import LoanChange
from engine.prove.backups import Backup, back_up, restore
from engine.prove.world import World
from engine.reconcile.markers import make_marker, name_birth
from tests.simulation.conftest import MakeWorld


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

"""The product in short stories: one meeting or loan from its birth to its end, both sides watched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.loans.loan import Home
from engine.loans.status import ItemState, LoanAction, LoanStatus
from tests.simulation.world import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World().open()
    yield made
    made.close()


class TestBookedInOutlook:
    def test_becomes_a_loan(self, world: World) -> None:
        """A meeting with a room is a loan: requester, times, room accepted, status new, home outlook (H40-H44)."""
        world.meet(2, 9, 10, 1, subject="Board")

        world.settle()

        (loan,) = world.loans
        assert loan.requester.address == "person-2@example.org"
        assert (loan.interval.start, loan.interval.end) == (world.at(9), world.at(10))
        assert [item.state for item in loan.items] == [ItemState.ACCEPTED]
        assert (loan.status, loan.home, loan.title) == (LoanStatus.NEW, Home.OUTLOOK, "Board")

    def test_booked_in_the_app(self, world: World) -> None:
        loan = world.book(2, 9, 10, 1)

        world.settle()

        assert [item.state for item in world.loan(loan.number).items] == [ItemState.ACCEPTED]
        (event,) = world.run(world.person(2).events())
        assert event["subject"] == f"#{loan.number} Person 2"
        world.act(world.loan(loan.number), LoanAction.CANCEL)
        world.settle()
        assert world.run(world.person(2).events()) == []

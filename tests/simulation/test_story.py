"""The product in short stories: one meeting or loan from its birth to its end, both sides watched."""

from __future__ import annotations

import pytest

from engine.loans.loan import Home, ItemKind
from engine.loans.register import ItemRef, LoanChange
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.prove.world.world import World
from tests.simulation.conftest import MakeWorld


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds()


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

    def test_follows_an_organizer_who_was_renamed(self, world: World) -> None:
        """The requester bears the organizer's new name as soon as the meeting shows it; nothing is written (H45)."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.tenant.office.rename("person-2@example.org", "Alex Doe-Ito")

        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.settle()

        (loan,) = world.loans
        assert (loan.requester.name, loan.interval.start) == ("Alex Doe-Ito", world.at(11))
        assert "organizer_renamed" in world.history(loan.number)
        assert world.count_writes() == 0

    def test_booked_in_the_app(self, world: World) -> None:
        loan = world.book(2, 9, 10, 1)

        world.settle()

        assert [item.state for item in world.loan(loan.number).items] == [ItemState.ACCEPTED]
        (event,) = world.run(world.person(2).events())
        assert event["subject"] == f"#{loan.number} Person 2"
        world.act(world.loan(loan.number), LoanAction.CANCEL)
        world.settle()
        assert world.run(world.person(2).events()) == []


class TestTheBodyOfOurEvent:
    def test_follows_the_items(self, world: World) -> None:
        """The body lists the loan's items and follows them, in one write (H53, H55)."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        writes = world.count_writes()

        world.change(loan.number, LoanChange(items=(world.item(1), world.item(2))))
        world.settle()

        (event,) = world.run(world.person(2).events())
        assert "<li>Room 1</li><li>Room 2</li>" in event["body"]["content"]
        assert event["location"]["displayName"] == "Room 1; Room 2"
        assert world.count_writes() == writes + 1

    def test_follows_the_names_of_rooms_and_things(self, world: World) -> None:
        """A room or a thing that is called otherwise is so in the event, without anything else having to happen."""
        world.furnish(["Trolley"])
        loan = world.book(2, 9, 10, 1)
        world.change(loan.number, LoanChange(items=(world.item(1), ItemRef(ItemKind.ASSET, world.things[0]))))
        world.settle()

        thing = world.office.inventory.find_asset(world.things[0])
        world.office.inventory.change_asset(
            thing.id, name="Cart", description="", store_id=thing.store_id, actor="app:test"
        )
        world.settle()
        world.tenant.office.rename("room-1@example.org", "Board room")
        world.office.enqueue("places", "all")
        world.wait(3.0)

        (event,) = world.run(world.person(2).events())
        assert "<li>Board room</li><li>Cart</li>" in event["body"]["content"]

    def test_is_left_alone_once_somebody_wrote_in_it(self, world: World) -> None:
        """What people wrote into the body (a link to join, notes) is never overwritten (P28)."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        (event,) = world.run(world.person(2).events())
        world.run(world.person(2).change(event["id"], body={"contentType": "html", "content": "<p>Join here</p>"}))
        world.settle()

        world.change(loan.number, LoanChange(items=(world.item(1), world.item(2))))
        world.settle()

        (event,) = world.run(world.person(2).events())
        assert "Join here" in event["body"]["content"]
        assert len(event["attendees"]) == 2

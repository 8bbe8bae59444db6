"""Meetings of nobody of ours: from outside the tenant, or written straight into a room's calendar."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from engine.interval import Interval
from engine.loans.loan import Loan
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanAction
from engine.prove.people.strangers import GUEST
from engine.prove.world.world import World
from engine.simulator.people import Person
from engine.simulator.series_calls import times_in
from tests.simulation.conftest import MakeWorld


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds()


def in_calendar_of(world: World, room: int) -> Person:
    """Return whoever writes straight into a room's calendar."""
    return Person(world.tenant, world.room_addresses[room - 1])


def write(world: World, start: float, end: float, **more: Any) -> dict[str, Any]:
    event: dict[str, Any] = world.run(in_calendar_of(world, 1).book(world.at(start), world.at(end), **more))
    world.wait(5)
    world.settle()
    return event


def only_loan(world: World) -> Loan:
    (loan,) = world.loans
    return loan


def shown_in(world: World, room: int) -> list[datetime]:
    events = world.run(world.room(room).events())
    return [datetime.fromisoformat(f"{event['start']['dateTime'][:19]}+00:00") for event in events]


class TestWhatIsWrittenIntoARoom:
    @pytest.mark.parametrize("guests", [(), ("person-2@example.org",)])
    def test_is_a_loan_that_its_room_has_accepted(self, world: World, guests: tuple[str, ...]) -> None:
        """Without guests its answer reads "none": there is nobody to answer, and the room is taken all the same."""
        write(world, 9, 10, people=guests)

        loan = only_loan(world)
        assert [item.state for item in loan.items] == [ItemState.ACCEPTED]
        assert loan.requester.address == world.people[0]

    def test_is_no_loan_as_a_draft(self, world: World) -> None:
        write(world, 9, 10, isDraft=True)
        assert (world.loans, world.cases()) == ((), [])

    def test_follows_when_it_is_moved_there(self, world: World) -> None:
        event = write(world, 9, 10)
        world.run(in_calendar_of(world, 1).move(event["id"], world.at(11), world.at(12)))
        world.settle()
        assert only_loan(world).interval == Interval(world.at(11), world.at(12))

    def test_stays_where_it_is_when_the_desk_moves_it(self, world: World) -> None:
        write(world, 9, 10)
        world.change(1, LoanChange(start=world.at(11), end=world.at(12)))
        world.settle()
        assert only_loan(world).interval == Interval(world.at(9), world.at(10))
        assert world.cases() == ["write_refused"]

    def test_is_deleted_there_when_the_desk_cancels_it(self, world: World) -> None:
        write(world, 9, 10)
        world.act_on(1, LoanAction.CANCEL)
        world.settle()
        assert shown_in(world, 1) == []
        assert "declined_for_room" not in world.history(1)
        assert world.watcher.parked_keys == []


class TestAMeetingFromOutside:
    @pytest.fixture
    def meeting(self, world: World) -> str:
        """One in two rooms, of which the second looks at no request from outside: it never says anything."""
        world.tenant.office.set_processing(world.room_addresses[0], ProcessExternalMeetingMessages=True)
        body = {**times_in(world.at(9), world.at(10), "UTC"), "attendees": world.invitations((1, 2))}
        event = world.tenant.office.request_from_outside(GUEST, "A Guest", body)
        world.wait(5)
        world.settle()
        assert [item.state for item in only_loan(world).items] == [ItemState.ACCEPTED, ItemState.REQUESTED]
        return event.ical_uid

    def test_ends_when_no_room_shows_it_any_more(self, world: World, meeting: str) -> None:
        """Nobody can ask its organizer, so the room that never said anything is looked into."""
        world.tenant.office.cancel_from_outside(GUEST, meeting)
        world.settle()
        assert not only_loan(world).blocks
        assert "cancelled_in_outlook" in world.history(1)

    def test_goes_on_in_a_room_that_was_late(self, world: World, meeting: str) -> None:
        """The second room takes it after all, unheard, and the first one is given up."""
        world.tenant.faults.add(effect="lose", mailbox=world.room_addresses[1])
        world.tenant.office.set_processing(world.room_addresses[1], ProcessExternalMeetingMessages=True)
        rooms = {"attendees": world.invitations((2,)), "subject": "Visit"}
        world.tenant.office.change_from_outside(GUEST, meeting, rooms)
        world.settle()
        loan = only_loan(world)
        assert loan.blocks
        assert {item.name: item.state for item in loan.held_items} == {"Room 2": ItemState.ACCEPTED}

    def test_that_cannot_be_asked_for_everywhere_goes_on(self, world: World, meeting: str) -> None:
        """A room that is closed at the moment may have it."""
        world.tenant.faults.add(effect="error", status=403, mailbox=world.room_addresses[1], method="GET")
        world.tenant.office.cancel_from_outside(GUEST, meeting)
        world.settle()
        assert only_loan(world).blocks

"""
Why a meeting that is cancelled in Outlook costs two requests (decision 0006): no single answer tells that it is over.

Its room shows what it shows of a meeting that was taken to another room. Its organizer's mailbox answers as for one
that was given to another organizer. The room's notification is that of both. Whoever decides by one of them ends loans
that live.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from engine.prove.world.world import World
from engine.simulator.people import Refused
from tests.simulation.conftest import MakeWorld
from tests.simulation.test_request_counts import TOGETHER, counting

Event = dict[str, Any]
Act = Callable[[World, Event], None]

OF_ONE_VERSION = ("@odata.etag", "changeKey", "lastModifiedDateTime")


def cancel(world: World, event: Event) -> None:
    world.run(world.person(2).cancel(event["id"]))


def take_to_another_room(world: World, event: Event) -> None:
    world.run(world.person(2).set_rooms(event["id"], world.addresses([2])))


def give_away(world: World, event: Event) -> None:
    world.tenant.office.change_organizer(world.people[1], event["iCalUId"], world.people[2])


@dataclass(frozen=True)
class Aftermath:
    """What can be learnt once something has befallen a meeting of person 2 in room 1 that is a loan."""

    world: World
    event_id: str
    told: tuple[str, ...]
    """The kinds of change that were notified of the room's copy."""

    def ask_room(self) -> Event:
        """Return what the room shows, but for what names the version."""
        (copy,) = self.world.run(self.world.room(1).events())
        return {name: value for name, value in copy.items() if name not in OF_ONE_VERSION}

    def ask_organizer(self) -> str:
        """Return how the mailbox of person 2 answers who asks for the meeting by its id."""
        try:
            self.world.run(self.world.person(2).get(self.event_id))
        except Refused as error:
            return f"{error.status} {error.code}"
        return "200"


Befall = Callable[[Act], Aftermath]


@pytest.fixture
def after(worlds: MakeWorld) -> Befall:
    def befall(act: Act) -> Aftermath:
        world = worlds(tenant=TOGETHER)
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (copy_id,) = {item["resourceData"]["id"] for item in notified(world)}
        world.notifications.clear()
        act(world, event)
        world.settle()
        told = [item["changeType"] for item in notified(world) if item["resourceData"]["id"] == copy_id]
        return Aftermath(world, event["id"], tuple(told))

    return befall


def notified(world: World) -> list[dict[str, Any]]:
    return [item for body in world.notifications for item in json.loads(body)["value"]]


class TestOneAnswer:
    def test_of_its_room_is_that_of_a_meeting_in_another_room(self, after: Befall) -> None:
        """So the organizer's copy is asked for, or a loan ends whose meeting has moved to another room."""
        cancelled, elsewhere = after(cancel), after(take_to_another_room)

        assert cancelled.ask_room() == elsewhere.ask_room()
        assert cancelled.ask_organizer() != elsewhere.ask_organizer()
        assert cancelled.world.live_loans == ()
        assert [item.id for loan in elsewhere.world.live_loans for item in loan.rooms] == [2]

    def test_of_its_organizer_is_that_of_a_meeting_given_away(self, after: Befall) -> None:
        """So the room is asked, too, or a loan ends whose meeting somebody else has taken over."""
        cancelled, given = after(cancel), after(give_away)

        assert cancelled.ask_organizer() == given.ask_organizer() == "404 ErrorItemNotFound"
        assert cancelled.ask_room() != given.ask_room()
        assert cancelled.world.live_loans == ()
        assert [loan.requester.address for loan in given.world.live_loans] == ["person-3@example.org"]

    def test_can_take_no_hint_from_what_was_notified(self, after: Befall) -> None:
        """Of each of the three Graph tells the same once."""
        told = {act: after(act).told for act in (cancel, take_to_another_room, give_away)}

        assert told == {cancel: ("updated",), take_to_another_room: ("updated",), give_away: ("updated",)}


class TestWhereRoomsKeepNoCancelledCopy:
    def test_a_deletion_that_is_notified_is_no_end(self, worlds: MakeWorld) -> None:
        """The room's copy is deleted, and its organizer has the meeting no more; but it was given to somebody else, who
        has invited the room again, and nothing was heard of that."""
        world = worlds(tenant=TOGETHER)
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.notifications.clear()
        world.tenant.office.release(world.room_addresses[0], event["iCalUId"])
        world.wait(0.12)
        world.tenant.faults.add(effect="lose")
        give_away(world, event)
        (given,) = [each for each in world.all_events() if each["isOrganizer"]]
        for rooms in ([], [1]):
            world.run(world.person(3).set_rooms(given["id"], world.addresses(rooms)))
        world.settle()

        assert [item["changeType"] for item in notified(world)] == ["deleted"]
        (loan,) = world.loans
        assert loan.blocks
        assert loan.requester.address == "person-3@example.org"

    def test_a_cancellation_costs_five_requests(self, worlds: MakeWorld) -> None:
        """One delta; then the organizer and the room are asked by id, and by the uid, since the meeting may have come
        back under another id in either mailbox."""
        world = worlds(tenant=TOGETHER)
        world.tenant.office.set_processing(world.room_addresses[0], RemoveCanceledMeetings=True)
        event = world.meet(2, 9, 10, 1)
        world.settle()

        with counting(world) as count:
            cancel(world, event)

        assert (count.deltas, count.reads, count.writes) == (1, 4, 0)
        assert world.live_loans == ()

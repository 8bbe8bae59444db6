"""Pitfalls of synchronisation that no other test has in view: docs/pitfalls.md names all, each with its test."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.errors import Unavailable
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanStatus
from engine.prove.world.world import World
from tests.simulation.conftest import MakeWorld
from tests.simulation.test_outlook_to_app import find_in_database, request_from_outside


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds()


class TestReadingInCircles:
    @pytest.mark.parametrize("effect", ["loop", "replay", "empty_page", "shuffle"])
    def test_ends(self, world: World, effect: str) -> None:
        """P15: pages that lead back to themselves end the reading with an error; it is taken up again and succeeds."""
        world.tenant.faults.add(effect=effect, times=6)

        world.meet(2, 9, 10, 1)
        world.settle()
        world.heal()

        assert [loan.status for loan in world.loans] == [LoanStatus.NEW]
        assert world.watcher.parked_keys == []


@pytest.mark.usefixtures("long_sleeps")
class TestAWindowThatSlides:
    def test_leaves_what_is_over_as_it_was(self, worlds: MakeWorld) -> None:
        """P17: months later the meeting is no longer in sight; its loan was closed by its time, and is history."""
        world = worlds(settings={"ENGINE_SYNC__HORIZON_DAYS": "60"})
        world.meet(2, 9, 10, 1)
        world.meet(3, 9, 10, 2, days=30)
        world.settle()
        before = {loan.number: (loan.status, loan.interval) for loan in world.loans}

        for _ in range(4):
            world.wait(timedelta(days=25).total_seconds())
            world.office.rooms.mark_rooms(priority=2)
            world.settle()

        assert {loan.number: (loan.status, loan.interval) for loan in world.loans} == before
        assert not any("cancelled" in code for loan in world.loans for code in world.history(loan.number))
        assert world.count_writes() == 0


class TestASubscriptionThatDiedSilently:
    def test_is_found_by_what_it_does_not_tell(self, world: World) -> None:
        """P18: the sweep finds the meeting, and counts what the subscription should have told."""
        world.tenant.faults.add(effect="lose")
        world.meet(2, 9, 10, 1)
        world.wait(3600.0)

        world.office.rooms.mark_rooms(priority=2)
        world.settle()

        assert len(world.live_loans) == 1
        told = {room.room_id: room.changed_unsignalled for room in world.office.status.rooms()}
        assert told[world.item(1).id] > 0
        assert told[world.item(2).id] == 0


class TestSubscriptionsThatCannotBeMade:
    def test_because_nobody_can_reach_us_yet_are_made_later(self, worlds: MakeWorld) -> None:
        """P20: rooms are read all the same, and the key is tried again with back-off, without waiting for the clock."""
        world = worlds(start=False)
        world.is_receiver_down = True
        world.start()
        world.wait(60.0)
        world.meet(2, 9, 10, 1)
        self._sweep(world)
        assert len(world.live_loans) == 1
        assert not any(held.remote_id for held in world.office.subscriptions.load_held())

        world.is_receiver_down = False
        world.wait(300.0)
        assert all(held.remote_id for held in world.office.subscriptions.load_held())
        world.meet(2, 11, 12, 2)
        world.settle()

        assert len(world.live_loans) == 2
        assert world.office.queue.depth().parked == 0

    def test_for_mailboxes_elsewhere_are_done_without(self, worlds: MakeWorld) -> None:
        """P66: a mailbox of a hybrid tenant refuses subscriptions for good: its room is followed by sweeps."""
        world = worlds(start=False)
        world.tenant.faults.add(
            effect="error", status=400, code="ExtensionError", method="POST", path="/subscriptions$"
        )
        world.start()
        world.wait(60.0)
        event = world.meet(2, 9, 10, 1)
        self._sweep(world)
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        self._sweep(world)

        assert [loan.interval.start for loan in world.live_loans] == [world.at(11)]

    def _sweep(self, world: World) -> None:
        world.wait(5.0)
        world.office.rooms.mark_rooms(priority=2)
        world.wait(60.0)
        world.settle()


class TestAnOrganizerWhoCannotBeReached:
    def test_because_outside_keeps_the_meeting_as_it_is(self, world: World) -> None:
        """P32: nobody here may write into a stranger's calendar: the loan goes back, and a case says why."""
        request_from_outside(world, 9, 10, 1)
        world.settle()
        (loan,) = world.loans

        world.change(loan.number, LoanChange(start=world.at(11), end=world.at(12)))
        world.settle()
        world.heal()

        assert world.loan(loan.number).interval.start == world.at(9)
        assert world.cases() == ["write_refused"]
        assert world.count_writes() == 0

    @pytest.mark.parametrize("state", ["removed", "disabled", "denied"])
    def test_because_gone_is_tried_no_more(self, world: World, state: str) -> None:
        """P33: the mailbox of somebody who left: the loan goes back, and nothing is tried for ever."""
        world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        world.tenant.office.set_state("person-2@example.org", state)

        world.change(loan.number, LoanChange(start=world.at(11), end=world.at(12)))
        world.settle()
        world.heal()

        assert world.loan(loan.number).interval.start == world.at(9)
        assert world.loan(loan.number).blocks
        assert world.cases() == ["write_refused"]
        before = world.count_writes()
        world.heal()
        assert world.count_writes() == before

    @pytest.mark.parametrize("state", ["disabled", "denied"])
    def test_while_a_room_drops_the_meeting_has_it_given_back(self, world: World, state: str) -> None:
        """
        The other room lists it still, and so does the loan; once the organizer can be read both say the same.

        The loan let go of the room, as if it had been taken out, and the event went on naming it for ever.
        """
        meeting = world.meet(2, 9, 10, 1, 2)
        world.settle()
        (loan,) = world.loans
        world.set_mailbox(2, state)
        world.tenant.office.release(world.room_addresses[1], meeting["iCalUId"])
        world.settle()
        assert [item.state for item in world.loan(loan.number).rooms] == [ItemState.ACCEPTED, ItemState.RELEASED]

        world.set_mailbox(2, "active")
        world.heal()

        assert [item.state for item in world.loan(loan.number).rooms] == [ItemState.ACCEPTED, ItemState.RELEASED]
        assert world.cases() == ["room_released"]
        assert world.count_writes() == 0


class TestARoomThatAllowsConflicts:
    def test_is_not_believed(self, world: World) -> None:
        """P43: two meetings at one time: the second is no loan, and a case names what holds the room."""
        world.tenant.office.set_processing(world.room_addresses[0], AllowConflicts=True)
        world.meet(2, 9, 10, 1)
        world.settle()

        world.meet(3, 9.5, 10.5, 1)
        world.settle()

        assert [loan.requester.address for loan in world.live_loans] == ["person-2@example.org"]
        assert world.cases() == ["item_unavailable"]


class TestAMeetingShownAsFree:
    @pytest.mark.parametrize("whole_day", [False, True])
    def test_takes_its_room_all_the_same(self, world: World, whole_day: bool) -> None:
        """P44: what counts is that the room accepted it, not how it is shown; whole days are shown as free by habit."""
        hours = (0, 24) if whole_day else (9, 10)
        world.meet(2, *hours, 1, showAs="free", isAllDay=whole_day)
        world.settle()

        (loan,) = world.live_loans
        assert [item.state for item in loan.items] == [ItemState.ACCEPTED]
        with pytest.raises(Unavailable):
            world.book(3, 9, 9.5, 1)


class TestADraft:
    def test_is_nothing_until_it_is_sent(self, world: World) -> None:
        """P65: Outlook saves drafts of meetings by itself; sent, it is a meeting."""
        draft = world.meet(2, 9, 10, 1, isDraft=True)
        world.settle()
        assert draft["isDraft"]
        assert (world.loans, world.cases()) == ((), [])

        world.run(world.person(2).change(draft["id"], isDraft=False))
        world.settle()

        assert [loan.interval.start for loan in world.live_loans] == [world.at(9)]


class TestATitle:
    def test_of_a_room_that_keeps_them_is_not_taken_from_the_room(self, world: World) -> None:
        """P63: a room that keeps subjects and drops the private flag shows what nobody may see: it is not kept."""
        world.tenant.office.set_processing(
            world.room_addresses[0], DeleteSubject=False, AddOrganizerToSubject=False, RemovePrivateProperty=True
        )
        event = world.meet(2, 9, 10, 1, subject="Very Secret", sensitivity="private")
        world.tenant.office.set_state("person-2@example.org", "denied")
        world.settle()
        (loan,) = world.live_loans
        assert loan.title == ""

        world.tenant.office.set_state("person-2@example.org", "active")
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.settle()
        world.heal()

        assert find_in_database(world, "secret") == []

    def test_of_a_room_that_replaces_them_is_the_organizers(self, world: World) -> None:
        """P29: the room shows its organizer's name instead of the subject, seconds later: the title never flips."""
        world.meet(2, 9, 10, 1, subject="Budget")
        seen = set()
        for _ in range(20):
            world.wait(0.5)
            seen |= {loan.title for loan in world.loans}
        world.settle()

        assert seen | {loan.title for loan in world.loans} == {"Budget"}

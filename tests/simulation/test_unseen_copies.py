"""Rooms that say yes and drop the meeting before anybody has read their copy of it: only the organizer's copy tells the
yes, and goes on telling it. The room itself is asked then (docs/decisions/0027-a-yes-that-no-room-shows.md)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from engine.loans.loan import Loan
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanStatus
from engine.prove.people.series import at, book_series
from engine.prove.world.world import World
from engine.simulator.people import event_path
from engine.web.pages.parts.settings import SettingKey
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld

UNBEGUN = "UPDATE room SET window_start = NULL, window_end = NULL WHERE id = :room"
"""Nobody has begun to read the room: so it is for a moment after the list of rooms was read."""

AT_ONCE = 30.0
"""Seconds within which what a room dropped must be known, however little was heard of it."""


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=2, people=2, settings=WITHOUT_CONTENT)


def deafen(world: World) -> None:
    """Let no notification come."""
    world.tenant.faults.add(effect="lose", probability=1.0)


def drop(world: World, room: int) -> None:
    """Take the one meeting out of a room's calendar, as its release does: its organizer hears nothing."""
    (copy,) = world.run(world.room(room).events())
    world.tenant.office.release(world.room_addresses[room - 1], copy["iCalUId"])


def states(loan: Loan) -> list[ItemState]:
    return [item.state for item in loan.rooms]


def sweep(world: World) -> None:
    world.office.rooms.mark_rooms(priority=1)


class TestALoanWhoseRoomWasNeverHeardOf:
    def test_is_released_when_the_room_drops_it_before_its_answer_is_asked_for(self, world: World) -> None:
        """Its organizer's copy says accepted, and will for ever: the room is asked and does not have it."""
        deafen(world)
        loan = world.book(1, 9, 10, 1)
        world.wait(3)
        drop(world, 1)
        world.wait(AT_ONCE)

        ended = world.loan(loan.number)
        assert (ended.status, states(ended)) == (LoanStatus.REFUSED, [ItemState.RELEASED])
        assert "all_rooms_released" in world.history(loan.number)
        assert world.all_events() == []

    def test_is_released_when_the_room_drops_it_after_its_yes_was_told(self, world: World) -> None:
        """The next reading of the room shows that something left it, and that is enough."""
        deafen(world)
        loan = world.book(1, 9, 10, 1, 2)
        world.wait(15)
        assert states(world.loan(loan.number)) == [ItemState.ACCEPTED, ItemState.ACCEPTED]

        drop(world, 1)
        sweep(world)
        world.wait(AT_ONCE)
        assert states(world.loan(loan.number)) == [ItemState.RELEASED, ItemState.ACCEPTED]
        assert world.cases() == ["room_released"]

    def test_is_released_although_the_tenant_has_forgotten_all_it_had_told_us(self, world: World) -> None:
        """A calendar that is read anew shows what is there, and never what was: the yes was looked up before."""
        deafen(world)
        loan = world.book(1, 9, 10, 1, 2)
        world.wait(15)
        drop(world, 1)
        world.lose_delta(1)
        sweep(world)
        world.wait(AT_ONCE)

        assert states(world.loan(loan.number)) == [ItemState.RELEASED, ItemState.ACCEPTED]

    @pytest.mark.parametrize("is_token_lost", [False, True])
    def test_is_released_when_it_came_back_to_a_room_and_left_it_before_that_was_read(
        self, world: World, *, is_token_lost: bool
    ) -> None:
        """The room showed that it was called off there, and shows nothing now; the other room's copy never names it.

        That the room is read as a whole tells no less: what had ended there is missing now."""
        event = world.meet(1, 9, 10, 1)
        world.settle()
        world.run(world.person(1).set_rooms(event["id"], world.addresses([2])))
        world.settle()
        deafen(world)
        recipients = [{"emailAddress": {"address": world.room_addresses[0]}}]
        world.run(world.person(1).call("POST", f"{event_path(event['id'])}/forward", {"toRecipients": recipients}))
        world.wait(3)
        world.tenant.office.release(world.room_addresses[0], event["iCalUId"])
        assert states(world.live_loans[0]) == [ItemState.ACCEPTED]

        if is_token_lost:
            world.lose_delta(1)
        sweep(world)
        world.wait(600)

        shown = {item.name: item.state for item in world.live_loans[0].rooms}
        assert shown == {"Room 1": ItemState.RELEASED, "Room 2": ItemState.ACCEPTED}

    @pytest.mark.parametrize("is_token_lost", [False, True])
    def test_is_released_when_it_came_to_a_room_and_left_it_while_the_engine_only_watched(
        self, world: World, *, is_token_lost: bool
    ) -> None:
        """The loan never had that room, which the other room's copy does not name: only its organizer knows."""
        event = world.meet(1, 9, 10, 1)
        world.settle()
        world.override(SettingKey.MODE, "shadow")
        world.run(world.person(1).set_rooms(event["id"], world.addresses([1, 2])))
        world.wait(3.0)
        world.tenant.office.release(world.room_addresses[1], event["iCalUId"])
        if is_token_lost:
            world.lose_delta(2)
            sweep(world)
        world.wait(3.0)
        assert states(world.live_loans[0]) == [ItemState.ACCEPTED]

        world.override(SettingKey.MODE, None)
        world.heal()

        shown = {item.name: item.state for item in world.live_loans[0].rooms}
        assert shown == {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.RELEASED}

    def test_is_left_alone_while_the_room_has_it(self, world: World) -> None:
        """One look at the organizer's copy and one into the room: then all is known, and nothing more is asked."""
        deafen(world)
        world.book(1, 9, 10, 1)
        world.wait(8)
        requests = len(world.transports[0].requests)
        world.wait(600)

        assert [states(loan) for loan in world.live_loans] == [[ItemState.ACCEPTED]]
        assert len(world.transports[0].requests) - requests == 2

    def test_is_not_released_because_its_room_cannot_be_asked(self, world: World) -> None:
        """A mailbox that refuses us says nothing about a meeting."""
        deafen(world)
        world.tenant.faults.add(effect="error", status=403, code="ErrorAccessDenied", mailbox=world.room_addresses[0])
        loan = world.book(1, 9, 10, 1)
        world.wait(600)

        assert states(world.loan(loan.number)) == [ItemState.ACCEPTED]


class TestALoanThatIsMovedWhileNothingIsHeard:
    """The room's copy in our books is of the old times, so that the yes its organizer tells may be to those."""

    def test_is_known_to_be_accepted_once_its_room_was_asked(self, world: World) -> None:
        loan = world.book(1, 9, 10, 1)
        world.settle()
        deafen(world)
        world.change(loan.number, LoanChange(start=world.at(11), end=world.at(12)))

        world.wait(AT_ONCE)

        assert states(world.loan(loan.number)) == [ItemState.ACCEPTED]

    def test_is_not_accepted_by_a_yes_to_its_old_times(self, world: World) -> None:
        """A room that decides nothing by itself any more takes the new times in, and says neither yes nor no."""
        loan = world.book(1, 9, 10, 1)
        world.settle()
        world.tenant.office.set_processing(world.room_addresses[0], AutomateProcessing="AutoUpdate")
        deafen(world)
        world.change(loan.number, LoanChange(start=world.at(11), end=world.at(12)))

        world.wait(AT_ONCE)

        assert ItemState.ACCEPTED not in states(world.loan(loan.number))


class TestAMeetingOfWhichOneRoomWasNeverHeardOf:
    def test_goes_on_without_that_room(self, world: World) -> None:
        """It is a loan because of the room that showed it; the other one's yes was its organizer's word only."""
        world.tenant.faults.add(effect="lose", probability=1.0, mailbox=world.room_addresses[1])
        world.meet(1, 9, 10, 1, 2)
        world.wait(3)
        drop(world, 2)
        world.wait(AT_ONCE)

        (loan,) = world.live_loans
        assert states(loan) == [ItemState.ACCEPTED, ItemState.RELEASED]
        assert world.cases() == ["room_released"]


class TestAMeetingOfWhichOneRoomIsNotReadYet:
    """It is a loan as soon as the other room shows it; what this one has is known once it is read."""

    def test_goes_on_without_a_room_that_has_a_new_address_and_has_dropped_it(self, world: World) -> None:
        world.readdress(2, "salon@example.org")
        self.meet_and_drop(world, 2)

        (loan,) = world.live_loans
        assert states(loan) == [ItemState.ACCEPTED, ItemState.RELEASED]

    def test_goes_on_without_a_room_that_is_new_and_has_dropped_it(self, world: World) -> None:
        world.tenant.office.add_room("salon@example.org", "Salon")
        world.room_addresses.append("salon@example.org")
        self.meet_and_drop(world, 3)

        (loan,) = world.live_loans
        assert states(loan) == [ItemState.ACCEPTED, ItemState.RELEASED]

    def meet_and_drop(self, world: World, room: int) -> None:
        away = [
            world.tenant.faults.add(effect="error", status=503, path=f"/users/{name}%40example.org/calendarView/delta")
            for name in ("room-1", "salon")
        ]
        world.office.enqueue("places", "all")
        world.meet(1, 9, 10, 1, room)
        world.wait(5)
        world.tenant.faults.remove(away[0].id)
        with world.database.write() as transaction:
            transaction.connection.execute(text(UNBEGUN), {"room": room})
            transaction.mark("room", "1")
        world.wait(0.1)
        (loan,) = world.live_loans
        assert states(loan) == [ItemState.ACCEPTED, ItemState.ACCEPTED]
        drop(world, room)
        world.tenant.faults.clear()
        sweep(world)
        world.wait(AT_ONCE)


class TestAWholeReadingThatLeavesOutAMeeting:
    def test_has_it_asked_for_and_releases_nothing(self, world: World) -> None:
        """Pages lag behind what was just changed; the room has it all the same."""
        event = world.meet(1, 9, 10, 1, 2)
        world.settle()
        (loan,) = world.loans
        told = world.history(loan.number)
        deafen(world)
        world.run(world.person(1).change(event["id"], subject="Standup"))
        world.lose_delta(1)
        world.tenant.faults.add(effect="lag", seconds=600.0)
        sweep(world)
        world.wait(AT_ONCE)

        assert states(world.loan(loan.number)) == [ItemState.ACCEPTED, ItemState.ACCEPTED]
        assert world.history(loan.number) == told
        assert world.cases() == []


def set_up_anew(world: World, room: int) -> None:
    """Delete a room and set it up again under its address: its calendar is empty, and nobody tells its organizers."""
    address = world.room_addresses[room - 1]
    world.tenant.office.remove_room(address)
    world.tenant.office.add_room(address, f"Room {room}")


class TestARoomThatIsSetUpAnew:
    """What is held of its former calendar is asked for, and is not there."""

    def test_loses_a_meeting_of_which_each_of_its_calendars_had_a_copy(self, world: World) -> None:
        """The new calendar is read when it has a copy of its own: that of the former one is hidden behind it."""
        event = world.meet(1, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        deafen(world)
        set_up_anew(world, 1)
        world.run(world.person(1).move(event["id"], world.at(11), world.at(12)))  # which asks both rooms anew
        world.wait(2)
        world.office.enqueue("places", "all")
        world.heal()
        assert states(world.loan(loan.number)) == [ItemState.ACCEPTED]

        drop(world, 1)
        world.heal()
        assert states(world.loan(loan.number)) == [ItemState.RELEASED]

    def test_loses_a_meeting_that_lasts_no_time(self, world: World) -> None:
        """It lies nowhere in a window; a whole reading that does not show it has it asked for all the same."""
        event = world.meet(1, 9, 10, 1, 2)
        world.settle()
        (loan,) = world.loans
        world.run(world.person(1).move(event["id"], world.at(11), world.at(11)))
        world.settle()

        set_up_anew(world, 1)
        world.office.enqueue("places", "all")
        world.heal()
        assert states(world.loan(loan.number)) == [ItemState.RELEASED, ItemState.ACCEPTED]

    @pytest.mark.parametrize("answered", [False, True])
    def test_is_no_part_of_a_date_that_came_back_before(self, world: World, answered: bool) -> None:
        """
        Moving the series brings back its cancelled date, and all that the room ever showed of it is its end.

        That end, of other times, was taken for its removal; or, once the organizer told a yes, that yes was believed.
        """
        day = (world.loop.now() + timedelta(days=2)).date()
        master = book_series(world, 1, day, 9, 1, 2, times=2)
        world.settle()
        date, *_ = world.dates(1, master["id"])
        world.run(world.person(1).cancel(date["id"]))
        world.settle()

        deafen(world)
        world.run(world.person(1).move(master["id"], at(day, 11), at(day, 12)))
        world.wait(3.0 if answered else 0.01)
        set_up_anew(world, 2)
        world.office.enqueue("places", "all")
        world.heal()

        told = ItemState.RELEASED if answered else ItemState.REQUESTED
        assert [states(loan) for loan in world.live_loans] == [[ItemState.ACCEPTED, told]] * 2

    def test_loses_a_date_that_its_new_calendar_ends_while_the_former_one_cannot_be_asked(
        self, worlds: MakeWorld
    ) -> None:
        """Its date of before our first contact is found to be gone last, and was no loan by itself: the loan of the
        new calendar's date waits for just that."""
        world = worlds(
            rooms=2, people=2, settings=WITHOUT_CONTENT | {"ENGINE_SYNC__FIRST_CONTACT": "list"}, start=False
        )
        day = (world.loop.now() + timedelta(days=2)).date()
        master = book_series(world, 1, day, 9, 1, times=2)
        world.wait(5)
        world.open()
        assert world.loans == ()
        set_up_anew(world, 1)
        world.run(world.person(1).move(master["id"], at(day, 11), at(day, 12)))
        world.wait(2)
        world.tenant.faults.add(effect="error", status=504, path="events/", mailbox=world.room_addresses[0])
        world.office.enqueue("places", "all")
        world.wait(10)
        assert [loan.blocks for loan in world.loans] == [True, True]

        date, _ = world.dates(1, master["id"])
        world.run(world.person(1).cancel(date["id"]))
        world.wait(2)
        world.tenant.faults.clear()
        world.heal()

        assert [loan.blocks for loan in world.loans] == [False, True]

    def test_is_asked_again_for_what_it_could_not_be_asked_while_it_was_not_there(self, world: World) -> None:
        """Its room is suspended then; once it can be read again, it is asked."""
        event = world.meet(1, 9, 10, 1, 2)
        world.settle()
        (loan,) = world.loans
        no_room = {"effect": "error", "status": 404, "code": "ErrorInvalidUser", "mailbox": world.room_addresses[0]}
        world.tenant.faults.add(**no_room, path="events/A")
        world.tenant.office.release(world.room_addresses[0], event["iCalUId"])
        world.wait(30)
        assert world.office.read_status()["rooms"] == {"active": 1, "suspended": 1}
        assert world.watcher.parked_keys == []

        world.tenant.faults.clear()
        world.lose_delta(1)
        world.heal()
        assert states(world.loan(loan.number)) == [ItemState.RELEASED, ItemState.ACCEPTED]


class TestARoomThatIsFollowedAgain:
    """An ignored tag had kept it out since before it told anything of a loan."""

    @pytest.mark.parametrize("set_up_anew", [False, True], ids=["as it was", "set up anew"])
    def test_is_not_needed_to_know_that_its_meeting_was_moved(self, world: World, set_up_anew: bool) -> None:
        """Set up anew, it will never tell: the organizer is asked."""
        address, person = world.room_addresses[0], 2
        deafen(world)
        loan = world.book(person, 9, 10, 1)
        world.wait(2)
        world.tenant.office.change_place(address, tags=["no sync"])
        world.override(SettingKey.IGNORED_TAGS, "no sync")
        world.wait(90)
        assert states(world.loan(loan.number)) == [ItemState.ACCEPTED]
        (event,) = world.run(world.person(person).events())
        world.run(world.person(person).move(event["id"], world.at(14), world.at(15)))
        if set_up_anew:
            world.tenant.office.remove_room(address)
            world.tenant.office.add_room(address, "Room 1")
        world.override(SettingKey.IGNORED_TAGS, None)
        world.wait(AT_ONCE)

        assert world.loan(loan.number).interval.start == world.at(14)


class TestARoomThatDropsAMeetingAndIsAskedAgain:
    """It has another copy then, under another id; and its organizer's mailbox is closed before anything is heard."""

    def move_and_close(self, world: World) -> Loan:
        loan = world.book(2, 9, 10, 1)
        world.settle()
        deafen(world)
        drop(world, 1)
        world.wait(AT_ONCE)
        world.change(loan.number, LoanChange(start=world.at(14), end=world.at(15)))
        world.wait(2)
        world.set_mailbox(2, "disabled")
        return loan

    def test_goes_on_with_what_was_written_last(self, world: World) -> None:
        """What the room was last heard to show is older than the move: nobody has moved it back."""
        loan = self.move_and_close(world)
        world.wait(AT_ONCE)

        assert world.loan(loan.number).interval.start == world.at(14)
        assert "moved_in_outlook" not in world.history(loan.number)

    def test_has_not_lost_it(self, world: World) -> None:
        """The room tells that the former copy is gone, and not yet that there is another: it is asked."""
        loan = self.move_and_close(world)
        world.tenant.faults.add(effect="lag", seconds=10)
        sweep(world)
        world.wait(AT_ONCE)

        assert world.loan(loan.number).status is LoanStatus.NEW
        assert states(world.loan(loan.number)) == [ItemState.ACCEPTED]

"""From Outlook to the app, rule by rule (H36-H48), and all that may come between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import inspect, text

from engine.errors import Invalid, Stale, Unavailable
from engine.ids import Address, ICalUid
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan
from engine.loans.register import ItemRef, LoanChange
from engine.loans.rules import BookingRules
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.prove.world.world import World
from engine.reconcile.actions import NewLoan, Plan
from engine.reconcile.ledger import Booking, Writing
from engine.rooms.room import RoomState
from engine.web.pages.parts.settings import SettingKey
from tests.simulation.conftest import MakeWorld

NO_DEFAULT_USER = {"ENGINE_LOANS__DEFAULT_USER": ""}


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=3)


def states(loan: Loan) -> dict[str, ItemState]:
    return {item.name: item.state for item in loan.items}


def only_loan(world: World) -> Loan:
    (loan,) = world.loans
    return loan


def check_answers(world: World) -> None:
    """Let the time pass after which missing answers are asked for, and releases looked at once more."""
    world.wait(45)
    world.settle()


def allow_conflicts(world: World, *rooms: int) -> None:
    for room in rooms:
        world.tenant.office.set_processing(world.room_addresses[room - 1], AllowConflicts=True)


def move_onto_a_loan(world: World) -> Loan:
    """Move a meeting in Outlook to where a loan holds its only room, which allows conflicts; return that loan."""
    held = world.book(3, 14, 15, 1)
    world.settle()
    event = world.meet(2, 9, 10, 1)
    world.settle()
    allow_conflicts(world, 1)
    world.run(world.person(2).move(event["id"], world.at(14), world.at(15)))
    world.settle()
    return held


def meet_in_a_silent_room(world: World, *others: int) -> dict[str, Any]:
    """Return a meeting in room 1, which shows it and has not answered for three hours, and in *others*."""
    world.tenant.office.set_processing("room-1@example.org", AutomateProcessing="AutoUpdate")
    event = world.meet(2, 9, 10, 1, *others)
    world.wait(3 * 3600)
    return event


def request_from_outside(world: World, start: float, end: float, room: int) -> None:
    address = world.room_addresses[room - 1]
    world.tenant.office.set_processing(address, ProcessExternalMeetingMessages=True)
    world.tenant.office.request_from_outside(
        "guest@elsewhere.example",
        "A Guest",
        {
            "subject": "Visit",
            "start": {"dateTime": f"{world.at(start):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
            "end": {"dateTime": f"{world.at(end):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
            "attendees": [{"type": "resource", "emailAddress": {"address": address}}],
        },
    )
    world.settle()


def find_in_database(world: World, word: str) -> list[str]:
    """Return the table and column of every value in the database that contains *word*."""
    found = []
    with world.database.read() as transaction:
        connection = transaction.connection
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                found += [f"{table}.{name}" for name, value in row.items() if word.lower() in str(value).lower()]
    return found


class TestWhoAsks:
    def test_is_the_organizer(self, world: World) -> None:
        """The requester is the organizer (H41), whatever the case of the address."""
        world.meet(2, 9, 10, 1)
        world.settle()

        assert only_loan(world).requester.address == "person-2@example.org"

    def test_is_the_default_user_for_somebody_from_outside(self, world: World) -> None:
        """An organizer who is none of ours falls back on the default user (H36), and the history tells."""
        request_from_outside(world, 9, 10, 1)

        loan = only_loan(world)
        assert loan.requester.address == "person-1@example.org"
        assert "default_user_stands_in" in world.history(loan.number)

    def test_without_default_user_there_is_no_loan_but_a_case(self, worlds: MakeWorld) -> None:
        """No valid organizer and no default user: not valid (H36), and a case says so."""
        world = worlds(settings=NO_DEFAULT_USER)

        request_from_outside(world, 9, 10, 1)

        assert world.loans == ()
        assert world.cases() == ["organizer_unknown"]

    def test_is_whoever_takes_the_meeting_over(self, world: World) -> None:
        """The requester is among what may be updated (H46): an administrator hands a meeting to another organizer."""
        event = world.meet(2, 9, 10, 1)
        world.settle()

        world.tenant.office.change_organizer("person-2@example.org", event["iCalUId"], "person-3@example.org")
        world.settle()

        loan = only_loan(world)
        assert loan.requester.address == "person-3@example.org"
        assert loan.status is LoanStatus.NEW

    def test_is_found_while_its_room_shows_nothing(self, world: World) -> None:
        """A whole reading that comes back empty, and a former organizer who has it no more, are no end of a meeting
        that was handed over in the meantime: the room is asked for it by its id."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.add(effect="lose")
        world.tenant.office.change_organizer("person-2@example.org", event["iCalUId"], "person-3@example.org")
        world.lose_delta(1)
        world.tenant.faults.add(effect="lag", seconds=30)
        world.office.rooms.mark_rooms(priority=1)
        world.wait(20)
        world.tenant.faults.clear()
        world.heal()

        loan = only_loan(world)
        assert loan.blocks
        assert loan.requester.address == "person-3@example.org"

    def test_is_called_by_the_new_name(self, world: World) -> None:
        """A renamed organizer is the same requester under another name once the meeting is heard of again."""
        event = world.meet(2, 9, 10, 1)
        world.settle()

        world.tenant.office.rename("person-2@example.org", "Robin Newname")
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.settle()

        assert only_loan(world).requester.address == "person-2@example.org"
        world.meet(2, 14, 15, 1)
        world.settle()
        assert {loan.requester.name for loan in world.loans} == {"Robin Newname"}

    def test_whose_mailbox_may_not_be_read_still_gets_the_loan(self, world: World) -> None:
        """Without the organizer's copy the room's copy must do: a loan without title, which follows all the same."""
        event = world.meet(2, 9, 10, 1, subject="Not to be read")
        world.tenant.office.set_state("person-2@example.org", "denied")
        world.settle()

        loan = only_loan(world)
        assert (loan.title, states(loan)) == ("", {"Room 1": ItemState.ACCEPTED})
        world.tenant.office.set_state("person-2@example.org", "active")
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.tenant.office.set_state("person-2@example.org", "denied")
        world.settle()
        assert only_loan(world).interval.start == world.at(11)
        world.tenant.office.set_state("person-2@example.org", "active")
        world.run(world.person(2).cancel(event["id"]))
        world.tenant.office.set_state("person-2@example.org", "denied")
        world.settle()
        assert only_loan(world).status is LoanStatus.CANCELLED
        assert world.watcher.parked_keys == []


class TestWhen:
    def test_exact_times_are_kept_and_quarters_are_blocked(self, world: World) -> None:
        """Times off the grid are kept as they are (H42); the app blocks the quarters they touch, and writes nothing."""
        start, end = world.at(9) + timedelta(minutes=7), world.at(9) + timedelta(minutes=52)
        event = world.run(world.person(2).book(start, end, rooms=world.room_addresses[:1]))
        world.settle()

        loan = only_loan(world)
        assert (loan.interval.start, loan.interval.end) == (start, end)
        with pytest.raises(Unavailable):
            world.book(3, 9.75, 10, 1)
        world.heal()
        assert world.count_writes() == 0
        after = world.run(world.person(2).get(event["id"]))
        assert after["start"] == event["start"]

    def test_all_day_is_midnight_to_midnight_in_the_rooms_zone(self, worlds: MakeWorld) -> None:
        """All-day meetings float: they block the room from its own midnight to its own midnight."""
        world = worlds(settings={"ENGINE_ROOMS__TIME_ZONE": "Europe/Paris"})
        world.meet(2, 0, 24, 1, isAllDay=True)
        world.settle()

        loan = only_loan(world)
        assert loan.interval.end - loan.interval.start == timedelta(days=1)
        assert loan.interval.start == world.at(-1)

    def test_zero_length_blocks_nothing(self, world: World) -> None:
        """A meeting that ends when it starts has no valid dates (H37): no loan; the room stays free."""
        world.meet(2, 9, 9, 1)
        world.settle()

        assert world.loans == ()
        assert set(world.cases()) <= {"zero_length"}
        assert world.book(3, 9, 10, 1).number

    def test_a_meeting_that_becomes_a_real_one_becomes_a_loan(self, world: World) -> None:
        event = world.meet(2, 9, 9, 1)
        world.settle()

        world.run(world.person(2).move(event["id"], world.at(9), world.at(10)))
        world.settle()

        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED}
        assert world.cases() == []

    def test_a_draft_is_ignored(self, world: World) -> None:
        """A draft has been sent to nobody: no loan, no case."""
        event = world.meet(2, 9, 10, 1, isDraft=True)
        world.settle()

        assert world.loans == () or not event.get("isDraft")
        assert world.cases() == []

    def test_a_meeting_of_the_past_changes_nothing_that_is_over(self, world: World) -> None:
        """A loan that is over stays as it was when its meeting is moved; a case tells of a move into the future."""
        event = world.meet(2, 7.25, 7.5, 1, days=0)
        world.settle()
        before = only_loan(world).interval
        world.wait(3600)

        world.run(world.person(2).move(event["id"], world.at(9), world.at(10)))
        world.settle()

        assert only_loan(world).interval == before
        assert world.cases() == ["past_loan_frozen"]

    def test_a_meeting_beyond_the_window_is_not_cancelled(self, world: World) -> None:
        """Delta says `@removed` of what leaves its window: asked for by its id, the meeting is there, only later."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        far = timedelta(days=500)
        world.tenant.office.set_processing("room-1@example.org", BookingWindowInDays=1080)

        world.run(world.person(2).move(event["id"], world.at(9) + far, world.at(10) + far))
        world.settle()

        loan = only_loan(world)
        assert loan.blocks
        assert loan.interval.start == world.at(9) + far


class TestRooms:
    def test_are_the_items(self, world: World) -> None:
        """A meeting in three rooms is one loan with three items, each with its own answer (H43)."""
        world.meet(2, 9, 10, 1, 2, 3)
        world.settle()

        assert states(only_loan(world)) == dict.fromkeys(("Room 1", "Room 2", "Room 3"), ItemState.ACCEPTED)
        assert (only_loan(world).status, only_loan(world).home) == (LoanStatus.NEW, Home.OUTLOOK)

    def test_one_that_declines_is_declined_in_the_loan(self, world: World) -> None:
        """One of several rooms declines: the loan lives with that item declined, and a case tells (H38)."""
        world.tenant.office.set_processing("room-2@example.org", MaximumDurationInMinutes=30)
        world.meet(2, 9, 10, 1, 2)
        world.settle()
        check_answers(world)

        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.DECLINED}
        assert world.cases() == ["room_declined"]
        assert world.book(3, 9, 10, 2).number, "a room that declined is free"

    def test_that_all_decline_make_no_loan(self, world: World) -> None:
        """No room has accepted: nothing to lend (H38)."""
        for room in (1, 2):
            world.tenant.office.set_processing(world.room_addresses[room - 1], MaximumDurationInMinutes=30)
        world.meet(2, 9, 10, 1, 2)
        world.settle()
        check_answers(world)

        assert world.live_loans == ()

    def test_one_that_declines_late(self, world: World) -> None:
        """A delegate declines long after the room had accepted: that item is declined, the other stays."""
        event = world.meet(2, 9, 10, 1, 2)
        world.settle()

        copy = world.run(world.room(1).by_ical(event["iCalUId"]))
        world.run(world.room(1).answer(copy["id"], "decline"))
        world.settle()
        check_answers(world)

        assert states(only_loan(world)) == {"Room 1": ItemState.DECLINED, "Room 2": ItemState.ACCEPTED}
        assert world.cases() == ["room_declined"]

    def test_the_only_one_declines_late(self, world: World) -> None:
        """Without any room the loan of a meeting is cancelled; the meeting itself is the organizer's."""
        event = world.meet(2, 9, 10, 1)
        world.settle()

        copy = world.run(world.room(1).by_ical(event["iCalUId"]))
        world.run(world.room(1).answer(copy["id"], "decline"))
        world.settle()
        check_answers(world)

        loan = only_loan(world)
        assert loan.status is LoanStatus.CANCELLED
        assert "all_rooms_declined" in world.history(loan.number)
        assert world.run(world.person(2).get(event["id"]))["isCancelled"] is False
        assert world.count_writes() == 0

    def test_are_swapped(self, world: World) -> None:
        """The loan follows the rooms of its meeting (H46)."""
        event = world.meet(2, 9, 10, 1, 2)
        world.settle()

        world.run(world.person(2).set_rooms(event["id"], ["room-2@example.org", "room-3@example.org"]))
        world.settle()

        found = states(only_loan(world))
        assert found == {"Room 1": ItemState.CANCELLED, "Room 2": ItemState.ACCEPTED, "Room 3": ItemState.ACCEPTED}
        assert world.book(3, 9, 10, 1).number

    def test_are_all_removed_and_one_comes_back(self, world: World) -> None:
        """All rooms removed: the loan is cancelled for good. A room brought back is a new loan."""
        event = world.meet(2, 9, 10, 1, 2)
        world.settle()

        world.run(world.person(2).set_rooms(event["id"], []))
        world.settle()
        check_answers(world)
        loan = only_loan(world)
        assert loan.status is LoanStatus.CANCELLED
        assert {"all_rooms_removed", "cancelled_in_outlook"} & set(world.history(loan.number))

        world.run(world.person(2).set_rooms(event["id"], ["room-3@example.org"]))
        world.settle()

        assert world.loan(loan.number).status is LoanStatus.CANCELLED
        (other,) = world.live_loans
        assert states(other) == {"Room 3": ItemState.ACCEPTED}

    def test_one_is_released_by_exchange(self, world: World) -> None:
        """The room's copy is gone while the organizer's still lists it: released, and free again."""
        event = world.meet(2, 9, 10, 1, 2)
        world.settle()

        world.tenant.office.release("room-1@example.org", event["iCalUId"])
        world.settle()
        check_answers(world)

        assert states(only_loan(world)) == {"Room 1": ItemState.RELEASED, "Room 2": ItemState.ACCEPTED}
        assert world.cases() == ["room_released"]
        assert world.book(3, 9, 10, 1).number

    def test_one_waits_for_a_delegate(self, world: World) -> None:
        """A room whose delegate decides is tentative until then, and holds its time."""
        world.tenant.office.set_processing(
            "room-1@example.org", AllBookInPolicy=False, AllRequestInPolicy=True, ResourceDelegates=["d@example.org"]
        )
        event = world.meet(2, 9, 10, 1)
        world.settle()

        assert states(only_loan(world))["Room 1"] in (ItemState.TENTATIVE, ItemState.REQUESTED)
        with pytest.raises(Unavailable):
            world.book(3, 9, 10, 1)
        world.tenant.office.settle("room-1@example.org", event["iCalUId"], approve=True)
        world.settle()
        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED}
        assert world.cases() == []

    def test_one_does_not_answer_by_itself(self, world: World) -> None:
        """AutoUpdate puts requests into the calendar and never answers: after the set time a case tells."""
        world.tenant.office.set_processing("room-1@example.org", AutomateProcessing="AutoUpdate")
        world.meet(2, 9, 10, 1)
        world.wait(10)
        assert only_loan(world).blocks

        world.wait(11 * 60)
        world.settle()

        assert states(only_loan(world)) == {"Room 1": ItemState.REQUESTED}
        assert world.cases() == ["room_does_not_answer"]
        (event,) = world.run(world.person(2).events())
        world.tenant.office.settle("room-1@example.org", event["iCalUId"], approve=True)
        world.settle()
        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED}
        assert world.cases() == []

    def test_one_declines_after_another_was_silent_for_hours(self, worlds: MakeWorld) -> None:
        """It leaves its calendar before the organizer hears of it: that is asked once more, and soon, however seldom it
        was for the silent one."""
        world = worlds(rooms=2, tenant={"attendant_delay": (2.0, 2.0)})
        event = meet_in_a_silent_room(world)
        world.tenant.office.set_processing("room-2@example.org", MaximumDurationInMinutes=30)

        world.run(world.person(2).set_rooms(event["id"], world.room_addresses))
        world.wait(5)
        assert states(only_loan(world))["Room 2"] is ItemState.REQUESTED
        check_answers(world)

        assert states(only_loan(world)) == {"Room 1": ItemState.REQUESTED, "Room 2": ItemState.DECLINED}

    @pytest.mark.parametrize("others", [(), (2,)])
    def test_one_is_declined_by_a_delegate_after_hours(self, worlds: MakeWorld, others: tuple[int, ...]) -> None:
        """It leaves its calendar before the organizer hears of it: that is asked once more, and soon, however long was
        waited."""
        world = worlds(rooms=2, tenant={"attendant_delay": (2.0, 2.0)})
        event = meet_in_a_silent_room(world, *others)

        world.tenant.office.settle("room-1@example.org", event["iCalUId"], approve=False)
        world.wait(1)
        assert states(only_loan(world))["Room 1"] is ItemState.REQUESTED
        check_answers(world)

        assert states(only_loan(world))["Room 1"] is ItemState.DECLINED
        assert only_loan(world).blocks == bool(others)

    def test_one_declines_late_and_is_looked_at_meanwhile(self, worlds: MakeWorld) -> None:
        """A look that comes meanwhile, for whatever reason, takes the place of none that was promised."""
        world = worlds(rooms=2, tenant={"attendant_delay": (8.0, 8.0)})
        event = world.meet(2, 9, 10, 1, 2)
        world.wait(60)

        copy = world.run(world.room(1).by_ical(event["iCalUId"]))
        world.run(world.room(1).answer(copy["id"], "decline"))
        world.wait(3)
        assert states(only_loan(world))["Room 1"] is ItemState.RELEASED
        world.office.enqueue("loan", str(only_loan(world).number))
        check_answers(world)

        assert states(only_loan(world)) == {"Room 1": ItemState.DECLINED, "Room 2": ItemState.ACCEPTED}

    def test_one_that_is_asked_anew_is_not_silent_yet(self, world: World) -> None:
        """It did not answer for hours, and has just been asked for other times: the set time begins anew."""
        event = meet_in_a_silent_room(world)
        assert world.cases() == ["room_does_not_answer"]

        world.run(world.person(2).move(event["id"], world.at(14), world.at(15)))
        check_answers(world)
        assert world.cases() == []
        world.wait(11 * 60)

        assert world.cases() == ["room_does_not_answer"]

    def test_are_recognised_by_an_alias(self, worlds: MakeWorld) -> None:
        """A room invited under a former address is the same room."""
        world = worlds(rooms=1)
        world.tenant.office.readdress("room-1@example.org", "salon@example.org", keep_alias=True)
        world.office.enqueue("places", "all")
        world.settle()

        world.meet(2, 9, 10, 1)
        world.settle()

        assert [item.state for item in only_loan(world).items] == [ItemState.ACCEPTED]

    def test_are_not_lost_when_their_new_address_is_not_known_yet(self, worlds: MakeWorld) -> None:
        """The organizer's list names an address that nobody knows, the room's calendar still shows the meeting: an
        edit at the desk, for which that list is read, does not end the loan for want of a room."""
        world = worlds(rooms=2)
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        world.tenant.faults.add(effect="lose", probability=1.0)
        world.readdress(1, "salon@example.org")
        world.run(world.person(2).set_rooms(event["id"], ["salon@example.org"]))
        world.change(loan.number, LoanChange(start=world.at(14), end=world.at(15)))
        world.wait(5)

        assert world.loan(loan.number).blocks
        world.office.enqueue("places", "all")
        world.heal()
        (moved,) = world.live_loans
        assert (moved.number, moved.interval.start) == (loan.number, world.at(14))
        assert [(item.name, item.state) for item in moved.rooms] == [("Room 1", ItemState.ACCEPTED)]

    def test_are_recognised_before_their_new_address_is_known(self, worlds: MakeWorld) -> None:
        """Invited by an address of which the list of rooms has not told yet, a room shows in its own calendar that it
        is meant. The list changes nothing about it."""
        world = worlds(rooms=1)
        world.readdress(1, "salon@example.org")
        world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        assert states(loan) == {"Room 1": ItemState.ACCEPTED}

        world.office.enqueue("places", "all")
        world.settle()

        assert (only_loan(world).number, states(only_loan(world))) == (loan.number, states(loan))
        assert world.cases() == []

    def test_are_recognised_when_an_address_they_had_for_a_while_is_never_known(self, worlds: MakeWorld) -> None:
        """Its own calendar tells which room was invited by it, also to guests who do not see each other."""
        world = worlds(rooms=2)
        world.readdress(2, "salon@example.org")
        world.meet(2, 9, 10, 1, 2)
        world.meet(2, 14, 15, 1, 2, hideAttendees=True)
        world.readdress(2, "salle@example.org")
        world.office.enqueue("places", "all")
        world.heal()

        both = {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.ACCEPTED}
        assert [states(loan) for loan in world.live_loans] == [both, both]
        assert world.cases() == []

    def test_that_dropped_a_meeting_before_their_new_address_was_known_are_told_as_released(
        self, worlds: MakeWorld
    ) -> None:
        """Until then the organizer's list does not name them, as if they had been taken out; then it is read again."""
        world = worlds(rooms=2)
        world.readdress(1, "salon@example.org")
        event = world.meet(2, 9, 10, 1, 2)
        world.settle()
        world.tenant.office.release("salon@example.org", event["iCalUId"])
        world.settle()
        assert states(only_loan(world)) == {"Room 1": ItemState.CANCELLED, "Room 2": ItemState.ACCEPTED}

        world.office.enqueue("places", "all")
        world.settle()

        assert states(only_loan(world)) == {"Room 1": ItemState.RELEASED, "Room 2": ItemState.ACCEPTED}
        assert world.cases() == ["room_released"]

    @pytest.mark.parametrize("why", ["an address not heard of yet", "hidden guests"])
    @pytest.mark.parametrize("is_moved", [False, True])
    def test_that_dropped_a_meeting_that_others_do_not_name_them_in_are_told_as_released(
        self, worlds: MakeWorld, why: str, *, is_moved: bool
    ) -> None:
        """The organizer's list has named them, which nobody can read any more; the other room's copy never did, be it
        from before the organizer's was read or from after.

        The loan held the room for good, or told it as taken out."""
        world = worlds(rooms=2)
        if why == "an address not heard of yet":
            world.readdress(2, "salon@example.org")
        event = world.meet(2, 9, 10, 1, 2, hideAttendees=why == "hidden guests")
        world.settle()
        if is_moved:
            world.run(world.person(2).move(event["id"], world.at(14), world.at(15)))
            world.settle()
        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.ACCEPTED}

        world.tenant.office.release(world.room_addresses[1], event["iCalUId"])
        world.set_mailbox(2, "denied")
        world.heal()

        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.RELEASED}
        assert world.cases() == ["room_released"]

    def test_that_hide_each_other_are_not_lost_with_one_that_drops_the_meeting(self, world: World) -> None:
        """The third room has told its yes last, after the organizer's list was read, which nobody can read any more.

        The loan lost the first room, too, which went on holding the meeting."""
        office, (_, second, third) = world.tenant.office, world.room_addresses
        rules = {"AllBookInPolicy": False, "AllRequestInPolicy": True, "ResourceDelegates": [world.people[0]]}
        office.set_processing(third, **rules)
        event = world.meet(2, 9, 10, 1, 2, 3, hideAttendees=True)
        world.settle()
        office.settle(third, event["iCalUId"], approve=True)
        world.settle()

        office.release(second, event["iCalUId"])
        world.set_mailbox(2, "denied")
        world.heal()

        said = {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.RELEASED, "Room 3": ItemState.ACCEPTED}
        assert states(only_loan(world)) == said

    def test_are_read_by_their_new_address_once_the_old_one_is_gone(self, worlds: MakeWorld) -> None:
        """What a reading goes on from names the address it began with: it begins anew with the other one."""
        world = worlds(rooms=1)
        office = world.tenant.office
        world.readdress(1, "salon@example.org")
        world.office.enqueue("places", "all")
        world.settle()
        office.remove_room("salon@example.org")
        office.add_room("salon@example.org", "Room 1")  # the former address reaches nobody any more
        world.heal()

        world.meet(2, 9, 10, 1)
        world.heal()

        assert [item.state for item in only_loan(world).items] == [ItemState.ACCEPTED]
        assert world.cases() == []


class TestWhatIsTaken:
    def test_a_new_meeting_in_a_taken_room_is_no_loan(self, world: World) -> None:
        """Exchange may allow conflicts, the desk never: the whole meeting is invalid (H39); a case tells."""
        held = world.book(3, 9, 10, 1)
        world.settle()
        allow_conflicts(world, 1)

        world.meet(2, 9.5, 11, 1, 2)
        world.settle()

        assert only_loan(world).number == held.number
        assert world.cases() == ["item_unavailable"]

    def test_it_is_looked_at_again_when_the_room_is_free(self, world: World) -> None:
        """An invalid meeting becomes a loan, and its case closes, when what blocked it changes."""
        held = world.book(3, 9, 10, 1)
        world.settle()
        allow_conflicts(world, 1)
        world.meet(2, 9.5, 11, 1, 2)
        world.settle()

        world.act(held, LoanAction.CANCEL)
        world.settle()

        (loan,) = world.live_loans
        assert states(loan) == {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.ACCEPTED}
        assert world.cases() == []

    def test_the_loan_that_was_told_to_be_in_its_way_is_told_while_it_is(self, world: World) -> None:
        """Another that comes into its way is no news, and is told once it is all that is left."""
        first = world.book(3, 9, 10, 1)
        world.settle()
        allow_conflicts(world, 1)
        kept_out = world.meet(2, 9, 12, 1)
        world.settle()
        world.meet(3, 11, 12, 1)
        world.settle()
        _, second = world.live_loans
        decided = world.count_decisions()

        world.office.enqueue("meeting", kept_out["iCalUId"])
        world.settle()

        assert [facts["loan"] for facts in world.all_case_facts()] == [first.number]
        assert world.count_decisions() == decided

        world.act(first, LoanAction.CANCEL)
        world.settle()

        assert [facts["loan"] for facts in world.all_case_facts()] == [second.number]

    def test_a_meeting_that_moves_into_a_taken_room_loses_only_that_room(self, world: World) -> None:
        """After the change only what is no longer available leaves the loan (H47); the loser's value is in a case."""
        world.book(3, 14, 15, 1)
        world.settle()
        event = world.meet(2, 9, 10, 1, 2)
        world.settle()
        allow_conflicts(world, 1)

        world.run(world.person(2).move(event["id"], world.at(14), world.at(15)))
        world.settle()

        loan = next(loan for loan in world.loans if loan.home is Home.OUTLOOK)
        assert loan.interval.start == world.at(14)
        assert states(loan) == {"Room 1": ItemState.CANCELLED, "Room 2": ItemState.ACCEPTED}
        assert "item_dropped" in world.history(loan.number)
        assert world.cases() == ["item_unavailable"]
        assert world.count_writes() == 1, "beside the loan's event nothing is written: the meeting is the organizer's"

    def test_a_thing_that_is_lent_at_the_new_time_is_called_by_its_name(self, world: World) -> None:
        world.furnish(["Trolley"])
        trolley = ItemRef(ItemKind.ASSET, world.things[0])
        for start, room in ((9, 1), (14, 2)):
            event = world.meet(2, start, start + 1, room)
            world.settle()
            number = world.loans[-1].number
            world.change(number, LoanChange(items=(world.item(room), trolley)))
        world.settle()

        world.run(world.person(2).move(event["id"], world.at(9), world.at(10)))
        world.settle()

        assert states(world.loans[-1])["Trolley"] is ItemState.CANCELLED
        assert [facts["item"] for facts in world.all_case_facts()] == ["Trolley"]

    @pytest.mark.parametrize("is_taken", [False, True], ids=["still free", "taken meanwhile"])
    def test_a_thing_comes_along_when_a_meeting_without_a_room_finds_one_again(
        self, world: World, *, is_taken: bool
    ) -> None:
        """Its only room declined it, which ended its loan; what was lent beside, only the desk knows."""
        world.furnish(["Trolley"])
        trolley = ItemRef(ItemKind.ASSET, world.things[0])
        world.meet(3, 14, 15, 1)
        event = world.meet(2, 9, 10, 1)
        world.settle()
        former = next(loan for loan in world.loans if loan.requester.address == "person-2@example.org")
        world.change(former.number, LoanChange(items=(world.item(1), trolley)))
        world.settle()
        world.run(world.person(2).move(event["id"], world.at(14), world.at(15)))
        world.settle()
        assert world.loan(former.number).status is LoanStatus.CANCELLED

        if is_taken:
            other = world.book(3, 9, 12, 2)
            world.change(other.number, LoanChange(items=(world.item(2), trolley)))
        world.run(world.person(2).move(event["id"], world.at(10), world.at(11)))
        world.settle()

        loan = world.loans[-1]
        expected = {"Room 1": ItemState.ACCEPTED} | ({} if is_taken else {"Trolley": ItemState.ACCEPTED})
        assert (loan.blocks, states(loan)) == (True, expected)
        assert ("item_dropped" if is_taken else "things_come_along") in world.history(loan.number)
        assert world.cases_of(loan.number) == ({"item_unavailable"} if is_taken else set())

    @pytest.mark.parametrize("is_taken", [False, True], ids=["free again", "still taken"])
    def test_a_thing_that_was_taken_together_with_the_last_room_comes_along(
        self, world: World, *, is_taken: bool
    ) -> None:
        """Another loan had both when the meeting moved there, which ended its own, and then lets go of one or both."""
        world.furnish(["Trolley"])
        trolley = ItemRef(ItemKind.ASSET, world.things[0])
        event = world.meet(2, 9, 10, 1)
        world.settle()
        former = only_loan(world)
        world.change(former.number, LoanChange(items=(world.item(1), trolley)))
        other = world.book(3, 14, 15, 1)
        world.change(other.number, LoanChange(items=(world.item(1), trolley)))
        world.settle()
        allow_conflicts(world, 1)
        world.run(world.person(2).move(event["id"], world.at(14), world.at(15)))
        world.settle()
        assert world.loan(former.number).status is LoanStatus.CANCELLED

        world.change(other.number, LoanChange(items=(world.item(2), *([trolley] if is_taken else []))))
        world.settle()

        loan = world.loans[-1]
        expected = {"Room 1": ItemState.ACCEPTED} | ({} if is_taken else {"Trolley": ItemState.ACCEPTED})
        assert (loan.blocks, loan.interval.start, states(loan)) == (True, world.at(14), expected)
        assert ("item_dropped" if is_taken else "things_come_along") in world.history(loan.number)
        assert world.cases_of(loan.number) == ({"item_unavailable"} if is_taken else set())

    def test_a_meeting_that_became_a_loan_while_it_was_read_becomes_no_other_one(self, world: World) -> None:
        """A pass may last for as long as Graph is busy; what it was to make a loan of may be one by then, and may even
        have ended as one."""
        event = world.meet(2, 9, 10, 1)
        ledger = world.office.ledger
        before = Booking("meeting", ICalUid(event["iCalUId"]), None, None, ())
        world.settle()
        (loan,) = world.loans
        world.act(loan, LoanAction.CANCEL)
        world.settle()
        new = NewLoan(loan.requester, loan.interval, {world.item(1).id: ItemState.ACCEPTED}, "", private=False)

        with pytest.raises(Stale):
            ledger.save_plan(before, Plan(loan=new), Writing())

        assert len(world.loans) == 1

    def test_a_meeting_whose_only_room_is_taken_loses_its_loan(self, world: World) -> None:
        move_onto_a_loan(world)

        loan = next(loan for loan in world.loans if loan.home is Home.OUTLOOK)
        assert loan.status is LoanStatus.CANCELLED
        assert "no_room_left" in world.history(loan.number)

    def test_it_becomes_a_loan_again_as_soon_as_the_room_is_free(self, world: World) -> None:
        """It waited until its room was read whole again, by night, or its organizer changed it."""
        held = move_onto_a_loan(world)

        world.act(held, LoanAction.CANCEL)
        world.settle()

        (loan,) = world.live_loans
        assert (loan.home, loan.interval) == (Home.OUTLOOK, Interval(world.at(14), world.at(15)))

    def test_one_that_was_cancelled_is_not_looked_at_whenever_its_room_changes(self, world: World) -> None:
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.run(world.person(2).cancel(event["id"]))
        world.settle()
        held = world.book(3, 14, 15, 1)
        world.settle()

        world.act(held, LoanAction.CANCEL)

        assert [(key.kind, key.key) for key in world.office.queue.waiting(10) if key.kind == "meeting"] == []

    def test_booking_rules_do_not_make_a_meeting_invalid(self, world: World) -> None:
        """Exchange accepted it: it is imported and flagged (H60-H62)."""
        rules = BookingRules(duration_minutes_max=30)
        world.office.desk.set_rules(rules, store_id=None, item_id=world.item(1).id, actor="app:test")

        world.meet(2, 9, 10, 1)
        world.settle()

        assert only_loan(world).blocks
        assert world.cases() == ["longer_than_maximum"]


class TestTheEnd:
    @pytest.mark.parametrize("verb", ["cancel", "delete"])
    def test_cancels_the_loan_for_good(self, world: World, verb: str) -> None:
        """A meeting that is cancelled or deleted cancels its loan (H48), whatever is heard later."""
        event = world.meet(2, 9, 10, 1, 2)
        world.settle()

        world.run(getattr(world.person(2), verb)(event["id"]))
        world.settle()
        world.heal()

        loan = only_loan(world)
        assert loan.status is LoanStatus.CANCELLED
        assert "cancelled_in_outlook" in world.history(loan.number)
        assert world.book(3, 9, 10, 1, 2).number

    def test_is_the_end_where_cancelled_copies_are_removed(self, world: World) -> None:
        """Rooms that remove cancelled meetings leave no trace but `@removed`, confirmed by asking."""
        world.tenant.office.set_processing("room-1@example.org", RemoveCanceledMeetings=True)
        event = world.meet(2, 9, 10, 1)
        world.settle()

        world.run(world.person(2).cancel(event["id"]))
        world.settle()

        assert only_loan(world).status is LoanStatus.CANCELLED


class TestPrivateMeetings:
    SECRET = "Zebra acquisition"

    def test_leave_their_title_nowhere(self, world: World) -> None:
        """The title of a private meeting is in no table, though its room is held like any other."""
        event = world.meet(
            2, 9, 10, 1, subject=self.SECRET, sensitivity="private",
            body={"contentType": "text", "content": f"about the {self.SECRET}"},
        )  # fmt: skip
        world.settle()
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.settle()

        assert only_loan(world).blocks
        assert find_in_database(world, "zebra") == []

    def test_are_made_private_by_their_organizer_alone(self, world: World) -> None:
        """What Outlook says of a meeting is not for the desk to change: it would be undone by the next look."""
        world.meet(2, 9, 10, 1, subject="Tea")
        world.settle()

        with pytest.raises(Invalid) as refused:
            world.change(world.loans[0].number, LoanChange(private=True))

        assert [fault.code for fault in refused.value.faults] == ["said_in_outlook"]
        assert not world.loans[0].private

    def test_take_their_title_back_when_they_become_private(self, world: World) -> None:
        """A meeting that becomes private takes its title out of the loan once a copy says so."""
        world.tenant.office.set_processing("room-1@example.org", RemovePrivateProperty=False)
        event = world.meet(2, 9, 10, 1, subject=self.SECRET)
        world.settle()
        assert only_loan(world).title == self.SECRET

        world.run(world.person(2).change(event["id"], sensitivity="private"))
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.settle()

        assert only_loan(world).title == ""
        assert find_in_database(world, "zebra") == []


class TestRoomsThatComeAndGo:
    def test_an_excluded_room_keeps_its_loans(self, worlds: MakeWorld) -> None:
        """A room that gets an ignored tag is left alone from then on; the loans it has stay."""
        world = worlds(settings={"ENGINE_ROOMS__IGNORED_TAGS": "private"})
        world.meet(2, 9, 10, 1)
        world.settle()

        world.tenant.office.change_place("room-1@example.org", tags=["private"])
        world.office.enqueue("places", "all")
        world.settle()
        world.meet(2, 14, 15, 1)
        world.heal()

        assert only_loan(world).blocks
        assert world.count_writes() == 0

    def test_a_room_excluded_while_its_token_is_refused_is_read_when_it_is_followed_again(self, world: World) -> None:
        """Its reading would begin anew, and ends instead; no key is given up for it."""
        world.tenant.office.change_place("room-1@example.org", tags=["private"])
        world.office.enqueue("places", "all")
        world.settle()
        world.lose_delta(1)
        world.tenant.faults.add(effect="delay", seconds=5, path="delta")

        world.office.rooms.mark_rooms(priority=1)
        world.wait(1.0)
        world.override(SettingKey.IGNORED_TAGS, "private")
        world.office.enqueue("places", "all")
        world.wait(1.0)
        room = world.office.rooms.room_book().by_address(Address("room-1@example.org"))
        assert room is not None
        assert room.state is RoomState.EXCLUDED
        world.settle()
        world.meet(2, 9, 10, 1)
        world.settle()
        assert world.loans == ()

        world.override(SettingKey.IGNORED_TAGS, None)
        world.office.enqueue("places", "all")
        world.heal()

        assert only_loan(world).blocks
        assert world.watcher.parked_keys == []

    def test_a_room_that_was_left_alone_for_a_moment_joins_what_was_looked_at_meanwhile(self, world: World) -> None:
        """It was read before, so that its next reading brings nothing: that it is followed again is the news."""
        world.tenant.office.change_place("room-2@example.org", tags=["private"])
        world.office.enqueue("places", "all")
        world.settle()
        world.tenant.faults.add(effect="delay", method="GET", path="users/person-2.*events", seconds=10.0, times=1)
        world.meet(2, 9, 10, 1, 2)
        world.wait(5.0)
        world.override(SettingKey.IGNORED_TAGS, "private")
        world.office.enqueue("places", "all")
        world.wait(15.0)
        assert list(states(only_loan(world))) == ["Room 1"]

        world.override(SettingKey.IGNORED_TAGS, None)
        world.wait(3.0)

        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.ACCEPTED}

    def test_a_new_room_joins_what_it_was_invited_to_before_the_list_of_rooms_told_of_it(self, world: World) -> None:
        """What it shows is from before us, but for a meeting that is a loan of its other rooms."""
        room = world.set_up_room()
        world.meet(2, 9, 10, 1, room)
        world.meet(2, 14, 15, room)
        world.settle()
        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED}

        world.office.enqueue("places", "all")
        world.settle()

        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED, f"Room {room}": ItemState.ACCEPTED}
        assert world.count_writes() == 0

    def test_a_missing_room_keeps_its_loans(self, world: World) -> None:
        """A room that the directory no longer lists is missing, and nothing of it is cancelled."""
        world.meet(2, 9, 10, 1)
        world.settle()

        world.tenant.office.change_place("room-1@example.org", hidden=True)
        world.office.enqueue("places", "all")
        world.settle()
        world.heal()

        assert only_loan(world).blocks
        assert world.office.read_status()["rooms"] == {"active": 2, "missing": 1}

    def test_an_empty_list_of_rooms_changes_nothing(self, world: World) -> None:
        world.meet(2, 9, 10, 1)
        world.settle()

        world.tenant.faults.add(effect="empty_list", path="places")
        world.office.enqueue("places", "all")
        world.settle()

        assert only_loan(world).blocks
        assert world.office.read_status()["rooms"] == {"active": 3}


class TestHowChangesAreHeardOf:
    def test_all_notifications_are_lost_and_the_sweep_finds_the_changes(self, world: World) -> None:
        """Webhooks are only hints: the timed reading of every room finds what nobody told."""
        moved, ended = world.meet(2, 9, 10, 1), world.meet(3, 9, 10, 2)
        world.settle()
        world.tenant.faults.add(effect="lose")
        world.run(world.person(2).move(moved["id"], world.at(11), world.at(12)))
        world.run(world.person(3).cancel(ended["id"]))
        world.meet(2, 9, 10, 3)
        world.settle()
        assert len(world.loans) == 2

        world.office.rooms.mark_rooms(priority=1)
        world.settle()

        found = {loan.number: (loan.interval.start, loan.status) for loan in world.loans}
        assert found == {
            1: (world.at(11), LoanStatus.NEW),
            2: (world.at(9), LoanStatus.CANCELLED),
            3: (world.at(9), LoanStatus.NEW),
        }

    def test_without_webhooks_rooms_are_asked_in_turn(self, worlds: MakeWorld) -> None:
        """No public address? The same engine by delta alone: no subscription, and all is found."""
        world = worlds(settings={"ENGINE_SYNC__DELIVERY": "poll"})
        assert world.tenant.subscriptions.all == {}
        event = world.meet(2, 9, 10, 1)
        world.settle()
        assert world.loans == ()

        world.office.rooms.mark_rooms(priority=1)
        world.settle()
        world.wait(5)
        world.settle()
        assert only_loan(world).blocks

        world.run(world.person(2).cancel(event["id"]))
        world.wait(5)
        world.office.rooms.mark_rooms(priority=1)
        world.settle()
        assert only_loan(world).status is LoanStatus.CANCELLED

    @pytest.mark.parametrize("kind", ["duplicate", "late", "reorder"])
    def test_notifications_come_twice_late_or_in_any_order(self, world: World, kind: str) -> None:
        """However notifications arrive, there is one loan, and it says what the meeting says."""
        world.tenant.faults.add(effect=kind, probability=0.7, seconds=7.0)
        event = world.meet(2, 9, 10, 1)
        world.wait(1)
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.wait(1)
        world.run(world.person(2).set_rooms(event["id"], ["room-2@example.org"]))
        world.settle()
        world.wait(20)
        world.settle()

        (loan,) = world.live_loans
        assert loan.interval.start == world.at(11)
        assert {name for name, state in states(loan).items() if state is ItemState.ACCEPTED} == {"Room 2"}

    def test_a_late_answer_does_not_undo_what_a_room_told_since(self, world: World) -> None:
        """A copy in doubt is asked for; before the answer comes, the room tells that the meeting was cancelled."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.lose_delta(1)
        world.run(world.person(2).change(event["id"], subject="Standup"))
        world.tenant.faults.add(effect="lag", seconds=600.0)
        world.tenant.faults.add(effect="delay_after", method="GET", path="room-1.*events/A", seconds=5.0, times=1)
        world.office.rooms.mark_rooms(priority=1)
        world.wait(1.0)
        world.tenant.faults.clear()
        world.run(world.person(2).cancel(event["id"]))
        world.heal()

        assert world.live_loans == ()

    @pytest.mark.parametrize("gone", [True, False], ids=["410", "40x"])
    def test_a_lost_token_cancels_nothing_and_finds_what_was_cancelled(self, world: World, gone: bool) -> None:
        """A lost delta token means reading the whole window: what lives lives on, what was cancelled meanwhile ends."""
        kept, ended, moved = world.meet(2, 9, 10, 1), world.meet(2, 11, 12, 1), world.meet(2, 14, 15, 1)
        world.settle()
        world.tenant.faults.add(effect="lose")
        world.run(world.person(2).cancel(ended["id"]))
        world.run(world.person(2).move(moved["id"], world.at(16), world.at(17)))
        world.meet(3, 18, 19, 1)
        world.settle()
        world.tenant.office.lose_delta("room-1@example.org", gone=gone)

        world.office.rooms.mark_rooms(priority=1)
        world.settle()
        check_answers(world)

        found = sorted((loan.interval.start, loan.blocks) for loan in world.loans)
        assert found == [
            (world.at(9), True), (world.at(11), False), (world.at(16), True), (world.at(18), True)
        ]  # fmt: skip
        assert world.run(world.person(2).get(kept["id"]))["isCancelled"] is False
        assert world.count_writes() == 0

    def test_a_token_lost_in_the_middle_of_a_reading(self, world: World) -> None:
        """Each page may be the one whose link is refused: the window is opened anew, and nothing is lost."""
        for hour in range(8, 18):
            world.meet(2, hour, hour + 1, 1)
        world.settle()
        assert len(world.live_loans) == 10
        world.lose_delta(1)
        world.tenant.faults.add(effect="gone", nth=2)

        world.office.rooms.mark_rooms(priority=1)
        world.settle()
        check_answers(world)

        assert len(world.live_loans) == 10
        assert world.count_writes() == 0

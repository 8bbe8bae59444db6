"""From the app to Outlook, rule by rule (H49-H62), and a crash at every step of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from engine.app.office import Office
from engine.database.links.bookings import load_intents
from engine.errors import RuleBroken
from engine.graph.transport import Request
from engine.ids import Address, LoanNumber
from engine.interval import Interval
from engine.loans.loan import ItemKind, Loan, Requester
from engine.loans.register import ItemRef, LoanChange, LoanOrder, LoanRegister
from engine.loans.rules import BookingRules, OpeningHours
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.prove.world.world import World
from engine.reconcile.ledger import Intent
from engine.reconcile.shadow import WITHHELD_SECONDS
from engine.web.pages.parts.settings import SettingKey
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=3)


def states(loan: Loan) -> dict[str, ItemState]:
    return {item.name: item.state for item in loan.items}


def events_of(world: World, person: int) -> list[dict[str, Any]]:
    return [event for event in world.run(world.person(person).events()) if not event["isCancelled"]]


def event_of(world: World, person: int) -> dict[str, Any]:
    (event,) = events_of(world, person)
    return event


def starts(event: dict[str, Any]) -> str:
    return str(event["start"]["dateTime"][:16])


def invited(event: dict[str, Any]) -> list[str]:
    return sorted(attendee["emailAddress"]["address"] for attendee in event["attendees"])


def move(world: World, loan: Loan, start: float, end: float) -> Loan:
    return world.change(loan.number, LoanChange(start=world.at(start), end=world.at(end)))


def take_rooms(world: World, loan: Loan, *rooms: int, assets: tuple[ItemRef, ...] = ()) -> Loan:
    return world.change(loan.number, LoanChange(items=(*(world.item(room) for room in rooms), *assets)))


def add_asset(world: World, name: str) -> ItemRef:
    asset = world.office.desk.add_asset(name, store=None, description="", actor="app:test")
    return ItemRef(ItemKind.ASSET, asset.id)


def check_answers(world: World) -> None:
    """Let the time pass after which missing answers are asked for, and releases looked at once more."""
    world.wait(45)
    world.settle()


def refuse_long_meetings(world: World, *rooms: int) -> None:
    for room in rooms:
        world.tenant.office.set_processing(world.room_addresses[room - 1], MaximumDurationInMinutes=30)


class TestTheEventOfALoan:
    def test_says_what_the_loan_says(self, world: World) -> None:
        """Organizer, times, title, body, attendees (H49-H54), and rooms are invited as resources."""
        projector = add_asset(world, "Projector & screen")
        order = LoanOrder(
            world.requester(2), Interval(world.at(9), world.at(10)), (world.item(1), world.item(2), projector)
        )
        loan = world.office.desk.book(order, actor="app:test")
        world.settle()

        event = event_of(world, 2)
        assert event["organizer"]["emailAddress"]["address"] == "person-2@example.org"
        assert (starts(event), event["end"]["dateTime"][:16]) == (
            f"{world.at(9):%Y-%m-%dT%H:%M}", f"{world.at(10):%Y-%m-%dT%H:%M}"
        )  # fmt: skip
        assert event["subject"] == f"#{loan.number} Person 2"
        for part in ("Room 1", "Room 2", "Projector &amp; screen", f"/loans/{loan.number}"):
            assert part in event["body"]["content"]
        assert invited(event) == ["room-1@example.org", "room-2@example.org"]
        assert {attendee["type"] for attendee in event["attendees"]} == {"resource"}
        assert event["allowNewTimeProposals"] is False

    def test_costs_one_write_and_a_second_look_costs_none(self, world: World) -> None:
        """Each write to Outlook mails people: one for the booking, none for its echo or a later comparison."""
        world.book(2, 9, 10, 1, 2)
        world.settle()
        assert world.count_writes() == 1

        world.heal()

        assert world.count_writes() == 1

    @pytest.mark.parametrize(("level", "subject", "told"), [("number_only", "#1", False), ("link_only", "#1", False)])
    def test_tells_no_more_than_the_text_level(self, worlds: MakeWorld, level: str, subject: str, told: bool) -> None:
        """A store may have events that name nobody (R15)."""
        world = worlds(settings={"ENGINE_LOANS__TEXT_LEVEL": level})
        world.book(2, 9, 10, 1)
        world.settle()

        event = event_of(world, 2)
        assert event["subject"] == subject
        assert ("Room 1" in event["body"]["content"]) is told
        assert "/loans/1" in event["body"]["content"]

    def test_of_a_private_loan_names_nobody(self, world: World) -> None:
        order = LoanOrder(
            world.requester(2), Interval(world.at(9), world.at(10)), (world.item(1),), "Secret", private=True
        )
        world.office.desk.book(order, actor="app:test")
        world.settle()

        event = event_of(world, 2)
        assert (event["subject"], event["sensitivity"]) == ("#1", "private")

    @pytest.mark.parametrize("level", ["full", "number_only"])
    def test_that_becomes_private_and_no_longer_is_tells_as_much_each_time(self, worlds: MakeWorld, level: str) -> None:
        """One write each way; also where the text says nothing more when it is not private."""
        world = worlds(settings={"ENGINE_LOANS__TEXT_LEVEL": level})
        loan = world.book(2, 9, 10, 1)
        world.settle()
        before = event_of(world, 2)

        world.change(loan.number, LoanChange(private=True))
        world.settle()
        hidden = event_of(world, 2)
        world.change(loan.number, LoanChange(private=False))
        world.settle()

        assert (hidden["subject"], hidden["sensitivity"]) == ("#1", "private")
        after = event_of(world, 2)
        assert [after[key] for key in ("subject", "sensitivity", "body")] == [
            before[key] for key in ("subject", "sensitivity", "body")
        ]
        assert world.count_writes() == 3
        assert world.loan(loan.number).items[0].state is ItemState.ACCEPTED

    def test_is_in_the_default_users_calendar_for_somebody_from_outside(self, world: World) -> None:
        """A requester who is none of ours has no mailbox here: the default user organizes (H50)."""
        guest = Requester(Address("guest@elsewhere.example"), "A Guest")
        order = LoanOrder(guest, Interval(world.at(9), world.at(10)), (world.item(1),))
        loan = world.office.desk.book(order, actor="app:test")
        world.settle()

        assert event_of(world, 1)["subject"] == f"#{loan.number} A Guest"
        assert world.loan(loan.number).requester == guest
        world.heal()
        assert world.loan(loan.number).requester == guest
        assert world.count_writes() == 1

    def test_is_in_the_default_users_calendar_when_the_requester_has_none(self, world: World) -> None:
        """One of ours whose mailbox is closed: the same, and the history tells."""
        world.tenant.office.set_state("person-2@example.org", "denied")
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.heal()

        assert event_of(world, 1)["subject"] == f"#{loan.number} Person 2"
        assert "default_mailbox_used" in world.history(loan.number)
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}

    def test_cannot_be_made_without_any_mailbox(self, worlds: MakeWorld) -> None:
        """No mailbox and no default user: the loan stays, and a case says what Outlook refused."""
        world = worlds(settings={"ENGINE_LOANS__DEFAULT_USER": ""})
        world.tenant.office.set_state("person-2@example.org", "denied")
        loan = world.book(2, 9, 10, 1)
        world.settle()

        assert world.loan(loan.number).blocks
        assert "write_refused" in world.cases()
        assert world.watcher.parked_keys == []

    def test_is_made_after_all_once_there_is_a_mailbox_and_its_case_ends(self, worlds: MakeWorld) -> None:
        """The case names the way out; whoever takes it finds nothing left to settle."""
        world = worlds(settings={"ENGINE_LOANS__DEFAULT_USER": ""})
        world.tenant.office.set_state("person-2@example.org", "denied")
        loan = world.book(2, 9, 10, 1)
        world.settle()
        told = world.office.desk.history(loan.number)[-1].facts["error"]
        assert "loans.default_user" in str(told)

        world.tenant.office.set_state("person-2@example.org", "active")
        world.office.enqueue("loan", str(loan.number))
        world.settle()

        assert event_of(world, 2)["subject"] == f"#{loan.number} Person 2"
        assert world.cases() == []

    def test_is_not_made_for_things_alone(self, world: World) -> None:
        """Loans without rooms are none of Outlook's business (H35)."""
        order = LoanOrder(world.requester(2), Interval(world.at(9), world.at(10)), (add_asset(world, "Trolley"),))
        world.office.desk.book(order, actor="app:test")
        world.settle()

        assert world.all_events() == []
        assert world.count_writes() == 0


class TestChangesAtTheDesk:
    def test_move_the_event(self, world: World) -> None:
        loan = world.book(2, 9, 10, 1)
        world.settle()

        move(world, loan, 14, 16)
        world.settle()

        assert starts(event_of(world, 2)) == f"{world.at(14):%Y-%m-%dT%H:%M}"
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}
        assert world.count_writes() == 2

    def test_change_its_rooms(self, world: World) -> None:
        """Rooms that stay are not asked anew; the body lists the new ones (H55)."""
        loan = world.book(2, 9, 10, 1, 2)
        world.settle()

        take_rooms(world, loan, 2, 3)
        world.settle()

        event = event_of(world, 2)
        assert invited(event) == ["room-2@example.org", "room-3@example.org"]
        assert "Room 3" in event["body"]["content"]
        assert "Room 1" not in event["body"]["content"]
        found = states(world.loan(loan.number))
        assert found == {"Room 1": ItemState.CANCELLED, "Room 2": ItemState.ACCEPTED, "Room 3": ItemState.ACCEPTED}

    @pytest.mark.parametrize("is_dropped", [False, True])
    @pytest.mark.parametrize("hides", [False, True])
    def test_take_out_a_room_by_the_address_by_which_it_was_invited(
        self, world: World, *, is_dropped: bool, hides: bool
    ) -> None:
        """It has another one by now, and may have dropped the meeting itself.

        It stayed in the event; where it showed the meeting still, the change of the desk was taken back."""
        event = world.meet(2, 9, 10, 1, 2, hideAttendees=hides)
        world.settle()
        (loan,) = world.loans
        world.readdress(2, "salon@example.org")
        world.office.enqueue("places", "all")
        world.settle()
        if is_dropped:
            world.tenant.office.release("salon@example.org", event["iCalUId"])
            world.settle()

        take_rooms(world, loan, 1)
        world.settle()
        world.heal()

        assert invited(event_of(world, 2)) == ["room-1@example.org"]
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.CANCELLED}
        assert world.count_writes() == 1

    def test_add_a_thing(self, world: World) -> None:
        """A thing is no attendee; it is listed in the body."""
        loan = world.book(2, 9, 10, 1)
        world.settle()

        take_rooms(world, loan, 1, assets=(add_asset(world, "Trolley"),))
        world.settle()

        event = event_of(world, 2)
        assert "Trolley" in event["body"]["content"]
        assert invited(event) == ["room-1@example.org"]
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED, "Trolley": ItemState.ACCEPTED}

    def test_leave_alone_what_a_person_wrote_into_the_body(self, world: World) -> None:
        """The body is never written over words that are not ours."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        words = {"contentType": "html", "content": "<p>Bring your own cup</p>"}
        world.run(world.person(2).change(event_of(world, 2)["id"], body=words))
        world.settle()

        take_rooms(world, loan, 1, assets=(add_asset(world, "Trolley"),))
        move(world, loan, 11, 12)
        world.settle()

        event = event_of(world, 2)
        assert "Bring your own cup" in event["body"]["content"]
        assert starts(event) == f"{world.at(11):%Y-%m-%dT%H:%M}"

    def test_keep_the_people_somebody_invited(self, world: World) -> None:
        """The list of attendees is amended, never rebuilt."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        event = event_of(world, 2)
        guest = {"type": "required", "emailAddress": {"address": "person-3@example.org"}}
        world.run(world.person(2).change(event["id"], attendees=[*event["attendees"], guest]))
        world.settle()

        take_rooms(world, loan, 2)
        world.settle()

        assert invited(event_of(world, 2)) == ["person-3@example.org", "room-2@example.org"]

    def test_give_it_another_organizer(self, world: World) -> None:
        """A new requester is a new organizer: the old event is deleted, exactly one is made anew (H55)."""
        loan = world.book(2, 9, 10, 1)
        world.settle()

        world.change(loan.number, LoanChange(requester=world.requester(3)))
        world.settle()

        assert events_of(world, 2) == []
        assert event_of(world, 3)["subject"] == f"#{loan.number} Person 3"
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}
        assert world.count_writes() == 3

    @pytest.mark.parametrize("settings", [{}, WITHOUT_CONTENT], ids=["content", "reading"])
    def test_give_it_another_organizer_as_soon_as_its_rooms_let_go(
        self, worlds: MakeWorld, settings: dict[str, str]
    ) -> None:
        """What is heard of a meeting that we have withdrawn decides nothing, but that: seconds, not half a minute."""
        world = worlds(rooms=2, settings=settings)
        loan = world.book(2, 9, 10, 1, 2)
        world.settle()

        world.change(loan.number, LoanChange(requester=world.requester(3)))
        world.wait(5.0)

        assert len(events_of(world, 3)) == 1

    @pytest.mark.parametrize("seed", [7300001, 7300003, 7300008])
    def test_give_it_another_organizer_once_a_slow_room_has_let_go(self, worlds: MakeWorld, seed: int) -> None:
        """Mails overtake each other: the room heard of the new event first, still had the old one, and declined."""
        world = worlds(rooms=1, seed=seed, tenant={"attendant_delay": (0.2, 3.0)})
        loan = world.book(2, 9, 10, 1)
        world.settle()

        world.change(loan.number, LoanChange(requester=world.requester(3)))
        world.settle()

        assert len(events_of(world, 3)) == 1
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}
        assert world.cases() == []

    @pytest.mark.parametrize(
        ("settings", "pause", "seed"),
        [({}, 0.3, 7700203), (WITHOUT_CONTENT, 1.0, 7700322)],
        ids=["content", "reading"],
    )
    def test_give_it_another_organizer_before_its_slow_room_was_heard_of(
        self, worlds: MakeWorld, settings: dict[str, str], pause: float, seed: int
    ) -> None:
        """The room had taken the former event, which nobody knew yet, and declined the new one."""
        world = worlds(rooms=1, seed=seed, tenant={"attendant_delay": (0.2, 3.0)}, settings=settings)
        loan = world.book(2, 9, 10, 1)
        world.wait(pause)

        world.change(loan.number, LoanChange(requester=world.requester(3)))
        world.settle()

        assert len(events_of(world, 3)) == 1
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}
        assert world.cases() == []

    def test_give_it_another_organizer_at_once_makes_its_room_be_read(self, world: World) -> None:
        """A room that shows nothing, as the former event was gone before it came to it, is waited for no longer."""
        loan = world.book(2, 9, 10, 1)
        world.wait(0.05)

        world.change(loan.number, LoanChange(requester=world.requester(3)))
        world.wait(2.5)
        before = len(events_of(world, 3))
        world.wait(2.5)

        assert (before, len(events_of(world, 3))) == (0, 1)
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}

    def test_give_it_another_organizer_although_its_room_tells_nothing(self, world: World) -> None:
        """Where notifications are lost nothing says that the room has let go: it is asked half a minute later."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.is_receiver_down = True

        world.change(loan.number, LoanChange(requester=world.requester(3)))
        world.wait(20.0)
        before = len(events_of(world, 3))
        world.wait(20.0)

        assert (before, len(events_of(world, 3))) == (0, 1)
        assert events_of(world, 2) == []

    @pytest.mark.parametrize("action", [LoanAction.CANCEL, LoanAction.REFUSE])
    def test_withdraw_it(self, world: World, action: LoanAction) -> None:
        """A loan that is cancelled or refused deletes its event (H56); the rooms are free again."""
        loan = world.book(2, 9, 10, 1)
        world.settle()

        world.act(loan, action)
        world.settle()

        assert events_of(world, 2) == []
        assert [e for e in world.run(world.room(1).events()) if not e["isCancelled"]] == []
        world.heal()
        assert world.count_writes() == 2

    def test_free_the_rooms_when_the_organizers_calendar_is_closed(self, world: World) -> None:
        """The event cannot be deleted any more: the rooms are freed on their own behalf, and the history tells."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.tenant.office.set_state("person-2@example.org", "denied")

        world.act(loan, LoanAction.CANCEL)
        world.settle()

        copies = world.run(world.room(1).events())
        assert [copy for copy in copies if copy["responseStatus"]["response"] == "accepted"] == []
        assert "declined_for_room" in world.history(loan.number)
        assert world.watcher.parked_keys == []

    def test_free_rooms_of_which_nothing_was_heard_yet_when_that_calendar_is_closed(self, world: World) -> None:
        """
        The rooms have said yes, and were not read since: they are looked into.

        They stayed taken, although the history told that they were freed.
        """
        world.tenant.faults.add(effect="lose", probability=1.0)
        loan = world.book(2, 9, 10, 1, 2)
        world.wait(5.0)
        world.set_mailbox(2, "denied")

        world.act(loan, LoanAction.CANCEL)
        world.heal()

        copies = [copy for room in (1, 2) for copy in world.run(world.room(room).events())]
        assert [copy for copy in copies if copy["responseStatus"]["response"] == "accepted"] == []

    def test_wait_for_approval_with_the_room_held(self, worlds: MakeWorld) -> None:
        """A loan that waits for approval blocks on both sides; approving writes nothing, refusing deletes (H56)."""
        world = worlds(settings={"ENGINE_LOANS__APPROVAL": "true"})
        one, other = world.book(2, 9, 10, 1), world.book(3, 9, 10, 2)
        world.settle()
        assert {loan.status for loan in world.loans} == {LoanStatus.PENDING_APPROVAL}
        assert world.count_writes() == 2

        world.act(one, LoanAction.APPROVE)
        world.act(other, LoanAction.REFUSE)
        world.settle()

        assert world.loan(one.number).status is LoanStatus.NEW
        assert (len(events_of(world, 2)), len(events_of(world, 3))) == (1, 0)

    def test_made_before_the_first_was_carried_out_come_to_one_event(self, world: World) -> None:
        """Five edits in a moment are one event that says the last of them."""
        loan = world.book(2, 9, 10, 1)
        for hour in (10, 11, 12):
            loan = move(world, loan, hour, hour + 1)
        take_rooms(world, loan, 2)
        world.settle()
        check_answers(world)

        event = event_of(world, 2)
        assert (starts(event), invited(event)) == (f"{world.at(12):%Y-%m-%dT%H:%M}", ["room-2@example.org"])
        assert states(world.loan(loan.number))["Room 2"] is ItemState.ACCEPTED

    def test_cancelled_before_it_was_carried_out_leave_nothing(self, world: World) -> None:
        loan = world.book(2, 9, 10, 1)
        world.wait(0.01)
        world.act(loan, LoanAction.CANCEL)
        world.heal()

        assert events_of(world, 2) == []
        assert not world.loan(loan.number).blocks


class TestChangesInOutlook:
    def test_move_the_loan(self, world: World) -> None:
        """An event of ours is an event like any other (H29)."""
        loan = world.book(2, 9, 10, 1)
        world.settle()

        world.run(world.person(2).move(event_of(world, 2)["id"], world.at(11), world.at(12)))
        world.settle()

        assert world.loan(loan.number).interval == Interval(world.at(11), world.at(12))
        assert world.count_writes() == 1

    @pytest.mark.parametrize("verb", ["cancel", "delete"])
    def test_cancel_the_loan(self, world: World, verb: str) -> None:
        loan = world.book(2, 9, 10, 1)
        world.settle()

        world.run(getattr(world.person(2), verb)(event_of(world, 2)["id"]))
        world.settle()

        assert world.loan(loan.number).status is LoanStatus.CANCELLED
        world.heal()
        assert world.count_writes() == 1

    def test_at_the_same_time_lose_against_the_desk(self, world: World) -> None:
        """Both moved it: it was born in the app, so the desk wins, and Outlook's value is kept in a case."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        event = event_of(world, 2)

        move(world, loan, 14, 15)
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.settle()
        check_answers(world)

        assert world.loan(loan.number).interval.start == world.at(14)
        assert starts(event_of(world, 2)) == f"{world.at(14):%Y-%m-%dT%H:%M}"

    def test_of_other_fields_merge(self, world: World) -> None:
        """One side moved it, the other took another room: both count."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        event = event_of(world, 2)

        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        take_rooms(world, loan, 2)
        world.settle()
        check_answers(world)

        found = world.loan(loan.number)
        assert found.interval.start == world.at(11)
        assert states(found)["Room 2"] is ItemState.ACCEPTED
        assert (starts(event_of(world, 2)), invited(event_of(world, 2))) == (
            f"{world.at(11):%Y-%m-%dT%H:%M}", ["room-2@example.org"]
        )  # fmt: skip


class TestAnswersOfRooms:
    def test_one_of_two_declines(self, world: World) -> None:
        """The loan lives with one item declined, and a case tells."""
        refuse_long_meetings(world, 2)
        loan = world.book(2, 9, 10, 1, 2)
        world.settle()
        check_answers(world)

        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED, "Room 2": ItemState.DECLINED}
        assert world.cases() == ["room_declined"]
        assert world.loan(loan.number).blocks

    def test_all_decline(self, world: World) -> None:
        """Nothing is left to lend: the loan is refused and its event deleted."""
        refuse_long_meetings(world, 1, 2)
        loan = world.book(2, 9, 10, 1, 2)
        world.settle()
        check_answers(world)

        assert world.loan(loan.number).status is LoanStatus.REFUSED
        assert events_of(world, 2) == []
        assert "all_rooms_declined" in world.history(loan.number)

    def test_declined_after_a_move(self, world: World) -> None:
        """The room accepted the first time and not the second: what it says last counts."""
        loan = world.book(2, 9, 10, 1, 2)
        world.settle()
        refuse_long_meetings(world, 1)

        move(world, loan, 11, 12)
        world.settle()
        check_answers(world)

        assert states(world.loan(loan.number)) == {"Room 1": ItemState.DECLINED, "Room 2": ItemState.ACCEPTED}

    def test_declined_long_after_it_accepted(self, world: World) -> None:
        loan = world.book(2, 9, 10, 1, 2)
        world.settle()
        uid = event_of(world, 2)["iCalUId"]

        copy = world.run(world.room(1).by_ical(uid))
        world.run(world.room(1).answer(copy["id"], "decline"))
        world.settle()
        check_answers(world)

        assert states(world.loan(loan.number)) == {"Room 1": ItemState.DECLINED, "Room 2": ItemState.ACCEPTED}

    def test_taken_in_outlook_by_somebody_faster(self, world: World) -> None:
        """A meeting that got the room a moment earlier: the room declines the loan, which is refused."""
        world.meet(3, 9, 10, 1)
        loan = world.book(2, 9, 10, 1)
        world.settle()
        check_answers(world)
        world.heal()

        assert not world.loan(loan.number).blocks
        assert events_of(world, 2) == []
        (other,) = world.live_loans
        assert other.requester.address == "person-3@example.org"

    @pytest.mark.parametrize("processing", ["AutoUpdate", "None"])
    def test_none_comes(self, world: World, processing: str) -> None:
        """A 201 is not a booked room: after the set time a case says that the room does not answer."""
        world.tenant.office.set_processing("room-1@example.org", AutomateProcessing=processing)
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.wait(9 * 60)
        assert world.cases() == []

        world.wait(2 * 60)

        assert world.cases() == ["room_does_not_answer"]
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.REQUESTED}
        assert world.loan(loan.number).blocks

    def test_one_comes_from_a_delegate_at_last(self, world: World) -> None:
        world.tenant.office.set_processing(
            "room-1@example.org", AllBookInPolicy=False, AllRequestInPolicy=True, ResourceDelegates=["d@example.org"]
        )
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.wait(15 * 60)
        assert world.loan(loan.number).blocks

        world.tenant.office.settle("room-1@example.org", event_of(world, 2)["iCalUId"], approve=True)
        world.settle()
        check_answers(world)

        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}
        assert world.cases() == []


class TestModes:
    @pytest.mark.parametrize(("mode", "case"), [("read_only", "write_withheld"), ("shadow", "shadowed")])
    def test_that_write_nothing_to_outlook(self, worlds: MakeWorld, mode: str, case: str) -> None:
        """In these modes the desk's bookings are withheld, and a case says so."""
        world = worlds(settings={"ENGINE_SYNC__MODE": mode})
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.heal()

        assert world.count_writes() == 0
        assert world.loan(loan.number).blocks
        assert world.cases() == [case]

    def test_read_only_still_follows_outlook(self, worlds: MakeWorld) -> None:
        world = worlds(settings={"ENGINE_SYNC__MODE": "read_only"})
        event = world.meet(2, 9, 10, 1)
        world.settle()
        assert len(world.live_loans) == 1

        world.run(world.person(2).cancel(event["id"]))
        world.settle()

        assert world.live_loans == ()

    def test_shadow_tells_the_same_at_every_look_and_catches_up_when_it_ends(self, worlds: MakeWorld) -> None:
        """Only the organizer's copy tells that the room declined, and nothing is kept of what the mode withholds: each
        look asks anew, so that no case comes and goes, and the first look in the other mode knows it."""
        world = worlds(settings=WITHOUT_CONTENT)
        refuse_long_meetings(world, 1)
        loan = world.book(2, 9, 10, 1)
        world.wait(5)
        world.override(SettingKey.MODE, "shadow")
        for _ in range(8):
            world.wait(WITHHELD_SECONDS)
            assert world.cases() == ["room_declined", "shadowed"]
        told = len(world.all_cases())

        world.wait(WITHHELD_SECONDS)
        assert len(world.all_cases()) == told
        world.override(SettingKey.MODE, None)
        world.wait(30)
        assert world.loan(loan.number).status is LoanStatus.REFUSED
        assert events_of(world, 2) == []

    def test_shadow_changes_nothing_on_either_side(self, worlds: MakeWorld) -> None:
        """Shadow plans and records, and writes nothing on either side of people."""
        world = worlds(settings={"ENGINE_SYNC__MODE": "shadow"})
        world.meet(2, 9, 10, 1)
        world.settle()
        world.heal()

        assert world.loans == ()
        assert world.count_writes() == 0
        assert world.cases() == ["shadowed"]


class TestBookingRules:
    def test_refuse_at_the_desk_what_exchange_would(self, world: World) -> None:
        """Hours, window and duration hold at the desk as they do in Exchange (H59-H62)."""
        hours = OpeningHours({day: (time(8), time(18)) for day in range(1, 6)})
        rules = BookingRules(hours, window_days=30, duration_minutes_max=120)
        world.office.desk.set_rules(rules, store_id=None, item_id=world.item(1).id, actor="app:test")

        for start, end, days, code in (
            (7, 8, 1, "outside_opening_hours"),
            (9, 10, 35, "beyond_booking_window"),
            (9, 12, 1, "longer_than_maximum"),
        ):
            with pytest.raises(RuleBroken) as refused:
                world.book(2, start, end, 1, days=days)
            assert refused.value.code == code
        assert world.book(2, 9, 11, 1).number

    def test_close_rooms_by_themselves_and_leave_the_event(self, world: World) -> None:
        """With automatic check-out and closing a room's loan is never late, and its event stays in history (H57)."""
        rules = BookingRules(automatic_check_out=True, automatic_closing=True)
        world.office.desk.set_rules(rules, store_id=None, item_id=world.item(1).id, actor="app:test")
        loan = world.book(2, 7.25, 7.5, 1, days=0)
        world.settle()

        for minutes in (20, 20):
            world.wait(minutes * 60)
            world.office.desk.run_clock()
            world.settle()

        assert world.loan(loan.number).status is LoanStatus.COMPLETED
        assert len(events_of(world, 2)) == 1
        assert world.count_writes() == 1


def desk_without_engine(world: World) -> LoanRegister:
    """Return a desk on the same store that no engine takes along when it dies: that of the command line."""
    return Office(world.settings, now=world.now, database=world.database, ticks=world.loop.time).desk


@contextmanager
def an_engine_killed(world: World, is_killed: bool) -> Iterator[LoanRegister]:
    """Let something happen at the desk while the engine is dead, if it is to be killed, and start another."""
    desk = desk_without_engine(world)
    if is_killed:
        world.kill()
    yield desk
    if is_killed:
        world.wait(2.0)
        world.start()


class Crash:
    """Lets the engine die at its n-th request to a calendar, just before or just after it is carried out."""

    def __init__(self, nth: int, when: str) -> None:
        self.left = nth
        self.when = when
        self.is_armed = False
        self.has_struck = False

    def __call__(self, when: str, request: Request) -> None:
        if self.has_struck:
            raise asyncio.CancelledError
        if not self.is_armed or when != self.when or "/users/" not in request.url:
            return
        self.left -= 1
        if self.left == 0:
            self.has_struck = True
            raise asyncio.CancelledError


class CrashAtACreate(Crash):
    """The same, at the n-th event that is made."""

    def __call__(self, when: str, request: Request) -> None:
        if self.has_struck or request.method == "POST":
            super().__call__(when, request)


def live_through(
    world: World, crash: Crash, edit: Callable[[], object], *, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Let *edit* be carried out, the engine dying on the way, *meanwhile* happening, and it starting again."""
    is_first = crash.left == 1
    crash.is_armed = True
    edit()
    for _ in range(400):
        world.wait(0.05)
        if crash.has_struck:
            break
    crash.is_armed = False
    assert crash.has_struck or not is_first
    if crash.has_struck:
        world.kill()
        crash.has_struck = False
        world.wait(2.0)
        meanwhile()
        world.start()
    world.settle()
    check_answers(world)
    world.heal()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 7))
class TestKilledOnTheWay:
    def test_of_a_booking(self, worlds: MakeWorld, nth: int, when: str) -> None:
        """Killed at any request of a booking and started again: exactly one event, and the room's answer is known."""
        crash = Crash(nth, when)
        world = worlds(on_request=crash)

        live_through(world, crash, lambda: world.book(2, 9, 10, 1, 2))

        (loan,) = world.loans
        assert event_of(world, 2)["subject"] == f"#{loan.number} Person 2"
        assert set(states(loan).values()) == {ItemState.ACCEPTED}
        assert world.find_untold(others_deleted=False) == []

    def test_of_a_change_of_requester(self, worlds: MakeWorld, nth: int, when: str) -> None:
        """Between the old event's end and the new one's beginning lies a crash: still exactly one event."""
        crash = Crash(nth, when)
        world = worlds(on_request=crash)
        loan = world.book(2, 9, 10, 1)
        world.settle()

        live_through(world, crash, lambda: world.change(loan.number, LoanChange(requester=world.requester(3))))

        assert events_of(world, 2) == []
        assert event_of(world, 3)["subject"] == f"#{loan.number} Person 3"
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}
        assert world.find_untold(others_deleted=False) == []

    def test_of_a_change_of_requester_whose_room_was_never_heard_of(
        self, worlds: MakeWorld, nth: int, when: str
    ) -> None:
        """Nothing to wait for lies between the old event's end and the new one's beginning: both writes are kept, and
        the answer to the first ends the first alone."""
        crash = Crash(nth, when)
        world = worlds(on_request=crash)
        world.is_receiver_down = True
        loan = world.book(2, 9, 10, 1)
        world.wait(2.0)
        assert len(events_of(world, 2)) == 1

        def give_away() -> None:
            world.is_receiver_down = False
            world.change(loan.number, LoanChange(requester=world.requester(3)))

        live_through(world, crash, give_away)

        assert events_of(world, 2) == []
        assert event_of(world, 3)["subject"] == f"#{loan.number} Person 3"
        assert world.find_untold(others_deleted=False) == []

    def test_of_a_move_to_another_room(self, worlds: MakeWorld, nth: int, when: str) -> None:
        crash = Crash(nth, when)
        world = worlds(on_request=crash)
        loan = world.book(2, 9, 10, 1)
        world.settle()
        change = LoanChange(start=world.at(11), end=world.at(12), items=(world.item(2),))

        live_through(world, crash, lambda: world.change(loan.number, change))

        event = event_of(world, 2)
        assert (starts(event), invited(event)) == (f"{world.at(11):%Y-%m-%dT%H:%M}", ["room-2@example.org"])
        found = states(world.loan(loan.number))
        assert found == {"Room 1": ItemState.CANCELLED, "Room 2": ItemState.ACCEPTED}
        assert world.find_untold(others_deleted=False) == []

    def test_of_a_cancellation(self, worlds: MakeWorld, nth: int, when: str) -> None:
        crash = Crash(nth, when)
        world = worlds(on_request=crash)
        loan = world.book(2, 9, 10, 1)
        world.settle()

        live_through(world, crash, lambda: world.act(loan, LoanAction.CANCEL))

        assert events_of(world, 2) == []
        assert world.loan(loan.number).status is LoanStatus.CANCELLED
        assert world.find_untold(others_deleted=False) == []
        assert world.book(3, 9, 10, 1).number, "the room is free again"

    def test_of_a_meeting_being_imported(self, worlds: MakeWorld, nth: int, when: str) -> None:
        """The other direction: exactly one loan."""
        crash = Crash(nth, when)
        world = worlds(on_request=crash)

        live_through(world, crash, lambda: world.meet(2, 9, 10, 1, 2))

        (loan,) = world.loans
        assert set(states(loan).values()) == {ItemState.ACCEPTED}
        assert world.count_writes() == 0
        assert loan.interval.length == timedelta(hours=1)


class TestGivenAwayWhileItsRoomsLetGo:
    """The new event waits, and nobody has heard of it."""

    @pytest.fixture
    def loan(self, world: World) -> Loan:
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.is_receiver_down = True
        world.change(loan.number, LoanChange(requester=world.requester(3)))
        world.wait(5.0)
        assert (world.count_writes(), events_of(world, 3)) == (2, [])
        return world.loan(loan.number)

    @pytest.mark.parametrize("is_killed", [False, True], ids=["", "killed"])
    def test_and_cancelled_is_asked_for_no_more(self, world: World, loan: Loan, is_killed: bool) -> None:
        """Two mails to each room less: none is made only to be deleted."""
        with an_engine_killed(world, is_killed) as desk:
            desk.act(loan.number, LoanAction.CANCEL, actor="app:test")
        world.wait(60.0)

        assert (world.count_writes(), events_of(world, 3)) == (2, [])
        assert world.loan(loan.number).status is LoanStatus.CANCELLED
        assert world.find_untold(others_deleted=False) == []

    @pytest.mark.parametrize("is_killed", [False, True], ids=["", "killed"])
    def test_and_given_to_a_third_is_that_ones_alone(self, world: World, loan: Loan, is_killed: bool) -> None:
        third = LoanChange(requester=world.requester(1))
        with an_engine_killed(world, is_killed) as desk:
            desk.change(loan.number, third, actor="app:test")
        world.wait(60.0)
        world.is_receiver_down = False
        world.heal()

        assert events_of(world, 3) == []
        assert event_of(world, 1)["subject"] == f"#{loan.number} Person 1"
        assert world.count_writes() == 3
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}
        assert world.find_untold(others_deleted=False) == []

    def test_waits_on_when_the_engine_is_killed(self, world: World, loan: Loan) -> None:
        with an_engine_killed(world, True):
            world.wait(5.0)
        before = events_of(world, 3)
        world.wait(20.0)

        assert (before, len(events_of(world, 3))) == ([], 1)
        assert world.count_writes() == 3

    def test_and_cancelled_long_after_is_made_sure_of(self, world: World, loan: Loan) -> None:
        """What was kept so long ago may be of a backup: the event could be in Outlook, and is ended there."""
        with an_engine_killed(world, True) as desk:
            world.wait(600.0)
            desk.act(loan.number, LoanAction.CANCEL, actor="app:test")
        world.wait(60.0)

        assert events_of(world, 3) == []
        assert world.count_writes() == 4


@pytest.mark.parametrize("when", ["before", "after"])
def test_cancelled_after_its_new_event_may_have_been_made_it_is_ended(worlds: MakeWorld, when: str) -> None:
    """Nobody knows whether the request has arrived: it is repeated, for its event to be deleted."""
    crash = CrashAtACreate(1, when)
    world = worlds(on_request=crash)
    loan = world.book(2, 9, 10, 1)
    world.settle()

    desk = desk_without_engine(world)

    live_through(
        world,
        crash,
        lambda: world.change(loan.number, LoanChange(requester=world.requester(3))),
        meanwhile=lambda: desk.act(loan.number, LoanAction.CANCEL, actor="app:test"),
    )

    assert (events_of(world, 2), events_of(world, 3)) == ([], [])
    assert [event for event in world.run(world.room(1).events()) if not event["isCancelled"]] == []
    assert world.loan(loan.number).status is LoanStatus.CANCELLED
    assert world.find_untold(others_deleted=False) == []


class TestRoomsChangedTwiceInARow:
    @pytest.mark.parametrize("pause", [0.02, 0.05, 0.3])
    def test_the_second_wish_stands_although_rooms_still_show_what_was_before_the_first(
        self, worlds: MakeWorld, pause: float
    ) -> None:
        """What a room shows may be older than our own write: nobody in Outlook has put the first room back."""
        world = worlds(rooms=3, tenant={"notification_delay": (2.0, 2.0)})
        world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans

        world.change(loan.number, LoanChange(items=(world.item(3),)))
        world.wait(pause)
        world.change(loan.number, LoanChange(items=(world.item(2),)))
        world.settle()
        world.heal()

        assert [item.name for item in world.loan(loan.number).held_items] == ["Room 2"]
        assert invited(event_of(world, 2)) == ["room-2@example.org"]
        assert world.cases() == []
        assert "room_added_in_outlook" not in world.history(loan.number)


def count_requests(world: World) -> int:
    return sum(len(transport.requests) for transport in world.transports)


class Interloper:
    """Lets somebody do something to an event in the moment before the engine's write to it arrives, once."""

    def __init__(self, method: str = "PATCH") -> None:
        self.method = method
        self.deed: Callable[[], Coroutine[Any, Any, Any]] | None = None

    def __call__(self, when: str, request: Request) -> None:
        if when == "before" and request.method == self.method and self.deed is not None:
            deed, self.deed = self.deed, None
            self.doing = asyncio.get_running_loop().create_task(deed())


class TestTheHistoryOfAWrite:
    def test_tells_of_no_event_before_outlook_has_made_it(self, world: World) -> None:
        world.tenant.faults.add(effect="error", method="POST", path="events$", status=503, times=9)
        loan = world.book(2, 9, 10, 1)
        world.wait(3.0)
        before = world.history(loan.number)

        world.wait(60.0)

        assert (before.count("event_created"), world.history(loan.number).count("event_created")) == (0, 1)

    def test_tells_of_none_when_outlook_refuses_it(self, world: World) -> None:
        world.tenant.faults.add(effect="error", method="POST", path="events$", status=400, times=2)
        loan = world.book(2, 9, 10, 1)
        world.settle()

        assert world.history(loan.number) == ["booked_in_app", "default_mailbox_used", "write_refused"]

    def test_tells_both_halves_of_a_replacement_as_they_are_done(self, world: World) -> None:
        """The old event is gone while the new one cannot be made yet: the history says just that."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.add(effect="error", method="POST", path="events$", status=503, times=9)

        world.change(loan.number, LoanChange(requester=world.requester(3)))
        world.wait(3.0)
        halfway = world.history(loan.number)
        world.wait(60.0)

        assert ("former_event_deleted" in halfway, "event_replaced" in halfway) == (True, False)
        assert world.history(loan.number).count("event_replaced") == 1
        assert world.history(loan.number).count("event_created") == 1, "of the first booking"

    def test_tells_of_a_change_whose_mailbox_closed_before_it_could_be_repeated(self, world: World) -> None:
        """Whether the first try came through cannot be looked up: it is given up as refused, and nothing is parked."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.add(effect="error", method="PATCH", path="events/", status=503, times=9)
        world.change(loan.number, LoanChange(end=world.at(11)))
        world.wait(2.0)
        world.set_mailbox(2, "disabled")
        world.tenant.faults.clear()
        world.wait(600.0)

        assert "write_refused" in world.cases()
        assert world.watcher.parked_keys == []

    def test_goes_on_asking_for_the_answer_a_room_owes_when_words_are_refused(self, world: World) -> None:
        """The words wait for an hour; the room, which says nothing by itself, does not, and they come along with it."""
        address = world.room_addresses[0]
        world.tenant.office.set_processing(address, AutomateProcessing="AutoUpdate")
        loan = world.book(2, 9, 10, 1)
        world.wait(15)
        world.set_mailbox(2, "disabled")
        world.tenant.office.rename(address, "Room East")
        world.office.enqueue("places", "all")
        world.wait(30)
        assert world.history(loan.number).count("write_refused") == 1

        world.set_mailbox(2, "active")
        world.wait(120)

        assert "Room East" in event_of(world, 2)["body"]["content"]

    def test_follows_outlook_also_while_words_are_refused(self, world: World) -> None:
        """Somebody moves it, and the mailbox closes: its room tells of the move, and only the words have to wait."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.add(effect="lose")
        world.run(world.person(2).move(event_of(world, 2)["id"], world.at(12), world.at(13)))
        world.wait(5)
        world.set_mailbox(2, "denied")
        world.tenant.office.rename("room-1@example.org", "Room 1 West")
        world.office.enqueue("places", "all")
        world.heal()

        assert world.loan(loan.number).interval.start == world.at(12)
        assert world.cases() == ["write_refused"]

    @pytest.mark.parametrize("how", ["closed", "refused"])
    def test_tells_once_that_words_are_refused_and_tries_them_every_hour(self, world: World, how: str) -> None:
        """A room has another name, and its event cannot say so: nothing is to be taken back, and nobody is pressed."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        if how == "closed":
            world.set_mailbox(2, "disabled")
        else:
            world.tenant.faults.add(effect="error", method="PATCH", path="events/", status=400, times=99)
        world.tenant.office.rename("room-1@example.org", "Room 1 West")
        world.office.enqueue("places", "all")
        world.settle()
        before = count_requests(world)
        world.office.enqueue("loan", str(loan.number))
        world.wait(2.5 * 3600)
        tried = count_requests(world) - before

        assert world.cases() == ["write_refused"]
        assert world.history(loan.number).count("write_refused") == 1
        assert tried <= 20
        world.set_mailbox(2, "active")
        world.tenant.faults.clear()
        world.wait(3600.0)
        assert "Room 1 West" in event_of(world, 2)["body"]["content"]

    def test_tells_an_event_that_was_found_again_once(self, world: World) -> None:
        """It was seen in the calendar, and then the answer to its creation came after all."""
        world.tenant.faults.add(effect="delay_after", method="POST", path="events$", seconds=20, times=1)
        loan = world.book(2, 9, 10, 1)
        world.settle()

        history = world.history(loan.number)
        assert (history.count("event_adopted"), history.count("event_created")) == (1, 0)

    def test_claims_no_deletion_that_somebody_else_had_done(self, worlds: MakeWorld) -> None:
        interloper = Interloper("DELETE")
        world = worlds(rooms=3, on_request=interloper)
        loan = world.book(2, 9, 10, 1)
        world.settle()
        event_id, person = event_of(world, 2)["id"], world.person(2)

        interloper.deed = lambda: person.cancel(event_id)
        world.act(loan, LoanAction.CANCEL)
        world.settle()

        history = world.history(loan.number)
        assert ("event_gone_already" in history, "event_deleted" in history) == (True, False)

    def test_says_so_when_nobody_knows_whether_a_change_had_arrived(self, worlds: MakeWorld) -> None:
        """The engine died after its change; before it came back somebody had moved the event elsewhere."""
        crash = Crash(2, "after")
        world = worlds(rooms=3, on_request=crash)
        loan = world.book(2, 9, 10, 1)
        world.settle()
        event_id, person = event_of(world, 2)["id"], world.person(2)

        live_through(
            world,
            crash,
            lambda: move(world, loan, 14, 16),
            meanwhile=lambda: world.run(person.move(event_id, world.at(11), world.at(12))),
        )

        assert world.history(loan.number).count("event_change_unknown") == 1
        assert world.find_untold(others_deleted=False) == []


class TestTheHistoryOfAChange:
    def test_tells_once_of_what_was_overtaken_and_made_again(self, worlds: MakeWorld) -> None:
        """Refused with 412 since somebody wrote to the event meanwhile: that time nothing was changed in Outlook."""
        interloper = Interloper()
        world = worlds(rooms=3, on_request=interloper)
        loan = world.book(2, 9, 10, 1)
        world.settle()
        event_id, person = event_of(world, 2)["id"], world.person(2)

        interloper.deed = lambda: person.change(event_id, importance="high")
        move(world, loan, 14, 16)
        world.settle()

        assert world.count_writes() == 3  # one to book, one in vain, one to move
        assert starts(event_of(world, 2)) == f"{world.at(14):%Y-%m-%dT%H:%M}"
        assert world.history(loan.number).count("event_changed") == 1

    def test_tells_of_none_that_is_refused_for_good(self, world: World) -> None:
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.add(effect="error", method="PATCH", status=400, times=1)

        move(world, loan, 14, 16)
        world.settle()

        history = world.history(loan.number)
        assert ("write_refused" in history, "event_changed" in history) == (True, False)
        assert starts(event_of(world, 2)) == f"{world.at(9):%Y-%m-%dT%H:%M}"

    def test_is_complete_although_the_engine_died_after_the_change(self, worlds: MakeWorld) -> None:
        """The change arrived, its answer did not: it is told once it is known."""
        crash = Crash(2, "after")
        world = worlds(rooms=3, on_request=crash)
        loan = world.book(2, 9, 10, 1)
        world.settle()

        live_through(world, crash, lambda: move(world, loan, 14, 16))

        assert world.count_writes() == 2
        assert world.history(loan.number).count("event_changed") == 1


class TestAnEventThatIsToBeReplaced:
    """The engine dies once a replacement is decided, before the old event is deleted."""

    def replace_event(self, world: World, crash: Crash, *, meanwhile: Callable[[str], object]) -> list[str]:
        """Give a loan to person 3, at other hours; return what cases say was lost."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        event_id = event_of(world, 2)["id"]
        change = LoanChange(requester=world.requester(3), start=world.at(14), end=world.at(15))

        live_through(world, crash, lambda: world.change(loan.number, change), meanwhile=lambda: meanwhile(event_id))

        assert starts(event_of(world, 3)) == f"{world.at(14):%Y-%m-%dT%H:%M}"
        assert events_of(world, 2) == []
        return [str(facts["lost"]) for facts in world.all_case_facts()]

    def test_leaves_a_case_when_it_was_given_other_rooms(self, worlds: MakeWorld) -> None:
        crash = Crash(2, "before")
        world = worlds(rooms=3, on_request=crash)
        rooms = world.room_addresses[1:]

        lost = self.replace_event(
            world, crash, meanwhile=lambda event_id: world.run(world.person(2).set_rooms(event_id, rooms))
        )

        assert lost == ["Room 2, Room 3"]

    def test_leaves_none_when_nobody_touched_it(self, worlds: MakeWorld) -> None:
        """What the desk changed together with the requester is nobody's loss."""
        crash = Crash(2, "before")

        assert self.replace_event(worlds(on_request=crash), crash, meanwhile=lambda _event_id: None) == []


class TestACreationWhoseAnswerIsSlow:
    def test_is_over_once_its_event_was_seen(self, world: World) -> None:
        """Cancelled by a person before the answer came, and before a crash: it is not made a second time."""
        world.tenant.faults.add(effect="delay_after", method="POST", path="events$", seconds=30, times=1)
        loan = world.book(2, 9, 10, 1)
        world.wait(8.0)
        assert "event_adopted" in world.history(loan.number)
        (event,) = world.run(world.person(2).events())
        world.run(world.person(2).cancel(event["id"]))

        world.kill()
        world.start()
        world.settle()
        world.wait(15.0)

        assert not world.loan(loan.number).blocks
        assert not [each for each in world.run(world.person(2).events()) if not each["isCancelled"]]

    def test_changes_nothing_any_more_when_it_comes(self, world: World) -> None:
        """The event was adopted and moved meanwhile: what the answer says is old."""
        world.tenant.faults.add(effect="delay_after", method="POST", path="events$", seconds=20, times=1)
        loan = world.book(2, 9, 10, 1)
        world.wait(8.0)
        (event,) = world.run(world.person(2).events())
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))

        world.settle()

        assert world.loan(loan.number).interval.start == world.at(11)
        (event,) = world.run(world.person(2).events())
        assert event["start"]["dateTime"].startswith(f"{world.at(11):%Y-%m-%dT%H:%M}")

    def test_is_not_sent_elsewhere_once_its_event_was_seen(self, world: World) -> None:
        """Its mailbox is closed by the time it is repeated."""
        world.tenant.faults.add(effect="error_after", method="POST", path="events$", times=1)
        world.tenant.faults.add(effect="delay", method="POST", path="events$", seconds=5, nth=2)
        loan = world.book(2, 9, 10, 1)
        world.wait(4.0)
        assert "event_adopted" in world.history(loan.number)
        world.set_mailbox(2, "denied")
        world.settle()
        assert "default_mailbox_used" not in world.history(loan.number)
        assert events_of(world, 1) == []

        world.set_mailbox(2, "active")
        world.act(loan, LoanAction.CANCEL)
        world.settle()

        assert events_of(world, 2) == []

    def test_is_known_by_the_mailbox_in_which_its_event_was_seen(self, world: World) -> None:
        """It was on its way to the default user's since, for as long as its own was closed."""
        world.tenant.faults.add(effect="error_after", method="POST", path="events$", times=1)
        world.tenant.faults.add(
            effect="error", method="POST", path="events$", mailbox="person-1@example.org", retry_after="30", times=1
        )
        loan = world.book(2, 9, 10, 1)
        world.wait(0.1)
        world.set_mailbox(2, "denied")
        world.wait(0.4)
        assert world.history(loan.number)[-1] == "default_mailbox_used"
        world.set_mailbox(2, "active")
        world.wait(5.0)
        assert "event_adopted" in world.history(loan.number)

        world.act(loan, LoanAction.CANCEL)
        world.wait(5.0)

        assert events_of(world, 2) == []

    def test_ends_nothing_that_was_begun_under_its_number(self, world: World) -> None:
        """A store that was restored gives numbers again: what an answer ends is told by more than that number."""
        world.tenant.faults.add(effect="delay", method="POST", path="events$", seconds=60, times=1)
        loan = world.book(2, 9, 10, 1)
        world.wait(2.0)
        (intent,) = _intents(world, loan.number)

        assert world.engine is not None
        for old in (replace(intent, loan_number=LoanNumber(loan.number + 1)), replace(intent, generation=9)):
            world.engine.office.ledger.finish_intent(old, None)
            world.engine.office.ledger.drop_intent(old)

        assert _intents(world, loan.number) == (intent,)


def _intents(world: World, number: LoanNumber) -> tuple[Intent, ...]:
    with world.database.read() as transaction:
        return tuple(load_intents(transaction.connection, number))


class TestARestoredDatabase:
    def test_takes_no_old_event_for_a_new_loan(self, world: World) -> None:
        """Loan numbers may be given twice after a backup was restored; an old event is never a new loan's (P58)."""
        old = world.book(2, 9, 10, 1)
        world.settle()
        (event,) = world.run(world.person(2).events())
        forget_loan(world, old.number)

        new = world.book(2, 14, 15, 1)
        world.settle()

        assert new.number == old.number
        assert world.loan(new.number).interval.start == world.at(14)
        events = world.run(world.person(2).events())
        assert {each["id"] for each in events} > {event["id"]}
        assert len(events) == 2


def forget_loan(world: World, number: int) -> None:
    """Let the database forget a loan and what was known of its event, as a restored backup would."""
    with world.database.write() as transaction:
        for table in ("intent", "link", "loan_item", "decision"):
            transaction.connection.execute(text(f"DELETE FROM {table} WHERE loan_number = :n"), {"n": number})
        transaction.connection.execute(text("DELETE FROM room_copy"))
        transaction.connection.execute(text("DELETE FROM loan WHERE number = :n"), {"n": number})
        transaction.connection.execute(text("DELETE FROM sqlite_sequence WHERE name = 'loan'"))

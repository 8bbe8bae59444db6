"""Where the two sides part, and what is left to be seen of it: item state, history and case. Others of this kind are in
`test_outlook_to_app.py`, `test_app_to_outlook.py` and `test_cases.py`; docs/conflicts.md lists them all."""

from __future__ import annotations

from typing import Any

import pytest

from engine.interval import Interval
from engine.loans.loan import CaseState, ItemKind, Loan
from engine.loans.register import ItemRef, LoanChange
from engine.loans.rules import BookingRules
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.prove.world.world import World
from engine.reconcile.cases.ways import Way
from engine.simulator.people import event_path
from engine.web.pages.parts.settings import SettingKey
from tests.simulation.conftest import MakeWorld


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=3, people=3)


def born(world: World, home: str) -> tuple[int, str]:
    """Make a booking of person 2 in room 1; return its loan's number and its event's id."""
    if home == "app":
        loan = world.book(2, 9, 10, 1)
        world.settle()
    else:
        world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
    return loan.number, organizers(world)["id"]


def organizers(world: World) -> dict[str, Any]:
    """Return the one event there is, as its organizer sees it."""
    (event,) = [event for event in world.all_events() if not event["isCancelled"]]
    return event


def held(loan: Loan) -> list[str]:
    return [item.name for item in loan.held_items]


class TestRoomsTakenOutAtTheDesk:
    def test_leave_the_assets_to_the_loan_and_the_meeting_to_its_organizer(self, world: World) -> None:
        """A projector does not go with the room: the loan lives on, and a room that comes back makes a new one."""
        projector = world.office.desk.add_asset("Projector", store=None, description="", actor="app:test")
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        world.change(loan.number, LoanChange(items=(world.item(1), ItemRef(ItemKind.ASSET, projector.id))))
        world.settle()

        world.change(loan.number, LoanChange(items=(ItemRef(ItemKind.ASSET, projector.id),)))
        world.heal()

        kept = world.loan(loan.number)
        assert kept.status is LoanStatus.NEW
        assert [item.name for item in kept.held_items] == ["Projector"]
        assert "rooms_given_up" in world.history(loan.number)
        (left,) = world.run(world.person(2).events())
        assert left["attendees"] == []
        assert world.cases() == []

        world.run(world.person(2).set_rooms(event["id"], [world.room_addresses[1]]))
        world.heal()
        assert [item.name for item in world.loan(loan.number + 1).held_items] == ["Room 2"]
        assert [item.name for item in world.loan(loan.number).held_items] == ["Projector"]


def meet_and_be_declined(world: World) -> dict[str, Any]:
    """Meet in room 1, whose calendar shows the request for a moment before somebody declines it."""
    world.tenant.office.set_processing(world.room_addresses[0], AutomateProcessing="AutoUpdate")
    event = world.meet(2, 9, 10, 1)
    world.wait(1.5)
    (copy,) = world.run(world.room(1).events())
    world.run(world.room(1).answer(copy["id"], "decline"))
    world.settle()
    return event


class TestEveryRoomDeclined:
    @pytest.mark.parametrize(("home", "status"), [("outlook", LoanStatus.CANCELLED), ("app", LoanStatus.REFUSED)])
    def test_after_it_was_a_loan(self, world: World, home: str, status: LoanStatus) -> None:
        """The loan ends, and its item shows what the room said."""
        number, _ = born(world, home)
        (copy,) = world.run(world.room(1).events())
        world.run(world.room(1).answer(copy["id"], "decline"))
        world.heal()

        ended = world.loan(number)
        assert (ended.status, [item.state for item in ended.items]) == (status, [ItemState.DECLINED])
        assert "all_rooms_declined" in world.history(number)

    def test_before_it_ever_was_a_loan(self, world: World) -> None:
        """No loan, and a case, since a group of people has no room. When they call the meeting off no room hears of
        it, so it is looked at from time to time."""
        event = meet_and_be_declined(world)

        assert world.loans == ()
        assert world.cases() == ["all_rooms_declined"]

        world.run(world.person(2).cancel(event["id"]))
        world.wait(6 * 3600.0)
        assert world.cases() == []

    def test_is_no_case_any_more_when_the_meeting_is_over(self, world: World) -> None:
        meet_and_be_declined(world)
        assert world.cases() == ["all_rooms_declined"]

        world.wait((world.at(10) - world.loop.now()).total_seconds() + 60.0)
        assert world.cases() == []


class TestAMeetingAgainstOurRules:
    def test_stays_flagged_for_as_long_as_it_is(self, world: World) -> None:
        """Exchange accepted what we would not have: it is a loan with a case, which a later look does not close."""
        rules = BookingRules(duration_minutes_max=60)
        world.office.desk.set_rules(rules, store_id=None, item_id=world.item(1).id, actor="app:test")
        event = world.meet(2, 9, 11, 1)
        world.settle()
        world.heal()

        assert len(world.live_loans) == 1
        assert world.cases() == ["longer_than_maximum"]

        world.run(world.person(2).move(event["id"], world.at(9), world.at(10)))
        world.settle()
        assert world.cases() == []


class TestDifferentFields:
    def test_changed_on_both_sides_are_merged(self, world: World) -> None:
        """Outlook moves it, the desk takes another room: both happen, and nobody lost anything."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans

        world.run(world.person(2).move(event["id"], world.at(12), world.at(13)))
        world.change(loan.number, LoanChange(items=(world.item(2),)))
        world.settle()
        world.heal()

        merged = world.loan(loan.number)
        assert merged.interval == Interval(world.at(12), world.at(13))
        assert [(item.name, item.state) for item in merged.rooms] == [("Room 2", ItemState.ACCEPTED)]
        assert world.cases() == []


class TestARoomThatHasNotHeardOfAChange:
    """Its organizer's copy was read, and what the room shows is older: nobody wants that any more. The desk's next edit
    was lost to it, with a case that named it as what was kept."""

    def test_of_times_takes_no_move_of_the_desk_back(self, world: World) -> None:
        number = self.lose_a_contest(world)

        world.change(number, LoanChange(start=world.at(16), end=world.at(17)))
        world.settle()

        assert world.loan(number).interval == world.times_of(organizers(world)) == Interval(world.at(16), world.at(17))
        assert [facts["lost"][11:16] for facts in world.all_case_facts()] == ["15:00"]

    def test_of_times_takes_no_move_of_the_organizer_back(self, world: World) -> None:
        number = self.lose_a_contest(world)

        world.change(number, LoanChange(notes="coffee for six"))
        world.settle()

        assert world.loan(number).interval == Interval(world.at(11), world.at(12))
        world.tenant.faults.clear()
        world.heal()
        assert world.history(number).count("moved_in_outlook") == 1

    def lose_a_contest(self, world: World) -> int:
        """Let Outlook win over the desk, while no notification comes; return the loan's number."""
        number, event_id = born(world, "outlook")
        world.tenant.faults.add(effect="lose", probability=1.0)
        world.run(world.person(2).move(event_id, world.at(11), world.at(12)))
        world.change(number, LoanChange(start=world.at(15), end=world.at(16)))
        world.settle()
        assert world.loan(number).interval == Interval(world.at(11), world.at(12))
        return number

    def test_of_rooms_takes_no_other_room_of_the_desk_back(self, world: World) -> None:
        event = world.meet(2, 9, 10, 1, 2)
        world.settle()
        (loan,) = world.loans
        world.tenant.faults.add(effect="lose", probability=1.0)
        world.run(world.person(2).set_rooms(event["id"], [world.room_addresses[0]]))
        world.change(loan.number, LoanChange(items=(world.item(1), world.item(2), world.item(3))))
        world.settle()
        assert held(world.loan(loan.number)) == ["Room 1"]

        world.change(loan.number, LoanChange(items=(world.item(1), world.item(3))))
        world.settle()

        assert held(world.loan(loan.number)) == ["Room 1", "Room 3"]
        assert sorted(world.invited(organizers(world))) == [1, 3]
        assert len(world.all_case_facts()) == 1


class TestTimesAndRoomsThatExcludeEachOther:
    """One side moves the booking, the other takes it to a room that is taken then. Both cannot be had: what its home
    said is kept whole, under the same number, and the other's wish waits in a case."""

    @pytest.mark.parametrize(("home", "time", "room", "kept", "lost"), [
        ("outlook", 9, "Room 2", "09:00", "12:00"),
        ("app", 12, "Room 1", "Room 1", "Room 2"),
    ])  # fmt: skip
    def test_the_desk_moves_it_and_outlook_takes_another_room(
        self, world: World, home: str, time: int, room: str, kept: str, lost: str
    ) -> None:
        number, event_id, other = self.prepare(world, home)

        world.run(world.person(2).set_rooms(event_id, [world.room_addresses[1]]))
        world.change(number, LoanChange(start=world.at(12), end=world.at(13)))
        world.heal()

        self.check(world, number, time, room, kept, lost)
        assert held(world.loan(other.number)) == ["Room 2"]

    @pytest.mark.parametrize(("home", "time", "room", "kept", "lost"), [
        ("outlook", 12, "Room 1", "Room 1", "Room 2"),
        ("app", 9, "Room 2", "09:00", "12:00"),
    ])  # fmt: skip
    def test_outlook_moves_it_and_the_desk_takes_another_room(
        self, world: World, home: str, time: int, room: str, kept: str, lost: str
    ) -> None:
        number, event_id, other = self.prepare(world, home)

        world.run(world.person(2).move(event_id, world.at(12), world.at(13)))
        world.change(number, LoanChange(items=(world.item(2),)))
        world.heal()

        self.check(world, number, time, room, kept, lost)
        assert held(world.loan(other.number)) == ["Room 2"]

    def test_a_room_that_said_no_is_asked_anew_only_where_it_is_free(self, world: World) -> None:
        """
        The desk moves the booking before it hears that Outlook took it to a room that is taken, and so it is then.

        The loan was to hold the room then, and could not, at every try for ever: both sides stayed apart.
        """
        number, event_id, other = self.prepare(world, "outlook")
        first = world.book(3, 9, 10, 2)
        world.settle()
        world.tenant.faults.add(effect="lose", probability=1.0)

        world.run(world.person(2).set_rooms(event_id, [world.room_addresses[1]]))
        world.wait(3.0)
        world.change(number, LoanChange(start=world.at(12), end=world.at(13)))
        world.heal()

        ended = world.loan(number)
        assert (ended.status, [(item.name, item.state) for item in ended.rooms if item.name == "Room 2"]) == (
            LoanStatus.CANCELLED,
            [("Room 2", ItemState.DECLINED)],
        )
        assert {each.number for each in world.live_loans} == {other.number, first.number}
        event = world.run(world.person(2).call("GET", event_path(event_id)))
        assert event["start"]["dateTime"][:16] == f"{world.at(9):%Y-%m-%dT%H:%M}"
        lost = [facts["lost"] for facts in world.all_case_facts() if "lost" in facts]
        assert lost == ["2026-11-24 12:00 - 2026-11-24 13:00"]

    def test_the_wish_that_lost_can_be_had_once_the_room_is_free(self, world: World) -> None:
        """The case keeps the very times: one command takes them up."""
        number, event_id, other = self.prepare(world, "outlook")
        world.run(world.person(2).set_rooms(event_id, [world.room_addresses[1]]))
        world.change(number, LoanChange(start=world.at(12), end=world.at(13)))
        world.heal()
        world.act_on(other.number, LoanAction.CANCEL)
        world.heal()

        (case,) = world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=10)
        world.office.cases.settle(case.id, Way.KEEP_LOAN, room_id=None, actor="app:test")
        world.tenant.office.touch("person-2@example.org", organizers(world)["iCalUId"])  # the write comes too late
        world.heal()

        assert world.loan(number).interval == Interval(world.at(12), world.at(13))
        assert held(world.loan(number)) == ["Room 2"]
        assert world.cases() == []

    def prepare(self, world: World, home: str) -> tuple[int, str, Loan]:
        """Return the booking, its event, and what holds the other room later."""
        number, event_id = born(world, home)
        other = world.book(3, 12, 13, 2)
        world.settle()
        return number, event_id, other

    def check(self, world: World, number: int, time: int, room: str, kept: str, lost: str) -> None:
        loan = world.loan(number)
        assert loan.interval == Interval(world.at(time), world.at(time + 1))
        assert [(item.name, item.state) for item in loan.held_items] == [(room, ItemState.ACCEPTED)]
        assert len(world.live_loans) == 2
        event = next(each for each in world.all_events() if each["iCalUId"] == world.links()[number])
        assert event["start"]["dateTime"][:16] == f"{world.at(time):%Y-%m-%dT%H:%M}"
        invited = [each["emailAddress"]["address"] for each in event["attendees"]]
        assert invited == [world.room_addresses[int(room[-1]) - 1]]
        (case,) = world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=10)
        assert (case.code, case.loan_number) == ("both_changed", number)
        assert kept in str(case.facts["kept"])
        assert lost in str(case.facts["lost"])


class TestTheSameField:
    @pytest.mark.parametrize("home", ["outlook", "app"])
    def test_changed_to_the_same_on_both_sides_is_no_conflict(self, world: World, home: str) -> None:
        number, event_id = born(world, home)

        world.run(world.person(2).move(event_id, world.at(12), world.at(13)))
        world.change(number, LoanChange(start=world.at(12), end=world.at(13)))
        world.settle()
        world.heal()

        assert world.loan(number).interval == Interval(world.at(12), world.at(13))
        assert world.cases() == []

    @pytest.mark.parametrize(("home", "kept", "lost", "way"), [
        ("outlook", "Room 2", "Room 3", Way.KEEP_LOAN),
        ("app", "Room 3", "Room 2", Way.KEEP_OUTLOOK),
    ])  # fmt: skip
    def test_rooms_swapped_otherwise_are_those_of_its_home(
        self, world: World, home: str, kept: str, lost: str, way: Way
    ) -> None:
        """Outlook takes room 2, the desk room 3. The other room is free again, and one command takes it instead."""
        number, event_id = born(world, home)

        world.run(world.person(2).set_rooms(event_id, [world.room_addresses[1]]))
        world.change(number, LoanChange(items=(world.item(3),)))
        world.heal()

        assert held(world.loan(number)) == [kept]
        (case,) = world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=10)
        assert (case.code, case.facts["kept"], case.facts["lost"]) == ("both_changed", kept, lost)

        world.office.cases.settle(case.id, way, room_id=None, actor="app:test")
        world.heal()

        assert held(world.loan(number)) == [lost]
        assert [each["emailAddress"]["name"] for each in organizers(world)["attendees"]] == [lost]
        assert world.cases() == []


class TestARoomThatWasNotReadSinceAMove:
    def test_does_not_take_the_booking_back(self, world: World) -> None:
        """One room has told of it, and the other's older times are not news: the organizer is asked who is right."""
        event = world.meet(2, 9, 10, 1, 2)
        world.settle()
        world.tenant.faults.add(effect="lose", mailbox=world.room_addresses[1])
        world.run(world.person(2).move(event["id"], world.at(14), world.at(15)))
        world.settle()
        (loan,) = world.loans
        assert loan.interval.start == world.at(14)

        world.office.enqueue("loan", str(loan.number))
        world.settle()
        assert world.loan(loan.number).interval.start == world.at(14)
        world.heal()

        assert world.loan(loan.number).interval.start == world.at(14)
        assert world.history(loan.number).count("moved_in_outlook") == 1


class TestACancellation:
    @pytest.mark.parametrize("home", ["outlook", "app"])
    @pytest.mark.parametrize("side", ["outlook", "app"])
    def test_beats_a_change_made_on_the_other_side(self, world: World, home: str, side: str) -> None:
        """Whoever cancels means it, and nothing that was cancelled comes back (H48, H56)."""
        number, event_id = born(world, home)

        if side == "outlook":
            world.run(world.person(2).cancel(event_id))
            world.change(number, LoanChange(start=world.at(14), end=world.at(15)))
        else:
            world.run(world.person(2).move(event_id, world.at(14), world.at(15)))
            world.act_on(number, LoanAction.CANCEL)
        world.heal()

        assert world.loan(number).status is LoanStatus.CANCELLED
        assert world.live_loans == ()
        assert [event for event in world.all_events() if not event["isCancelled"]] == []
        assert ("cancelled_in_outlook" if side == "outlook" else "cancelled_in_app") in world.history(number)
        assert world.cases() == []


class TestAChangedSetting:
    def test_has_a_loan_with_a_lost_value_looked_at_again(self, world: World) -> None:
        """The case of a lost value has a name of its own; what is looked at is the loan."""
        number, _ = born(world, "outlook")
        world.run(world.person(2).move(organizers(world)["id"], world.at(12), world.at(13)))
        world.change(number, LoanChange(start=world.at(14), end=world.at(15)))
        world.heal()
        assert world.cases() == ["both_changed"]

        world.override(SettingKey.MODE, "shadow")
        world.override(SettingKey.MODE, None)
        world.heal()

        assert world.watcher.parked_keys == []
        assert world.cases() == ["both_changed"]


class TestAnotherOrganizer:
    def test_of_somebodys_own_meeting_is_not_for_the_desk_to_name(self, world: World) -> None:
        """Graph cannot change an organizer; the loan returns to hers, and a case tells (decision 0010)."""
        number, _ = born(world, "outlook")

        world.change(number, LoanChange(requester=world.requester(3)))
        world.heal()

        assert world.loan(number).requester.address == world.people[1]
        assert world.cases() == ["organizer_cannot_change"]
        assert world.count_writes() == 0

    @pytest.mark.parametrize("home", ["outlook", "app"])
    def test_given_by_an_administrator_is_followed_into_their_mailbox(self, world: World, home: str) -> None:
        """The organizer's copy has another id in another mailbox now: what the desk does later reaches it there."""
        number, _ = born(world, home)
        world.tenant.office.change_organizer(world.people[1], organizers(world)["iCalUId"], world.people[2])
        world.settle()
        assert world.loan(number).requester.address == world.people[2]

        world.change(number, LoanChange(start=world.at(14), end=world.at(15)))
        world.heal()
        assert organizers(world)["start"]["dateTime"] == f"{world.at(14):%Y-%m-%dT%H:%M:%S}.0000000"

        world.act_on(number, LoanAction.CANCEL)
        world.heal()
        assert [event for event in world.all_events() if not event["isCancelled"]] == []
        assert world.cases() == []

    def test_given_by_an_administrator_is_found_although_a_room_left_before(self, world: World) -> None:
        """What was last heard of a room that has left the meeting names the former organizer: nobody asks there."""
        number = world.book(2, 9, 10, 1).number
        world.settle()
        world.change(number, LoanChange(items=(world.item(2),)))
        world.settle()
        world.tenant.faults.add(effect="error", status=503, path="room-1.*delta", times=5)
        world.tenant.office.change_organizer(world.people[1], organizers(world)["iCalUId"], world.people[2])
        world.settle()

        world.change(number, LoanChange(start=world.at(14), end=world.at(15)))
        world.heal()

        assert organizers(world)["start"]["dateTime"] == f"{world.at(14):%Y-%m-%dT%H:%M:%S}.0000000"

    def test_given_by_an_administrator_and_taken_to_another_room_is_found_although_no_room_is_left(
        self, world: World
    ) -> None:
        """One room left before it was given away and names its former organizer, one after it and names the heir, and
        the one that has it is not read: whom a room named last is asked."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.live_loans
        world.run(world.person(2).set_rooms(event["id"], world.addresses([2])))
        world.settle()
        for silent in world.addresses([1, 3]):
            world.tenant.faults.add(effect="lose", mailbox=silent)
        world.tenant.office.change_organizer(world.people[1], event["iCalUId"], world.people[2])
        world.run(world.person(3).set_rooms(organizers(world)["id"], world.addresses([3])))
        world.settle()
        world.heal()

        assert held(world.loan(loan.number)) == ["Room 3"]
        assert world.loan(loan.number).requester.address == world.people[2]
        assert [each.number for each in world.loans] == [loan.number]

    def test_given_by_an_administrator_is_found_although_it_could_not_be_read_at_first(self, world: World) -> None:
        """The rooms told who has it; its mailbox said no at that moment, and is asked again at the next change."""
        number, _ = born(world, "app")
        heir = world.people[2]
        world.tenant.faults.add(effect="error", status=403, code="ErrorAccessDenied", mailbox=heir, times=1)
        world.tenant.office.change_organizer(world.people[1], organizers(world)["iCalUId"], heir)
        world.settle()
        assert world.loan(number).requester.address == heir

        world.change(number, LoanChange(start=world.at(14), end=world.at(15)))
        world.heal()

        assert organizers(world)["start"]["dateTime"] == f"{world.at(14):%Y-%m-%dT%H:%M:%S}.0000000"

    def test_given_by_an_administrator_and_given_back_is_found_under_its_new_id(self, world: World) -> None:
        """No room had told of the first change before the second: who has it is who had it, and its id is another."""
        world.tenant.faults.add(effect="lose")
        number, _ = born(world, "app")
        uid = organizers(world)["iCalUId"]
        world.tenant.office.change_organizer(world.people[1], uid, world.people[2])
        world.tenant.office.change_organizer(world.people[2], uid, world.people[1])
        world.change(number, LoanChange(start=world.at(14), end=world.at(15)))
        world.settle()

        assert organizers(world)["start"]["dateTime"] == f"{world.at(14):%Y-%m-%dT%H:%M:%S}.0000000"

    def test_given_by_an_administrator_and_cancelled_is_gone_although_a_room_never_showed_it(
        self, world: World
    ) -> None:
        """One room dropped it unheard and cannot show its end; the other one's end and the heir's empty calendar are
        all there is to know, once the silent room was asked itself."""
        world.tenant.faults.add(effect="lose")
        world.tenant.faults.add(effect="silent", path="room-2.*delta")
        event = world.meet(2, 9, 10, 1, 2)
        world.wait(2)
        world.office.rooms.mark_rooms(priority=1)
        world.wait(5)
        (loan,) = world.live_loans
        world.tenant.office.release(world.room_addresses[1], event["iCalUId"])
        world.tenant.office.change_organizer(world.people[1], event["iCalUId"], world.people[2])
        world.wait(5)
        world.run(world.person(3).cancel(organizers(world)["id"]))
        world.heal()

        assert not world.loan(loan.number).blocks
        assert "cancelled_in_outlook" in world.history(loan.number)

    def test_given_by_an_administrator_before_we_saw_it_in_a_room_is_not_cancelled(self, world: World) -> None:
        """Its organizer no longer has it, and no room was heard of: it is looked for in the rooms first."""
        world.tenant.faults.add(effect="lose")
        number = world.book(2, 9, 10, 1).number
        world.wait(2.0)

        world.tenant.office.change_organizer(world.people[1], organizers(world)["iCalUId"], world.people[2])
        world.wait(30.0)
        world.settle()

        assert world.loan(number).blocks
        assert world.loan(number).requester.address == world.people[2]
        assert len(world.loans) == 1

    @pytest.mark.parametrize("home", ["outlook", "app"])
    def test_given_by_an_administrator_and_dropped_by_its_room_is_a_loan_again_once_the_room_has_it(
        self, world: World, home: str
    ) -> None:
        """Nobody knows who has it, so its loan ends. The heir moves it, and the room takes it: that is no echo of an
        end of ours, be it an event that we made. The room was booked in Outlook without a loan."""
        number, _ = born(world, home)
        uid = organizers(world)["iCalUId"]
        world.tenant.faults.add(effect="lose", probability=1.0)
        world.tenant.office.change_organizer(world.people[1], uid, world.people[2])
        world.wait(1.0)
        world.tenant.office.release(world.room_addresses[0], uid)
        world.tenant.faults.clear()
        world.heal()
        assert not world.loan(number).blocks
        assert "cancelled_in_outlook" in world.history(number)

        world.run(world.person(3).move(organizers(world)["id"], world.at(14), world.at(15)))
        world.heal()

        (again,) = world.live_loans
        assert again.requester.address == world.people[2]
        assert again.interval == Interval(world.at(14), world.at(15))
        assert not world.loan(number).blocks

    def test_that_names_a_room_by_an_address_not_heard_of_yet_does_not_take_it_out(self, world: World) -> None:
        """The room shows the meeting in its own calendar; the list names it by its new address, which the next import
        will bring. What the desk says meanwhile goes on."""
        number, _ = born(world, "outlook")
        world.readdress(1, "room-1-anew@example.org")
        world.run(world.person(2).set_rooms(organizers(world)["id"], world.addresses([1])))

        world.change(number, LoanChange(start=world.at(14), end=world.at(15)))
        world.settle()

        assert world.loan(number).blocks
        assert "room_removed_in_outlook" not in world.history(number)
        assert organizers(world)["start"]["dateTime"] == f"{world.at(14):%Y-%m-%dT%H:%M:%S}.0000000"

    def test_given_by_an_administrator_while_a_room_is_read_without_it_is_not_cancelled(self, world: World) -> None:
        """A whole reading that lacks the newest changes puts the room's copy in doubt: the room is asked for another
        before its former organizer, who has it no more, is believed."""
        number, _ = born(world, "app")
        decided = len(world.history(number))
        world.lose_delta(1)
        world.tenant.faults.add(effect="lag", seconds=60.0, times=1)
        world.tenant.office.change_organizer(world.people[1], organizers(world)["iCalUId"], world.people[2])
        world.settle()

        assert world.loan(number).requester.address == world.people[2]
        assert world.history(number)[decided:] == ["organizer_changed"]
        assert [loan.number for loan in world.loans] == [number]

    @pytest.mark.parametrize("home", ["outlook", "app"])
    def test_given_by_an_administrator_does_not_save_a_loan_that_is_cancelled(self, world: World, home: str) -> None:
        number, _ = born(world, home)
        world.tenant.office.change_organizer(world.people[1], organizers(world)["iCalUId"], world.people[2])
        world.settle()

        world.act_on(number, LoanAction.CANCEL)
        world.heal()
        assert [event for event in world.all_events() if not event["isCancelled"]] == []

    def test_named_on_both_sides_is_the_desks_for_a_loan_born_there(self, world: World) -> None:
        """An administrator hands the event to one person, the desk gives the loan to another: the desk's is kept, in
        a new event; settling the case the other way makes the event anew once more."""
        number, _ = born(world, "app")

        world.tenant.office.change_organizer(world.people[1], organizers(world)["iCalUId"], world.people[0])
        world.change(number, LoanChange(requester=world.requester(3)))
        world.heal()

        assert world.loan(number).requester.address == world.people[2]
        (case,) = world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=10)
        assert (case.code, case.facts["lost"]) == ("both_changed", world.people[0])

        world.office.cases.settle(case.id, Way.KEEP_OUTLOOK, room_id=None, actor="app:test")
        world.heal()

        assert world.loan(number).requester.address == world.people[0]
        assert organizers(world)["organizer"]["emailAddress"]["address"] == world.people[0]


class TestAWithdrawnLoan:
    def test_is_at_rest(self, world: World) -> None:
        """Once its event is gone there is nothing to do about it, at whatever look."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.run(world.person(2).cancel(world.run(world.person(2).events())[0]["id"]))
        world.settle()
        assert world.engine is not None

        seen = world.run(world.engine.booking_pass.preview("loan", str(loan.number)))

        assert seen is not None
        assert seen[1].is_rest


class TestBothMoveItAndTheRoomRefusesOutlooksTime:
    """Outlook's times win where it was born, and at them no room is left: nobody has to look a second time."""

    def test_the_loan_ends_at_once(self, world: World) -> None:
        world.meet(1, 14, 15, 1)
        world.settle()
        event = world.meet(2, 9, 10, 1)
        world.settle()
        loan = next(each for each in world.loans if each.interval.start == world.at(9))

        world.kill()
        world.run(world.person(2).move(event["id"], world.at(14), world.at(15)))
        world.wait(5)
        world.start()
        world.change(loan.number, LoanChange(start=world.at(16), end=world.at(17)))
        world.settle()

        assert world.loan(loan.number).status is LoanStatus.CANCELLED
        assert world.history(loan.number)[-2:] == ["room_declined", "all_rooms_declined"]
        assert "both_changed" in world.cases_of(loan.number)


class TestACaseThatIsSettledBeforeOutlookHeardOfTheWinner:
    """The write of what won is refused for a while: whoever looks at the booking again finds no conflict any more."""

    @pytest.mark.parametrize("rooms", [False, True])
    def test_is_not_opened_anew(self, world: World, rooms: bool) -> None:
        number, event = born(world, "app")
        world.tenant.faults.add(effect="error", status=429, method="PATCH", times=1)
        if rooms:
            world.change(number, LoanChange(items=(world.item(2),)))
            world.run(world.person(2).set_rooms(event, [world.room_addresses[2]]))
        else:
            world.change(number, LoanChange(start=world.at(14), end=world.at(15)))
            world.run(world.person(2).move(event, world.at(12), world.at(13)))
        world.wait(0.5)
        (case,) = world.all_cases()
        assert "event_changed" not in world.history(number)

        world.office.cases.settle(case.id, Way.KEEP_LOAN, room_id=None, actor="app:test")
        world.tenant.office.touch("person-2@example.org", organizers(world)["iCalUId"])  # the write comes too late
        world.heal()

        assert "event_changed" in world.history(number)
        assert [(each.id, each.code, each.state) for each in world.all_cases()] == [
            (case.id, "both_changed", CaseState.CLOSED)
        ]

"""The nightly comparison: finds what nothing else found, repairs it through the ordinary passes, and says so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from engine.database.sql.connection import Database
from engine.loans.loan import CaseState
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanAction
from engine.prove.world.world import World
from engine.reconcile.plan import ANSWER_GRACE_SECONDS
from engine.rooms.calendar import ChangesPage
from engine.rooms.room import RoomState
from engine.simulator.people import event_path
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=2)


def compare(world: World) -> tuple[int, int]:
    """Compare every room and let the repairs be done; returns copies and bookings that had drifted."""
    began = world.loop.now()
    world.office.mark_comparisons()
    world.settle()
    found = world.office.comparisons.load_all().values()
    assert all(each.compared_at >= began for each in found)
    assert len(found) == len(world.room_addresses)
    return sum(each.copies for each in found), sum(each.bookings for each in found)


def miss(world: World) -> None:
    """Let notifications be lost, and the next delta of room 1 say that nothing changed."""
    world.tenant.faults.add(effect="lose")
    world.tenant.faults.add(effect="silent", mailbox=world.room_addresses[0], times=1)


def hear(world: World) -> None:
    world.tenant.faults.clear()


def corrupt(world: World, statement: str, **values: object) -> None:
    with world.database.write() as transaction:
        transaction.connection.execute(text(statement), values)


class TestWhenAllIsWell:
    def test_finds_nothing_and_writes_nothing(self, world: World) -> None:
        """Both sides agree: no drift, no case, no write, and the next night the same."""
        world.meet(1, 9, 10, 1)
        world.book(2, 11, 12, 1, 2)
        world.settle()
        writes = world.count_writes()

        assert compare(world) == (0, 0)
        assert compare(world) == (0, 0)

        assert world.count_writes() == writes
        assert world.cases() == []

    def test_what_only_comes_into_sight_is_no_drift(self, worlds: MakeWorld) -> None:
        """The window is opened anew each night; a meeting at its far end is new to us and was never missed."""
        world = worlds(rooms=1, settings={"ENGINE_SYNC__HORIZON_DAYS": "10"})
        world.meet(1, 9, 10, 1, days=11)
        world.settle()
        world.wait(3 * 86_400.0)

        assert compare(world) == (0, 0)
        assert len(world.loans) == 1

    def test_what_the_desk_has_cancelled_and_its_room_shows_no_more_is_no_drift(self, world: World) -> None:
        """The room deletes what was cancelled before anybody reads it: nobody asks for it, and nobody counts it."""
        world.tenant.office.set_processing(world.room_addresses[0], RemoveCanceledMeetings=True)
        loan = world.book(1, 9, 10, 1)
        world.settle()
        world.act(loan, LoanAction.CANCEL)
        world.settle()

        assert compare(world) == (0, 0)
        assert compare(world) == (0, 0)
        assert world.cases() == []


class TestDrift:
    def test_a_change_that_nothing_told_is_found_told_and_repaired(self, world: World) -> None:
        """Neither a notification nor delta showed a move: counted, shown in status, a case, and the loan follows."""
        event = world.meet(1, 9, 10, 1)
        world.settle()
        miss(world)
        world.run(world.person(1).move(event["id"], world.at(15), world.at(16)))
        world.wait(10)

        assert compare(world) == (1, 0)

        (loan,) = world.live_loans
        assert loan.interval.start == world.at(15)
        assert world.cases() == ["drift_found"]
        drift = world.office.read_status()["drift"]
        assert isinstance(drift, dict)
        assert drift["Room 1"]["drift_copies"] == 1
        hear(world)
        assert compare(world) == (0, 0)
        assert world.cases() == [], "a night without drift closes it"

    def test_a_deletion_that_nothing_told_is_asked_for_and_followed(self, world: World) -> None:
        """Absence is no evidence: what the reading does not show is asked for by its id, then its loan is cancelled."""
        kept = world.meet(1, 9, 10, 1)
        event = world.meet(1, 11, 12, 1)
        world.settle()
        miss(world)
        world.run(world.person(1).delete(event["id"]))
        world.wait(10)

        assert compare(world) == (1, 0)

        (alive,) = world.live_loans
        assert world.links()[alive.number] == kept["iCalUId"]

    def test_a_booking_out_of_step_is_settled(self, world: World) -> None:
        """A mark was lost: the meeting is in the mirror and has no loan."""
        world.meet(1, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        for table in ("loan_item", "link"):
            corrupt(world, f"DELETE FROM {table} WHERE loan_number = :number", number=loan.number)
        corrupt(world, "DELETE FROM loan WHERE number = :number", number=loan.number)

        assert compare(world) == (0, 1)

        assert len(world.live_loans) == 1

    def test_is_found_on_postgresql_too(self, worlds: MakeWorld, postgresql_url: str) -> None:
        """Counted twice in the same row: what was found the last time, and in all."""
        world = worlds(rooms=1, settings=WITHOUT_CONTENT, database=lambda now: Database(postgresql_url, clock=now))
        world.meet(1, 9, 10, 1)
        world.settle()
        for _ in range(2):
            corrupt(world, "UPDATE room_copy SET etag = 'old'")
            assert compare(world) == (1, 0)

        (found,) = world.office.comparisons.load_all().values()
        assert (found.copies, found.copies_total) == (1, 2)

    def test_opens_no_case_where_rooms_are_asked_in_turn(self, worlds: MakeWorld) -> None:
        """Without notifications nothing was promised: drift is counted, and no subscription can be deaf."""
        world = worlds(rooms=1, settings={"ENGINE_SYNC__DELIVERY": "poll"})
        world.meet(1, 9, 10, 1)
        world.wait(10)
        world.office.rooms.mark_rooms(priority=1)
        world.settle()
        corrupt(world, "UPDATE room_copy SET etag = 'old'")

        assert compare(world) == (1, 0)
        assert world.cases() == []


class TestWhatOnlyTheOrganizersCopyShows:
    def test_a_new_title_and_privacy_are_read(self, world: World) -> None:
        """Rooms' copies say nothing of them, so some organizers' copies are read each night."""
        event = world.meet(1, 9, 10, 1, subject="Board")
        world.settle()
        world.run(world.person(1).change(event["id"], subject="Board, second part"))
        world.settle()

        assert compare(world) == (0, 0)
        assert world.loans[0].title == "Board, second part"

        world.run(world.person(1).change(event["id"], sensitivity="private"))
        world.settle()
        compare(world)
        assert (world.loans[0].title, world.loans[0].private) == ("", True)

    def test_a_room_that_declined_and_was_uninvited_leaves_the_loan(self, world: World) -> None:
        """Nobody hears of it: the room's copy is gone, and the list of invited rooms is only with the organizer."""
        world.meet(2, 9, 10, 2)
        world.settle()
        event = world.meet(1, 9, 10, 1, 2)
        world.settle()
        world.wait(ANSWER_GRACE_SECONDS)  # the taken room answers after the other one
        number = world.loan_of(event["iCalUId"])
        assert number is not None
        assert {item.state for item in world.loan(number).items} == {ItemState.ACCEPTED, ItemState.DECLINED}
        world.run(world.person(1).set_rooms(event["id"], world.room_addresses[:1]))
        world.settle()

        compare(world)

        assert [item.name for item in world.loan(number).rooms] == ["Room 1"]

    def test_a_room_that_was_forwarded_the_meeting_and_set_up_anew_before_it_was_read_is_found(
        self, world: World
    ) -> None:
        """It shows nothing, and the other room's copy does not name it: only the organizer's list does."""
        event = world.meet(1, 9, 10, 2)
        world.settle()
        world.tenant.faults.add(effect="lose")
        recipients = [{"emailAddress": {"address": world.room_addresses[0]}}]
        world.run(world.person(1).call("POST", f"{event_path(event['id'])}/forward", {"toRecipients": recipients}))
        world.wait(5.0)
        world.tenant.office.remove_room(world.room_addresses[0])
        world.tenant.office.add_room(world.room_addresses[0], "Room 1")
        self.find_by_night(world)

    def test_a_room_that_dropped_the_meeting_before_its_address_was_known_is_found(self, world: World) -> None:
        """Nothing was ever read of its copy, and of an address that nobody knew the other room's copy kept nothing."""
        world.readdress(1, "salon@example.org")
        world.tenant.faults.add(effect="lose")
        event = world.meet(1, 9, 10, 1, 2)
        world.wait(5.0)
        world.tenant.office.release("salon@example.org", event["iCalUId"])
        world.office.enqueue("room", "2")
        world.settle()
        self.find_by_night(world)

    def find_by_night(self, world: World) -> None:
        """See that Room 1 is no part of the loan, until its organizer's copy is compared."""
        world.office.enqueue("places", "all")
        world.heal()
        assert [item.name for item in world.loans[0].rooms] == ["Room 2"]

        compare(world)
        world.wait(30.0)

        shown = {item.name: item.state for item in world.loans[0].rooms}
        assert shown == {"Room 1": ItemState.RELEASED, "Room 2": ItemState.ACCEPTED}

    def test_is_bounded(self, worlds: MakeWorld) -> None:
        """No more organizers' copies are read in a room by night than the setting says."""
        world = worlds(rooms=1, settings={"ENGINE_SYNC__COMPARE_READS_PER_ROOM": "2"})
        for hour in range(9, 14):
            world.meet(1, hour, hour + 1, 1)
        world.settle()
        before = organizer_reads(world)

        compare(world)

        assert organizer_reads(world) == before + 2


def organizer_reads(world: World) -> int:
    """Return how many single copies were read in people's mailboxes."""
    return sum(
        "person-" in request.url and "/events" in request.url and request.method == "GET"
        for transport in world.transports
        for request in transport.requests
    )


class TestAnEmptyCalendar:
    @pytest.mark.parametrize("way", ["compared", "its token lost"])
    def test_is_not_believed_where_many_bookings_were(
        self, world: World, monkeypatch: pytest.MonkeyPatch, way: str
    ) -> None:
        """Suspend and tell, cancel nothing; once the calendar shows something again the room resumes."""
        for day in range(1, 13):
            world.meet(1, 9, 10, 1, days=day)
        world.settle()
        assert world.engine is not None
        honest = world.engine.calendar.fetch_changes

        async def forget(room: str, **how: Any) -> ChangesPage:
            page = await honest(room, **how)
            return replace(page, changes=())

        monkeypatch.setattr(world.engine.calendar, "fetch_changes", forget)
        if way == "compared":
            world.office.mark_comparisons()
        else:
            world.lose_delta(1)
            world.office.rooms.mark_rooms(priority=1)
        world.settle()

        assert len(world.live_loans) == 12
        assert state_of(world, 1) is RoomState.SUSPENDED
        told = world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=10)
        assert any("came back empty" in str(case.facts) for case in told)
        assert world.watcher.parked_keys == []

        monkeypatch.setattr(world.engine.calendar, "fetch_changes", honest)
        world.heal()
        assert len(world.live_loans) == 12
        assert state_of(world, 1) is RoomState.ACTIVE

    def test_is_believed_where_the_bookings_were_never_seen(self, world: World) -> None:
        """Set up anew before it had answered, a room is still asked for them; they were never in its calendar."""
        for day in range(1, 13):
            world.meet(1, 9, 10, 1, 2, days=day)
        world.tenant.office.remove_room(world.room_addresses[0])
        world.tenant.office.add_room(world.room_addresses[0], "Room 1")
        world.office.enqueue("places", "all")
        world.heal()
        asked = [loan for loan in world.live_loans for item in loan.rooms if item.state is ItemState.REQUESTED]
        assert len(asked) == 12

        compare(world)

        assert state_of(world, 1) is RoomState.ACTIVE


def state_of(world: World, room: int) -> RoomState:
    found = world.office.rooms.room_book().by_id(world.item(room).id)
    assert found is not None
    return found.state


class TestTextThatLagsBehind:
    def test_is_brought_up_to_date_and_is_no_drift(self, world: World) -> None:
        """The body of our event lists the items; one that lags is written, once."""
        loan = world.book(1, 9, 10, 1)
        world.settle()
        world.change(loan.number, LoanChange(items=(world.item(1), world.item(2))))
        world.settle()

        assert compare(world) == (0, 0)

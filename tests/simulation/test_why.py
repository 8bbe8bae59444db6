"""Why is this room (not) booked? Answered from what was recorded, for everything that can have become of it (D2)."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from engine.errors import NotFound
from engine.ids import BookableId
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.prove.world.world import World
from engine.reconcile.words.reasons import explain
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=2, people=3)


def ask(world: World, hour: float, *, days: int = 1, room: int = 1) -> list[str]:
    answer = world.office.why.ask(world.item(room).id, world.at(hour, days=days))
    return [note.code for note in answer.notes]


def say(world: World, hour: float, *, language: str = "en") -> str:
    answer = world.office.why.ask(world.item(1).id, world.at(hour))
    return " ".join(explain(note.code, note.facts, language) for note in answer.notes)


class TestWhy:
    def test_a_room_is_booked(self, world: World) -> None:
        """By which loan, and that the room has said yes; the quarter of an hour the loan blocks counts."""
        world.meet(2, 9, 9.9, 1)
        world.settle()

        assert ask(world, 9.95) == ["why_held_accepted", "why_read_subscribed"]
        assert "by loan 1; the room has accepted" in say(world, 9.5)
        assert "par le prêt 1 ; la salle a accepté" in say(world, 9.5, language="fr")

    def test_a_room_is_kept_for_a_loan_that_outlook_refused(self, worlds: MakeWorld) -> None:
        """Nobody waits for the answer of a room that was never asked."""
        world = worlds(rooms=2, people=3, settings={"ENGINE_LOANS__DEFAULT_USER": ""})
        world.tenant.office.set_state("person-2@example.org", "denied")
        world.book(2, 9, 10, 1)
        world.settle()

        assert ask(world, 9.5)[:2] == ["why_held_unasked", "write_refused"]

    def test_nothing_is_known(self, world: World) -> None:
        world.meet(2, 9, 10, 1)
        world.settle()

        assert ask(world, 10) == ["why_nothing_known", "why_read_subscribed"]

    def test_a_room_that_declined_at_once_leaves_nothing_to_tell(self, worlds: MakeWorld) -> None:
        """The room is taken by something that ended again before anybody read of it: the delta tells an id that is
        gone, without time or organizer; it is no loan, no copy and no case."""
        world = worlds(settings=WITHOUT_CONTENT)
        world.tenant.office.set_processing(world.room_addresses[0], AllBookInPolicy=False)
        world.meet(2, 9, 10, 1)
        world.settle()
        world.heal()

        assert (world.loans, world.cases()) == ((), [])
        assert ask(world, 9.5) == ["why_nothing_known", "why_read_subscribed"]

    def test_the_time_of_a_free_room_is_the_one_asked_for_on_any_clock(self, world: World) -> None:
        """The app asks on the building's clocks, the sentence answers in UTC; no signal came yet."""
        world.settle()
        at = world.at(10).astimezone(ZoneInfo("Asia/Kolkata"))

        nothing, fresh = world.office.why.ask(world.item(1).id, at).notes

        assert nothing.facts["at"] == f"{world.at(10).astimezone(UTC):%Y-%m-%d %H:%M}"
        assert fresh.code == "why_read_quiet"

    def test_the_room_declined(self, world: World) -> None:
        world.tenant.office.set_processing(world.room_addresses[0], MaximumDurationInMinutes=30)
        world.book(2, 9, 10, 1, 2)
        world.wait(15.0)
        world.settle()

        assert ask(world, 9)[:1] == ["why_item_declined"]
        assert "room_declined" in ask(world, 9)

    def test_it_was_freed_and_by_whom(self, world: World) -> None:
        """Cancelled at the desk, or in Outlook: the answer names the actor and the hour."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.act(loan, LoanAction.CANCEL)
        event = world.meet(3, 11, 12, 1)
        world.settle()
        world.run(world.person(3).cancel(event["id"]))
        world.settle()

        assert ask(world, 9)[:2] == ["why_cancelled", "why_decided"]
        assert "app:test" in say(world, 9)
        assert ask(world, 11)[:3] == ["why_cancelled", "why_decided", "cancelled_in_outlook"]

    def test_the_meeting_was_rejected(self) -> None:
        """With the rule and its values: an organizer from outside, where nobody stands in."""
        world = World(rooms=1, people=2, settings={"ENGINE_LOANS__DEFAULT_USER": "", "ENGINE_LOANS__DOMAINS": "a.org"})
        try:
            world.open()
            world.meet(2, 9, 10, 1)
            world.settle()

            assert ask(world, 9)[:2] == ["why_meeting_rejected", "organizer_unknown"]
            assert "person-2@example.org is not of our domains" in say(world, 9)
        finally:
            world.close()

    def test_the_meeting_was_there_before(self) -> None:
        """Listed at first contact: a backfill would import it."""
        world = World(rooms=1, people=2, settings={"ENGINE_SYNC__FIRST_CONTACT": "list"})
        try:
            world.meet(2, 9, 10, 1)
            world.wait(5.0)
            world.open()

            assert ask(world, 9)[:1] == ["why_meeting_listed"]
        finally:
            world.close()

    def test_the_room_is_suspended(self, world: World) -> None:
        world.tenant.office.set_state(world.room_addresses[0], "denied")
        world.office.rooms.mark_rooms(priority=1)
        world.wait(60.0)

        assert ask(world, 9)[:2] == ["why_room_suspended", "room_suspended"]

    def test_it_is_beyond_the_horizon(self, world: World) -> None:
        assert "why_beyond_horizon" in ask(world, 9, days=500)
        assert "why_before_window" in ask(world, 9, days=-60)

    def test_the_room_left_the_loan(self, world: World) -> None:
        loan = world.book(2, 9, 10, 1, 2)
        world.settle()
        world.change(loan.number, LoanChange(items=(world.item(2),)))
        world.settle()

        assert ask(world, 9)[:1] == ["why_item_cancelled"]

    def test_of_a_room_that_is_none_is_refused(self, world: World) -> None:
        with pytest.raises(NotFound):
            world.office.why.ask(BookableId(99), world.at(9))

"""Where the two sides part, and what is left to be seen of it: item state, history and case. Others of this kind are in
`test_outlook_to_app.py`, `test_app_to_outlook.py` and `test_cases.py`; docs/conflicts.md lists them all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.interval import Interval
from engine.loans.loan import ItemKind
from engine.loans.register import ItemRef, LoanChange
from engine.loans.rules import BookingRules
from engine.loans.status import ItemState, LoanStatus
from tests.simulation.world import World


@pytest.fixture
def world() -> Iterator[World]:
    made = World(rooms=3, people=3).open()
    yield made
    made.close()


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

"""Cases and their ways out: what happens on both sides when somebody settles one, and takes that back (D5)."""

from __future__ import annotations

import pytest

from engine.errors import Invalid, NotAllowed, NotFound
from engine.ids import BookableId, StoreId
from engine.loans.loan import Case, CaseState
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanAction
from engine.prove.world.world import World
from engine.reconcile.actions import Note
from engine.reconcile.cases.ways import Way
from engine.reconcile.words.reasons import explain
from tests.simulation.conftest import MakeWorld

BY = "app:test"


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=4, people=3)


def open_case(world: World, code: str) -> Case:
    (case,) = [
        each for each in world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=100) if each.code == code
    ]
    return case


def settle(world: World, case: Case, way: Way, room: int | None = None) -> None:
    room_id = world.item(room).id if room is not None else None
    world.office.cases.settle(case.id, way, room_id=room_id, actor=BY)
    world.settle()


def ways(world: World, case: Case) -> list[Way]:
    return [choice.way for choice in world.office.cases.find(case.id).choices]


def event_times(world: World, person: int) -> tuple[str, str]:
    (event,) = world.run(world.person(person).events())
    return event["start"]["dateTime"][11:16], event["end"]["dateTime"][11:16]


def edit_both(world: World, number: int, event_id: str) -> None:
    """Move a booking on both sides within a second: in Outlook to noon, at the desk to two."""
    world.run(world.person(2).move(event_id, world.at(12), world.at(13)))
    world.change(number, LoanChange(start=world.at(14), end=world.at(15)))
    world.settle()


class TestBothSidesMovedIt:
    """The example of docs/conflicts.md: the rule decides, the loser is a case, one command settles it the other way."""

    def test_outlook_wins_what_was_born_there_and_the_desk_can_have_it_back(self, world: World) -> None:
        """The loser's value waits in a case; `keep_loan` writes it to Outlook; undoing that returns to the rule's."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans

        edit_both(world, loan.number, event["id"])

        case = open_case(world, "both_changed")
        assert world.loan(loan.number).interval.start == world.at(12)
        assert ways(world, case) == [Way.KEEP_OUTLOOK, Way.KEEP_LOAN, Way.IGNORE]

        settle(world, case, Way.KEEP_LOAN)

        assert world.loan(loan.number).interval.start == world.at(14)
        assert event_times(world, 2) == ("14:00", "15:00")
        assert world.cases() == []
        assert "settled_keep_loan" in world.history(loan.number)

        world.office.cases.undo(case.id, actor=BY)
        world.settle()

        assert event_times(world, 2) == ("12:00", "13:00")
        assert world.loan(loan.number).interval.start == world.at(12)
        assert world.cases() == ["both_changed"]

    def test_the_desk_wins_what_was_born_there_and_outlook_can_have_it_back(self, world: World) -> None:
        """Swapping the sides swaps the story."""
        loan = world.book(2, 9, 10, 1)
        world.settle()
        (event,) = world.run(world.person(2).events())

        edit_both(world, loan.number, event["id"])

        case = open_case(world, "both_changed")
        assert event_times(world, 2) == ("14:00", "15:00")

        settle(world, case, Way.KEEP_OUTLOOK)

        assert event_times(world, 2) == ("12:00", "13:00")
        assert world.loan(loan.number).interval.start == world.at(12)
        assert world.cases() == []

    def test_the_winner_is_confirmed_without_a_write(self, world: World) -> None:
        """Choosing what the rule chose closes the case, and nothing else."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        edit_both(world, loan.number, event["id"])
        writes = world.count_writes()

        settle(world, open_case(world, "both_changed"), Way.KEEP_OUTLOOK)

        assert world.cases() == []
        assert world.count_writes() == writes

    def test_what_was_changed_since_is_not_undone(self, world: World) -> None:
        """An undo never throws a later edit away: it says no."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        edit_both(world, loan.number, event["id"])
        case = open_case(world, "both_changed")
        settle(world, case, Way.KEEP_LOAN)
        world.change(loan.number, LoanChange(start=world.at(16), end=world.at(17)))

        with pytest.raises(NotAllowed, match="changed since"):
            world.office.cases.undo(case.id, actor=BY)

        assert world.office.cases.find(case.id).no_undo == Note("no_undo_changed_since", {"loan": loan.number})

    def test_a_room_that_somebody_has_taken_meanwhile_is_not_taken_back(self, world: World) -> None:
        """The case says who has it, and what to do, in the reader's language; once the room is free, undo takes it."""
        world.meet(2, 9, 10, 1, 2)
        world.settle()
        (loan,) = world.loans
        (copy,) = world.run(world.room(1).events())
        world.run(world.room(1).answer(copy["id"], "decline"))
        world.settle()
        case = open_case(world, world.cases()[0])
        settle(world, case, Way.DROP_ROOM)
        other = world.book(3, 9, 10, 1)
        world.settle()

        with pytest.raises(NotAllowed, match=f"Loan {other.number} has Room 1 then by now: move or cancel that one"):
            world.office.cases.undo(case.id, actor=BY)
        refusal = world.office.cases.find(case.id).no_undo
        assert refusal is not None
        assert refusal == Note("no_undo_taken", {"item": "Room 1", "other": other.number})
        assert "déplacez-le ou annulez-le d’abord" in explain(refusal.code, refusal.facts, "fr")

        world.act(other, LoanAction.CANCEL)
        world.settle()
        world.office.cases.undo(case.id, actor=BY)
        assert "Room 1" in [item.name for item in world.loan(loan.number).rooms]

    def test_a_value_that_is_taken_meanwhile_is_refused(self, world: World) -> None:
        """Settling books like anybody: what is not free is refused, and the case stays open."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        edit_both(world, loan.number, event["id"])
        world.book(3, 14, 15, 1)
        case = open_case(world, "both_changed")

        with pytest.raises(NotAllowed.__mro__[1]):
            world.office.cases.settle(case.id, Way.KEEP_LOAN, room_id=None, actor=BY)

        assert world.office.cases.find(case.id).case.state is CaseState.OPEN


def hear_no(world: World) -> None:
    """Let a refusal come in, which leaves no trace in the room: the organizer's copy is asked after ten seconds."""
    world.wait(15.0)
    world.settle()


def declined_by_one(world: World) -> int:
    """Make a loan in rooms 1 and 2 of which room 1 declines: it takes half an hour at most."""
    world.tenant.office.set_processing(world.room_addresses[0], MaximumDurationInMinutes=30)
    loan = world.book(2, 9, 10, 1, 2)
    hear_no(world)
    assert world.loan(loan.number).items[0].state is ItemState.DECLINED
    return loan.number


class TestARoomThatDeclined:
    def test_is_left_for_the_best_free_room(self, world: World) -> None:
        """`move_room` takes the smallest room that is large enough, in the loan and in the event; undo asks the
        first room again."""
        number = declined_by_one(world)
        case = open_case(world, "room_declined")
        (choice,) = [each for each in world.office.cases.find(case.id).choices if each.way is Way.MOVE_ROOM]
        assert [ranked.room.name for ranked in choice.rooms] == ["Room 3", "Room 4"]

        settle(world, case, Way.MOVE_ROOM)

        states = {item.name: item.state for item in world.loan(number).rooms}
        assert states == {"Room 2": ItemState.ACCEPTED, "Room 3": ItemState.ACCEPTED}
        (event,) = world.run(world.person(2).events())
        assert len(event["attendees"]) == 2
        assert world.cases() == []

    def test_is_left_for_the_room_that_was_chosen(self, world: World) -> None:
        number = declined_by_one(world)

        settle(world, open_case(world, "room_declined"), Way.MOVE_ROOM, room=4)

        assert {item.name for item in world.loan(number).rooms} == {"Room 2", "Room 4"}

    def test_is_done_without(self, world: World) -> None:
        number = declined_by_one(world)

        settle(world, open_case(world, "room_declined"), Way.DROP_ROOM)

        assert [item.name for item in world.loan(number).rooms] == ["Room 2"]
        assert world.cases() == []

    def test_is_ignored_for_as_long_as_it_says_the_same(self, world: World) -> None:
        """An ignored case does not come back at each look; once its cause is gone it closes, and may open anew."""
        number = declined_by_one(world)
        case = open_case(world, "room_declined")

        settle(world, case, Way.IGNORE)
        world.heal()

        assert world.cases() == []
        assert world.office.cases.find(case.id).case.state is CaseState.IGNORED

        world.change(number, LoanChange(items=(world.item(2),)))
        world.settle()
        assert world.office.cases.find(case.id).case.state is CaseState.CLOSED

    def test_is_heard_again_when_ignoring_is_undone(self, world: World) -> None:
        declined_by_one(world)
        case = open_case(world, "room_declined")
        settle(world, case, Way.IGNORE)

        world.office.cases.undo(case.id, actor=BY)
        world.settle()

        assert world.cases() == ["room_declined"]


class TestAPolicy:
    def test_settles_its_kind_by_itself_and_says_so(self, world: World) -> None:
        """A store that moves loans out of rooms that decline does so within the pass, and the history tells."""
        store = world.office.desk.list_stores()[0].id
        world.office.cases.set_policy(store, {"room_declined": Way.MOVE_ROOM}, actor=BY)
        world.tenant.office.set_processing(world.room_addresses[0], MaximumDurationInMinutes=30)
        loan = world.book(2, 9, 10, 1, 2)

        hear_no(world)

        assert {item.name for item in world.loan(loan.number).rooms} == {"Room 2", "Room 3"}
        settled = [d for d in world.office.desk.history(loan.number) if d.code == "settled_move_room"]
        assert [decision.actor for decision in settled] == ["policy"]
        assert world.cases() == []

    def test_that_cannot_be_followed_leaves_the_case_open_and_says_why(self, world: World) -> None:
        store = world.office.desk.list_stores()[0].id
        world.office.cases.set_policy(store, {"room_declined": Way.MOVE_ROOM}, actor=BY)
        world.book(3, 9, 10, 3, 4)
        world.settle()
        world.tenant.office.set_processing(world.room_addresses[0], MaximumDurationInMinutes=30)
        loan = world.book(2, 9, 10, 1, 2)

        hear_no(world)

        assert world.cases() == ["room_declined"]
        assert "policy_failed" in world.history(loan.number)

    @pytest.mark.parametrize("policy", [{"both_changed": Way.DROP_ROOM}, {"mass_cancel_held": Way.CONFIRM}])
    def test_that_leads_nowhere_is_refused(self, world: World, policy: dict[str, Way]) -> None:
        """A way that does not lead out of that kind; and no policy ever confirms cancellations in masses."""
        with pytest.raises(Invalid):
            world.office.cases.set_policy(StoreId(1), policy, actor=BY)

    def test_of_a_store_that_is_none_is_refused(self, world: World) -> None:
        with pytest.raises(NotFound):
            world.office.cases.set_policy(StoreId(99), {}, actor=BY)


class TestSettling:
    def test_names_what_is_possible(self, world: World) -> None:
        """A way that is not open is refused, with those that are; a room only goes with `move_room`."""
        declined_by_one(world)
        case = open_case(world, "room_declined")

        with pytest.raises(NotAllowed, match="move_room, drop_room, ignore"):
            world.office.cases.settle(case.id, Way.KEEP_LOAN, room_id=None, actor=BY)
        with pytest.raises(Invalid):
            world.office.cases.settle(case.id, Way.IGNORE, room_id=BookableId(1), actor=BY)
        with pytest.raises(NotFound):
            world.office.cases.find(999)

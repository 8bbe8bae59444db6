"""The life of a loan: its statuses, what still blocks, and every step there is."""

from __future__ import annotations

from itertools import product

import pytest

from engine.ids import BookableId, LoanNumber, StoreId
from engine.loans.loan import Home, Loan, LoanItem, Requester
from engine.loans.loan import ItemKind as Kind
from engine.loans.status import (
    BLOCKING_STATES,
    BLOCKING_STATUSES,
    TRANSITIONS,
    WITHDRAWN_STATUSES,
    ItemState,
    LoanAction,
    LoanStatus,
    allowed_actions,
    next_status,
)
from tests.unit.reconcile.building import ANNA, MORNING

S, A = LoanStatus, LoanAction

BLOCKS = {
    S.PENDING_APPROVAL: True,
    S.NEW: True,
    S.OUT: True,
    S.OVERDUE: True,
    S.COMPLETED: False,
    S.CANCELLED: False,
    S.REFUSED: False,
    S.SUSPENDED: False,
}

# status -> what may happen to it, and where that leads
LIVES = {
    S.PENDING_APPROVAL: {A.APPROVE: S.NEW, A.REFUSE: S.REFUSED, A.CANCEL: S.CANCELLED},
    S.NEW: {A.REFUSE: S.REFUSED, A.CANCEL: S.CANCELLED, A.CHECK_OUT: S.OUT, A.NO_SHOW: S.SUSPENDED},
    S.OUT: {A.CLOSE: S.COMPLETED, A.CANCEL: S.CANCELLED, A.BECOME_OVERDUE: S.OVERDUE},
    S.OVERDUE: {A.CLOSE: S.COMPLETED},
    S.COMPLETED: {},
    S.CANCELLED: {},
    S.REFUSED: {},
    S.SUSPENDED: {},
}


class TestAStatus:
    @pytest.mark.parametrize("status", S)
    def test_blocks_as_the_guide_says(self, status: LoanStatus) -> None:
        """Waiting, new, out and overdue loans hold their items; completed, cancelled, refused, missed ones do not."""
        assert (status in BLOCKING_STATUSES) == BLOCKS[status]

    def test_that_is_withdrawn_is_cancelled_or_refused(self) -> None:
        """These two delete the event (H56); a completed or missed loan is history."""
        assert {S.CANCELLED, S.REFUSED} == WITHDRAWN_STATUSES

    def test_never_both_blocks_and_is_withdrawn(self) -> None:
        """What was withdrawn holds nothing."""
        assert not BLOCKING_STATUSES & WITHDRAWN_STATUSES


class TestAStep:
    @pytest.mark.parametrize(("status", "action"), tuple(product(S, A)))
    def test_leads_where_the_table_says_or_nowhere(self, status: LoanStatus, action: LoanAction) -> None:
        """Every status with every action: what is not listed is not allowed."""
        assert next_status(status, action) == LIVES[status].get(action)

    @pytest.mark.parametrize("status", S)
    def test_is_offered_exactly_when_it_is_possible(self, status: LoanStatus) -> None:
        """What people are offered and what works are the same list."""
        assert set(allowed_actions(status)) == set(LIVES[status])

    def test_is_only_ever_taken_by_a_loan_that_blocks(self) -> None:
        """Ended is ended: no step leads out of a status that no longer holds anything, so nothing is resurrected."""
        assert {status for status, _ in TRANSITIONS} == BLOCKING_STATUSES

    def test_can_end_every_loan_that_is_alive(self) -> None:
        """From every status that blocks there is a way to one that does not."""
        ends = {status for status in S if any(not BLOCKS[after] for after in LIVES[status].values())}

        assert ends == BLOCKING_STATUSES

    def test_reaches_every_status(self) -> None:
        """No status is a mere word: each can be come to from where loans are born."""
        reached = {S.PENDING_APPROVAL, S.NEW}
        while more := {after for status in reached for after in LIVES[status].values()} - reached:
            reached |= more

        assert reached == set(S)


class TestAnItem:
    @pytest.mark.parametrize(("status", "state"), tuple(product(S, ItemState)))
    def test_is_held_while_loan_and_state_both_block(self, status: LoanStatus, state: ItemState) -> None:
        """Requested, tentative and accepted hold; declined, released, cancelled do not; an ended loan holds nothing."""
        item = LoanItem(Kind.ROOM, BookableId(1), "Room 1", state)
        loan = Loan(
            LoanNumber(1), status, Home.APP, Requester(ANNA, "Anna"), MORNING, (item,), StoreId(1), "Main desk", 1
        )

        held = loan.held_items == (item,)

        assert held == (BLOCKS[status] and state in (ItemState.REQUESTED, ItemState.TENTATIVE, ItemState.ACCEPTED))

    @pytest.mark.parametrize("status", list(S))
    def test_is_told_as_withdrawn_where_its_loan_ended_before_its_answer(self, status: S) -> None:
        """Nobody waits for it any more; what was answered stays as it was."""
        asked = LoanItem(Kind.ROOM, BookableId(1), "", ItemState.REQUESTED)
        said = LoanItem(Kind.ROOM, BookableId(2), "", ItemState.DECLINED)
        loan = Loan(LoanNumber(1), status, Home.APP, Requester(ANNA, "Anna"), MORNING, (asked, said), StoreId(1), "", 1)

        assert loan.told_state(asked) is (ItemState.REQUESTED if BLOCKS[status] else ItemState.WITHDRAWN)
        assert loan.told_state(said) is ItemState.DECLINED

    @pytest.mark.parametrize("status", list(S))
    def test_is_told_as_not_asked_where_outlook_refused_the_event_of_its_loan(self, status: S) -> None:
        """As long as its loan goes on; beside it a thing, which nobody asks, stays as it is."""
        asked = LoanItem(Kind.ROOM, BookableId(1), "", ItemState.REQUESTED)
        thing = LoanItem(Kind.ASSET, BookableId(2), "", ItemState.ACCEPTED)
        items = (asked, thing)
        loan = Loan(
            LoanNumber(1), status, Home.APP, Requester(ANNA, "Anna"), MORNING, items, StoreId(1), "", 1, unasked=True
        )

        told = ItemState.NOT_ASKED if BLOCKS[status] else ItemState.WITHDRAWN
        assert loan.told_states == (told, ItemState.ACCEPTED)

    def test_is_part_of_its_loan_until_cancelled(self) -> None:
        """A room that declined is still in the loan, to be seen; one that was cancelled has left it."""
        items = tuple(
            LoanItem(Kind.ROOM, BookableId(number), "", state) for number, state in enumerate(ItemState, start=1)
        )
        loan = Loan(LoanNumber(1), S.NEW, Home.APP, Requester(ANNA, "Anna"), MORNING, items, StoreId(1), "Main desk", 1)

        assert {item.state for item in loan.rooms} == set(ItemState) - {ItemState.CANCELLED}

    def test_that_is_an_asset_is_no_room(self) -> None:
        """Outlook hears of rooms only."""
        item = LoanItem(Kind.ASSET, BookableId(9), "Projector", ItemState.ACCEPTED)
        loan = Loan(
            LoanNumber(1), S.NEW, Home.APP, Requester(ANNA, "Anna"), MORNING, (item,), StoreId(1), "Main desk", 1
        )

        assert loan.rooms == ()
        assert loan.held_items == (item,)

    def test_states_that_hold_are_three(self) -> None:
        """The same three everywhere: the database's guard reads this set too."""
        assert {ItemState.REQUESTED, ItemState.TENTATIVE, ItemState.ACCEPTED} == BLOCKING_STATES

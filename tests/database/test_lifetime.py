"""What the clock does: check-out at the start, closing at the end, overdue when nobody closes (H57-H58)."""

import pytest

from engine.database.loans.desk import Desk
from engine.database.loans.lifetime import is_automatic
from engine.ids import BookableId, LoanNumber, StoreId
from engine.loans.register import ItemRef
from engine.loans.rules import BookingRules
from engine.loans.status import LoanAction, LoanStatus
from tests.database.building import BY, Building, asset, forget_marks, hours, marked, order, room, rows

MANUAL = BookingRules(automatic_check_out=False, automatic_closing=False)
ONE = LoanNumber(1)


@pytest.fixture
def desk(building: Building) -> Desk:
    return building.desk


def book(desk: Desk, *items: ItemRef) -> None:
    """Book from 9:00 to 10:00; it is 8:00."""
    desk.book(order(hours(1, 2), *items), actor=BY)


def codes(desk: Desk) -> list[str]:
    return [decision.code for decision in desk.history(ONE)]


class TestALoanOfARoom:
    def test_goes_out_and_closes_by_itself(self, building: Building, desk: Desk) -> None:
        """As a meeting in Outlook does: nobody has to press anything, and it never goes late."""
        book(desk, room(1))
        assert desk.run_clock() == 0

        building.clock.advance(hours=1)
        assert desk.run_clock() == 1
        assert desk.find(ONE).status is LoanStatus.OUT

        building.clock.advance(hours=1)
        assert desk.run_clock() == 1
        assert desk.find(ONE).status is LoanStatus.COMPLETED
        assert not any(row.holds for row in rows(building.database, "loan_item"))
        assert codes(desk) == ["booked_in_app", "checked_out", "closed"]
        assert desk.history(ONE)[-1].actor == "clock"
        assert desk.run_clock() == 0

    def test_that_ended_while_we_were_away_catches_up(self, building: Building, desk: Desk) -> None:
        """New, out, completed: the history shows every step, and the passes get their key."""
        book(desk, room(1))
        forget_marks(building.database)
        building.clock.advance(days=3)

        assert desk.run_clock() == 2

        assert desk.find(ONE).status is LoanStatus.COMPLETED
        assert (codes(desk)[1:], marked(building.database)) == (["checked_out", "closed"], {"loan:1"})

    def test_that_waits_for_approval_is_left_alone(self, building: Building, desk: Desk) -> None:
        """Nobody has said yes."""
        book(desk, room(1))
        with building.database.write() as transaction:
            transaction.connection.exec_driver_sql("UPDATE loan SET status = 'pending_approval'")
        building.clock.advance(days=3)

        assert desk.run_clock() == 0


class TestALoanByHand:
    def test_becomes_overdue_a_quarter_of_an_hour_after_its_end(self, building: Building, desk: Desk) -> None:
        """Not before, and it stays so until somebody closes it."""
        desk.set_rules(MANUAL, store_id=StoreId(1), item_id=None, actor=BY)
        book(desk, room(1))
        building.clock.advance(hours=1)
        assert desk.run_clock() == 0
        desk.act(ONE, LoanAction.CHECK_OUT, actor=BY)

        building.clock.advance(hours=1, minutes=14)
        assert desk.run_clock() == 0
        building.clock.advance(minutes=1)
        assert desk.run_clock() == 1

        assert (desk.find(ONE).status, codes(desk)[-1]) == (LoanStatus.OVERDUE, "became_overdue")
        assert desk.run_clock() == 0
        assert desk.act(ONE, LoanAction.CLOSE, actor=BY).status is LoanStatus.COMPLETED

    def test_of_one_item_is_by_hand_as_a_whole(self, building: Building, desk: Desk) -> None:
        """One item that somebody has to hand over makes the loan wait."""
        desk.set_rules(MANUAL, store_id=None, item_id=BookableId(11), actor=BY)
        book(desk, room(1), asset(11))
        building.clock.advance(days=1)

        assert desk.run_clock() == 0

    def test_is_the_habit_of_assets(self, building: Building, desk: Desk) -> None:
        """Where no rule says otherwise, what is carried away is handed over by a person."""
        book(desk, asset(11))
        building.clock.advance(days=1)

        assert desk.run_clock() == 0

    def test_that_closes_by_itself_is_not_left_new(self, building: Building, desk: Desk) -> None:
        """Nobody checked it out, closing is automatic: it ends all the same."""
        rules = BookingRules(automatic_check_out=False, automatic_closing=True)
        desk.set_rules(rules, store_id=StoreId(1), item_id=None, actor=BY)
        book(desk, room(1))
        building.clock.advance(hours=1)
        assert desk.run_clock() == 0
        building.clock.advance(hours=1)

        assert desk.run_clock() == 2
        assert desk.find(ONE).status is LoanStatus.COMPLETED


class TestManyLoans:
    def test_are_done_in_batches(self, building: Building, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        """More than one transaction holds are all done in one run."""
        monkeypatch.setattr("engine.database.loans.lifetime.BATCH", 3)
        for number in range(8):
            desk.book(order(hours(number / 4, (number + 1) / 4), room(1)), actor=BY)
        building.clock.advance(days=1)

        assert desk.run_clock() == 16
        assert {loan.status for loan in rows(building.database, "loan")} == {"completed"}


@pytest.mark.parametrize(
    ("said", "has_rooms", "automatic"),
    [
        ([], False, False),
        ([None], True, True),
        ([None], False, False),
        ([True], False, True),
        ([True, None], False, True),
        ([True, False], True, False),
    ],
)
def test_what_the_rules_say_together(said: list[bool | None], has_rooms: bool, automatic: bool) -> None:
    """One "no" is a no, one "yes" a yes, silence depends on rooms."""
    assert is_automatic(said, has_rooms=has_rooms) is automatic

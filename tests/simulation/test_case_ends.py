"""Cases of bookings that are over close by themselves, and looking at the past again opens none anew."""

from __future__ import annotations

import pytest

from engine.ids import BookableId, StoreId
from engine.loans.loan import Case, CaseState
from engine.loans.register import LoanChange
from engine.loans.rules import BookingRules
from engine.loans.status import LoanAction, LoanStatus
from engine.prove.people.series import book_series
from engine.prove.world.world import World
from engine.reconcile.cases.ways import Way
from engine.web.pages.parts.settings import SettingKey
from tests.simulation.conftest import MakeWorld
from tests.simulation.test_app_to_outlook import check_answers, refuse_long_meetings

DAY = 24 * 3600.0
MINUTE = 60.0

pytestmark = pytest.mark.usefixtures("long_sleeps")


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=3, people=3)


def cases(world: World) -> list[Case]:
    return list(world.office.desk.list_cases(state=None, after=None, limit=1000))


def endings(world: World) -> list[tuple[str, CaseState, str | None]]:
    return [(case.code, case.state, case.settlement) for case in cases(world)]


def let_days_pass(world: World, days: float) -> None:
    """Wait, with the loans' own clock running as it does in the service, though once a quarter of a day."""
    for _ in range(int(days * 4)):
        world.wait(DAY / 4)
        world.office.desk.run_clock()


def look_at_everything(world: World) -> None:
    """Order a look at every loan and at every meeting that any room has shown."""
    for loan in world.loans:
        world.office.enqueue("loan", str(loan.number))
    for row in world._rows("SELECT DISTINCT ical_uid FROM room_copy WHERE ical_uid IS NOT NULL"):
        world.office.enqueue("meeting", row.ical_uid)
    world.wait(MINUTE)


def meet_on_a_taken_room(world: World) -> None:
    """Let the desk have a room, and its calendar accept a meeting at the same time all the same."""
    world.tenant.office.set_processing("room-1@example.org", AllowConflicts=True)
    world.book(2, 9, 10, 1)
    world.settle()
    world.meet(3, 9, 10, 1)
    world.settle()
    assert world.cases() == ["item_unavailable"]


def close_by_hand(world: World) -> None:
    """Let loans go out and come back only when somebody says so."""
    manual = BookingRules(automatic_check_out=False, automatic_closing=False)
    world.office.desk.set_rules(manual, store_id=StoreId(1), item_id=None, actor="app:test")


class TestABookingWhoseTimeIsOver:
    """Each starts at 07:00, and is about the next day's morning."""

    def test_keeps_its_case_for_a_day(self, world: World) -> None:
        """Whoever comes in the next morning still sees that somebody met without having the room."""
        meet_on_a_taken_room(world)
        morning = world.at(9)

        let_days_pass(world, 2)
        assert world.cases() == ["item_unavailable"]

        let_days_pass(world, 0.5)
        assert endings(world) == [("item_unavailable", CaseState.CLOSED, "over")]
        assert cases(world)[0].closed_by == "engine"
        told = world.office.why.ask(BookableId(world.item(1).id), morning)
        assert "item_unavailable" in [note.code for note in told.notes]

    def test_has_none_though_it_was_never_closed(self, world: World) -> None:
        """Its room never answered, and nobody took the things back: it is overdue for ever, and no case says more."""
        close_by_hand(world)
        world.tenant.office.set_processing("room-1@example.org", AutomateProcessing="None")
        loan = world.book(2, 9, 10, 1)
        world.wait(15 * MINUTE)
        assert world.cases() == ["room_does_not_answer"]
        world.office.desk.act(loan.number, LoanAction.CHECK_OUT, actor="app:test")

        let_days_pass(world, 3)
        world.wait(DAY)

        assert world.loan(loan.number).status is LoanStatus.OVERDUE
        assert [(case.code, case.state) for case in cases(world)] == [("room_does_not_answer", CaseState.CLOSED)]

    def test_keeps_no_value_that_lost(self, world: World) -> None:
        """A case that only a person could settle has nobody left whom it concerns."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        (loan,) = world.loans
        world.run(world.person(2).move(event["id"], world.at(12), world.at(13)))
        world.change(loan.number, LoanChange(start=world.at(14), end=world.at(15)))
        world.settle()
        assert world.cases() == ["both_changed"]

        let_days_pass(world, 3)

        assert endings(world) == [("both_changed", CaseState.CLOSED, "over")]

    def test_gets_no_case_again(self, world: World) -> None:
        """A meeting that was never a loan: another look neither opens its case nor tells the reason again, though that
        still stands. The loan in its way was never closed."""
        close_by_hand(world)
        meet_on_a_taken_room(world)
        let_days_pass(world, 3)
        assert endings(world) == [("item_unavailable", CaseState.CLOSED, "over")]
        told = len(world._rows("SELECT 1 FROM decision WHERE code = 'not_synced'"))

        look_at_everything(world)
        world.heal()

        assert world.cases() == []
        assert len(cases(world)) == 1
        assert len(world._rows("SELECT 1 FROM decision WHERE code = 'not_synced'")) == told == 1

    def test_that_comes_back_from_the_past_has_its_case_again(self, world: World) -> None:
        """Moved to a day to come it is everybody's business once more."""
        world.tenant.office.set_processing("room-1@example.org", AllowConflicts=True)
        world.book(2, 9, 10, 1)
        later = world.book(2, 9 + 24 * 7, 10 + 24 * 7, 1).interval
        world.settle()
        event = world.meet(3, 9, 10, 1)
        world.settle()
        let_days_pass(world, 3)
        assert world.cases() == []

        world.run(world.person(3).move(event["id"], later.start, later.end))
        world.heal()

        assert world.cases() == ["item_unavailable"]
        let_days_pass(world, 1)
        assert world.cases() == ["item_unavailable"]

    def test_keeps_its_case_while_its_meeting_is_to_come(self, world: World) -> None:
        """The loan is history, and the meeting was moved out of the past: over on one side is not over."""
        close_by_hand(world)
        event = world.meet(2, 9, 10, 1)
        world.settle()
        let_days_pass(world, 1.25)
        world.run(world.person(2).move(event["id"], world.at(9 + 24 * 5), world.at(10 + 24 * 5)))
        world.settle()
        assert world.cases() == ["past_loan_frozen"]

        let_days_pass(world, 3)
        look_at_everything(world)
        assert world.cases() == ["past_loan_frozen"]

        let_days_pass(world, 4)
        look_at_everything(world)
        assert world.cases() == []
        assert len(cases(world)) == 1

    def test_that_somebody_ignored_stays_so(self, world: World) -> None:
        """What a person decided is not overwritten by the clock."""
        meet_on_a_taken_room(world)
        (case,) = cases(world)
        world.office.cases.settle(case.id, Way.IGNORE, room_id=None, actor="app:test")

        let_days_pass(world, 3)

        assert endings(world) == [("item_unavailable", CaseState.IGNORED, "ignore")]


class TestASeries:
    def test_ends_its_cases_date_by_date(self, world: World) -> None:
        """Each date is a booking of its own: those to come keep theirs, and a look at all of them changes nothing."""
        close_by_hand(world)
        world.tenant.office.set_processing("room-1@example.org", AllowConflicts=True)
        for day in range(3):
            world.book(2, 9 + 24 * day, 10 + 24 * day, 1)
        world.settle()
        book_series(world, 3, world.at(9).date(), 9, 1, zone="UTC", kind="daily", times=3)
        world.settle()
        assert world.cases() == ["item_unavailable"] * 3

        for left in (2, 1, 0):
            let_days_pass(world, 2.25 if left == 2 else 1)
            look_at_everything(world)
            assert len(world.cases()) == left

        assert endings(world) == [("item_unavailable", CaseState.CLOSED, "over")] * 3


class TestALoanThatIsWithdrawn:
    def test_by_its_rooms_is_told_for_a_week(self, world: World) -> None:
        """Nothing else tells the desk that Exchange refused what it booked for a day far ahead."""
        refuse_long_meetings(world, 1)
        loan = world.book(2, 9 + 24 * 30, 10 + 24 * 30, 1)
        world.settle()
        check_answers(world)
        assert world.loan(loan.number).status is LoanStatus.REFUSED

        let_days_pass(world, 6.5)
        assert world.cases() == ["room_declined"]

        let_days_pass(world, 1)
        assert endings(world) == [("room_declined", CaseState.CLOSED, "over")]

    @pytest.mark.parametrize("mode", ["shadow", "read_only"])
    def test_by_its_rooms_is_told_whatever_the_mode_becomes(self, world: World, mode: str) -> None:
        """Another mode has every case looked at again: that the room declined was no less true then, and closed."""
        refuse_long_meetings(world, 1)
        loan = world.book(2, 9 + 24 * 30, 10 + 24 * 30, 1)
        world.settle()
        check_answers(world)
        assert world.loan(loan.number).status is LoanStatus.REFUSED

        for each in (mode, "two_way"):
            world.override(SettingKey.MODE, each)
            world.settle()
            assert world.cases() == ["room_declined"]

        (case,) = cases(world)
        world.office.cases.settle(case.id, Way.IGNORE, room_id=None, actor="app:test")
        assert world.cases() == []

    def test_by_a_person_has_no_case_any_more(self, world: World) -> None:
        """Neither one that stands nor a value that lost."""
        refuse_long_meetings(world, 2)
        event = world.meet(2, 9 + 24 * 30, 10 + 24 * 30, 1)
        world.settle()
        (loan,) = world.loans
        world.run(world.person(2).move(event["id"], world.at(12 + 24 * 30), world.at(13 + 24 * 30)))
        world.change(loan.number, LoanChange(start=world.at(14 + 24 * 30), end=world.at(15 + 24 * 30)))
        world.settle()
        assert world.cases() == ["both_changed"]

        world.office.desk.act(loan.number, LoanAction.CANCEL, actor="app:test")
        world.office.desk.run_clock()

        assert endings(world) == [("both_changed", CaseState.CLOSED, "over")]


class TestAModeThatDoesNotWrite:
    @pytest.mark.parametrize("mode", ["shadow", "read_only"])
    def test_tells_nothing_of_what_is_over(self, mode: str) -> None:
        """Such cases are looked at every five minutes, for as long as the mode lasts."""
        world = World(rooms=2, people=3, settings={"ENGINE_SYNC__MODE": mode}).open()
        try:
            world.meet(2, 9, 10, 1)
            world.book(3, 11, 12, 1)
            world.wait(MINUTE)
            opened = world.cases()
            assert opened

            let_days_pass(world, 3)
            world.wait(20 * MINUTE)

            assert world.cases() == []
            assert len(cases(world)) == len(opened)
        finally:
            world.close()

    @pytest.mark.slow
    def test_keeps_telling_of_a_loan_that_is_cancelled_and_has_its_event(self) -> None:
        """It is withdrawn here and not in Outlook: that is still to be done."""
        world = World(rooms=2, people=3).open()
        try:
            loan = world.book(3, 9 + 24 * 30, 10 + 24 * 30, 1)
            world.settle()
            world.kill()
            world.settings = world.make_settings({"ENGINE_SYNC__MODE": "read_only"})
            world.start()
            world.office.desk.act(loan.number, LoanAction.CANCEL, actor="app:test")
            world.wait(MINUTE)
            assert world.cases() == ["write_withheld"]

            let_days_pass(world, 9)
            world.wait(10 * MINUTE)

            assert world.cases() == ["write_withheld"]
            assert len(cases(world)) == 1
        finally:
            world.close()

"""What is told of loans whose event Outlook refused, on both databases. How it comes about: `tests/simulation`."""

from datetime import timedelta
from typing import Any

import pytest

from engine.database.links.loan_side import end_refusal, leave_unmade
from engine.database.loans.told import find_unasked
from engine.database.rooms.book import RoomCache
from engine.database.series.desk import SeriesDesk
from engine.database.settling.settlements import Settlements
from engine.database.settling.shelves import CaseList
from engine.database.sql.connection import Database
from engine.database.stores.inventory import Inventory
from engine.ids import LoanNumber
from engine.loans.loan import Case
from engine.loans.recurrence import Repeat, recur
from engine.loans.status import LoanAction
from engine.reconcile.actions import Note
from engine.reconcile.cases.listing import CaseFilter, Shelf
from engine.reconcile.cases.ways import Way
from engine.reconcile.series.book import SeriesOrder
from tests.database.building import ALEX, BY, Building, hours, marked, order, room, rows, update

REFUSED = Note("write_refused", {"error": "403"}, actor="engine")
FIRST, SECOND, THIRD = DATES = tuple(map(LoanNumber, (1, 2, 3)))


@pytest.fixture
def refused(building: Building) -> Building:
    """Loans 1 to 3 are the dates of a series, one a day, whose event Outlook refused."""
    first = hours(2, 3)
    pattern = recur(Repeat.DAILY, first.start, first.end, "UTC", count=3)
    desk = SeriesDesk(building.database, building.desk, RoomCache(building.database), lambda: building.options)
    desk.book(SeriesOrder(ALEX, pattern, (room(1),)), actor=BY)
    update(building.database, "link", state="pending", ical_uid=None)
    refuse(building, *DATES)
    return building


def refuse(building: Building, *numbers: LoanNumber) -> None:
    with building.database.write() as transaction:
        leave_unmade(transaction, numbers, REFUSED)


def make(building: Building, number: LoanNumber) -> None:
    """Let the event of a loan be there after all."""
    link = next(row for row in rows(building.database, "link") if row.loan_number == number)
    with building.database.write() as transaction:
        transaction.connection.exec_driver_sql(f"UPDATE link SET state = 'linked' WHERE id = {link.id}")
        end_refusal(transaction, number)


def unasked(database: Database) -> set[LoanNumber]:
    with database.read() as transaction:
        return set(find_unasked(transaction.connection, DATES))


def open_cases(building: Building) -> list[tuple[Case, tuple[LoanNumber, ...]]]:
    lines = CaseList(building.database).list_cases(CaseFilter())
    return [(line.view.case, line.view.loans) for line in lines]


def place(building: Building, number: LoanNumber, *, room_id: int, store_id: int) -> None:
    """Give a date another room, and its loan another store."""
    with building.database.write() as transaction:
        transaction.connection.exec_driver_sql(
            f"UPDATE loan_item SET bookable_id = {room_id} WHERE loan_number = {number}"
        )
        transaction.connection.exec_driver_sql(f"UPDATE loan SET store_id = {store_id} WHERE number = {number}")


def shown(building: Building, **wanted: Any) -> list[tuple[LoanNumber, ...]]:
    """Return the loans that each of the cases wanted is about."""
    return [line.view.loans for line in CaseList(building.database).list_cases(CaseFilter(**wanted))]


def versions(building: Building) -> list[int]:
    return [building.desk.find(number).version for number in DATES]


class TestARefusedSeries:
    def test_has_one_case_that_every_date_shows(self, refused: Building) -> None:
        ((case, loans),) = open_cases(refused)

        assert (unasked(refused.database), loans, case.loan_number) == (set(DATES), DATES, FIRST)
        assert case.facts == {"error": "403", "loans": "1, 2, 3"}
        assert [CaseList(refused.database).open_of(number) for number in DATES] == [[case]] * 3
        assert versions(refused) == [2, 2, 2]

    def test_is_told_anew_of_no_date_that_is_refused_again(self, refused: Building) -> None:
        """The case says what was said last."""
        refuse(refused, SECOND)

        ((case, loans),) = open_cases(refused)
        assert (loans, versions(refused)) == (DATES, [2, 2, 2])
        with refused.database.write() as transaction:
            leave_unmade(transaction, [SECOND], REFUSED)
            assert not [change for change in transaction.changes if change.model == "case"]
            leave_unmade(transaction, [SECOND], Note("write_refused", {"error": "404"}, actor="engine"))
            assert [change.number for change in transaction.changes if change.model == "case"] == [case.id]

    def test_lets_go_of_each_date_that_is_made(self, refused: Building) -> None:
        make(refused, FIRST)

        ((case, loans),) = open_cases(refused)
        assert (unasked(refused.database), loans, case.loan_number) == ({SECOND, THIRD}, (SECOND, THIRD), SECOND)
        assert case.facts["loans"] == "2, 3"
        assert versions(refused) == [3, 2, 2]

        make(refused, THIRD)
        ((case, loans),) = open_cases(refused)
        assert (case.facts, loans) == ({"error": "403"}, (SECOND,))

        make(refused, SECOND)
        assert (open_cases(refused), unasked(refused.database), versions(refused)) == ([], set(), [3, 3, 3])

    def test_has_each_date_tried_anew_once_its_case_is_settled(self, refused: Building) -> None:
        ((case, _),) = open_cases(refused)

        Settlements(refused.database, refused.desk).settle(case.id, Way.IGNORE, room_id=None, actor=BY)

        assert {"loan:1", "loan:2", "loan:3"} <= marked(refused.database)
        assert unasked(refused.database) == set(DATES)  # nobody asked their room for all that

    def test_keeps_its_case_until_the_last_date_is_over(self, refused: Building) -> None:
        """The clock looks at all dates, not only at the one that the case is listed under."""
        refused.desk.act(SECOND, LoanAction.CANCEL, actor=BY)
        refused.clock.advance(days=2)
        refused.desk.run_clock()
        assert len(open_cases(refused)) == 1

        refused.clock.now += timedelta(days=1, hours=4)
        refused.desk.run_clock()

        assert open_cases(refused) == []

    def test_is_found_by_the_room_and_the_store_of_any_date(self, refused: Building) -> None:
        """A room that one date alone has; also once that date was made, or its case settled, as long as it is named."""
        Inventory(refused.database, on_change=lambda _: None).add_store("Annex", actor=BY)
        place(refused, THIRD, room_id=2, store_id=2)
        assert shown(refused, room_id=1) == shown(refused, room_id=2) == shown(refused, store_id=2) == [DATES]
        assert shown(refused, room_id=3) == []

        make(refused, THIRD)
        assert (shown(refused, room_id=1), shown(refused, room_id=2)) == ([(FIRST, SECOND)], [])

        place(refused, SECOND, room_id=2, store_id=2)
        ((case, _),) = open_cases(refused)
        Settlements(refused.database, refused.desk).settle(case.id, Way.IGNORE, room_id=None, actor=BY)
        make(refused, SECOND)
        assert len(shown(refused, room_id=2, shelf=Shelf.SETTLED)) == 1
        assert shown(refused, room_id=2) == []


class TestARefusedLoan:
    def test_has_a_case_of_its_own(self, building: Building) -> None:
        building.desk.book(order(hours(2, 3), room(1)), actor=BY)
        with building.database.write() as transaction:
            link = "INSERT INTO link (loan_number, generation, state, base) VALUES (1, 1, 'pending', '{}')"
            transaction.connection.exec_driver_sql(link)

        refuse(building, FIRST)

        ((case, loans),) = open_cases(building)
        assert (case.facts, loans, unasked(building.database)) == ({"error": "403"}, (FIRST,), {FIRST})

        make(building, FIRST)
        assert (open_cases(building), unasked(building.database)) == ([], set())

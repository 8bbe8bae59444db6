"""Looking through everybody's loans, on both databases. What pages make of it: `tests/web/test_page_loans.py`."""

from datetime import timedelta

from engine.database.loans.search import LoanFinder
from engine.ids import LoanNumber
from engine.loans.search import LoanCounts, LoanSearch
from engine.loans.status import LoanAction, LoanStatus
from tests.database.building import ALEX, BY, Building, asset, hours, order, room


def test_finds_what_is_typed_without_accents_and_in_any_order(building: Building) -> None:
    titles = ("École d’été", "L'œuvre au Noir", "Straße nach Łódź", "Ἑλλάς", "ecole dete")
    for hour, title in enumerate(titles, 2):
        building.desk.book(order(hours(hour, hour + 1), room(1), title=title), actor=BY)
    finder, now = LoanFinder(building.database), building.clock.now

    def found(words: str) -> list[str]:
        return [loan.title for loan in finder.find(LoanSearch(ALEX.address, words), now=now, limit=9)]

    assert found("ecole") == found("ÉCOLE") == found("e\u0301cole") == ["École d’été", "ecole dete"]
    assert found("d'ete ecole") == found("école d’été") == ["École d’été"]
    assert found("noir oeuvre") == found("Œuvre") == ["L'œuvre au Noir"]
    assert found("lodz strasse") == found("Łódź Straße") == ["Straße nach Łódź"]
    assert found("Ἑλλάς") == ["Ἑλλάς"]
    assert found("ecole noir") == []


def test_finds_by_number_title_person_and_item_and_counts(building: Building) -> None:
    building.desk.book(order(hours(2, 3), room(1), title="Thé"), actor=BY)
    building.desk.book(order(hours(4, 5), room(2), asset(11), title="50 % off"), actor=BY)
    building.desk.book(order(hours(6, 7), room(2), title="Surprise", private=True), actor=BY)
    building.desk.act(LoanNumber(2), LoanAction.CANCEL, actor=BY)
    finder, now = LoanFinder(building.database), building.clock.now

    def found(words: str, reader: str = "other@example.org", **more: object) -> list[int]:
        wanted = LoanSearch(type(ALEX.address)(reader), words, **more)  # type: ignore[arg-type]
        return [loan.number for loan in finder.find(wanted, now=now, limit=9)]

    assert found("") == [1, 2, 3]
    assert found("thé") == found("THé") == [1]
    assert found("the") == found("THE") == [1]
    assert found("%") == found("asset 11") == [2]
    assert found("room 2") == [2, 3]
    assert found("surprise") == []
    assert found("surprise", ALEX.address) == [3]
    assert found("", status=LoanStatus.CANCELLED) == [2]
    counted = {LoanStatus.NEW: 2, LoanStatus.CANCELLED: 1}
    assert finder.count(LoanSearch(ALEX.address), now=now) == LoanCounts(counted, {})
    now += timedelta(days=1)
    assert finder.count(LoanSearch(ALEX.address), now=now) == LoanCounts({}, counted)
    assert found("") == []
    assert found("", over=True) == [3, 2, 1]

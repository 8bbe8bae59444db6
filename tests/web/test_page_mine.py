"""The page of one's own bookings: what is to come, what is over, and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.database.loans.own import OwnLoans
from engine.ids import Address, LoanNumber
from engine.interval import Interval
from engine.loans.loan import ItemKind, Loan, Requester
from engine.loans.register import ItemRef, LoanOrder
from engine.loans.status import LoanAction
from engine.web.pages.loans import mine
from engine.web.pages.loans.mine import by_day
from tests.web.visitors import AMELIE, MATHIEU, MONDAY, NOW, House, open_house

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def shown(house: House, path: str = "/mine", role: str = "requester", **headers: str) -> str:
    answer = house.signed_in(role, AMELIE, **headers).get(path)
    assert answer.status_code == 200
    return str(answer.text)


def numbers(html: str) -> list[int]:
    """Return the loans that are listed, in their order."""
    return [int(number) for number in re.findall(r'<a href="/loans/(\d+)">\s*<span class="own-when">', html)]


class TestOnesOwn:
    def test_are_listed_by_when_they_are(self, house: House) -> None:
        house.book(AMELIE, hour=14, title="Later")
        house.book(AMELIE, hour=9, title="First")

        html = shown(house)

        assert numbers(html) == [2, 1]
        assert "Monday 23 November 2026" in html
        assert "09:00 – 10:00" in html
        assert "Waiting for the room" in html

    def test_are_nobody_elses(self, house: House) -> None:
        """Not even for an administrator, who finds everybody's on the board."""
        house.book(MATHIEU, title="Surprise")

        assert "Surprise" not in shown(house, role="admin")

    def test_include_what_is_private(self, house: House) -> None:
        house.book(AMELIE, title="Surprise", private=True)

        html = shown(house)

        assert "Surprise" in html
        assert "Private" in html

    def test_that_were_cancelled_are_told_so(self, house: House) -> None:
        house.book(AMELIE, title="Tea")
        house.office.desk.act(LoanNumber(1), LoanAction.CANCEL, actor="app:test")

        assert "Cancelled" in shown(house)

    def test_are_none_at_first(self, house: House) -> None:
        """A place to begin, for those who may; a viewer looks only."""
        assert "Aucune réservation" in shown(house, **{"Accept-Language": "fr"})
        assert 'class="button primary" href="/book"' in shown(house)
        assert 'class="button primary" href="/book"' not in shown(house, role="viewer")
        assert "Nothing is over yet" in shown(house, "/mine?show=over")

    def test_go_on_further_leaves(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mine, "AT_ONCE", 2)
        for hour in (9, 11, 13):
            house.book(AMELIE, hour=hour)

        assert numbers(shown(house)) == [1, 2]
        assert numbers(shown(house, "/mine?leaf=2")) == [3]


class TestWhatIsOver:
    @pytest.fixture
    def loans(self, house: House) -> OwnLoans:
        for hour in (9, 13):
            house.book(AMELIE, hour=hour)
        house.book(Requester(Address("AMELIE.DURAND@example.org"), "Amélie"), hour=16)
        house.book(MATHIEU, hour=11)
        return OwnLoans(house.office.database)

    def test_is_apart_from_what_goes_on_and_the_latest_comes_first(self, loans: OwnLoans) -> None:
        half_past_one = MONDAY + timedelta(hours=13, minutes=30)

        assert [loan.number for loan in loans.to_come(AMELIE.address, now=half_past_one, limit=9)] == [2, 3]
        assert [loan.number for loan in loans.over(AMELIE.address, now=half_past_one, limit=9)] == [1]
        midnight = MONDAY + timedelta(days=1)
        assert [loan.number for loan in loans.over(AMELIE.address, now=midnight, limit=2)] == [3, 2]
        assert [loan.number for loan in loans.over(AMELIE.address, now=midnight, limit=2, beyond=2)] == [1]

    def test_begins_at_the_very_end(self, loans: OwnLoans) -> None:
        """A booking that ends at ten is over at ten."""
        assert [loan.number for loan in loans.over(AMELIE.address, now=MONDAY + timedelta(hours=10), limit=9)] == [1]


class TestDays:
    def test_stand_over_their_loans_and_what_began_before_is_under_today(self, house: House) -> None:
        evening = Interval(MONDAY - timedelta(hours=2), MONDAY + timedelta(hours=2))
        items = (ItemRef(ItemKind.ROOM, house.room("Moss")),)
        loans: list[Loan] = [
            house.office.desk.book(LoanOrder(AMELIE, evening, items), actor="app:test"),
            house.book(AMELIE),
        ]

        days = by_day(loans, zone=PARIS, not_before=date(2026, 11, 23))

        assert [(each.day.day, len(each.loans)) for each in days] == [(23, 2)]
        assert [each.day.day for each in by_day(loans, zone=PARIS, not_before=None)] == [22, 23]
        assert evening.start > NOW

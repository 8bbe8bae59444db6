"""The page of everybody's bookings: what words find, for whom, by status, to come or over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.ids import LoanNumber
from engine.loans.loan import ItemKind, Requester
from engine.loans.register import ItemRef, LoanChange
from engine.loans.status import LoanAction
from engine.web.pages.loans import search
from tests.web.visitors import AMELIE, MATHIEU, NOW, House, open_house

LATER = NOW + timedelta(days=30)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Loans 1 to 4: of Amélie in Fern and Moss, of Mathieu in Oak, a private one of his in Moss."""
    with open_house(tmp_path) as found:
        found.book(AMELIE, hour=9, title="Budget 2027")
        found.book(AMELIE, room="Moss", hour=11, title="École du soir")
        found.book(MATHIEU, room="Oak", hour=14, title="100 % tea")
        found.book(MATHIEU, room="Moss", hour=16, title="Surprise", private=True)
        yield found


def numbers(house: House, query: str = "", role: str = "staff", person: Requester = AMELIE) -> list[int]:
    """Return the loans that are listed, in their order."""
    answer = house.signed_in(role, person).get(f"/loans?{query}")
    assert answer.status_code == 200
    return [int(number) for number in re.findall(r'<a href="/loans/(\d+)">\s*<span class="own-when">', answer.text)]


def counted(house: House, query: str = "") -> list[tuple[str, str]]:
    """Return what the links above the list say: their words and their numbers."""
    html = house.signed_in("staff").get(f"/loans?{query}").text
    return re.findall(r">([^<>]+) <(?:b|small)>(\d+)</", html.partition('id="found"')[2])


class TestWords:
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("", [1, 2, 3, 4]),
            ("3", [3]),
            ("budget", [1]),
            ("BUDGET", [1]),
            ("2027", [1]),
            ("école", [2]),
            ("cole", [2]),
            ("École", [2]),
            ("dupuis", [3]),
            ("amelie.durand@", [1, 2]),
            ("moss", [2, 4]),
            ("Amélie moss", [2]),
            ("%", [3]),
            ("_", []),
            ("99999999999999999999999", []),
            ("#0", []),
            ("nobody", []),
        ],
    )
    def test_find_number_title_person_and_room(self, house: House, words: str, found: list[int]) -> None:
        """Each of several; Nothing that is typed has a meaning of its own."""
        assert numbers(house, f"q={words.replace('%', '%25').replace('#', '%23')}") == found

    def test_find_what_is_lent_and_not_what_was_taken_out(self, house: House) -> None:
        moss = ItemRef(ItemKind.ROOM, house.room("Moss"))
        house.office.desk.change(LoanNumber(1), LoanChange(items=(moss,)), actor="app:test")

        assert numbers(house, "q=fern") == []
        assert numbers(house, "q=moss") == [1, 2, 4]

    @pytest.mark.parametrize("words", ["surprise", "mathieu", "mathieu.dupuis@example.org"])
    def test_find_a_private_loan_for_whom_it_is_only(self, house: House, words: str) -> None:
        """By its number and its room everybody does, and is told no more than that."""
        assert 4 not in numbers(house, f"q={words}", role="admin")
        assert 4 in numbers(house, f"q={words}", role="viewer", person=MATHIEU)

        shown = house.signed_in("admin").get("/loans?q=4").text
        assert "Private booking" in shown
        assert "Surprise" not in shown
        assert "Mathieu" not in shown

    @pytest.mark.parametrize(
        ("words", "leads_to"), [("%2312", None), ("%232", "/loans/2"), ("%23 2 ", "/loans/2"), ("2", None)]
    )
    def test_a_number_with_its_sign_leads_to_the_loan(self, house: House, words: str, leads_to: str | None) -> None:
        """Once it is sent; while one types, nothing leads away."""
        page = house.signed_in("staff")

        assert page.get(f"/loans?q={words}").headers.get("Location") == leads_to
        assert page.get(f"/loans?q={words}", headers={"HX-Request": "true"}).status_code == 200


class TestShelves:
    def test_are_counted_and_lead_on_with_the_words(self, house: House) -> None:
        house.office.desk.act(LoanNumber(1), LoanAction.CANCEL, actor="app:test")

        shelves, statuses = (
            [("To come", "4"), ("Over", "0")],
            [("All statuses", "4"), ("Booked", "3"), ("Cancelled", "1")],
        )
        assert counted(house) == [*shelves, *statuses]
        assert counted(house, "q=moss")[0] == ("To come", "2")
        assert numbers(house, "status=cancelled") == [1]
        html = house.signed_in("staff").get("/loans?q=moss&status=cancelled").text
        assert 'href="/loans?q=moss&amp;show=over"' in html
        assert "No booking fits" in html

    def test_what_somebody_still_has_is_not_over(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """The latest of what is over comes first."""
        house.office.desk.act(LoanNumber(3), LoanAction.CHECK_OUT, actor="app:test")
        with house.office.database.write() as transaction:
            transaction.connection.exec_driver_sql("UPDATE loan SET status = 'overdue' WHERE number = 3")
        monkeypatch.setattr(search.Page, "now", property(lambda _page: LATER))

        assert numbers(house) == [3]
        assert numbers(house, "show=over") == [4, 2, 1]

    def test_go_on_on_further_pages(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(search, "AT_ONCE", 3)

        assert (numbers(house), numbers(house, "leaf=2")) == ([1, 2, 3], [4])
        assert 'href="/loans?q=m&amp;leaf=1"' in house.signed_in("staff").get("/loans?q=m&leaf=2").text


class TestTheDoor:
    def test_is_closed_to_requesters_who_have_their_own(self, house: House) -> None:
        page = house.signed_in("requester")

        assert page.get("/loans").status_code == 403
        assert 'href="/loans"' not in page.get("/mine").text

    def test_says_in_french_what_there_is(self, house: House) -> None:
        shown = house.signed_in("viewer", **{"Accept-Language": "fr"}).get("/loans?q=moss").text

        assert "2 réservations trouvées" in shown
        assert "Amélie Durand · Moss" in shown

"""Series on pages: every date before it is booked, and afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.loans.register import LoanFilter
from engine.settings import RoomsSettings
from tests.web.test_page_book import form
from tests.web.visitors import AMELIE, MATHIEU, ZONE, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, rooms=RoomsSettings(time_zone="Europe/Paris")) as found:
        yield found


def weekly(**fields: Any) -> dict[str, Any]:
    """Return what the form sends for three Mondays from 10 to 11."""
    return form(**{"item": "1", "repeat": "weekly", "count": "3", "seen_day": "2026-11-23", **fields})


def date_lines(html: str) -> list[tuple[str, str]]:
    """Return day and chosen value of each date shown."""
    lines = re.findall(r'id="book-choice-([\d-]+)".*?</select>', html, re.DOTALL)
    selects = re.findall(r'id="book-choice-[\d-]+".*?</select>', html, re.DOTALL)
    chosen = [(re.findall(r'value="([^"]*)" selected', select) or [""])[0] for select in selects]
    return list(zip(lines, chosen, strict=True))


class TestTheForm:
    def test_shows_every_date_and_what_stands_in_its_way(self, house: House) -> None:
        house.book()

        html = house.signed_in("requester").post("/book/look", data=weekly()).text

        assert [day for day, _ in date_lines(html)] == ["2026-11-23", "2026-11-30", "2026-12-07"]
        assert "1 date is not free." in html
        assert "Taken: Fern 10:00 – 11:00" in html
        assert "every week on Monday, 10:00–11:00, 3 times" in html
        assert "#…-… Amélie Durand" in html

    def test_settles_all_that_is_taken_by_one_button(self, house: House) -> None:
        house.book()
        staff = house.signed_in("staff")

        rooms = staff.post("/book/look", data=weekly(leave="rooms")).text
        out = staff.post("/book/look", data=weekly(leave="out")).text

        assert date_lines(rooms)[0] == ("2026-11-23", "2026-11-23:1-2")
        assert date_lines(out)[0] == ("2026-11-23", "2026-11-23:out")
        assert "Book 2 dates" in out
        assert "Without: Mon 23 Nov 2026" in out

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"repeat": "daily", "ending": "day", "last": "2028-12-01"}, "At most 500 are possible."),
            ({"ending": "day", "last": "2026-11-01"}, "The end must come after the start."),
            ({"repeat": "daily", "until": "2026-11-25"}, "A date must end before the next one begins."),
        ],
    )
    def test_says_what_makes_no_series(self, house: House, change: dict[str, Any], said: str) -> None:
        staff = house.signed_in("staff")

        assert said in staff.post("/book/look", data=weekly(**change)).text
        refused = staff.post("/book", data=weekly(**change))
        assert refused.status_code == 422
        assert said in refused.text

    def test_without_a_room_asks_for_one(self, house: House) -> None:
        html = house.signed_in("staff").post("/book/look", data=weekly(item=[])).text

        assert "Choose a room to see every date." in html


class TestBooking:
    def test_makes_a_loan_of_each_date_and_goes_to_the_series(self, house: House) -> None:
        house.book(MATHIEU)
        choices = ["2026-11-23:1-2", "2026-11-30:out", ""]

        answer = house.signed_in("requester").post("/book", data=weekly(choice=choices, title="Choir"))

        assert (answer.status_code, answer.headers["Location"]) == (303, "/series/1")
        loans = [loan for loan in house.office.desk.list_loans(LoanFilter()) if loan.series]
        assert [(f"{loan.interval.start:%m-%d}", loan.items[0].name) for loan in loans] == [
            ("11-23", "Moss"),
            ("12-07", "Fern"),
        ]
        assert {(loan.requester, loan.title) for loan in loans} == {(AMELIE, "Choir")}

    def test_with_a_date_that_is_taken_books_nothing_and_shows_it(self, house: House) -> None:
        house.book()

        answer = house.signed_in("staff").post("/book", data=weekly())

        assert answer.status_code == 409
        assert "Already taken" in answer.text
        assert "1 date is not free." in answer.text
        assert len(house.office.desk.list_loans(LoanFilter())) == 1

    def test_with_every_date_left_out_is_refused(self, house: House) -> None:
        choices = [f"{day}:out" for day in ("2026-11-23", "2026-11-30", "2026-12-07")]

        answer = house.signed_in("staff").post("/book", data=weekly(choice=choices))

        assert answer.status_code == 422
        assert "At least one date must be booked." in answer.text


class TestTheHours:
    def test_stay_those_that_were_typed_when_clocks_change(self, tmp_path: Path) -> None:
        """Of the building where the settings name no zone and the tenant is simulated, too: it stands in Paris."""
        with open_house(tmp_path) as house:
            order = weekly(repeat="monthly", count="6", day="2026-11-23", until="2026-11-23")

            house.signed_in("staff").post("/book", data=order)

            loans = [loan for loan in house.office.desk.list_loans(LoanFilter()) if loan.series]
            assert [f"{loan.interval.start.astimezone(ZONE):%m %H}" for loan in loans] == [
                "11 10", "12 10", "01 10", "02 10", "03 10", "04 10",
            ]  # fmt: skip
            assert {loan.interval.start.hour for loan in loans} == {8, 9}


class TestTheSeriesPage:
    @pytest.fixture
    def series(self, house: House) -> str:
        booked = house.signed_in("staff").post("/book", data=weekly(choice=["2026-11-30:out"], title="Choir"))
        return str(booked.headers["Location"])

    def test_lists_the_dates_with_how_far_each_is(self, house: House, series: str) -> None:
        html = house.signed_in("viewer", MATHIEU).get(series).text

        assert re.findall(r'href="/loans/(\d+)"', html) == ["1", "2"]
        assert "Choir" in html
        assert "Waiting for the room" in html
        assert "Left out: Mon 30 Nov 2026" in html

    def test_is_reached_from_each_of_its_loans(self, house: House, series: str) -> None:
        assert f'href="{series}"' in house.signed_in("staff").get("/loans/2").text

    def test_is_for_those_who_may_see_its_loans(self, house: House, series: str) -> None:
        assert house.signed_in("requester", AMELIE).get(series).status_code == 200
        assert house.signed_in("requester", MATHIEU).get(series).status_code == 403

    def test_of_a_private_series_tells_nobody_what_it_is_about(self, house: House) -> None:
        staff = house.signed_in("staff")
        address = staff.post("/book", data=weekly(private="1", title="Surprise")).headers["Location"]

        assert "Surprise" in staff.get(address).text
        shown = house.signed_in("admin", MATHIEU).get(address).text
        assert "Surprise" not in shown
        assert "Amélie" not in shown

    def test_that_is_not_there_is_not_found(self, house: House) -> None:
        assert house.signed_in("staff").get("/series/99").status_code == 404

"""The booking form: what it shows to whom, and what it books."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.ids import BookableId, LoanNumber
from engine.loans.loan import ItemKind, Loan
from engine.loans.register import LoanFilter
from engine.loans.rules import BookingRules
from engine.settings import LoansSettings, RoomsSettings
from tests.web.visitors import AMELIE, MATHIEU, MONDAY, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, rooms=RoomsSettings(time_zone="Europe/Paris")) as found:
        yield found


def form(**fields: Any) -> dict[str, Any]:
    """Return what the form sends for Monday from 10 to 11."""
    return {
        "day": "2026-11-23",
        "start": "10:00",
        "until": "2026-11-23",
        "end": "11:00",
        "seen": "2026-11-23T10:00/2026-11-23T11:00",
        "people": "",
        "q": "",
        "title": "",
        "notes": "",
        **fields,
    }


def only_loan(house: House) -> Loan:
    return house.office.desk.find(LoanNumber(1))


def times(html: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', html)
    assert found is not None
    return found[1]


class TestBooking:
    def test_makes_the_loan_and_goes_there(self, house: House) -> None:
        fields = form(item=["2", "1"], title="Tea", notes="Two kettles", private="1")

        answer = house.signed_in("requester").post("/book", data=fields)

        assert (answer.status_code, answer.headers["Location"]) == (303, "/loans/1")
        loan = only_loan(house)
        assert (loan.interval.start, loan.interval.end) == (at(10), at(11))
        assert [item.id for item in loan.items] == [2, 1]
        assert (loan.title, loan.notes, loan.private) == ("Tea", "Two kettles", True)
        assert loan.requester == AMELIE

    def test_with_htmx_goes_there_too(self, house: House) -> None:
        answer = house.signed_in("staff").post("/book", data=form(item="1"), headers={"HX-Request": "true"})

        assert answer.headers["HX-Redirect"] == "/loans/1"

    def test_of_rooms_and_things_over_midnight(self, house: House) -> None:
        thing = house.office.desk.add_asset("Kettle", store=None, description="", actor="app:test")
        fields = form(item=["1", str(thing.id)], start="22:00", until="2026-11-24", end="01:30")

        house.signed_in("staff").post("/book", data=fields)

        loan = only_loan(house)
        assert loan.interval.length == timedelta(hours=3, minutes=30)
        assert [item.kind for item in loan.items] == [ItemKind.ROOM, ItemKind.ASSET]

    def test_a_thing_is_found_by_what_is_said_of_it(self, house: House) -> None:
        """It stands before the rooms that are taken: there are many of them, at times."""
        for name, about in (("Kettle", "two litres"), ("Beamer", "HDMI & USB-C")):
            house.office.desk.add_asset(name, store=None, description=about, actor="app:test")
        house.book()
        staff = house.signed_in("staff")

        page = staff.get("/book?day=2026-11-23&start=10:00&end=11:00").text
        found = staff.get("/book?day=2026-11-23&start=10:00&end=11:00&q=usb").text

        assert re.findall(r"<legend>([^<]+)</legend>", page)[-3:] == ["Free", "Things", "Not free then"]
        assert "<small>HDMI &amp; USB-C</small>" in page
        assert "Beamer" in found
        assert "Kettle" not in found

    def test_of_what_is_taken_changes_nothing_and_keeps_what_was_written(self, house: House) -> None:
        house.book()

        answer = house.signed_in("staff").post("/book", data=form(item="1", title="Tea & cake"))

        assert answer.status_code == 409
        assert "Already taken" in answer.text
        assert 'value="Tea &amp; cake"' in answer.text
        assert len(house.office.desk.list_loans(LoanFilter())) == 1

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"item": []}, "Choose a room or a thing."),
            ({"item": "99"}, "This cannot be booked any more."),
            ({"end": "10:00"}, "The end must come after the start."),
            ({"start": "10:07"}, "Times lie on quarters of an hour."),
            ({"day": "2026-11-16", "until": "2026-11-16"}, "The end must lie in the future."),
            ({"who": "nobody"}, "Choose a person, or write their address."),
            ({"who": "durand@"}, "An address reads like name@example.org."),
        ],
    )
    def test_of_what_makes_no_sense_says_what_to_mend(self, house: House, change: dict[str, Any], said: str) -> None:
        answer = house.signed_in("staff").post("/book", data=form(**{"item": "1", **change}))

        assert answer.status_code == 422
        assert said in answer.text

    def test_against_a_rule_says_which(self, house: House) -> None:
        rules = BookingRules(duration_minutes_max=30)
        house.office.desk.set_rules(rules, store_id=None, item_id=BookableId(1), actor="app:test")

        answer = house.signed_in("staff").post("/book", data=form(item="1"))

        assert answer.status_code == 422
        assert "60 minutes" in answer.text


class TestForWhom:
    @pytest.mark.parametrize(
        "words",
        [
            "Mathieu Dupuis <mathieu.dupuis@example.org>",
            "mathieu.dupuis@example.org",
            "mathieu",
            "DUPUIS",
            "dupuis máthieu",
        ],
    )
    def test_staff_book_for_others_by_name_or_address(self, house: House, words: str) -> None:
        house.signed_in("staff").post("/book", data=form(item="1", who=words))

        assert only_loan(house).requester == MATHIEU

    def test_somebody_from_elsewhere_is_written_by_address(self, house: House) -> None:
        house.signed_in("staff").post("/book", data=form(item="1", who="A Guest <guest@elsewhere.example>"))

        assert only_loan(house).requester.name == "A Guest"

    def test_a_name_that_several_have_is_not_guessed(self, house: House) -> None:
        answer = house.signed_in("staff").post("/book", data=form(item="1", who="an"))

        assert answer.status_code == 422
        assert "Several people are called so" in answer.text

    def test_a_requester_books_for_nobody_else(self, house: House) -> None:
        house.signed_in("requester").post("/book", data=form(item="1", who=MATHIEU.address))

        assert only_loan(house).requester == AMELIE

    @pytest.mark.parametrize(("method", "path"), [("GET", "/book"), ("POST", "/book"), ("POST", "/book/look")])
    def test_a_viewer_does_not_book(self, house: House, method: str, path: str) -> None:
        viewer = house.signed_in("viewer")

        assert viewer.request(method, path, data=form(item="1") if method == "POST" else None).status_code == 403
        assert 'href="/book"' not in viewer.get("/board").text
        assert 'href="/book"' in house.signed_in("requester").get("/board").text


class TestTheForm:
    @pytest.mark.parametrize(("day", "clock"), [("2026-11-20", "10:00"), ("2026-11-23", "09:00")])
    def test_begins_in_the_morning_on_another_day(self, house: House, day: str, clock: str) -> None:
        """Whoever plans the day after tomorrow late in the evening does not mean late in the evening."""
        assert times(house.signed_in("staff").get(f"/book?day={day}").text).startswith(f"{day}T{clock}/")

    def test_begins_with_the_next_quarter_and_an_hour(self, house: House) -> None:
        assert times(house.signed_in("staff").get("/book").text) == "2026-11-20T10:00/2026-11-20T11:00"

    def test_a_changed_start_takes_the_end_along(self, house: House) -> None:
        staff = house.signed_in("staff")

        later = staff.post("/book/look", data=form(start="14:30"))
        next_day = staff.post("/book/look", data=form(day="2026-11-24"))
        shorter = staff.post("/book/look", data=form(end="10:30"))

        assert times(later.text) == "2026-11-23T14:30/2026-11-23T15:30"
        assert times(next_day.text) == "2026-11-24T10:00/2026-11-24T11:00"
        assert times(shorter.text) == "2026-11-23T10:00/2026-11-23T10:30"

    def test_offers_what_is_free_instead_and_times_nearby(self, house: House) -> None:
        """Fern is taken until 10:15. Moss has seats enough, Oak has not."""
        house.book(hour=9)
        staff = house.signed_in("staff")
        html = staff.post("/book/look", data=form(item="1", start="09:45", end="10:45")).text

        assert "Taken 09:00 – 10:00" in html
        assert 'value="1-2"' in html
        assert 'value="1-3"' not in html
        assert 'name="shift" value="15"' in html

        moved = staff.post("/book/look", data=form(item="1", start="09:45", end="10:45", shift="15")).text
        swapped = staff.post("/book/look", data=form(item="1", start="09:45", end="10:45", swap="1-2")).text

        assert times(moved) == "2026-11-23T10:00/2026-11-23T11:00"
        assert 'name="item" id="book-item-2" value="2" checked' in swapped
        assert 'id="book-item-1" value="1">' in swapped

    def test_says_what_outlook_will_be_told(self, house: House) -> None:
        staff = house.signed_in("staff")

        shown = staff.post("/book/look", data=form(item="1")).text
        private = staff.post("/book/look", data=form(item="1", private="1")).text

        assert "#… Amélie Durand" in shown
        assert "#… Amélie Durand" not in private
        assert "Nothing" in staff.post("/book/look", data=form(item=kettle(house))).text

    def test_tells_of_seats_that_do_not_suffice(self, house: House) -> None:
        html = house.signed_in("staff").post("/book/look", data=form(item="1", people="12")).text

        assert "Fern seats 8, you are 12." in html

    def test_says_nothing_about_whose_booking_is_in_the_way(self, house: House) -> None:
        house.book(MATHIEU, title="Surprise", private=True)

        html = house.signed_in("requester").post("/book/look", data=form(item="1")).text

        assert "Taken 10:00 – 11:00" in html
        assert "Surprise" not in html
        assert "Mathieu" not in html

    @pytest.mark.parametrize(
        "query", ["day=soon", "start=25:00", "item=x", "people=-1", "shift=99999", "swap=a-b", "x=1"]
    )
    def test_a_broken_link_is_refused(self, house: House, query: str) -> None:
        assert house.signed_in("staff").get(f"/book?{query}").status_code == 422

    def test_a_form_from_before_is_understood_whatever_it_carries(self, house: House) -> None:
        answer = house.signed_in("staff").post("/book/look", data=form(seen="nonsense"))

        assert answer.status_code == 200


def at(hour: int) -> datetime:
    return MONDAY + timedelta(hours=hour)


class TestApproval:
    def test_is_said_before_booking(self, house: House) -> None:
        """Where the room's store wants it, and nowhere else."""
        staff, fern = house.signed_in("staff"), str(house.room("Fern"))
        held = "meanwhile it is held for you"
        assert held not in staff.post("/book/look", data=form(item=fern)).text

        store = house.office.desk.list_stores()[0]
        house.office.inventory.change_store(store.id, name=store.name, approval=True, text_level=None, actor="app:test")

        assert held not in staff.post("/book/look", data=form()).text
        shown = staff.post("/book/look", data=form(item=fern)).text
        assert held in shown
        assert "Ask for it" in shown
        assert "data-waits" in staff.get("/board?view=day&day=2026-11-23").text

    def test_of_every_booking_is_said_too(self, tmp_path: Path) -> None:
        with open_house(tmp_path / "all", loans=LoansSettings(approval=True)) as house:
            staff = house.signed_in("staff")

            assert "meanwhile it is held for you" in staff.post("/book/look", data=form(item="1")).text
            assert "data-waits" in staff.get("/board?view=day&day=2026-11-23").text


def kettle(house: House) -> str:
    return str(house.office.desk.add_asset("Kettle", store=None, description="", actor="app:test").id)

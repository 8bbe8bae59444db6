"""Changing a loan in the booking form, alone or with the other dates of its series."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from engine.ids import BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, LoanItem
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.settings import RoomsSettings
from engine.web.pages.loans.change import is_over
from tests.web.conftest import TestClient
from tests.web.test_page_book import at, form, kettle
from tests.web.test_page_series import weekly
from tests.web.visitors import AMELIE, MATHIEU, NOW, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, rooms=RoomsSettings(time_zone="Europe/Paris")) as found:
        yield found


def fields_of(html: str) -> dict[str, Any]:
    """Return what the form shown would send, as a browser reads it."""
    html = html.partition('<form id="book-form"')[2]
    fields: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        kind, name, value = (re.search(rf'\b{key}="([^"]*)"', tag) for key in ("type", "name", "value"))
        if name is None or (kind and kind[1] in ("checkbox", "radio") and not re.search(r"\bchecked\b", tag)):
            continue
        fields.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    for name, body in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', html, re.DOTALL):
        chosen = re.search(r"<option(?: value=\"([^\"]*)\")? selected>([^<]*)", body)
        fields[name] = [(chosen[1] or chosen[2]) if chosen else ""]
    for name, text in re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>(.*?)</textarea>', html, re.DOTALL):
        fields[name] = [unescape(text)]
    fields.pop("csrf", None)
    return fields


def change(browser: TestClient, number: int, **fields: Any) -> Any:
    """Open the form of a loan, write *fields* into it and save."""
    shown = browser.get(f"/loans/{number}/change")
    assert shown.status_code == 200
    return browser.post("/book", data={**fields_of(shown.text), **fields})


def loan(house: House, number: int = 1) -> Loan:
    return house.office.desk.find(LoanNumber(number))


class TestOneLoan:
    def test_saved_as_it_was_shown_is_not_touched(self, house: House) -> None:
        before = house.book(title="Tea", notes="Two\nkettles")

        answer = change(house.signed_in("staff"), 1, notes="Two\r\nkettles")  # as browsers send lines

        assert answer.headers["Location"] == "/loans/1"
        assert loan(house) == before

    def test_takes_new_times_rooms_words_and_person(self, house: House) -> None:
        house.book()
        thing = kettle(house)

        change(
            house.signed_in("staff"), 1,
            start="14:00", end="15:30", item=["2", thing], title="Choir", notes="Loud", who=MATHIEU.address,
        )  # fmt: skip

        found = loan(house)
        assert (found.interval.start, found.interval.length) == (at(14), timedelta(hours=1, minutes=30))
        assert {item.name for item in found.items if item.state != "cancelled"} == {"Moss", "Kettle"}
        assert (found.title, found.notes, found.requester) == ("Choir", "Loud", MATHIEU)

    def test_its_own_booking_is_not_in_its_way(self, house: House) -> None:
        house.book()
        html = house.signed_in("staff").get("/loans/1/change").text

        assert "Taken" not in html
        assert 'id="book-item-1" value="1" checked' in html

    def test_onto_somebody_elses_time_is_refused_and_shown(self, house: House) -> None:
        house.book(hour=12)
        house.book(MATHIEU, hour=10)

        answer = change(house.signed_in("staff"), 1, start="10:00", end="11:00")

        assert answer.status_code == 409
        assert "Taken 10:00 – 11:00" in answer.text
        assert loan(house).interval.start == at(12)

    def test_that_somebody_changed_meanwhile_is_refused(self, house: House) -> None:
        house.book()
        staff = house.signed_in("staff")
        shown = fields_of(staff.get("/loans/1/change").text)
        change(house.signed_in("staff", MATHIEU), 1, title="Faster")

        answer = staff.post("/book", data={**shown, "title": "Slower"})

        assert answer.status_code == 409
        assert "It has changed meanwhile" in answer.text
        assert loan(house).title == "Faster"
        assert 'href="/loans/1/change"' in answer.text
        looked = staff.post("/book/look", data=fields_of(answer.text)).text
        assert "It has changed meanwhile" in looked  # it stays said, whatever else happens
        again = staff.post("/book", data=fields_of(answer.text))  # having read so, they may keep theirs all the same
        assert again.status_code == 303
        assert loan(house).title == "Slower"

    def test_whose_room_answered_meanwhile_is_changed_all_the_same(self, house: House) -> None:
        """The answer gives the loan another version; nothing that the form shows is different."""
        house.book()
        staff = house.signed_in("staff")
        shown = fields_of(staff.get("/loans/1/change").text)
        with house.office.database.write() as transaction:
            transaction.connection.exec_driver_sql("UPDATE loan SET version = version + 1")
            transaction.connection.exec_driver_sql("UPDATE loan_item SET state = 'accepted'")

        assert staff.post("/book", data={**shown, "title": "Choir"}).status_code == 303
        assert loan(house).title == "Choir"

    def test_that_is_over_is_not_changed(self, house: House) -> None:
        house.book()
        house.office.desk.act(LoanNumber(1), LoanAction.CANCEL, actor="app:test")
        staff = house.signed_in("staff")

        shown = staff.get("/loans/1/change")

        assert shown.status_code == 409
        assert "nothing about it can be changed any more" in shown.text
        assert "#1" in shown.text
        assert "/loans/1/change" not in staff.get("/loans/1").text

    def test_that_ends_while_the_form_is_open_is_told_in_the_form(self, house: House) -> None:
        house.book(title="Tea")
        staff = house.signed_in("staff")
        shown = fields_of(staff.get("/loans/1/change").text)
        house.office.desk.act(LoanNumber(1), LoanAction.CANCEL, actor="app:test")

        answer = staff.post("/book", data={**shown, "title": "Typed with care"})

        assert answer.status_code == 409
        assert "Not possible any more" in answer.text
        assert "Typed with care" in answer.text
        assert 'class="button small" href="/loans/1"' in answer.text

    @pytest.mark.parametrize(
        ("status", "hours", "over"),
        [("new", -2, True), ("new", 2, False), ("out", -2, False), ("overdue", -2, False), ("completed", 2, True)],
    )
    def test_is_over_when_its_time_is_unless_things_are_still_out(self, status: str, hours: int, over: bool) -> None:
        """What was not brought back can be lent for longer."""
        ends = NOW + timedelta(hours=hours)
        items = (LoanItem(ItemKind.ROOM, BookableId(1), "Fern", ItemState.ACCEPTED),)
        one = Loan(
            LoanNumber(1), LoanStatus(status), Home.APP, AMELIE, Interval(ends - timedelta(hours=1), ends), items,
            StoreId(1), "Main desk", 1,
        )  # fmt: skip

        assert is_over(one, now=NOW) is over

    def test_becomes_private_and_is_told_so(self, house: House) -> None:
        house.book(title="Tea")
        staff = house.signed_in("staff")
        shown = fields_of(staff.get("/loans/1/change").text)

        looked = staff.post("/book/look", data={**shown, "private": "1"}).text
        change(staff, 1, private="1")

        assert "marked as private" in looked
        assert loan(house).private
        opened = fields_of(staff.get("/loans/1/change").text)
        assert opened.pop("private") == ["1"]
        staff.post("/book", data=opened)
        assert not loan(house).private


class TestWho:
    def test_a_requester_changes_their_own_and_stays_its_requester(self, house: House) -> None:
        house.book(AMELIE)

        change(house.signed_in("requester", AMELIE), 1, title="Mine", who=MATHIEU.address)

        assert (loan(house).title, loan(house).requester) == ("Mine", AMELIE)

    @pytest.mark.parametrize(("role", "private"), [("requester", False), ("viewer", False), ("admin", True)])
    def test_nobody_changes_what_they_may_not_read_or_change(self, house: House, role: str, private: bool) -> None:
        house.book(MATHIEU, title="Surprise", private=private)
        other = house.signed_in(role, AMELIE)

        assert other.get("/loans/1/change").status_code == 403
        sent = form(item="1", loan="1", title="Taken over")
        for path in ("/book", "/book/look"):
            answer = other.post(path, data=sent)
            assert answer.status_code == 403
            assert "Surprise" not in answer.text
        assert loan(house).title == "Surprise"

    def test_what_outlook_will_be_told_names_before_and_after(self, house: House) -> None:
        house.book()
        staff = house.signed_in("staff")
        shown = fields_of(staff.get("/loans/1/change").text)

        moved = staff.post("/book/look", data={**shown, "start": "14:00"}).text
        titled = staff.post("/book/look", data={**shown, "title": "Choir"}).text

        assert "before: Mon 23 Nov 2026, 10:00 – 11:00" in moved
        assert "Nothing. Title and notes stay here." in titled
        assert "Nothing is changed yet." in staff.post("/book/look", data=shown).text


class TestASeries:
    @pytest.fixture
    def staff(self, house: House) -> TestClient:
        """Somebody who booked three Mondays."""
        staff = house.signed_in("staff")
        assert staff.post("/book", data=weekly()).headers["Location"] == "/series/1"
        return staff

    @pytest.mark.parametrize(
        ("scope", "hours"), [("this", [10, 14, 10]), ("following", [10, 14, 14]), ("all", [14, 14, 14])]
    )
    def test_moves_one_date_or_the_following_or_all(
        self, house: House, staff: TestClient, scope: str, hours: list[int]
    ) -> None:
        answer = change(staff, 2, start="14:00", end="15:00", scope=scope)

        assert answer.headers["Location"] == "/loans/2"
        starts = [loan(house, number).interval.start for number in (1, 2, 3)]
        assert starts == [at(hour) + timedelta(weeks=week) for week, hour in enumerate(hours)]

    @pytest.mark.parametrize(("scope", "left"), [("this", [1, 3]), ("following", [1]), ("all", [])])
    def test_cancels_one_date_or_the_following_or_all(
        self, house: House, staff: TestClient, scope: str, left: list[int]
    ) -> None:
        staff.post("/loans/2/cancel", data={"scope": scope})

        assert [number for number in (1, 2, 3) if loan(house, number).blocks] == left

    def test_the_scope_is_asked_for_only_where_there_is_one(self, house: House, staff: TestClient) -> None:
        house.book(hour=15)

        assert 'name="scope"' in staff.get("/loans/2/change").text
        assert 'name="scope"' in staff.get("/loans/2").text
        assert 'name="scope"' not in staff.get("/loans/4/change").text
        assert 'name="scope"' not in staff.get("/loans/4").text

    def test_dates_of_somebody_else_are_not_meant(self, house: House, staff: TestClient) -> None:
        """One date was given to Mathieu: Amélie, as a requester, moves and cancels hers only one by one."""
        change(staff, 3, who=MATHIEU.address)
        amelie = house.signed_in("requester", AMELIE)

        assert change(amelie, 2, start="14:00", end="15:00", scope="following").status_code == 403
        assert amelie.post("/loans/2/cancel", data={"scope": "all"}).status_code == 403

        assert loan(house, 2).interval.start == at(10) + timedelta(weeks=1)
        assert change(amelie, 2, start="14:00", end="15:00").status_code == 303

"""What is known of requesters from outside: told with a booking in the form or by the API, read and changed later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.app.web_parts import build_web_parts
from engine.ids import LoanNumber
from engine.loans.details import ContactDetails
from engine.web.api.app import create_api
from engine.web.api.people import build_people
from engine.web.metrics import Metrics
from tests.web.conftest import TestClient
from tests.web.visitors import House, open_house

WHO = "Ada Lovelace <ada@elsewhere.example>"
FORM = {"day": "2026-11-23", "start": "10:00", "until": "2026-11-23", "end": "11:00", "who": WHO}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def caller(house: House, role: str) -> TestClient:
    office = house.office
    parts = build_web_parts(office.settings, office, Metrics(), token=None, public="http://desk.example")
    headers = {"Authorization": f"Bearer {office.tokens.create(f'a {role}', role)}"}
    return TestClient(create_api(parts, routers=[build_people(office.people)]), headers=headers)


class TestTheForm:
    def test_tells_them_with_the_booking(self, house: House) -> None:
        staff = house.signed_in("staff")
        assert "More about a requester from outside" in staff.get("/book").text

        told = {"phone": "+44 1", "birth_date": "1915-12-10", "town": "London"}
        made = staff.post("/book", data={**FORM, "item": house.room("Fern"), **told})

        assert made.status_code == 303, made.text
        assert house.office.people.details("ada@elsewhere.example") == ContactDetails(**told)

    def test_keeps_what_was_written_when_it_cannot_be(self, house: House) -> None:
        staff = house.signed_in("staff", **{"Accept-Language": "fr"})

        answer = staff.post("/book", data={**FORM, "item": house.room("Fern"), "phone": "aucun", "company": "Engines"})

        assert answer.status_code == 422
        assert "Un numéro de téléphone comporte des chiffres." in answer.text
        assert 'value="Engines"' in answer.text
        assert '<details class="book-outside" id="book-outside" open>' in answer.text

    def test_tells_them_with_a_change_that_changes_nothing_else(self, house: House) -> None:
        staff = house.signed_in("staff")
        staff.post("/book", data={**FORM, "item": house.room("Fern"), "phone": "+44 1"})
        loan = house.office.desk.find(LoanNumber(1))
        shown = {"loan": loan.number, "version": loan.version}

        done = staff.post("/book", data={**FORM, **shown, "item": house.room("Fern"), "town": "London"})

        assert done.status_code == 303, done.text
        assert house.office.people.details("ada@elsewhere.example") == ContactDetails(phone="+44 1", town="London")
        assert house.office.desk.find(loan.number).version == loan.version

    def test_asks_people_who_book_for_themselves_nothing(self, house: House) -> None:
        assert "book-outside" not in house.signed_in("requester").get("/book").text


class TestTheApi:
    def test_takes_shows_and_changes_them(self, house: House) -> None:
        staff, person = caller(house, "staff"), {"name": "Ada Lovelace", "address": "Ada@elsewhere.example"}
        order = {
            "requester": {**person, "details": {"phone": "+44 1", "company": "Engines"}},
            "start": "2026-11-23T10:00:00Z", "end": "2026-11-23T11:00:00Z",
            "items": [{"kind": "room", "id": house.room("Fern")}],
        }  # fmt: skip

        made = staff.post("/api/loans", json=order)
        assert made.status_code == 201, made.text
        assert made.json()["requester"] == person
        empty = dict.fromkeys(("birth_date", "job_title", "street", "postcode", "town"), "")
        where = "/api/people/ada@elsewhere.example/details"
        assert staff.get(where).json() == {"phone": "+44 1", "company": "Engines", **empty}
        assert staff.patch(where, json={"phone": "", "town": "London"}).json()["phone"] == ""
        assert house.office.people.details("ada@elsewhere.example") == ContactDetails(company="Engines", town="London")

    def test_refuses_what_cannot_be_by_its_field(self, house: House) -> None:
        staff = caller(house, "staff")
        house.book()

        refused = staff.patch("/api/people/amelie.durand@example.org/details", json={"birth_date": "10.12.1915"})

        assert refused.status_code == 422
        assert [fault["field"] for fault in refused.json()["errors"]] == ["birth_date"]
        assert staff.get("/api/people/nobody@example.org/details").status_code == 404
        assert staff.get("/api/people/no-address/details").status_code == 404

    def test_shows_them_to_staff_alone(self, house: House) -> None:
        house.book()

        assert caller(house, "viewer").get("/api/people/amelie.durand@example.org/details").status_code == 403

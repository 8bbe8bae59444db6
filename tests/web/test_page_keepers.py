"""The page on which administrators say who keeps which store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import Invalid
from engine.ids import Address
from engine.loans.loan import Requester
from engine.web.pages.bookables.keepers import KEEPERS_MAX, read_addresses
from tests.web.visitors import AMELIE, MATHIEU, House, open_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


def store(house: House) -> int:
    return house.office.desk.list_stores()[0].id


def test_naming_and_freeing(house: House) -> None:
    admin = house.signed_in("admin", MATHIEU)
    assert "Kept by all staff" in admin.get("/keepers").text

    assert admin.post(f"/keepers/{store(house)}", data={"addresses": f"{AMELIE.address}\n"}).status_code == 303

    assert AMELIE.address in admin.get("/keepers").text
    assert f"Kept by {AMELIE.address}" in house.signed_in("viewer").get(f"/stores/{store(house)}").text
    assert house.keepers.load_keepers() == {store(house): [AMELIE.address]}
    admin.post(f"/keepers/{store(house)}", data={"addresses": ""})
    assert house.keepers.load_keepers() == {}
    assert "Kept by all staff" in admin.get(f"/stores/{store(house)}").text


def test_the_page_of_a_loan_says_whom_to_ask(house: House) -> None:
    """To staff who may only look at it; it had no buttons, and no word of why."""
    house.book()
    house.keepers.set_keepers(store(house), [MATHIEU.address], actor="app:test")
    asked = f"Kept by {MATHIEU.address}"
    noemie = Requester(Address("noemie.garnier@example.org"), "Noémie Garnier")

    assert asked in house.signed_in("staff", noemie).get("/loans/1").text
    assert asked not in house.signed_in("staff", MATHIEU).get("/loans/1").text
    assert asked not in house.signed_in("requester").get("/loans/1").text


def test_saving_is_said_where_it_was_done(house: House) -> None:
    admin = house.signed_in("admin", MATHIEU)
    house.office.inventory.add_store("Annexe", actor="app:test")

    answer = admin.post("/keepers/2", data={"addresses": AMELIE.address})
    found = admin.get(answer.headers["Location"]).text

    assert found.count("Saved.") == 1
    assert found.index("<h2>Annexe</h2>") < found.index("Saved.")


def test_what_is_no_address_changes_nothing_and_stays_to_be_mended(house: House) -> None:
    admin = house.signed_in("admin", MATHIEU)

    answer = admin.post(f"/keepers/{store(house)}", data={"addresses": f"{AMELIE.address} nobody"})

    assert answer.status_code == 422
    assert "nobody</textarea>" in answer.text
    assert "No address: nobody" in answer.text
    assert "Kept by all staff" in answer.text, "as it still is"
    assert house.keepers.load_keepers() == {}


def test_there_must_be_such_a_store(house: House) -> None:
    assert house.signed_in("admin").post("/keepers/99", data={"addresses": AMELIE.address}).status_code == 404


@pytest.mark.parametrize(
    "text",
    ["a@example.org,b@example.org", "a@example.org;\n b@example.org", " a@example.org b@example.org a@example.org"],
)
def test_addresses_are_written_as_people_write_them(text: str) -> None:
    assert read_addresses(text) == ["a@example.org", "b@example.org"]


@pytest.mark.parametrize("text", ["nobody", "a@b", "<a@example.org>", "x" * 400 + "@example.org"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_addresses(text)


def test_nor_are_there_too_many() -> None:
    with pytest.raises(Invalid):
        read_addresses(" ".join(f"p{number}@example.org" for number in range(KEEPERS_MAX + 1)))

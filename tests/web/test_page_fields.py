"""The page of the field map: what counts, what another map would make of a loan, and the lines for it."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.settings.sections import ContactsSettings, FieldsSettings, RoomsSettings, ViewSettings
from tests.web.conftest import TestClient
from tests.web.visitors import House, open_house

MAP = {
    "tried": "true", "title": "#{number} {title} ({requester})", "title_back": "true", "body": "title, items, link",
    "location": 'Ask at "{store}"', "categories": "{store}, {title}", "show_as": "oof",
    "custom": "Store={store}; Kind=loan",
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def admin(house: House) -> TestClient:
    return house.signed_in("admin")


def test_shows_what_counts_at_every_level(admin: TestClient) -> None:
    page = admin.get("/fields").text
    assert "#4711 Amélie Durand" in page
    assert "The lines for settings.toml" not in page
    for heading in ("Told in full", "The number and a link", "Only a link"):
        assert heading in page


def test_tries_another_map_on_an_example_and_writes_the_lines(admin: TestClient) -> None:
    """The lines are read back as the very map that was tried."""
    page = admin.get("/fields", params=MAP).text

    assert "#4711 Tea with the mayor (Amélie Durand)" in page
    assert "Ask at &#34;Main desk&#34;" in page
    assert "Main desk, Tea with the mayor" in page
    lines = re.search(r"<code>(\[fields\].*?)</code>", page, re.DOTALL)
    assert lines is not None
    read = tomllib.loads(html.unescape(lines[1]))["fields"]
    assert FieldsSettings(**read).field_map().custom == (("Store", "{store}"), ("Kind", "loan"))
    assert read["title"] == MAP["title"]
    assert read["title_back"] is True


def test_tries_it_on_a_real_loan(house: House, admin: TestClient) -> None:
    loan = house.book(title="Cake <1>")
    page = admin.get("/fields", params={**MAP, "loan": str(loan.number)}).text
    assert f"#{loan.number} Cake &lt;1&gt; (Amélie Durand)" in page
    for nothing in ("999", "²", "-1"):
        assert "#4711" in admin.get("/fields", params={**MAP, "loan": nothing}).text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": "{nummer}"}, "A title says something"),
        ({"body": "weather"}, "The text is made of the parts"),
        ({"show_as": "free"}, "as free no room would be booked"),
        ({"title": "{number}"}, "To come back, the title must hold"),
        ({"custom": "No name={store}"}, "Properties are written"),
    ],
)
def test_says_what_is_wrong_with_a_map(admin: TestClient, wrong: dict[str, str], said: str) -> None:
    page = admin.get("/fields", params={**MAP, **wrong}).text
    assert said in page
    assert "The lines for settings.toml" not in page


def test_a_private_loan_fills_no_template(house: House, admin: TestClient) -> None:
    loan = house.book(title="Secret", private=True)
    page = admin.get("/fields", params={**MAP, "loan": str(loan.number)}).text
    assert "Secret" not in page


def test_shows_what_is_synchronised_at_all(admin: TestClient) -> None:
    page = admin.get("/fields").text

    assert "however far ahead" in page
    assert "is nobody’s" not in page


def test_shows_limits_and_the_names_that_nothing_has(tmp_path: Path) -> None:
    """A misspelt name matches nothing, so it is told where people look, and once more in the log."""
    view = ViewSettings(rooms=("fern", "Mosss"), stores=("Main dsek",), days_back=60, days_ahead=365)
    rooms = RoomsSettings(time_zone="Europe/Paris", ignored_tags=("paino", "closed"))
    with open_house(tmp_path, view=view, rooms=rooms) as house:
        page, activity = (house.signed_in("admin").get(path).text for path in ("/fields", "/activity"))
        status = house.office.read_status()

    assert "from 60 days back" in page
    assert "to 365 days ahead" in page
    assert "<dd>Fern</dd>" in page
    for shown in (page, activity):
        assert "3 names in the settings are nobody’s." in shown
        assert "Did you mean Moss?" in shown
        assert "Did you mean Main desk?" in shown
        assert "Did you mean piano?" in shown
    assert status["unknown_names"] == [
        "view.rooms: there is no 'Mosss'; did you mean Moss?",
        "view.stores: there is no 'Main dsek'; did you mean Main desk?",
        "rooms.ignored_tags: there is no 'paino'; did you mean piano?",
    ]


def test_a_store_of_contacts_that_nothing_is_called_is_told_too(tmp_path: Path) -> None:
    with open_house(tmp_path, contacts=ContactsSettings(stores=("Main dsek", "main desk"))) as house:
        texts = [each.text for each in house.office.unknown_names()]

    assert texts == ["contacts.stores: there is no 'Main dsek'; did you mean Main desk?"]


def test_names_that_nothing_has_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_house(tmp_path, view=ViewSettings(rooms=("Mosss",))) as house:
        assert house.office.warn_of_names() == "view.rooms: there is no 'Mosss'; did you mean Moss?"
    with open_house(tmp_path / "other", view=ViewSettings(rooms=("Moss",))) as house:
        assert house.office.warn_of_names() is None

    assert [record.levelname for record in caplog.records if "there is no" in record.message] == ["WARNING"]

"""The page of one's own Outlook calendar: connecting, coming back, disconnecting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.app.web_parts import Outside
from engine.ids import Address
from engine.reconcile.own_calendar import OwnCalendar, OwnCalendarState
from engine.web.pages.parts.own_calendars import Answer
from tests.web.conftest import TestClient
from tests.web.own_calendars import MemoryDesk
from tests.web.visitors import AMELIE, NOW, House, open_house

PAGE = "/account/outlook"


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
def house(tmp_path: Path, desk: MemoryDesk) -> Iterator[House]:
    with open_house(tmp_path, Outside(own_calendars=desk)) as found:
        yield found


@pytest.fixture
def amelie(house: House) -> TestClient:
    return house.signed_in("requester")


def test_leads_to_the_directory_and_back(amelie: TestClient, desk: MemoryDesk) -> None:
    """What must be remembered travels in a cookie of this browser, and is gone afterwards."""
    assert "Connect my calendar" in amelie.get(PAGE).text

    away = amelie.get(f"{PAGE}/connect")
    assert away.headers["Location"].startswith("https://login.example/authorize?login_hint=amelie.durand")
    assert "HttpOnly" in away.headers["Set-Cookie"]
    back = amelie.get(f"{PAGE}/back", params={"code": "c1", "state": "state"})

    assert desk.came == [("verifier", "c1", AMELIE.address)]
    assert back.headers["Location"] == f"{PAGE}?said=connected"
    assert "Your calendar is connected." in amelie.get(back.headers["Location"]).text
    assert amelie.get(f"{PAGE}/back", params={"code": "c1"}).headers["Location"] == f"{PAGE}?said=strange"


@pytest.mark.parametrize("said", [answer for answer in Answer if answer is not Answer.CONNECTED])
def test_says_why_nothing_was_connected(amelie: TestClient, said: Answer) -> None:
    assert "Nothing was connected" in amelie.get(f"{PAGE}?said={said.value}").text


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (OwnCalendarState.CONNECTED, "Connected as amelie.durand@example.org since Fri 20 Nov 2026."),
        (OwnCalendarState.LEAVING, "Our entries are being taken out of your calendar."),
        (OwnCalendarState.BROKEN, "Microsoft no longer lets us write into your calendar."),
    ],
)
def test_shows_how_it_stands(amelie: TestClient, desk: MemoryDesk, state: OwnCalendarState, shown: str) -> None:
    desk.calendar = OwnCalendar(Address(AMELIE.address), AMELIE.address, state, NOW, entries=2)
    page = amelie.get(PAGE).text
    assert shown in page
    assert ("2 loans stand there." in page) is (state is OwnCalendarState.CONNECTED)
    assert ("take our entries out" in page) is (state is OwnCalendarState.CONNECTED), "only then can we"


def test_disconnects_the_reader_and_nobody_else(amelie: TestClient, desk: MemoryDesk) -> None:
    amelie.post(f"{PAGE}/disconnect")
    assert desk.left == [AMELIE.address]


def test_is_not_there_where_nobody_is_offered_it(tmp_path: Path) -> None:
    with open_house(tmp_path) as bare:
        visitor = bare.signed_in("requester")
        assert visitor.get(PAGE).status_code == 404
        assert PAGE not in visitor.get("/account").text
    folder = tmp_path / "offered"
    folder.mkdir()
    with open_house(folder, Outside(own_calendars=MemoryDesk())) as offered:
        assert PAGE in offered.signed_in("requester").get("/account").text

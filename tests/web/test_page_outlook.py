"""Outlook, simulated: the page plays the demo's people through the simulated Graph, and shows the desk beside them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest

from engine.app.outlook import parse_event
from engine.app.web_parts import Outside
from engine.ids import Address
from engine.loans.loan import Requester
from engine.web.pages.parts.outlook import OutlookPlayer
from tests.web.conftest import TestClient
from tests.web.played_outlook import played_outlook
from tests.web.visitors import AMELIE, MONDAY, NOW, House, open_house

NOEMIE = Requester(Address("noemie.garnier@example.org"), "Noémie Garnier")
DAY = "2026-12-09"
MEETING = {"who": AMELIE.address, "day": DAY, "start": "09:00", "end": "10:00", "subject": "Tea with the mayor"}


@pytest.fixture
def outlook() -> Iterator[OutlookPlayer]:
    with played_outlook(lambda: NOW) as player:
        yield player


@pytest.fixture
def house(tmp_path: Path, outlook: OutlookPlayer) -> Iterator[House]:
    with open_house(tmp_path, Outside(outlook=outlook)) as found:
        yield found


@pytest.fixture
def staff(house: House) -> TestClient:
    return house.signed_in("staff")


def week(staff: TestClient, who: str = AMELIE.address, event: str = "") -> str:
    answer = staff.get("/outlook", params={"who": who, "day": DAY, "event": event})
    assert answer.status_code == 200
    return answer.text


def event_in(text: str) -> str:
    """Return the id that a link or a form names."""
    found = re.search(r'name="event" value="([^"]+)"', text)
    assert found is not None
    return unescape(found[1])


def open_first(staff: TestClient, who: str = AMELIE.address) -> str:
    """Return the page with the one meeting of the week opened."""
    link = re.search(r'class="event [^"]*" href="([^"]+)"', week(staff, who))
    assert link is not None
    return staff.get(unescape(link[1])).text


def soon(look: Callable[[], bool]) -> bool:
    """Tell whether something comes true: rooms answer by themselves, in another thread."""
    for _ in range(200):
        if look():
            return True
        time.sleep(0.02)
    return False


class TestBooking:
    def test_invites_the_rooms_which_answer(self, staff: TestClient) -> None:
        answer = staff.post("/outlook/book", data={**MEETING, "room": ["tilleul@example.org", "saule@example.org"]})

        assert answer.status_code == 303
        assert soon(lambda: staff.get(answer.headers["Location"]).text.count("answer-accepted") == 2)
        page = staff.get(answer.headers["Location"]).text
        assert "Tea with the mayor" in page
        assert "Tilleul" in page
        assert "Wed 9 Dec 2026, 09:00 – 10:00" in page
        assert "Tea with the mayor" not in week(staff, "platane@example.org")

    def test_repeats_every_week(self, staff: TestClient) -> None:
        staff.post("/outlook/book", data={**MEETING, "weeks": "3"})

        seen = [
            "Tea with the mayor" in staff.get("/outlook", params={"who": AMELIE.address, "day": day}).text
            for day in ("2026-12-02", "2026-12-09", "2026-12-16", "2026-12-23", "2026-12-30")
        ]
        assert seen == [False, True, True, True, False]

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"end": "08:00"}, "The end must come after the start."),
            ({"who": "nobody@example.org"}, "Outlook refuses"),
        ],
    )
    def test_refuses_in_words(self, staff: TestClient, change: dict[str, str], said: str) -> None:
        answer = staff.post("/outlook/book", data=MEETING | change, headers={"HX-Request": "true"})

        assert answer.status_code == 422
        assert said in answer.text

    def test_may_last_until_midnight(self, staff: TestClient) -> None:
        staff.post("/outlook/book", data=MEETING | {"start": "22:00", "end": "00:00"})

        assert 'data-start="1320" data-end="1440"' in week(staff)


class TestAMeeting:
    def test_is_moved_and_cancelled_by_its_organizer(self, staff: TestClient) -> None:
        staff.post("/outlook/book", data=MEETING)
        named = {"who": AMELIE.address, "event": event_in(open_first(staff)), "at": DAY}

        moved = staff.post("/outlook/move", data={**named, "day": DAY, "start": "14:30", "end": "15:15"})

        assert 'data-start="870" data-end="915"' in staff.get(moved.headers["Location"]).text

        assert staff.post("/outlook/cancel", data=named).status_code == 303

        assert "Tea with the mayor" not in week(staff)
        assert "This meeting is not in the calendar any more." in week(staff, event=named["event"])

    def test_is_answered_by_its_guests(self, staff: TestClient, outlook: OutlookPlayer) -> None:
        """A guest sees the invitation and says yes; the organizer sees that."""
        staff.post("/outlook/book", data={**MEETING, "guest": [NOEMIE.address]})
        assert soon(lambda: "Tea with the mayor" in week(staff, NOEMIE.address))
        invitation = open_first(staff, NOEMIE.address)
        assert "Accept" in invitation
        named = {"who": NOEMIE.address, "event": event_in(invitation), "at": DAY}

        assert staff.post("/outlook/answer", data={**named, "answer": "accept"}).status_code == 303

        assert soon(lambda: "answer-accepted" in open_first(staff))
        assert staff.post("/outlook/answer", data={**named, "answer": "sing"}).status_code == 422

    def test_is_left_alone_by_those_who_only_look(self, house: House, staff: TestClient) -> None:
        staff.post("/outlook/book", data=MEETING)

        seen = open_first(house.signed_in("viewer"))

        assert "Tea with the mayor" in seen
        assert "New meeting" not in seen
        assert '<form method="post" action="/outlook' not in seen


class TestTheDeskBeside:
    def test_shows_the_loans_of_the_one_looked_at(self, house: House, staff: TestClient) -> None:
        """Those of a person, or those in a room; to a requester somebody else's only as busy."""
        house.book(AMELIE, title="Budget")
        house.book(AMELIE, hour=14, title="Surprise", private=True)
        asking = {"who": AMELIE.address, "day": f"{MONDAY:%Y-%m-%d}"}

        own = staff.get("/outlook", params=asking).text
        other = house.signed_in("requester", person=NOEMIE).get("/outlook", params=asking).text

        assert "Budget" in own
        assert "Surprise" in own
        assert "Budget" not in other
        assert other.count("<b>Busy</b>") == 2
        assert "No loans this week." in staff.get("/outlook", params={"who": "tilleul@example.org"}).text


def test_it_does_not_exist_with_a_real_tenant(tmp_path: Path) -> None:
    """Nobody plays anybody then: neither page nor entry in the navigation."""
    with open_house(tmp_path) as house:
        staff = house.signed_in("staff")

        assert staff.get("/outlook").status_code == 404
        assert staff.post("/outlook/book", data=MEETING).status_code == 404


def test_events_without_a_length_are_left_out() -> None:
    """They block nothing, and there is nowhere to draw them."""
    at = {"dateTime": "2026-12-09T08:00:00.0000000", "timeZone": "UTC"}
    later = {"dateTime": "2026-12-09T09:00:00.0000000", "timeZone": "UTC"}

    assert parse_event({"id": "a", "start": at, "end": at}, {}) is None
    seen = parse_event({"id": "a", "start": at, "end": later}, {})
    assert seen is not None
    assert (seen.subject, seen.guests, seen.response) == ("", (), "none")


def test_people_and_rooms_are_in_the_order_of_the_alphabet(outlook: OutlookPlayer) -> None:
    """Érable comes after Châtaignier."""
    rooms = [one.name for one in outlook.mailboxes() if one.is_room]

    assert rooms[rooms.index("Châtaignier") + 1] == "Érable"

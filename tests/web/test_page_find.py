"""Finding a room: what is shown to whom, and that one click books it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.rooms.room import Room, RoomState
from engine.settings import RoomsSettings
from engine.web.pages.occupancy.timeline import Filter, all_features
from tests.web.visitors import AMELIE, MATHIEU, House, open_house

TEN = "/find?day=2026-11-23&start=10:00"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path, rooms=RoomsSettings(time_zone="Europe/Paris")) as found:
        yield found


def order_of(html: str) -> list[str]:
    return re.findall(r'class="find-name"><b>([^<]+)</b>', html)


def forms_of(html: str) -> list[dict[str, str]]:
    """Return what each Book button would send."""
    forms = re.findall(r'<form method="post" action="/book">(.*?)</form>', html, re.DOTALL)
    return [dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)) for form in forms]


class TestWhatIsFound:
    def test_free_rooms_the_best_first(self, house: House) -> None:
        found = house.signed_in("requester").get(f"{TEN}&people=5").text

        assert order_of(found) == ["Fern", "Moss"]
        assert "1 room is too small." in found

    def test_a_room_that_lacks_something_says_so(self, house: House) -> None:
        found = house.signed_in("requester").get(f"{TEN}&feature=piano").text

        assert order_of(found)[0] == "Oak"
        assert "Without piano" in found

    def test_a_taken_room_is_offered_a_little_later(self, house: House) -> None:
        house.book(hour=9)

        found = house.signed_in("requester").get("/find?day=2026-11-23&start=09:45&people=5").text

        assert order_of(found) == ["Moss", "Fern"]
        assert [(form["item"], form["start"]) for form in forms_of(found)] == [
            ("2", "09:45"),
            ("1", "10:00"),
            ("1", "10:15"),
        ]

    def test_a_time_that_is_over_finds_nothing(self, house: House) -> None:
        assert "That time is over" in house.signed_in("staff").get("/find?day=2026-11-16&start=10:00").text

    def test_nothing_is_said_about_who_holds_a_room(self, house: House) -> None:
        house.book(MATHIEU, title="Surprise")

        found = house.signed_in("requester").get(TEN).text

        assert "Surprise" not in found
        assert "Mathieu" not in found

    @pytest.mark.parametrize(
        "query", ["minutes=7", "minutes=0", "people=-1", "day=0001-01-01", "day=9999-12-31", "x=1", "start=٠٩:٠٠"]
    )
    def test_a_broken_link_is_refused(self, house: House, query: str) -> None:
        assert house.signed_in("staff").get(f"/find?{query}").status_code == 422


class TestFeatures:
    def test_that_differ_in_their_case_alone_are_one(self) -> None:
        """Tags are typed by hand, features come from a list of Microsoft's."""
        rooms = [tagged("Screen", "piano"), tagged("screen", "stage")]

        assert all_features(rooms) == ["piano", "screen", "stage"]
        assert all(Filter(features=frozenset({"screen"})).takes(each) for each in rooms)
        assert not Filter(features=frozenset({"piano"})).takes(rooms[1])


def tagged(*tags: str) -> Room:
    address = Address("room@example.org")
    return Room(BookableId(1), address, "dir", "Room", RoomState.ACTIVE, StoreId(1), tags=tags)


class TestOneClick:
    def test_books_what_is_shown(self, house: House) -> None:
        requester = house.signed_in("requester")
        first = forms_of(requester.get(f"{TEN}&minutes=90&people=5").text)[0]

        answer = requester.post("/book", data=first)

        assert answer.headers["Location"] == "/loans/1"
        loan = house.office.desk.find(LoanNumber(1))
        assert (loan.items[0].name, loan.requester) == ("Fern", AMELIE)
        assert loan.interval.length.total_seconds() == 90 * 60

    def test_of_a_room_taken_meanwhile_opens_the_form_with_other_rooms(self, house: House) -> None:
        requester = house.signed_in("requester")
        first = forms_of(requester.get(f"{TEN}&people=5").text)[0]
        house.book(MATHIEU)

        answer = requester.post("/book", data=first)

        assert answer.status_code == 409
        assert "Already taken" in answer.text
        assert 'value="1-2"' in answer.text

    def test_a_viewer_looks_only(self, house: House) -> None:
        found = house.signed_in("viewer").get(TEN).text

        assert order_of(found)
        assert forms_of(found) == []
        assert "/book" not in found

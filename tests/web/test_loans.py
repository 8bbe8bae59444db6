"""Loans over the API: what goes in, what comes out, page by page."""

from __future__ import annotations

import pytest

from tests.web.conftest import ORDER

FIELDS = {
    "number", "status", "home", "title", "requester", "private", "start", "end", "blocked_start", "blocked_end",
    "items", "store", "series", "version", "notes",
}  # fmt: skip


def order(day: int, *, room: int = 1) -> dict:
    return {
        **ORDER,
        "start": f"2026-11-{day:02}T09:00:00Z",
        "end": f"2026-11-{day:02}T10:00:00Z",
        "items": [{"kind": "room", "id": room}],
    }


class TestBooking:
    def test_a_loan_is_answered_with_its_address(self, admin):
        """201, Location, and the loan in exactly the agreed words; instants in UTC."""
        answer = admin.post("/api/loans", json={**ORDER, "title": "Board", "notes": "Coffee"})
        loan = answer.json()

        assert answer.status_code == 201
        assert answer.headers["Location"] == "http://desk.example/api/loans/1"
        assert set(loan) == FIELDS
        assert (loan["start"], loan["blocked_end"]) == ("2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z")
        assert set(loan["items"][0]) == {"kind", "id", "name", "address", "state"}
        assert loan["requester"] == {"name": "Alex Doe", "address": "alex@example.org"}

    @pytest.mark.parametrize("written", ["2026-11-23T09:00:00.0000000Z", "2026-11-23T10:00:00.0000000+01:00"])
    def test_times_may_be_written_as_graph_and_dotnet_do(self, admin, written):
        """With seven digits of a second, of which six count."""
        answer = admin.post("/api/loans", json={**ORDER, "start": written})

        assert (answer.status_code, answer.json()["start"]) == (201, "2026-11-23T09:00:00Z")

    def test_what_was_booked_can_be_read_again(self, admin):
        made = admin.post("/api/loans", json=ORDER).json()

        assert admin.get(f"/api/loans/{made['number']}").json() == made

    def test_a_change_names_only_what_changes(self, admin):
        """PATCH leaves alone what it does not name."""
        admin.post("/api/loans", json={**ORDER, "title": "Board"})

        changed = admin.patch("/api/loans/1", json={"end": "2026-11-23T12:00:00+01:00", "version": 1}).json()

        assert (changed["end"], changed["title"], changed["version"]) == ("2026-11-23T11:00:00Z", "Board", 2)

    def test_the_history_speaks_the_callers_language(self, admin):
        """`lang` goes before Accept-Language; what is neither reads as English."""
        admin.post("/api/loans", json=ORDER)

        def text(path: str, accepted: str = "") -> str:
            return admin.get(path, headers={"Accept-Language": accepted}).json()["items"][0]["text"]

        assert text("/api/loans/1/history") == "Booked in the app."
        assert text("/api/loans/1/history", "de, fr-CA;q=0.8, en;q=0.1") == "Réservé dans l’application."
        assert text("/api/loans/1/history?lang=en", "fr") == "Booked in the app."


class TestLists:
    def test_pages_follow_one_another_to_the_end(self, admin):
        """`next` leads through all pages, each loan once; the last page has none."""
        for day in range(1, 8):
            admin.post("/api/loans", json=order(day))
        seen, after = [], 0

        while after is not None:
            page = admin.get(f"/api/loans?limit=3&after={after}").json()
            seen += [loan["number"] for loan in page["items"]]
            after = page["next"]

        assert seen == [1, 2, 3, 4, 5, 6, 7]

    def test_a_page_that_is_just_full_is_the_last(self, admin):
        for day in (1, 2):
            admin.post("/api/loans", json=order(day))

        assert admin.get("/api/loans?limit=2").json()["next"] is None

    @pytest.mark.parametrize(
        ("query", "numbers"),
        [
            ("room=2", [2]),
            ("status=cancelled", [3]),
            ("status=cancelled&status=new", [1, 2, 3]),
            ("from=2026-11-02T10:00:00Z", [3]),
            ("to=2026-11-02T09:00:00Z", [1]),
            ("from=2026-11-02T10:30:00+01:00&to=2026-11-02T10:31:00+01:00", [2]),
        ],
    )
    def test_filters(self, admin, query, numbers):
        """`from` and `to` keep what overlaps; a `+` that was not encoded is understood."""
        for day, room in ((1, 1), (2, 2), (3, 1)):
            admin.post("/api/loans", json=order(day, room=room))
        admin.post("/api/loans/3/cancel")

        assert [loan["number"] for loan in admin.get(f"/api/loans?{query}").json()["items"]] == numbers

    def test_rooms_and_assets_come_in_pages_too(self, admin):
        page = admin.get("/api/rooms?limit=1").json()

        assert ([room["id"] for room in page["items"]], page["next"]) == ([1], 1)
        assert admin.get("/api/rooms?limit=1&after=1").json()["next"] is None
        assert admin.get("/api/assets?after=100").json() == {"items": [], "next": None}

    def test_availability_says_what_holds_a_room(self, admin):
        admin.post("/api/loans", json=ORDER)

        query = {"start": "2026-11-23T09:30:00Z", "end": "2026-11-23T10:30:00Z", "people": 4}
        first, second = admin.get("/api/availability", params=query).json()["items"]

        assert (first["free"], second["free"]) == (False, True)
        assert first["busy"] == [{"start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z", "loan": 1}]


class TestRules:
    def test_rules_are_set_as_a_whole(self, admin, office):
        """PUT replaces: what is left out follows the store."""
        answer = admin.put("/api/rooms/1/rules", json={"opening_hours": {"1": ["08:00", "00:00"]}, "window_days": 90})

        assert answer.json()["opening_hours"] == {"1": ["08:00", "00:00"]}
        assert answer.json()["duration_minutes_max"] is None
        assert office.desk.rules[1].window_days == 90

    @pytest.mark.parametrize(
        "rules",
        [
            {"opening_hours": {"8": ["08:00", "18:00"]}},
            {"opening_hours": {"1": ["18:00", "08:00"]}},
            {"opening_hours": {"1": ["8 am", "18:00"]}},
            {"opening_hours": {"1": ["0٨:00", "18:00"]}},
            {"window_days": -1},
            {"window_days": True},
            {"duration_minutes_max": 0},
        ],
    )
    def test_rules_that_make_no_sense_are_refused(self, admin, rules):
        assert admin.put("/api/stores/1/rules", json=rules).status_code == 422

    def test_an_import_is_enqueued(self, admin, office):
        """The API does not import: it marks the key."""
        assert admin.post("/api/rooms/import").json() == {"status": "enqueued"}
        assert office.marks == [("places", "all")]

"""Series over the API, before the real desk: shown first, then booked as one."""

from __future__ import annotations

from typing import Any

import pytest

from engine.loans.register import LoanFilter
from tests.web.conftest import TestClient
from tests.web.test_real_desk import caller, real, settings  # noqa: F401

SERIES = {
    "requester": {"name": "Noémie Garnier", "address": "noemie@example.org"},
    "start": "2027-03-15T13:00:00+01:00",
    "end": "2027-03-15T14:00:00+01:00",
    "zone": "Europe/Paris",
    "repeat": {"pattern": "weekly", "weekdays": ["monday", "wednesday"], "until": "2027-03-31"},
}


@pytest.fixture
def api(caller: TestClient) -> TestClient:  # noqa: F811
    return caller


def rooms(api: TestClient) -> list[int]:
    return [room["id"] for room in api.get("/api/rooms").json()["items"]]


def ref(room: int) -> dict[str, Any]:
    return {"kind": "room", "id": room}


def order(api: TestClient, **change: Any) -> dict[str, Any]:
    return {**SERIES, "items": [ref(rooms(api)[0])], **change}


def take(api: TestClient, room: int, day: str) -> int:
    """Book *room* on *day* so that it is in the way."""
    wanted = {
        "requester": SERIES["requester"],
        "start": f"{day}T13:30:00+01:00",
        "end": f"{day}T15:00:00+01:00",
        "items": [ref(room)],
    }
    return int(api.post("/api/loans", json=wanted).json()["number"])


class TestAPreview:
    def test_shows_every_date_and_books_nothing(self, api: TestClient) -> None:
        shown = api.post("/api/series/preview", json=order(api))

        body = shown.json()
        assert shown.status_code == 200
        assert body["words"] == "every week on Monday and Wednesday, 13:00–14:00, until 31 March 2027"
        assert [date["date"] for date in body["dates"]] == [
            "2027-03-15", "2027-03-17", "2027-03-22", "2027-03-24", "2027-03-29", "2027-03-31",
        ]  # fmt: skip
        assert (body["bookable"], body["states"]["free"]) == (True, 6)
        assert api.get("/api/loans").json()["items"] == []

    def test_keeps_the_hour_when_clocks_change(self, api: TestClient) -> None:
        dates = api.post("/api/series/preview", json=order(api)).json()["dates"]

        assert [date["start"][11:16] for date in dates] == ["12:00"] * 4 + ["11:00"] * 2

    def test_names_what_is_in_the_way_and_who_could_stand_in(self, api: TestClient) -> None:
        first, second = rooms(api)
        number = take(api, first, "2027-03-17")

        body = api.post("/api/series/preview", json=order(api)).json()

        clashing = body["dates"][1]
        assert (body["bookable"], body["states"]["taken"], clashing["state"]) == (False, 1, "taken")
        assert [(found["item"], found["loan"]) for found in clashing["conflicts"]] == [(first, number)]
        assert [(found["item"], [room["id"] for room in found["rooms"]]) for found in clashing["stand_ins"]] == [
            (first, [second])
        ]

    def test_is_told_in_french(self, api: TestClient) -> None:
        body = api.post("/api/series/preview?lang=fr", json=order(api)).json()

        assert body["words"] == "chaque semaine le lundi et le mercredi, 13:00–14:00, jusqu’au 31 mars 2027"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"repeat": {"pattern": "weekly"}}, "repeat.until"),
            ({"repeat": {"pattern": "daily", "until": "2099-01-01"}}, "repeat.until"),
            ({"repeat": {"pattern": "hourly", "count": 3}}, "repeat.pattern"),
            ({"repeat": {"pattern": "daily", "until": "tomorrow"}}, "repeat.until"),
            ({"zone": "Middle/Earth"}, "zone"),
            ({"choices": [{"date": "2027-03-16", "skip": True}]}, "choices.0.date"),
            ({"choices": [{"date": "2027-03-17"}]}, "choices.0"),
            ({"start": "2027-03-15T13:05:00+01:00"}, "start"),
            (
                {
                    "start": "2020-03-15T13:00:00+01:00",
                    "end": "2020-03-15T14:00:00+01:00",
                    "repeat": {"pattern": "weekly", "count": 3},
                },
                "end",
            ),
        ],
    )
    def test_says_what_is_wrong(self, api: TestClient, change: dict[str, Any], field: str) -> None:
        answer = api.post("/api/series/preview", json=order(api, **change))

        assert answer.status_code == 422
        assert field in [error["field"] for error in answer.json()["errors"]]


class TestABooking:
    def test_is_a_loan_for_each_date(self, api: TestClient) -> None:
        made = api.post("/api/series", json=order(api))

        body = made.json()
        assert made.status_code == 201
        assert made.headers["Location"].endswith(f"/api/series/{body['id']}")
        assert [loan["start"][:10] for loan in body["loans"]] == [
            "2027-03-15", "2027-03-17", "2027-03-22", "2027-03-24", "2027-03-29", "2027-03-31",
        ]  # fmt: skip
        assert {loan["series"] for loan in body["loans"]} == {str(body["id"])}
        assert api.get(f"/api/series/{body['id']}").json() == body

    def test_with_a_date_in_the_way_is_refused_whole(self, api: TestClient) -> None:
        first, _ = rooms(api)
        number = take(api, first, "2027-03-17")

        answer = api.post("/api/series", json=order(api))

        assert answer.status_code == 409
        assert [found["loan"] for found in answer.json()["conflicts"]] == [number]
        assert len(api.get("/api/loans").json()["items"]) == 1

    def test_skips_a_date_and_takes_another_room_on_another(self, api: TestClient) -> None:
        first, second = rooms(api)
        take(api, first, "2027-03-17")
        take(api, first, "2027-03-22")
        choices = [{"date": "2027-03-17", "skip": True}, {"date": "2027-03-22", "items": [ref(second)]}]

        body = api.post("/api/series", json=order(api, choices=choices)).json()

        assert body["left_out"] == ["2027-03-17"]
        assert [loan["items"][0]["id"] for loan in body["loans"]] == [first, second, first, first, first]

    def test_leaving_every_date_out_is_refused(self, api: TestClient) -> None:
        repeat = {"pattern": "daily", "count": 1}
        answer = api.post("/api/series", json=order(api, repeat=repeat, choices=[{"date": "2027-03-15", "skip": True}]))

        assert answer.status_code == 422

    def test_is_told_in_each_history(self, api: TestClient) -> None:
        body = api.post("/api/series", json=order(api)).json()

        told = api.get(f"/api/loans/{body['loans'][1]['number']}/history").json()["items"]
        assert [item["code"] for item in told] == ["booked_in_app", "date_of_series"]

    def test_of_nobody_is_not_found(self, api: TestClient) -> None:
        assert api.get("/api/series/77").status_code == 404


def test_a_series_wakes_the_engine(api: TestClient, real: Any) -> None:  # noqa: F811
    api.post("/api/series", json=order(api))

    assert len(real.desk.list_loans(LoanFilter())) == 6
    assert real.queue.depth().waiting > 0


class TestAScope:
    def test_moves_the_following_dates_too(self, api: TestClient) -> None:
        loans = api.post("/api/series", json=order(api)).json()["loans"]

        change = {"start": "2027-03-22T15:00:00+01:00", "end": "2027-03-22T16:00:00+01:00", "scope": "following"}
        answer = api.patch(f"/api/loans/{loans[2]['number']}", json=change)

        assert answer.status_code == 200
        now = [api.get(f"/api/loans/{loan['number']}").json()["start"][11:16] for loan in loans]
        assert now == ["12:00", "12:00", "14:00", "14:00", "13:00", "13:00"]

    def test_cancels_all(self, api: TestClient) -> None:
        loans = api.post("/api/series", json=order(api)).json()["loans"]

        answer = api.post(f"/api/loans/{loans[2]['number']}/cancel", json={"reason": "over", "scope": "all"})

        assert answer.json()["status"] == "cancelled"
        assert {api.get(f"/api/loans/{loan['number']}").json()["status"] for loan in loans} == {"cancelled"}

    def test_of_a_loan_by_itself_is_refused(self, api: TestClient) -> None:
        number = take(api, rooms(api)[0], "2027-03-17")

        assert api.post(f"/api/loans/{number}/cancel", json={"scope": "all"}).status_code == 409
        assert api.patch(f"/api/loans/{number}", json={"title": "x", "scope": "all"}).status_code == 409

    def test_that_is_none_is_said(self, api: TestClient) -> None:
        answer = api.patch("/api/loans/1", json={"title": "x", "scope": "some"})

        assert [error["field"] for error in answer.json()["errors"]] == ["scope"]

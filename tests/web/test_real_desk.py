"""The API and the command line over the real office, on a database of their own."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from engine.app.office import Office
from engine.cli.doors import Doors
from engine.cli.main import make_app
from engine.ids import Address
from engine.reconcile.words.reasons import explain
from engine.rooms.listing import plan_import
from engine.rooms.room import Place
from engine.settings import DatabaseSettings, Settings
from engine.web.api.app import create_api
from engine.web.failures import Failures
from engine.web.metrics import Metrics
from engine.web.parts import WebParts
from tests.templates import put_database
from tests.web.conftest import ORDER, TestClient
from tests.web.fakes import NOW


@pytest.fixture
def settings(tmp_path):
    return Settings(database=DatabaseSettings(url=put_database(tmp_path / "desk.db")))


@pytest.fixture
def real(settings):
    """An office with two rooms."""
    with Office(settings, now=lambda: NOW) as office:
        places = tuple(
            Place(f"dir-{name}", Address(f"{name.lower()}@example.org"), name, capacity=8) for name in ("Fern", "Moss")
        )
        office.rooms.apply_import(plan_import(places, (), ignored_tags=frozenset()), default_store="Main desk")
        yield office


@pytest.fixture
def caller(real):
    parts = WebParts(
        register=real.desk,
        series=real.series,
        cases=real.cases,
        why=real.why,
        rooms=real.rooms,
        tokens=real.tokens,
        enqueue=real.enqueue,
        read_status=real.read_status,
        read_checks=tuple,
        metrics=Metrics(),
        explain=explain,
        clock=lambda: NOW,
        failures=Failures(lambda: NOW),
        once=real.once,
        bootstrap_token="bootstrap-token",
    )
    headers = {"Authorization": "Bearer bootstrap-token"}
    return TestClient(create_api(parts), raise_server_exceptions=False, headers=headers)


def order(caller, **change) -> dict:
    room = caller.get("/api/rooms").json()["items"][0]["id"]
    return {**ORDER, "items": [{"kind": "room", "id": room}], **change}


class TestTheApi:
    def test_a_loan_lives_its_life(self, caller):
        """Book, change, hand over, take back; each step in the history."""
        made = caller.post("/api/loans", json=order(caller))
        path = f"/api/loans/{made.json()['number']}"

        assert made.status_code == 201
        assert caller.patch(path, json={"title": "Board", "version": made.json()["version"]}).status_code == 200
        assert caller.post(f"{path}/check-out").json()["status"] == "out"
        assert caller.post(f"{path}/close", json={"reason": "all back"}).json()["status"] == "completed"
        history = caller.get(f"{path}/history?lang=fr").json()["items"]
        assert [item["code"] for item in history] == ["booked_in_app", "changed_in_app", "checked_out", "closed"]
        assert {item["actor"] for item in history} == {"app:bootstrap"}

    def test_nobody_waits_for_the_room_of_a_refused_loan(self, caller):
        loan = caller.post("/api/loans", json=ORDER).json()
        refused = caller.post(f"/api/loans/{loan['number']}/refuse").json()

        assert [item["state"] for item in loan["items"]] == ["requested"]
        assert [item["state"] for item in refused["items"]] == ["withdrawn"]

    def test_refusals_of_the_desk_are_problems(self, caller):
        """Taken, off the grid, outdated, against a rule, not there."""
        wish = order(caller)
        made = caller.post("/api/loans", json=wish).json()
        path = f"/api/loans/{made['number']}"
        room = f"/api/rooms/{wish['items'][0]['id']}"
        later = {**wish, "start": "2026-11-24T09:00:00Z", "end": "2026-11-24T11:00:00Z"}

        assert caller.post("/api/loans", json=wish).json()["conflicts"][0]["loan"] == made["number"]
        assert caller.post("/api/loans", json={**later, "end": "2026-11-24T10:05:00Z"}).status_code == 422
        assert caller.patch(path, json={"title": "x", "version": 99}).status_code == 409
        assert caller.put(f"{room}/rules", json={"duration_minutes_max": 60}).status_code == 200
        assert caller.post("/api/loans", json=later).json()["errors"][0]["code"] == "longer_than_maximum"
        unknown = caller.post("/api/loans", json={**later, "items": [{"kind": "room", "id": 999}]})
        assert unknown.status_code in (404, 422)

    def test_assets_stores_and_tokens(self, caller):
        asset = caller.post("/api/assets", json={"name": "Projector"}).json()
        token = caller.post("/api/tokens", json={"name": "sign", "role": "viewer"}).json()["token"]
        as_sign = {"Authorization": f"Bearer {token}"}

        assert caller.put(f"/api/assets/{asset['id']}/rules", json={"window_days": 30}).status_code == 200
        assert caller.get("/api/assets", headers=as_sign).json()["items"][0]["rules"]["window_days"] == 30
        assert caller.post("/api/assets", json={"name": "Trolley"}, headers=as_sign).status_code == 403
        assert caller.get("/api/stores").json()["items"]
        assert caller.get("/api/cases").json() == {"items": [], "next": None}
        assert caller.get("/api/status").status_code == 200
        assert caller.post("/api/rooms/import").status_code == 202

    def test_lists_come_in_pages(self, caller):
        for hour in range(9, 14):
            wish = order(caller, start=f"2026-11-24T{hour:02}:00:00Z", end=f"2026-11-24T{hour + 1:02}:00:00Z")
            caller.post("/api/loans", json=wish)

        first = caller.get("/api/loans?limit=3").json()
        second = caller.get(f"/api/loans?limit=3&after={first['next']}").json()

        assert (len(first["items"]), len(second["items"]), second["next"]) == (3, 2, None)


class TestTheCommandLine:
    def test_it_books_in_the_same_database(self, real, settings, caller):
        """What is booked at the keyboard is there for the API, whether a service runs or not."""
        doors = Doors(read=lambda _path: settings)
        words = ["loans", "book", "--room", "fern", "--requester", "Alex Doe <alex@example.org>"]

        done = CliRunner().invoke(
            make_app(), [*words, "--start", "2027-01-11 10:00", "--end", "11:00", "-o", "json"], obj=doors
        )

        assert done.exit_code == 0, done.stderr
        assert caller.get(f"/api/loans/{json.loads(done.stdout)['number']}").json()["items"][0]["name"] == "Fern"

    @pytest.mark.parametrize(
        "words", ["status", "rooms list", "loans list", "cases list", "token list", "subscriptions list"]
    )
    def test_everything_can_be_shown_as_json(self, real, settings, words):
        done = CliRunner().invoke(make_app(), [*words.split(), "-o", "json"], obj=Doors(read=lambda _path: settings))

        assert done.exit_code == 0, done.stderr
        json.loads(done.stdout)

"""Backfill through the API: ordered at once, carried out by the queue, shown while it lasts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from engine.prove.world.world import World
from engine.reconcile.words.reasons import explain
from engine.web.api.app import create_api
from engine.web.api.backfills import build_backfills
from engine.web.failures import Failures
from engine.web.metrics import Metrics
from engine.web.parts import WebParts

HEADERS = {"Authorization": "Bearer bootstrap-token"}


@pytest.fixture
def world() -> Iterator[World]:
    """Two meetings were there before the engine: one that can be a loan, one whose room is taken by it."""
    made = World(rooms=2, settings={"ENGINE_SYNC__FIRST_CONTACT": "list"})
    made.meet(1, 9, 10, 1, subject="Board")
    made.meet(2, 9, 10, 2)
    made.wait(5)
    made.open()
    yield made
    made.close()


@pytest.fixture
def api(world: World) -> TestClient:
    office = world.office
    parts = WebParts(
        register=office.desk,
        series=office.series,
        cases=office.cases,
        why=office.why,
        rooms=office.rooms,
        tokens=office.tokens,
        enqueue=office.enqueue,
        read_status=office.read_status,
        read_checks=tuple,
        metrics=Metrics(),
        explain=explain,
        clock=office.now,
        failures=Failures(office.now),
        once=office.once,
        bootstrap_token="bootstrap-token",
    )
    return TestClient(create_api(parts, routers=[build_backfills(office.backfills)]), headers=HEADERS)


def body(world: World) -> dict[str, object]:
    return {"from": world.at(0, days=0).isoformat(), "to": world.at(0, days=30).isoformat()}


class TestAnOrder:
    def test_that_ends_before_it_begins_is_told_in_the_names_it_has(self, api: TestClient) -> None:
        refused = api.post("/api/backfills", json={"from": "2026-11-23T10:00:00Z", "to": "2026-11-23T09:00:00Z"})

        assert (refused.status_code, refused.json()["detail"]) == (422, "to: must be after from")

    def test_is_accepted_planned_and_carried_out(self, api: TestClient, world: World) -> None:
        """202 says it will be done; the same address tells how far it is, and that it is done."""
        ordered = api.post("/api/backfills", json=body(world))
        assert (ordered.status_code, ordered.json()["state"]) == (202, "planning")
        here = f"/api/backfills/{ordered.json()['number']}"
        assert ordered.headers["Location"].endswith(here)

        world.settle()
        planned = api.get(here).json()
        assert (planned["state"], planned["steps"]["create"], planned["remaining"]) == ("planned", 2, 0)

        applying = api.post(f"{here}/apply").json()
        assert (applying["state"], applying["remaining"]) == ("applying", 2)
        world.settle()
        applied = api.get(here).json()
        assert (applied["state"], applied["states"]["done"]) == ("applied", 2)
        assert len(world.live_loans) == 2

        api.post(f"{here}/undo")
        world.settle()
        assert api.get(here).json()["state"] == "undone"
        assert world.loans == ()

    def test_may_be_about_a_part(self, api: TestClient, world: World) -> None:
        """Rooms, one kind of step, and meetings to leave out narrow what is carried out."""
        number = api.post("/api/backfills", json=body(world)).json()["number"]
        world.settle()
        meetings = api.get(f"/api/backfills/{number}/meetings").json()["items"]
        first = meetings[0]["key"]

        answer = api.post(f"/api/backfills/{number}/apply", json={"only": "create", "except": [first]})

        assert answer.json()["remaining"] == 1
        world.settle()
        after = {line["key"]: line["state"] for line in api.get(f"/api/backfills/{number}/meetings").json()["items"]}
        assert after == {first: "planned", meetings[1]["key"]: "done"}

    def test_is_refused_when_it_makes_no_sense(self, api: TestClient, world: World) -> None:
        """Unknown rooms, meetings and backfills, no length or no end, and a step that is never carried out."""
        number = api.post("/api/backfills", json=body(world)).json()["number"]
        assert api.post(f"/api/backfills/{number}/apply").status_code == 409, "it is still being planned"
        world.settle()

        assert api.post("/api/backfills", json={**body(world), "rooms": [99]}).status_code == 422
        assert api.post("/api/backfills", json={**body(world), "to": body(world)["from"]}).status_code == 422
        assert api.post("/api/backfills", json={**body(world), "to": "9999-12-31T23:59:59Z"}).status_code == 422
        assert api.post("/api/backfills", json={**body(world), "from": "0001-01-01T00:00:00Z"}).status_code == 422
        assert api.post(f"/api/backfills/{number}/apply", json={"except": ["nonsense"]}).status_code == 422
        assert api.post(f"/api/backfills/{number}/apply", json={"only": "skip"}).status_code == 422
        assert api.get("/api/backfills/77").status_code == 404
        assert world.loans == ()

    def test_needs_an_admin(self, api: TestClient, world: World) -> None:
        """Viewers see, admins order."""
        token = world.office.tokens.create("reader", "viewer")
        headers = {"Authorization": f"Bearer {token}"}

        assert api.post("/api/backfills", json=body(world), headers=headers).status_code == 403
        assert api.get("/api/backfills", headers=headers).status_code == 200


class TestAMeeting:
    def test_says_why_in_the_readers_language(self, api: TestClient, world: World) -> None:
        number = api.post("/api/backfills", json=body(world)).json()["number"]
        world.settle()

        page = api.get(f"/api/backfills/{number}/meetings", params={"limit": 1, "lang": "fr"}).json()

        assert page["items"][0]["text"].startswith("Devient un prêt")
        assert page["next"] == 1

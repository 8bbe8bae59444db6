"""What goes wrong on demand."""

from __future__ import annotations

from typing import Any

import pytest

from engine.simulator import ConnectionDropped
from engine.simulator.wire import encode_json
from tests.simulator.test_booking import AULA, NINE, TEN, book, copies
from tests.simulator.virtual import SimulatedWorld

EVENTS = "/users/alex@example.org/events"
HEADERS = {"Authorization": "Bearer demo"}
BODY = {
    "subject": "Loan",
    "start": {"dateTime": "2026-11-24T09:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-11-24T10:00:00", "timeZone": "UTC"},
    "transactionId": "t1",
}


def events(world: SimulatedWorld) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.run(world.alex.events())
    return found


class TestB49AfterTheCommit:
    def test_the_connection_drops_and_the_event_exists(self, world: SimulatedWorld) -> None:
        """B49: repeated under the same transactionId, nothing is doubled."""
        world.tenant.faults.add(effect="drop_after", method="POST", nth=1)
        with pytest.raises(ConnectionDropped):
            world.call("POST", EVENTS, BODY)

        assert len(events(world)) == 1
        assert world.call("POST", EVENTS, BODY).status == 201
        assert len(events(world)) == 1

    @pytest.mark.parametrize("effect", ["error_after", "html_after"])
    def test_503_for_a_success(self, world: SimulatedWorld, effect: str) -> None:
        """B49: the caller sees a failure."""
        world.tenant.faults.add(effect=effect, method="POST", path="/events$")
        answer = world.call("POST", EVENTS, BODY)

        assert answer.status == 503
        assert (b"<html>" in answer.body) is (effect == "html_after")
        assert len(events(world)) == 1

    def test_an_answer_that_comes_late(self, world: SimulatedWorld) -> None:
        """B49: done at once, answered long after: whoever gave up waiting does not know."""
        world.tenant.faults.add(effect="delay_after", method="POST", seconds=60)
        asked = world.loop.create_task(
            world.tenant.handle("POST", f"https://graph.microsoft.com/v1.0{EVENTS}", HEADERS, encode_json(BODY))
        )
        world.wait(1)
        assert len(events(world)) == 1
        assert not asked.done()
        assert world.run(asked).status == 201
        assert world.loop.time() == pytest.approx(60)

    def test_delete_and_patch(self, world: SimulatedWorld) -> None:
        """B49: also for changes and deletions."""
        event = book(world)
        world.tenant.faults.add(effect="error_after", method="PATCH", times=1)
        world.tenant.faults.add(effect="drop_after", method="DELETE", times=1)
        assert world.call("PATCH", f"{EVENTS}/{event['id']}", {"subject": "x"}).status == 503
        assert events(world)[0]["subject"] == "x"
        with pytest.raises(ConnectionDropped):
            world.call("DELETE", f"{EVENTS}/{event['id']}")
        assert events(world) == []


class TestBeforeAnythingHappens:
    def test_dropped(self, world: SimulatedWorld) -> None:
        """Nothing was carried out."""
        world.tenant.faults.add(effect="drop", method="POST")
        with pytest.raises(ConnectionDropped):
            world.call("POST", EVENTS, BODY)
        assert events(world) == []

    def test_an_answer_that_is_no_json(self, world: SimulatedWorld) -> None:
        """A page of some gateway; nothing was carried out."""
        world.tenant.faults.add(effect="html", method="POST", status=502)
        answer = world.call("POST", EVENTS, BODY)

        assert (answer.status, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
        assert b"<html>" in answer.body
        assert events(world) == []

    @pytest.mark.parametrize("retry_after", [None, "7", "2.128", "Mon, 23 Nov 2026 07:00:09 GMT"])
    def test_throttled_in_all_its_variants(self, world: SimulatedWorld, retry_after: str | None) -> None:
        """429 with, without, with a decimal, with a dated Retry-After."""
        rule = {"effect": "error", "status": 429, "code": "TooManyRequests", "retry_after": retry_after, "times": 1}
        world.call("POST", "/sim/faults", rule)
        answer = world.call("GET", EVENTS)

        assert (answer.status, answer.headers.get("Retry-After")) == (429, retry_after)
        assert world.call("GET", EVENTS).status == 200

    def test_one_mailbox_by_any_name(self, world: SimulatedWorld) -> None:
        """A rule on one address catches the id as well."""
        world.tenant.faults.add(effect="error", mailbox=AULA, status=403, code="ErrorAccessDenied")
        room = world.get("/users?$filter=mail eq 'aula@example.org'")["value"][0]["id"]

        assert world.call("GET", f"/users/{room}/events").status == 403
        assert world.call("GET", EVENTS).status == 200

    def test_delay_takes_time(self, world: SimulatedWorld) -> None:
        """A slow answer."""
        world.tenant.faults.add(effect="delay", seconds=100)
        world.call("GET", EVENTS)
        assert world.loop.time() == pytest.approx(100)

    def test_places_suddenly_empty(self, world: SimulatedWorld) -> None:
        """200 with nothing in it."""
        world.tenant.faults.add(effect="empty_list", path="/places/")
        assert world.get("/places/graph.room")["value"] == []

    def test_chance_is_seeded(self, world: SimulatedWorld) -> None:
        """By probability; the same seed, the same failures."""
        world.tenant.faults.add(effect="error", probability=0.5)
        found = [world.call("GET", EVENTS).status for _ in range(40)]
        assert 10 < found.count(503) < 30


class TestRules:
    def test_listing_lifting_and_misspelling(self, world: SimulatedWorld) -> None:
        """The control room shows what is in force."""
        rule = world.call("POST", "/sim/faults", {"effect": "drop", "times": 1}).json()
        assert [item["effect"] for item in world.call("GET", "/sim/faults").json()] == ["drop"]
        assert world.call("DELETE", f"/sim/faults/{rule['id']}").json() == {"removed": True}
        world.call("POST", "/sim/faults", {"effect": "drop"})
        assert world.call("DELETE", "/sim/faults").json() == []
        for wrong in ({"effect": "explode"}, {"effect": "drop", "statsu": 1}, {}):
            assert world.call("POST", "/sim/faults", wrong).status == 400


class TestB61SameAddressNewPlace:
    def test_bookings_survive_a_new_place_id(self, world: SimulatedWorld) -> None:
        """A new place id is no new room."""
        book(world, NINE, TEN)
        world.settle()
        world.call("POST", f"/sim/rooms/{AULA}/new-place-id", {})
        assert len(copies(world)) == 1

"""Delta as it is on bad days: each fault switch, and what a patient caller still gets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.simulator.test_booking import AULA, NINE, TEN, book
from tests.simulator.virtual import SimulatedWorld

WINDOW = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-11-01T00:00:00Z"
FIRST = f"/users/{AULA}/calendarView/delta?{WINDOW}"


def book_hours(world: SimulatedWorld, count: int) -> None:
    for number in range(count):
        book(world, NINE + timedelta(hours=number), TEN + timedelta(hours=number))
    world.settle()


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status, answer.json()["error"]["code"]


class TestB45EndsOfAChain:
    @pytest.mark.parametrize(
        ("rule", "status", "code"),
        [
            ({"effect": "gone"}, 410, "syncStateNotFound"),
            ({"effect": "gone", "code": "fullSyncRequired"}, 410, "fullSyncRequired"),
            ({"effect": "gone_without_location"}, 410, "resyncRequired"),
            ({"effect": "sync_state_not_found"}, 400, "SyncStateNotFound"),
            ({"effect": "sync_state_not_found", "status": 404, "code": "SyncStateInvalid"}, 404, "SyncStateInvalid"),
        ],
    )
    def test_every_variant(self, world: SimulatedWorld, rule: dict[str, Any], status: int, code: str) -> None:
        """B45: 410 with and without Location, 40x with its several codes; a first call works again."""
        _, link = world.delta(AULA)
        assert world.call("POST", "/sim/faults", {**rule, "times": 1}).status == 200
        answer = world.call("GET", link)

        assert code_of(answer) == (status, code)
        assert ("Location" in answer.headers) is (rule["effect"] == "gone")
        if "Location" in answer.headers:
            assert answer.headers["Location"].endswith("$deltatoken=")
        assert world.call("GET", FIRST).status == 200

    def test_a_next_link_expires(self, world: SimulatedWorld) -> None:
        """B45: in the middle of a round; the first page and the deltaLink are not concerned."""
        book_hours(world, 3)
        world.tenant.faults.add(effect="next_link_expired", times=1)
        page = world.get(FIRST, Prefer="odata.maxpagesize=2")
        _, link = world.delta("studio@example.org")
        assert world.call("GET", link).status == 200

        assert code_of(world.call("GET", page["@odata.nextLink"])) == (400, "SyncStateNotFound")
        assert len(world.delta(AULA, size=2)[0]) == 3


class TestB46Pathological:
    def test_pages_in_a_circle(self, world: SimulatedWorld) -> None:
        """B46: another nextLink every time, the same items behind it, until the fault is lifted."""
        book_hours(world, 3)
        world.tenant.faults.add(effect="loop", times=5)
        links, pages, url = set(), [], FIRST
        for _ in range(5):
            page = world.get(url, Prefer="odata.maxpagesize=2")
            url = page["@odata.nextLink"]
            links.add(url)
            pages.append([item["id"] for item in page["value"]])

        assert len(links) == 5
        assert pages == [pages[0]] * 5
        assert len(world.delta(AULA, url, size=2)[0]) == 3

    @pytest.mark.parametrize("status", [503, 504])
    def test_overloaded(self, world: SimulatedWorld, status: int) -> None:
        """B46: 503 and 504 at the delta call; the same link works later."""
        _, link = world.delta(AULA)
        world.tenant.faults.add(effect="error", path="calendarView/delta", status=status, times=1)

        assert world.call("GET", link).status == status
        assert world.call("GET", link).status == 200


class TestLag:
    def test_get_knows_before_delta_does(self, world: SimulatedWorld) -> None:
        """Fault switch: a change is visible by id while delta does not tell yet."""
        _, link = world.delta(AULA)
        world.tenant.faults.add(effect="lag", seconds=60.0)
        book_hours(world, 1)
        copy = world.run(world.aula.events())[0]

        assert world.delta(AULA, link)[0] == []
        assert world.call("GET", f"/users/{AULA}/events/{copy['id']}").status == 200
        world.wait(61)
        assert [item["id"] for item in world.delta(AULA, link)[0]] == [copy["id"]]

    def test_a_whole_list_may_lack_what_is_new(self, world: SimulatedWorld) -> None:
        """Fault switch: a first round leaves out what is new, GET shows it, and a later round tells it."""
        book_hours(world, 1)
        world.wait(120)
        book(world, NINE + timedelta(hours=5), TEN + timedelta(hours=5))
        world.settle()
        copies = {copy["id"] for copy in world.run(world.aula.events())}
        world.tenant.faults.add(effect="lag", seconds=60.0)
        shown, link = world.delta(AULA)
        (newer,) = copies - {item["id"] for item in shown}

        assert len(copies) == 2
        assert world.call("GET", f"/users/{AULA}/events/{newer}").status == 200
        world.tenant.faults.clear()
        assert newer in {item["id"] for item in world.delta(AULA, link)[0]}


class TestB42Disorder:
    def test_shuffled_and_repeated(self, world: SimulatedWorld) -> None:
        """B42: items in any order, and some that were sent before."""
        book_hours(world, 8)
        ordered = [item["id"] for item in world.delta(AULA)[0]]
        world.tenant.faults.add(effect="shuffle", times=1)
        mixed = [item["id"] for item in world.delta(AULA)[0]]
        _, link = world.delta(AULA)
        world.tenant.faults.add(effect="replay", count=2, times=1)

        assert mixed != ordered
        assert sorted(mixed) == sorted(ordered)
        assert [item["id"] for item in world.delta(AULA, link)[0]] == ordered[:2]

    def test_an_empty_page(self, world: SimulatedWorld) -> None:
        """B42: nothing on it but a nextLink; a page with the items follows, and never a second empty one at once."""
        book_hours(world, 2)
        world.tenant.faults.add(effect="empty_page")
        empty = world.get(FIRST)
        full = world.get(empty["@odata.nextLink"])

        assert empty["value"] == []
        assert "@odata.deltaLink" not in empty
        assert len(full["value"]) == 2
        assert "@odata.deltaLink" in full


class TestB44OutOfWindow:
    def test_every_change_outside_is_a_removal(self, world: SimulatedWorld) -> None:
        """B44: added, changed and deleted outside the window: `@removed` each time, for ids nobody ever saw."""
        _, link = world.delta(AULA)
        far = NINE + timedelta(days=400)
        made = world.call("POST", f"/users/{AULA}/events", {
            "subject": "x", "start": {"dateTime": f"{far:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
            "end": {"dateTime": f"{far + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"},
        }).json()  # fmt: skip
        seen = []
        for method, body in (("GET", None), ("PATCH", {"subject": "y"}), ("DELETE", None)):
            world.call(method, f"/users/{AULA}/events/{made['id']}", body)
            items, link = world.delta(AULA, link)
            seen += [(item["id"], item["@removed"]["reason"]) for item in items]

        assert seen == [(made["id"], "deleted")] * 3

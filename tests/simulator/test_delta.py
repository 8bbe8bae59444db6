"""Following a room's calendar by delta."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulator.test_booking import AULA, ELEVEN, NINE, TEN, book
from tests.simulator.virtual import SimulatedWorld

WINDOW = "startDateTime=2026-11-24T00:00:00Z&endDateTime=2026-11-25T00:00:00Z"
PATH = f"/users/{AULA}/calendarView/delta"


class TestB42Rounds:
    def test_pages_then_a_delta_link_then_changes_only(self, world: SimulatedWorld) -> None:
        """B42: never both links on one page; the next round costs what changed."""
        for hour in range(7):
            start = NINE.replace(hour=hour)
            book(world, start, start.replace(minute=30))
        world.settle()

        first = world.get(f"{PATH}?{WINDOW}", Prefer="odata.maxpagesize=3")
        assert "@odata.deltaLink" not in first
        items, link = world.delta(AULA, size=3)
        assert len({item["id"] for item in items}) == 7
        assert world.delta(AULA, link)[0] == []

        event = book(world, NINE.replace(hour=20), NINE.replace(hour=21))
        world.settle()
        items, _ = world.delta(AULA, link)
        assert [item["iCalUId"] for item in items] == [event["iCalUId"]]

    def test_changes_during_the_first_pass_are_not_missed(self, world: SimulatedWorld) -> None:
        """An event that moves from unread to read ground comes with the next round at the latest."""
        events = [book(world, NINE.replace(hour=hour), NINE.replace(hour=hour, minute=30)) for hour in (9, 10, 11, 12)]
        world.settle()
        first = world.get(f"{PATH}?{WINDOW}", Prefer="odata.maxpagesize=2")
        world.run(world.alex.move(events[3]["id"], NINE.replace(hour=1), NINE.replace(hour=2)))
        world.settle()
        rest, link = world.delta(AULA, first["@odata.nextLink"], size=2)
        later, _ = world.delta(AULA, link)

        moved = [item for item in [*rest, *later] if item["iCalUId"] == events[3]["iCalUId"]]
        assert moved[-1]["start"]["dateTime"].startswith("2026-11-24T01:00")

    @pytest.mark.parametrize("option", ["$select=subject", "$filter=x", "%24expand=x", "$orderby=x"])
    def test_options_are_refused(self, world: SimulatedWorld, option: str) -> None:
        """B42: no $select, $filter, $expand, $orderby."""
        assert world.call("GET", f"{PATH}?{WINDOW}&{option}").status == 400

    def test_sdk_spelling_and_preferences(self, world: SimulatedWorld) -> None:
        """`delta()`, both id formats."""
        book(world)
        world.settle()
        plain, link = world.delta(AULA)
        immutable = world.get(f"/users/{AULA}/calendarView/delta()?{WINDOW}", Prefer='IdType="ImmutableId"')

        assert immutable["value"][0]["id"] != plain[0]["id"]
        assert world.call("GET", link, Prefer='IdType="ImmutableId"').status == 200

    def test_now_and_then_an_empty_page(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """An empty page may have a nextLink; following it loses nothing."""
        world = make_world(empty_page_rate=1.0)
        book(world)
        world.settle()
        first = world.get(f"{PATH}?{WINDOW}")

        assert first["value"] == []
        assert len(world.get(first["@odata.nextLink"])["value"]) == 1


class TestB44Removed:
    def test_deleted_and_out_of_window_look_alike(self, world: SimulatedWorld) -> None:
        """B44: `@removed` for what is gone, for what left, and for what was never inside."""
        event, other = book(world), book(world, TEN, ELEVEN)
        world.settle()
        items, link = world.delta(AULA)
        page = world.get(f"{PATH}?{WINDOW}")
        narrow = page["@odata.deltaLink"]
        world.run(world.alex.move(event["id"], NINE.replace(day=27), TEN.replace(day=27)))
        world.run(world.aula.answer(items[1]["id"], "decline"))
        book(world, NINE.replace(day=26), TEN.replace(day=26))
        world.settle()

        wide, _ = world.delta(AULA, link)
        inside, _ = world.delta(AULA, narrow)
        assert sum("@removed" in item for item in wide) == 1
        assert all(item["@removed"] == {"reason": "deleted"} for item in inside)
        assert len(inside) == 3
        assert other["id"] != event["id"]

    def test_a_declined_request_came_and_went(self, world: SimulatedWorld) -> None:
        """B2, B44: what was tentative for a moment is `@removed` although nobody ever saw it."""
        book(world)
        world.settle()
        _, link = world.delta(AULA)
        book(world, by=world.kim)
        world.settle()

        items, _ = world.delta(AULA, link)
        assert [item.get("@removed") for item in items] == [{"reason": "deleted"}]


class TestB45TokenLost:
    @pytest.mark.parametrize(("gone", "status"), [(True, 410), (False, 400)])
    def test_old_tokens_are_refused_for_good(self, world: SimulatedWorld, gone: bool, status: int) -> None:
        """B45: 410 with a Location, or a 40x; starting anew works."""
        book(world)
        world.settle()
        _, link = world.delta(AULA)
        world.call("POST", f"/sim/mailboxes/{AULA}/lose-delta", {"gone": gone})
        refused = world.call("GET", link)

        assert refused.status == status
        assert refused.json()["error"]["code"].lower() == "syncstatenotfound"
        assert len(world.delta(AULA)[0]) == 1
        if gone:
            assert len(world.delta(AULA, refused.headers["Location"])[0]) == 1

    def test_nonsense_is_no_token(self, world: SimulatedWorld) -> None:
        """400."""
        assert world.call("GET", f"{PATH}?$deltatoken=nonsense").status == 400


class TestDeltaFaults:
    def test_replay_lag_and_silence(self, world: SimulatedWorld) -> None:
        """B46 and kin: items twice, late, or not at all; nothing is lost once the fault is lifted."""
        book(world)
        world.settle()
        _, link = world.delta(AULA)
        faults = world.tenant.faults

        faults.add(effect="replay", count=1)
        assert len(world.delta(AULA, link)[0]) == 1
        faults.clear()

        event = book(world, TEN, ELEVEN)
        world.settle()
        faults.add(effect="silent")
        items, link = world.delta(AULA, link)
        assert items == []
        faults.clear()
        faults.add(effect="lag", seconds=600)
        items, link = world.delta(AULA, link)
        assert items == []
        faults.clear()
        assert [item["iCalUId"] for item in world.delta(AULA, link)[0]] == [event["iCalUId"]]

    def test_gone_on_the_second_page(self, world: SimulatedWorld) -> None:
        """B45: at any page."""
        for hour in range(4):
            book(world, NINE.replace(hour=hour), NINE.replace(hour=hour, minute=30))
        world.settle()
        world.tenant.faults.add(effect="gone", nth=2)
        first = world.get(f"{PATH}?{WINDOW}", Prefer="odata.maxpagesize=2")

        assert world.call("GET", first["@odata.nextLink"]).status == 410

"""Following a calendar with series in it: delta, notifications, restarts, and msgraph-sdk's own reading of it all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.simulator.people import event_path
from tests.simulator.series import (
    ALEX,
    AULA,
    WINDOW,
    at,
    book_series,
    change,
    instances,
    remove,
    room_master,
    room_view,
    starts,
    weekly,
)
from tests.simulator.test_restart import crash
from tests.simulator.test_sdk_models import check
from tests.simulator.virtual import SimulatedWorld

STUB = {"@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start", "end"}
DELTA = "users.item.calendar_view.delta.delta_get_response.DeltaGetResponse"
EVENTS = "models.event_collection_response.EventCollectionResponse"


def kinds(items: list[dict[str, Any]]) -> list[str]:
    """What each item is: its type, or `@removed`."""
    return ["@removed" if "@removed" in item else item["type"] for item in items]


def removed(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items if "@removed" in item]


class TestB43Stubs:
    def test_occurrences_come_as_stubs_after_their_master(self, world: SimulatedWorld) -> None:
        """B43: a stub has ids, type and times; the master comes in full, with the first date's times."""
        book_series(world, weekly(times=3))
        items, _ = world.delta(AULA)

        assert kinds(items) == ["seriesMaster", "occurrence", "occurrence", "occurrence"]
        assert [set(item) for item in items[1:]] == [STUB] * 3
        assert items[0]["start"] == items[1]["start"]
        assert items[0]["iCalUId"] == room_master(world)["iCalUId"]

    def test_exceptions_come_in_full(self, world: SimulatedWorld) -> None:
        """B43: only what the pattern says is left out."""
        master = book_series(world, weekly(times=3))
        second = instances(world, master)[1]
        change(world, second, start=at("2026-12-08", 14), end=at("2026-12-08", 15))
        items, _ = world.delta(AULA)

        assert kinds(items) == ["seriesMaster", "occurrence", "exception", "occurrence"]
        assert items[2]["iCalUId"] == second["iCalUId"]
        assert items[2]["originalStart"] == "2026-12-07T09:00:00Z"

    def test_stubs_follow_the_preferences(self, world: SimulatedWorld) -> None:
        """outlook.timezone and IdType."""
        book_series(world, weekly(times=1))
        prefer = 'outlook.timezone="Romance Standard Time", IdType="ImmutableId"'
        [master, stub] = world.get(f"/users/{AULA}/calendarView/delta?{WINDOW}", Prefer=prefer)["value"]

        assert stub["start"] == {"dateTime": "2026-11-30T10:00:00.0000000", "timeZone": "Romance Standard Time"}
        assert stub["seriesMasterId"] == master["id"] != room_master(world)["id"]

    def test_a_series_is_not_split_over_pages(self, world: SimulatedWorld) -> None:
        """B42 (graph-docs pull request 4501): a page may be longer than asked for."""
        for hour in (8, 10, 12):
            book_series(world, weekly(times=4), hour=hour)
        page = world.get(f"/users/{AULA}/calendarView/delta?{WINDOW}", Prefer="odata.maxpagesize=2")
        assert len(page["value"]) == 5

        items, _ = world.delta(AULA, size=2)
        assert len({item["id"] for item in items}) == len(items) == 15

    def test_only_what_touches_the_window(self, world: SimulatedWorld) -> None:
        """A series shows the dates inside; the master comes with the first date's times wherever that is."""
        book_series(world, weekly(times=10))
        book_series(world, weekly(times=2), hour=14)
        window = "startDateTime=2027-01-01T00:00:00Z&endDateTime=2027-01-12T00:00:00Z"
        items = world.get(f"/users/{AULA}/calendarView/delta?{window}")["value"]

        assert starts(items) == ["2026-11-30T09:00", "2027-01-04T09:00", "2027-01-11T09:00"]


class TestChanges:
    def test_a_moved_date_sends_the_series_again(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))
        _, link = world.delta(AULA)
        change(world, instances(world, master)[1], start=at("2026-12-08", 14), end=at("2026-12-08", 15))
        items, link = world.delta(AULA, link)

        assert kinds(items) == ["seriesMaster", "occurrence", "exception", "occurrence"]
        assert world.delta(AULA, link)[0] == []

    def test_a_lost_date_is_removed(self, world: SimulatedWorld) -> None:
        """B44 for a date; its series is sent again as well."""
        book_series(world, weekly(times=3))
        second = room_view(world)[1]
        _, link = world.delta(AULA)
        remove(world, second, by=f"/users/{AULA}")
        items, _ = world.delta(AULA, link)

        assert kinds(items) == ["seriesMaster", "occurrence", "occurrence", "@removed"]
        assert removed(items) == [second["id"]]

    def test_or_without_a_word(self, world: SimulatedWorld) -> None:
        """Graph-docs pull request 4501: no sign of a deleted occurrence but its absence."""
        book_series(world, weekly(times=3))
        _, link = world.delta(AULA)
        world.call("POST", "/sim/faults", {"effect": "resend_series"})
        remove(world, room_view(world)[1], by=f"/users/{AULA}")

        assert kinds(world.delta(AULA, link)[0]) == ["seriesMaster", "occurrence", "occurrence"]

    def test_a_cut_series_loses_its_tail(self, world: SimulatedWorld) -> None:
        """B56, B44: each date after the new end is removed."""
        master = book_series(world, weekly(times=5))
        tail = [item["id"] for item in room_view(world)[2:]]
        _, link = world.delta(AULA)
        change(world, master, recurrence=weekly(until="2026-12-10"))
        items, _ = world.delta(AULA, link)

        assert removed(items) == tail
        assert kinds(items)[:3] == ["seriesMaster", "occurrence", "occurrence"]

    def test_an_endless_series_loses_the_tail_in_the_window(self, world: SimulatedWorld) -> None:
        world.tenant.office.set_processing(AULA, AllRequestOutOfPolicy=True)
        master = book_series(world, weekly())
        items, link = world.delta(AULA)
        change(world, master, recurrence=weekly(until="2026-12-10"))

        assert len(removed(world.delta(AULA, link)[0])) == len(items) - 3

    def test_another_day_of_the_week_has_other_dates(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=2))
        old = [item["id"] for item in room_view(world)]
        _, link = world.delta(AULA)
        change(world, master, recurrence=weekly("tuesday", times=2))
        items, _ = world.delta(AULA, link)

        assert removed(items) == old
        assert starts(items[1:3]) == ["2026-12-01T09:00", "2026-12-08T09:00"]

    def test_a_deleted_series_is_removed_with_its_dates(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))
        ids = [master["id"], *(item["id"] for item in instances(world, master))]
        _, link = world.delta("alex@example.org")
        remove(world, master)

        assert removed(world.delta("alex@example.org", link)[0]) == ids

    def test_a_date_moved_out_of_the_window_is_removed(self, world: SimulatedWorld) -> None:
        """B44: outside the window is as good as gone; a GET of the id says it is not."""
        master = book_series(world, weekly(times=3))
        path = f"{ALEX}/calendarView/delta?startDateTime=2026-12-07T00:00:00Z&endDateTime=2026-12-08T00:00:00Z"
        first = world.get(path)
        second = instances(world, master)[1]
        change(world, second, start=at("2026-12-09", 10), end=at("2026-12-09", 11))
        items = world.get(first["@odata.deltaLink"])["value"]

        assert removed(items) == [master["id"], second["id"]]
        assert world.call("GET", f"{ALEX}{event_path(second['id'])}").status == 200

    def test_a_date_that_comes_back_is_no_longer_removed(self, world: SimulatedWorld) -> None:
        """Cancelled, then the series gets other times: the same id lives again."""
        master = book_series(world, weekly(times=3), rooms=())
        second = instances(world, master)[1]
        _, link = world.delta("alex@example.org")
        remove(world, second)
        change(world, master, start=at("2026-11-30", 15), end=at("2026-11-30", 16))
        items, _ = world.delta("alex@example.org", link)

        assert removed(items) == []
        assert second["id"] in [item["id"] for item in items]

    def test_each_caller_hears_what_it_missed(self, world: SimulatedWorld) -> None:
        """Tokens of different age see different dates vanish."""
        master = book_series(world, weekly(times=4), rooms=())
        ids = [item["id"] for item in instances(world, master)]
        links = []
        for number in (3, 2):
            links.append(world.delta("alex@example.org")[1])
            remove(world, instances(world, master)[number])

        assert [removed(world.delta("alex@example.org", link)[0]) for link in links] == [ids[2:], ids[2:3]]


class TestB10Notifications:
    def test_one_item_for_a_whole_series(self, world: SimulatedWorld) -> None:
        """B6 for a series: about its master alone."""
        room = world.subscribe(AULA)
        book_series(world, weekly(times=3))

        ids = {item["resourceData"]["id"] for item in world.receiver.items}
        assert ids == {room_master(world)["id"]}
        assert world.receiver.changes(room)[0] == "created"

    @pytest.mark.parametrize("verb", ["move", "delete"])
    def test_a_date_is_told_as_an_update_of_its_master(self, world: SimulatedWorld, verb: str) -> None:
        """B10: only `updated` on the master, in both mailboxes, whether moved or removed."""
        master = book_series(world, weekly(times=3))
        world.subscribe(AULA)
        world.subscribe("alex@example.org")
        second = instances(world, master)[1]
        if verb == "move":
            change(world, second, start=at("2026-12-08", 14), end=at("2026-12-08", 15))
        else:
            remove(world, second)

        told = {(item["changeType"], item["resourceData"]["id"]) for item in world.receiver.items}
        assert told == {("updated", master["id"]), ("updated", room_master(world)["id"])}

    def test_the_end_of_a_series_is_told_once(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))
        mine = world.subscribe("alex@example.org")
        remove(world, master)

        assert world.receiver.changes(mine) == ["deleted"]


def test_series_come_back_after_a_crash(make_world: Callable[..., SimulatedWorld], tmp_path: Path) -> None:
    """Masters, exceptions, cancelled dates, and what delta needs to know of former dates."""
    world = make_world(state_file=tmp_path / "tenant.db")
    master = book_series(world, weekly(times=4))
    first, second, *_ = instances(world, master)
    change(world, second, start=at("2026-12-08", 14), end=at("2026-12-08", 15), subject="Special")
    _, link = world.delta(AULA)
    remove(world, room_view(world)[0], by=f"/users/{AULA}")
    remove(world, first)
    before = (instances(world, master), room_view(world), world.delta(AULA, link)[0])
    crash(world)

    assert (instances(world, master), room_view(world), world.delta(AULA, link)[0]) == before
    change(world, master, importance="high")
    assert [item["subject"] for item in instances(world, master)] == ["Special", "Standup", "Standup"]


def test_a_gone_series_comes_back_as_gone(make_world: Callable[..., SimulatedWorld], tmp_path: Path) -> None:
    world = make_world(state_file=tmp_path / "tenant.db")
    master = book_series(world, weekly(times=2))
    _, link = world.delta("alex@example.org")
    remove(world, master)
    crash(world)

    assert len(removed(world.delta("alex@example.org", link)[0])) == 3


def test_what_the_sdk_makes_of_it(world: SimulatedWorld) -> None:
    """Masters, stubs, exceptions and instances: no unknown property, no value of a wrong type."""
    master = book_series(world, weekly("monday", "thursday", until="2026-12-20"))
    first, second, *_ = instances(world, master)
    change(world, first, subject="Special")
    remove(world, second)
    path = f"{ALEX}{event_path(master['id'])}"

    check("models.event.Event", world.call("GET", path).body)
    check("models.event.Event", world.call("GET", f"{ALEX}{event_path(first['id'])}").body)
    check(EVENTS, world.call("GET", f"{path}/instances?{WINDOW}").body)
    check(EVENTS, world.call("GET", f"/users/{AULA}/calendarView?{WINDOW}").body)
    check(DELTA, world.call("GET", f"/users/{AULA}/calendarView/delta()?{WINDOW}").body)
    wanted = "$select=cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences"
    check("models.event.Event", world.call("GET", f"{path}?{wanted}").body)

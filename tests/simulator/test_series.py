"""Series: how they are counted out, what becomes of single dates, and what rooms make of them."""

from __future__ import annotations

from tests.simulator.series import (
    ALEX,
    at,
    book_series,
    change,
    instances,
    remove,
    response_of,
    room_master,
    room_view,
    starts,
    weekly,
)
from tests.simulator.virtual import SimulatedWorld


class TestB59WallClock:
    def test_the_hour_holds_over_the_change_of_clocks(self, world: SimulatedWorld) -> None:
        """B59: ten o'clock in Paris is nine UTC in winter and eight in summer."""
        master = book_series(world, weekly(start="2027-03-22", times=2))

        assert starts(instances(world, master)) == ["2027-03-22T09:00", "2027-03-29T08:00"]

    def test_rooms_see_the_same_instants(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly("monday", "thursday", start="2027-03-22", until="2027-04-09"))

        assert starts(room_view(world)) == starts(instances(world, master))


class TestOneDate:
    def test_a_moved_date_becomes_an_exception_with_the_same_id(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=4))
        second = instances(world, master)[1]

        moved = change(world, second, start=at("2026-12-08", 14), end=at("2026-12-08", 15))

        assert (moved["id"], moved["type"], moved["seriesMasterId"]) == (second["id"], "exception", master["id"])
        assert moved["originalStart"] == "2026-12-07T09:00:00Z"
        assert starts(room_view(world))[1] == "2026-12-08T13:00"
        assert [item["type"] for item in room_view(world)] == ["occurrence", "exception", "occurrence", "occurrence"]

    def test_a_deleted_date_is_gone_for_the_organizer(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))
        second = instances(world, master)[1]

        remove(world, second)

        assert starts(instances(world, master)) == ["2026-11-30T09:00", "2026-12-14T09:00"]
        assert world.call("GET", f"{ALEX}/events/{second['id'].replace('=', '%3D')}").status == 404


class TestRooms:
    def test_a_room_takes_the_whole_series(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))

        copy = room_master(world)
        assert copy["iCalUId"] == master["iCalUId"]
        assert copy["recurrence"] == master["recurrence"]
        assert {item["responseStatus"]["response"] for item in room_view(world)} == {"accepted"}
        assert [response_of(item) for item in instances(world, master)] == ["accepted"] * 3

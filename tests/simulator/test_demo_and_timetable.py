"""The demo building and timetables."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from engine.simulator import demo, timetable
from tests.simulator.virtual import START, SimulatedWorld

CSV = Path(__file__).with_name("small.csv")
MONDAY = date(2026, 11, 23)


class TestDemoBuilding:
    def test_twelve_rooms_twenty_people_one_week(self) -> None:
        """The same seed gives the same building."""
        listings = []
        for _ in range(2):
            world = SimulatedWorld()
            world.tenant = world.open()
            demo.populate(world.tenant, today=START.date())
            demo.populate(world.tenant, today=START.date())  # furnished already: nothing happens
            rooms = world.get("/places/graph.room")["value"]
            view = "/calendarView?startDateTime=2026-11-23T00:00:00Z&endDateTime=2026-11-28T00:00:00Z&$top=100"
            listings.append([world.get(f"/users/{room['emailAddress']}{view}")["value"] for room in rooms])
            assert (len(rooms), len(world.get("/users")["value"])) == (12, 32)
            assert sum(demo.NOT_BOOKABLE in room["tags"] for room in rooms) == 2
            assert {room["floorNumber"] for room in rooms} == {0, 1, 2}
            assert len(world.get("/places/graph.roomlist")["value"]) == 3
            world.close()

        assert listings[0] == listings[1]
        assert sum(len(events) for events in listings[0]) > 100
        assert all(event["responseStatus"]["response"] == "accepted" for events in listings[0] for event in events)


class TestTimetable:
    def test_one_event_per_date_at_wall_clock_time(self) -> None:
        """Flags become dates."""
        events = timetable.load_timetable(CSV, 14, MONDAY)

        assert len(timetable.read_timetable(CSV)) == 3
        assert len(events) == 2 * 2 + 2 + 2
        assert f"{events[0].start:%Y-%m-%dT%H:%MZ} {events[0].end:%H:%M}" == "2026-11-23T08:00Z 09:50"
        assert len(timetable.load_timetable(CSV, 1, MONDAY)) == 4

    def test_poured_directly(self, world: SimulatedWorld) -> None:
        """As accepted meetings in both calendars."""
        count = timetable.pour(world.tenant, timetable.load_timetable(CSV, 14, MONDAY), teachers=2)

        assert count == 8
        assert len(world.get("/users/room-1@example.org/events?$top=50")["value"]) == 6
        assert world.tenant.world.mails == 0

    def test_poured_over_http(self, world: SimulatedWorld) -> None:
        """By POST; a refusal for now is waited out, a repeat creates nothing twice."""
        events = timetable.load_timetable(CSV, 14, MONDAY)
        timetable.add_rooms(world.tenant, events)
        teachers = timetable.add_teachers(world.tenant, 2)
        world.tenant.faults.add(effect="error", status=429, retry_after="3", nth=2)
        world.tenant.faults.add(effect="error_after", status=503, nth=3)
        seen: list[tuple[int, int]] = []

        def progress(done: int, total: int) -> None:
            seen.append((done, total))

        base = "https://graph.microsoft.com/v1.0"
        done = world.run(
            timetable.pour_over_http(world.tenant.handle, base, events, teachers, progress=progress, workers=3)
        )
        world.settle()

        assert (done, seen[-1]) == (8, (8, 8))
        copies = world.get("/users/room-1@example.org/events?$top=50")["value"]
        assert [item["responseStatus"]["response"] for item in copies] == ["accepted"] * 6

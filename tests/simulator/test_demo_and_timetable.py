"""The demo building and timetables."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from engine.prove.world.virtual import START
from engine.simulator import demo, timetable
from engine.simulator.calendars.recurrence import dates_of, parse_recurrence
from engine.simulator.times import find_zone
from tests.simulator.virtual import SimulatedWorld

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

    def test_whatever_the_day_there_are_meetings_ahead_and_series(self) -> None:
        """On a Saturday too; no two meetings overlap in a room, two series go on for ten weeks."""
        saturday = date(2026, 11, 21)
        world = SimulatedWorld()
        world.tenant = world.open()
        demo.populate(world.tenant, today=saturday)
        view = "/calendarView?startDateTime=2026-11-16T00:00:00Z&endDateTime=2027-02-28T00:00:00Z&$top=500"
        calendars = [
            world.get(f"/users/{room['emailAddress']}{view}&$orderby=start/dateTime")["value"]
            for room in world.get("/places/graph.room")["value"]
        ]
        world.close()

        days = {event["start"]["dateTime"][:10] for events in calendars for event in events}
        assert {f"{saturday + timedelta(days=number)}" for number in range(-5, 7)} <= days
        assert sum(event["type"] == "occurrence" for events in calendars for event in events) == 20
        for events in calendars:
            for earlier, later in pairwise(sorted(events, key=lambda event: event["start"]["dateTime"])):
                assert earlier["end"]["dateTime"] <= later["start"]["dateTime"]


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

    def test_one_series_per_class(self) -> None:
        """The same dates in fewer meetings; a class every other week recurs every two weeks."""
        dates, series = timetable.load_timetable(CSV, 14, MONDAY), timetable.load_series(CSV, 14, MONDAY)

        assert len(series) == len(timetable.read_timetable(CSV))
        counted = [event for item in series for event in _counted_out(item)]
        assert sorted(counted) == sorted((event.name, event.start) for event in dates)

    def test_weeks_without_a_rhythm_are_runs(self, tmp_path: Path) -> None:
        """Weeks 1, 2 and 4 are two series."""
        file = tmp_path / "odd.csv"
        header, line = CSV.read_text().splitlines()[:2]
        parts = line.split(",")
        parts[4], parts[5] = "1010000", "11010000000000"
        file.write_text(f"{header}\n{','.join(parts)}\n")

        series = timetable.load_series(file, 14, MONDAY)

        assert [item.recurrence and item.recurrence["range"]["numberOfOccurrences"] for item in series] == [4, 2]
        counted = sorted(start for item in series for _, start in _counted_out(item))
        assert counted == [event.start for event in timetable.load_timetable(file, 14, MONDAY)]

    def test_series_poured_directly_and_over_http(self) -> None:
        """Either way each date is accepted in the room."""
        views = []
        for directly in (True, False):
            world = SimulatedWorld()
            series = timetable.load_series(CSV, 14, MONDAY)
            if directly:
                timetable.pour(world.tenant, series, teachers=2)
            else:
                timetable.add_rooms(world.tenant, series)
                teachers = timetable.add_teachers(world.tenant, 2)
                base = "https://graph.microsoft.com/v1.0"
                world.run(timetable.pour_over_http(world.tenant.handle, base, series, teachers))
                world.settle()
            window = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-11-01T00:00:00Z"
            found = world.get(f"/users/room-1@example.org/calendarView?{window}")["value"]
            views.append([(item["start"], item["responseStatus"]["response"]) for item in found])
            world.close()

        assert views[0] == views[1]
        assert [answer for _, answer in views[0]] == ["accepted"] * 6


def _counted_out(item: timetable.TimetableEvent) -> list[tuple[str, datetime]]:
    """The dates of a series, as (class, start)."""
    assert item.recurrence is not None
    zone = item.recurrence["range"]["recurrenceTimeZone"]
    clock = item.start.astimezone(find_zone(zone)).time()
    days = dates_of(parse_recurrence(item.recurrence, zone)).between(date.min, date.max)
    return [(item.name, datetime.combine(day, clock, find_zone(zone)).astimezone(UTC)) for day in days]

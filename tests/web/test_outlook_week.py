"""A week of one calendar: days, minutes of the wall clock, and lanes for what overlaps."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from engine.interval import Interval
from engine.web.pages.calendars.outlook_week import WeekDay, lay_out
from engine.web.pages.occupancy.timeline import Span
from engine.web.pages.parts.outlook import OutlookEvent

ZONE = ZoneInfo("Europe/Paris")
WEEK = Span(date(2026, 11, 23), 7, ZONE)


def event(name: str, start: str, end: str) -> OutlookEvent:
    times = (datetime.strptime(f"2026-11-{at}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE) for at in (start, end))
    return OutlookEvent(name, name, Interval(*times), "Amélie", True, False, "organizer")


def seen(day: WeekDay) -> list[tuple[str, int, int, int, int]]:
    return [(b.event.id, b.start, b.end, b.lane, b.lanes) for b in day.blocks]


def test_each_day_has_its_own() -> None:
    days = lay_out([event("a", "23 09:00", "23 10:30"), event("b", "29 00:00", "29 01:00")], WEEK)

    assert [day.day.day for day in days] == [23, 24, 25, 26, 27, 28, 29]
    assert seen(days[0]) == [("a", 540, 630, 0, 1)]
    assert seen(days[6]) == [("b", 0, 60, 0, 1)]
    assert not any(day.blocks for day in days[1:6])


def test_what_lasts_over_midnight_is_on_both_days() -> None:
    days = lay_out([event("night", "24 22:00", "26 02:00")], WEEK)

    assert [seen(day) for day in days[1:4]] == [
        [("night", 1320, 1440, 0, 1)],
        [("night", 0, 1440, 0, 1)],
        [("night", 0, 120, 0, 1)],
    ]


def test_what_overlaps_stands_side_by_side() -> None:
    """A lane that is free again is used again; what only touches does not overlap."""
    events = [
        event("a", "23 09:00", "23 11:00"),
        event("b", "23 10:00", "23 10:30"),
        event("c", "23 10:30", "23 12:00"),
        event("d", "23 12:00", "23 13:00"),
    ]

    assert seen(lay_out(events, WEEK)[0]) == [
        ("a", 540, 660, 0, 2),
        ("b", 600, 630, 1, 2),
        ("c", 630, 720, 1, 2),
        ("d", 720, 780, 0, 1),
    ]

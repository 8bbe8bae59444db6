"""The times of a booking form: what somebody chose, on the wall clock of the building. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.interval import GRID, Interval, ceil_to_grid

STANDARD_LENGTH = timedelta(hours=1)
MORNING = time(9)
"""When a booking begins on a day to come for which nobody said an hour."""
QUARTERS = tuple(time(hour, minute) for hour in range(24) for minute in range(0, 60, int(GRID.total_seconds()) // 60))
"""The times of day that are offered."""


@dataclass(frozen=True, slots=True)
class Times:
    """From when to when, both in the building's zone. The end may lie before the start: people see that and mend it."""

    start: datetime
    end: datetime

    @property
    def interval(self) -> Interval | None:
        """Return the stretch; None when the end does not come after the start."""
        try:
            return Interval(self.start, self.end)
        except ValueError:
            return None

    @property
    def seen(self) -> str:
        """Return what the form carries, so that the next look knows what was changed in it."""
        return f"{self.start:%Y-%m-%dT%H:%M}/{self.end:%Y-%m-%dT%H:%M}"

    def moved(self, by: timedelta) -> Times:
        return Times(self.start + by, self.end + by)


def read_times(
    *,
    day: date | None,
    start: time | None,
    until: date | None,
    end: time | None,
    seen: str,
    now: datetime,
    zone: ZoneInfo,
) -> Times:
    """
    Return the times that a form means.

    Args:
        day, start: when it begins; what is missing is the next quarter of an hour, on another day the morning.
        until, end: when it ends; what is missing is the same day, and an hour after the start.
        seen: what the form showed before (`Times.seen`): when its start is changed alone, the end follows.
        now: aware.
        zone: the building's.
    """
    soon = ceil_to_grid(now).astimezone(zone)
    usual = soon.time() if day in (None, soon.date()) else MORNING
    begins = datetime.combine(day or soon.date(), start or usual, zone)
    ends = datetime.combine(until or begins.date(), end, zone) if end is not None else begins + STANDARD_LENGTH
    before = _parse_seen(seen, zone)
    if before is not None and begins != before.start and ends == before.end and before.end > before.start:
        ends = begins + (before.end - before.start)
    return Times(begins, ends)


def _parse_seen(seen: str, zone: ZoneInfo) -> Times | None:
    try:
        start, end = (datetime.fromisoformat(part).replace(tzinfo=zone) for part in seen.split("/"))
    except ValueError:
        return None
    return Times(start, end)

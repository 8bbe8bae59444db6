"""Booking rules of rooms and stores: opening hours, booking window, maximum duration (H57-H62).

Pure: rules and a wish in, breaches out. The desk refuses a booking with a breach; a meeting that
Exchange has accepted is imported all the same and flagged (design: local rules never make an
Outlook event invalid).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, time, timedelta, tzinfo
from types import MappingProxyType

from engine.interval import Interval


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Per ISO weekday (1 Monday ... 7 Sunday) the hours in local time; a day that is absent is closed.

    `closes` of 00:00 means midnight at the end of that day.
    """

    days: Mapping[int, tuple[time, time]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "days", MappingProxyType(dict(self.days)))

    def covers(self, local_start: datetime, local_end: datetime) -> bool:
        """Tell whether the whole stretch lies in the hours of one day (or of days open round the clock)."""
        day = local_start
        while True:
            hours = self.days.get(day.isoweekday())
            if hours is None:
                return False
            midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
            opens = midnight.replace(hour=hours[0].hour, minute=hours[0].minute)
            next_midnight = midnight + timedelta(days=1)
            closes = next_midnight
            if hours[1] != time(0):
                closes = midnight.replace(hour=hours[1].hour, minute=hours[1].minute)
            if day < opens:
                return False
            if local_end <= closes:
                return True
            if closes < next_midnight:
                return False
            day = next_midnight


@dataclass(frozen=True, slots=True)
class BookingRules:
    """Rules of a store, or of one room or asset where None means "as the store says"."""

    opening_hours: OpeningHours | None = None
    window_days: int | None = None
    """How far ahead a booking may end, in days from now."""
    duration_minutes_max: int | None = None
    automatic_check_out: bool | None = None
    automatic_closing: bool | None = None

    def over(self, store: BookingRules) -> BookingRules:
        """Return these rules with the store's where these say nothing."""
        return replace(
            self,
            **{f.name: getattr(store, f.name) for f in fields(self) if getattr(self, f.name) is None},
        )


@dataclass(frozen=True, slots=True)
class RuleBreach:
    """One broken rule: its code and the values, ready for the texts of `reconcile.words.reasons`."""

    code: str
    facts: Mapping[str, object]


def find_breaches(rules: BookingRules, interval: Interval, *, now: datetime, zone: tzinfo) -> tuple[RuleBreach, ...]:
    """
    Tell which rules *interval* would break.

    Args:
        rules: already merged over the store's.
        interval: exact times, aware.
        now: aware; the caller's clock.
        zone: the room's zone, in which opening hours are meant.

    Returns:
        One breach per broken rule, with the rule's value and the value asked for; empty when all is well.
    """
    breaches = []
    start, end = interval.start.astimezone(zone), interval.end.astimezone(zone)
    if rules.opening_hours is not None and not rules.opening_hours.covers(start, end):
        hours = rules.opening_hours.days.get(start.isoweekday())
        breaches.append(
            RuleBreach(
                "outside_opening_hours",
                {
                    "start": f"{start:%Y-%m-%d %H:%M}",
                    "end": f"{end:%Y-%m-%d %H:%M}",
                    "hours": f"{hours[0]:%H:%M}-{hours[1]:%H:%M}" if hours else "closed",
                },
            )
        )
    if rules.window_days is not None and interval.end > now + timedelta(days=rules.window_days):
        breaches.append(
            RuleBreach("beyond_booking_window", {"end": f"{end:%Y-%m-%d %H:%M}", "window_days": rules.window_days})
        )
    if rules.duration_minutes_max is not None and interval.length > timedelta(minutes=rules.duration_minutes_max):
        breaches.append(
            RuleBreach(
                "longer_than_maximum",
                {
                    "minutes": int(interval.length.total_seconds() // 60),
                    "minutes_max": rules.duration_minutes_max,
                },
            )
        )
    return tuple(breaches)

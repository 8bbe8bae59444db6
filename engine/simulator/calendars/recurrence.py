"""
When a series takes place: Graph's recurrence read, checked, shown, and counted out in dates. Pure.

Sources: Graph docs, recurrencePattern, recurrenceRange and patternedRecurrence; for a day of the month that a month
does not have, MS-OXOCAL 2.2.1.44.1 (the last day of that month); years end in 4500 as in Exchange.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from itertools import count
from typing import Any

import msgspec

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEXES = ("first", "second", "third", "fourth", "last")
PATTERNS = ("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
RANGES = ("endDate", "noEnd", "numbered")
NO_DATE = date(1, 1, 1)
"""What Graph shows for "no end date"."""
LAST_DATE = date(4500, 8, 31)


class Recurrence(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern and its range. `zone` is the recurrenceTimeZone as sent, which may be empty or unknown."""

    kind: str
    interval: int = 1
    month: int = 0
    day_of_month: int = 0
    days_of_week: tuple[str, ...] = ()
    first_day_of_week: str = "sunday"
    index: str = "first"
    range_kind: str = "noEnd"
    start_date: date
    end_date: date = NO_DATE
    occurrences: int = 0
    zone: str = ""

    @property
    def is_endless(self) -> bool:
        """Whether it has no end."""
        return self.range_kind == "noEnd"


def parse_recurrence(value: dict[str, Any], zone: str) -> Recurrence:
    """
    Read a patternedRecurrence; *zone* is that of the event's start, for a range that names none.

    Raises:
        ValueError: it is none, says what is wrong. KeyError, TypeError, AttributeError: its parts have the wrong shape.
    """
    pattern, span = value["pattern"], value["range"]
    kind = _one_of("recurrence pattern type", pattern["type"], PATTERNS)
    days = tuple(_one_of("day of the week", day, WEEKDAYS) for day in pattern.get("daysOfWeek") or ())
    found = Recurrence(
        kind=kind,
        interval=_whole("interval", pattern.get("interval", 1), 1, 999),
        month=_whole("month", pattern.get("month") or 0, 0, 12),
        day_of_month=_whole("dayOfMonth", pattern.get("dayOfMonth") or 0, 0, 31),
        days_of_week=tuple(sorted(set(days), key=WEEKDAYS.index)),
        first_day_of_week=_one_of("first day of the week", pattern.get("firstDayOfWeek") or "sunday", WEEKDAYS),
        index=_one_of("index", pattern.get("index") or "first", INDEXES),
        range_kind=_one_of("recurrence range type", span["type"], RANGES),
        start_date=date.fromisoformat(span["startDate"]),
        end_date=date.fromisoformat(span.get("endDate") or "0001-01-01"),
        occurrences=_whole("numberOfOccurrences", span.get("numberOfOccurrences") or 0, 0, 2**31 - 1),
        zone=zone if span.get("recurrenceTimeZone") is None else str(span["recurrenceTimeZone"]),
    )
    return _complete(found)


def _complete(found: Recurrence) -> Recurrence:
    """Refuse what lacks a part its kind needs; drop the parts that do not count."""
    needs_days = found.kind in ("weekly", "relativeMonthly", "relativeYearly")
    needs_month = found.kind in ("absoluteYearly", "relativeYearly")
    needs_day = found.kind in ("absoluteMonthly", "absoluteYearly")
    missing = {
        "daysOfWeek": needs_days and not found.days_of_week,
        "month": needs_month and not found.month,
        "dayOfMonth": needs_day and not found.day_of_month,
        "endDate": found.range_kind == "endDate" and found.end_date < found.start_date,
        "numberOfOccurrences": found.range_kind == "numbered" and not found.occurrences,
    }
    lacking = [name for name, is_missing in missing.items() if is_missing]
    if lacking:
        raise ValueError(f"a {found.kind} recurrence needs a valid {' and '.join(lacking)}")
    return msgspec.structs.replace(
        found,
        days_of_week=found.days_of_week if needs_days else (),
        month=found.month if needs_month else 0,
        day_of_month=found.day_of_month if needs_day else 0,
        index=found.index if found.kind.startswith("relative") else "first",
        end_date=found.end_date if found.range_kind == "endDate" else NO_DATE,
        occurrences=found.occurrences if found.range_kind == "numbered" else 0,
    )


def _one_of(what: str, value: Any, allowed: tuple[str, ...]) -> str:
    known = {name.lower(): name for name in allowed}
    if str(value).lower() not in known:
        raise ValueError(f"{value!r} is no {what}")
    return known[str(value).lower()]


def _whole(what: str, value: Any, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{what} must be a whole number from {low} to {high}")
    return value


def render_recurrence(recurrence: Recurrence) -> dict[str, Any]:
    """Return the patternedRecurrence as Graph shows it: zeros and year one where a part does not count."""
    pattern: dict[str, Any] = {
        "type": recurrence.kind, "interval": recurrence.interval, "month": recurrence.month,
        "dayOfMonth": recurrence.day_of_month, "firstDayOfWeek": recurrence.first_day_of_week,
        "index": recurrence.index,
    }  # fmt: skip
    if recurrence.days_of_week:
        pattern["daysOfWeek"] = list(recurrence.days_of_week)
    return {
        "pattern": pattern,
        "range": {
            "type": recurrence.range_kind, "startDate": recurrence.start_date.isoformat(),
            "endDate": recurrence.end_date.isoformat(), "recurrenceTimeZone": recurrence.zone,
            "numberOfOccurrences": recurrence.occurrences,
        },
    }  # fmt: skip


def is_same_pattern(one: Recurrence, other: Recurrence) -> bool:
    """Tell whether two recurrences differ at most in where they end."""
    return _endless(one) == _endless(other)


def _endless(recurrence: Recurrence) -> Recurrence:
    return msgspec.structs.replace(recurrence, range_kind="noEnd", end_date=NO_DATE, occurrences=0)


def cut(recurrence: Recurrence, last: date) -> Recurrence:
    """Return the same recurrence with no date after *last*: one that ends before stays as it is."""
    end = dates_of(recurrence).last
    if end is not None and end <= last:
        return recurrence
    return msgspec.structs.replace(recurrence, range_kind="endDate", end_date=last, occurrences=0)


class Dates:
    """The dates of one recurrence, counted out as far as anybody asked."""

    def __init__(self, recurrence: Recurrence) -> None:
        self._coming = _within_range(recurrence)
        self._known: list[date] = []
        self._is_endless = recurrence.is_endless

    @property
    def first(self) -> date | None:
        """The first date; None when there is none at all."""
        return self._known[0] if self._known or self._count_past(NO_DATE) else None

    @property
    def last(self) -> date | None:
        """The last date; None when there is no end, or no date."""
        if self._is_endless:
            return None
        self._count_past(date.max)
        return self._known[-1] if self._known else None

    def between(self, first: date, last: date) -> list[date]:
        """Return the dates from *first* to *last*, both included."""
        self._count_past(last)
        return self._known[bisect_left(self._known, first) : bisect_right(self._known, last)]

    def __contains__(self, day: date) -> bool:
        self._count_past(day)
        index = bisect_left(self._known, day)
        return index < len(self._known) and self._known[index] == day

    def before(self, day: date) -> Iterator[date]:
        """Yield the dates before *day*, the latest first."""
        self._count_past(day)
        return reversed(self._known[: bisect_left(self._known, day)])

    def after(self, day: date) -> Iterator[date]:
        """Yield the dates after *day*."""
        self._count_past(day)
        index = bisect_right(self._known, day)
        while index < len(self._known) or self._count_past(self._known[-1] if self._known else NO_DATE):
            yield self._known[index]
            index += 1

    def _count_past(self, day: date) -> bool:
        """Know every date up to *day* and one more; tells whether there is one after *day*."""
        while not self._known or self._known[-1] <= day:
            found = next(self._coming, None)
            if found is None:
                return False
            self._known.append(found)
        return True


@lru_cache(maxsize=4096)
def dates_of(recurrence: Recurrence) -> Dates:
    """Return the dates of *recurrence*; the same object for equal ones."""
    return Dates(recurrence)


def _within_range(recurrence: Recurrence) -> Iterator[date]:
    end = recurrence.end_date if recurrence.range_kind == "endDate" else LAST_DATE
    limit = recurrence.occurrences if recurrence.range_kind == "numbered" else None
    for number, day in enumerate(_by_pattern(recurrence)):
        if day > end or number == limit:
            return
        yield day


def _by_pattern(recurrence: Recurrence) -> Iterator[date]:
    start = recurrence.start_date
    match recurrence.kind:
        case "daily":
            found: Iterator[date] = (start + timedelta(days=recurrence.interval * number) for number in count())
        case "weekly":
            found = _weekly(recurrence)
        case _:
            found = _monthly(recurrence)
    return (day for day in found if day >= start)


def _weekly(recurrence: Recurrence) -> Iterator[date]:
    """Weeks are counted from the one that holds the start, and begin on `first_day_of_week`."""
    first = WEEKDAYS.index(recurrence.first_day_of_week)
    offsets = sorted((WEEKDAYS.index(day) - first) % 7 for day in recurrence.days_of_week)
    week = recurrence.start_date - timedelta(days=(recurrence.start_date.weekday() - first) % 7)
    while True:
        yield from (week + timedelta(days=offset) for offset in offsets)
        week += timedelta(weeks=recurrence.interval)


def _monthly(recurrence: Recurrence) -> Iterator[date]:
    """One date per month, or per year in one month."""
    is_yearly = recurrence.kind.endswith("Yearly")
    start, step = recurrence.start_date, recurrence.interval * (12 if is_yearly else 1)
    at = start.year * 12 + (recurrence.month if is_yearly else start.month) - 1
    while at // 12 <= LAST_DATE.year:
        yield _day_in_month(recurrence, at // 12, at % 12 + 1)
        at += step


def _day_in_month(recurrence: Recurrence, year: int, month: int) -> date:
    length = monthrange(year, month)[1]
    if not recurrence.kind.startswith("relative"):
        return date(year, month, min(recurrence.day_of_month, length))
    wanted = {WEEKDAYS.index(day) for day in recurrence.days_of_week}
    fitting = [day for day in range(1, length + 1) if date(year, month, day).weekday() in wanted]
    return date(year, month, fitting[-1 if recurrence.index == "last" else INDEXES.index(recurrence.index)])

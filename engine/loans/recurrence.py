"""How a series made in the app repeats: a pattern of days, and hours on the wall of one zone.

Days follow Outlook's rules (Graph docs: recurrencePattern): weeks begin on Monday and are counted from the one that
holds the first date; a month without the day has its last one instead. Hours are wall-clock: one o'clock stays one
o'clock when clocks change.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from engine.errors import Fault
from engine.interval import Interval

DATES_MAX = 500
"""How many dates a series may have: each is a loan of its own."""

EVERY_MAX = 99
YEAR_MAX = 2999
"""No pattern is counted out further, as no loan is booked further ahead (`database.wishes`)."""


class Repeat(StrEnum):
    """What repeats. By weekday means "the second Tuesday": of each month, or of the month of the first date."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    MONTHLY_BY_WEEKDAY = "monthly-by-weekday"
    YEARLY = "yearly"
    YEARLY_BY_WEEKDAY = "yearly-by-weekday"


BY_WEEKDAY = frozenset({Repeat.MONTHLY_BY_WEEKDAY, Repeat.YEARLY_BY_WEEKDAY})


class Weekday(StrEnum):
    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


WEEKDAYS = tuple(Weekday)


class Week(StrEnum):
    """Which of a month's, say, Tuesdays."""

    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    FOURTH = "fourth"
    LAST = "last"


WEEKS = tuple(Week)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """
    A pattern with its range. Made by `recur`, which fills in what follows from the first day.

    `first` is its first date; `start` is on the wall of `zone` (an IANA name), `length` is counted on that wall too.
    It ends with `until` (a day, which may be a date itself) or after `count` dates: one of the two is set.
    """

    repeat: Repeat
    first: date
    start: time
    length: timedelta
    zone: str
    every: int = 1
    weekdays: tuple[Weekday, ...] = ()
    week: Week | None = None
    until: date | None = None
    count: int | None = None
    month_day: int | None = None
    """Of the patterns by date. The first date alone may not tell: a series on the 31st may begin on April 30th."""


def recur(
    repeat: Repeat,
    start: datetime,
    end: datetime,
    zone: str,
    *,
    every: int = 1,
    weekdays: tuple[Weekday, ...] = (),
    week: Week | None = None,
    until: date | None = None,
    count: int | None = None,
) -> Recurrence:
    """
    Return the recurrence whose first date is the first one that fits the pattern on or after the day of *start*.

    Args:
        repeat: the pattern.
        start, end: aware instants of the first date, which give the hours; read in *zone*.
        zone: an IANA name.
        weekdays: for weekly and by-weekday patterns; the weekday of *start* when empty.
        week: for by-weekday patterns; that of *start* when None.
        until, count: one of them.
    """
    local, last = (moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in (start, end))
    by_weekday = repeat in BY_WEEKDAY
    if repeat is not Repeat.WEEKLY and not by_weekday:
        weekdays = ()
    elif not weekdays:
        weekdays = (WEEKDAYS[local.weekday()],)
    made = Recurrence(
        repeat,
        local.date(),
        local.time(),
        last - local,
        zone,
        every,
        tuple(sorted(set(weekdays), key=WEEKDAYS.index)),
        (week or WEEKS[min((local.day - 1) // 7, 4)]) if by_weekday else None,
        until,
        count,
        local.day if repeat in (Repeat.MONTHLY, Repeat.YEARLY) else None,
    )
    first = next(_by_pattern(made), None)
    return replace(made, first=first) if first is not None else made


def find_recurrence_faults(wanted: Recurrence) -> list[Fault]:
    """Return what is wrong with a recurrence that somebody asks for: `expand` takes only one without a fault."""
    faults = []
    if not 1 <= wanted.every <= EVERY_MAX:
        faults.append(Fault("repeat.every", "out_of_range", f"must be from 1 to {EVERY_MAX}"))
    if (wanted.until is None) == (wanted.count is None):
        faults.append(Fault("repeat.until", "one_of", "name either the last day or how many dates"))
    if wanted.count is not None and not 1 <= wanted.count <= DATES_MAX:
        faults.append(Fault("repeat.count", "out_of_range", f"must be from 1 to {DATES_MAX}"))
    if wanted.until is not None and wanted.until < wanted.first:
        faults.append(Fault("repeat.until", "before_start", f"must not lie before the first date, {wanted.first}"))
    if wanted.length <= timedelta(0):
        faults.append(Fault("end", "before_start", "the end must come after the start"))
    if not faults and next(islice(days_of(wanted), DATES_MAX, None), None) is not None:
        faults.append(Fault("repeat.until", "too_many", f"a series has at most {DATES_MAX} dates"))
    if not faults and wanted.count is not None and sum(1 for _ in days_of(wanted)) < wanted.count:
        faults.append(Fault("repeat.count", "out_of_range", f"its last date would lie after the year {YEAR_MAX}"))
    if not faults:
        faults = _overlap_faults(wanted)
    return faults


def _overlap_faults(wanted: Recurrence) -> list[Fault]:
    """A series has one date a day, and no date may begin before the one before it has ended."""
    times = [interval for _, interval in expand(wanted)]
    if any(after.start < before.end for before, after in pairwise(times)):
        return [Fault("end", "overlaps", "a date must end before the next one begins")]
    return []


def days_of(wanted: Recurrence) -> Iterator[date]:
    """Yield the days of its dates, in order."""
    for number, day in enumerate(_by_pattern(wanted)):
        if (wanted.count is not None and number >= wanted.count) or (wanted.until is not None and day > wanted.until):
            return
        yield day


def expand(wanted: Recurrence) -> tuple[tuple[date, Interval], ...]:
    """Return every date: the day the pattern puts it on, and its times; `DATES_MAX` at most."""
    return tuple((day, times_on(wanted, day)) for day in islice(days_of(wanted), DATES_MAX))


def times_on(wanted: Recurrence, day: date) -> Interval:
    """Return the times of the date on *day*."""
    return by_the_clock(datetime.combine(day, wanted.start), wanted.length, ZoneInfo(wanted.zone))


def by_the_clock(begins: datetime, length: timedelta, zone: ZoneInfo) -> Interval:
    """
    Return what begins when the clocks of *zone* show *begins*, and ends when they show *length* later.

    An hour that the clocks leave out is taken as many minutes later; a date that would be over before it began then
    keeps its length.
    """
    start = begins.replace(tzinfo=zone).astimezone(UTC)
    end = (begins + length).replace(tzinfo=zone).astimezone(UTC)
    return Interval(start, end if end > start else start + length)


def cut_before(wanted: Recurrence, day: date) -> Recurrence:
    """Return the same recurrence with no date on *day* or later."""
    return replace(wanted, until=day - timedelta(days=1), count=None)


def begin_on(wanted: Recurrence, day: date) -> Recurrence:
    """Return the dates from *day*, which is one of them, as a recurrence of their own."""
    left = wanted.count - sum(1 for each in days_of(wanted) if each < day) if wanted.count is not None else None
    return replace(wanted, first=day, count=left)


def move(wanted: Recurrence, days: int, start: time, length: timedelta) -> Recurrence:
    """
    Return the same recurrence some days later, or earlier, at other hours.

    Days of the week go along, and so does the day of the month of the first date.
    """
    first = wanted.first + timedelta(days=days)
    weekdays = tuple(WEEKDAYS[(WEEKDAYS.index(day) + days) % 7] for day in wanted.weekdays)
    return replace(
        wanted,
        first=first,
        start=start,
        length=length,
        weekdays=tuple(sorted(weekdays, key=WEEKDAYS.index)),
        until=wanted.until + timedelta(days=days) if wanted.until else None,
        month_day=first.day if wanted.month_day is not None and days else wanted.month_day,
    )


def _by_pattern(wanted: Recurrence) -> Iterator[date]:
    """Yield the days of the pattern from the first on, whatever its range says."""
    match wanted.repeat:
        case Repeat.DAILY:
            found = _daily(wanted)
        case Repeat.WEEKLY:
            found = _weekly(wanted)
        case _:
            found = _monthly(wanted)
    return (day for day in found if day >= wanted.first)


def _daily(wanted: Recurrence) -> Iterator[date]:
    day = wanted.first
    while day.year <= YEAR_MAX:
        yield day
        day += timedelta(days=wanted.every)


def _weekly(wanted: Recurrence) -> Iterator[date]:
    monday = wanted.first - timedelta(days=wanted.first.weekday())
    while monday.year <= YEAR_MAX:
        yield from (monday + timedelta(days=WEEKDAYS.index(weekday)) for weekday in wanted.weekdays)
        monday += timedelta(weeks=wanted.every)


def _monthly(wanted: Recurrence) -> Iterator[date]:
    """One date a month, or a year."""
    step = wanted.every * (12 if wanted.repeat in (Repeat.YEARLY, Repeat.YEARLY_BY_WEEKDAY) else 1)
    at = wanted.first.year * 12 + wanted.first.month - 1
    while at // 12 <= YEAR_MAX:
        yield _day_in_month(wanted, at // 12, at % 12 + 1)
        at += step


def _day_in_month(wanted: Recurrence, year: int, month: int) -> date:
    length = monthrange(year, month)[1]
    if wanted.week is None:
        return date(year, month, min(wanted.month_day or wanted.first.day, length))
    days = {WEEKDAYS.index(weekday) for weekday in wanted.weekdays}
    fitting = [day for day in range(1, length + 1) if date(year, month, day).weekday() in days]
    return date(year, month, fitting[-1 if wanted.week is Week.LAST else WEEKS.index(wanted.week)])

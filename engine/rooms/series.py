"""What names one date of a series, and how its copy is put together from the master's.

A booking is one loan and one meeting, and a meeting is a single event or one date of a series. Exchange itself tells
the dates of a series apart by the calendar day on which the pattern put them, in the series' own time zone: it allows
one a day (Graph docs: event-update, ErrorOccurrenceCrossingBoundary), names a cancelled one
`OID.<master>.<yyyy-mm-dd>` (Graph docs: event, cancelledOccurrences), and writes that day into the global object id of
a date that is mailed by itself (MS-OXOCAL 2.2.1.27). So does the engine: `<uid of the series>@<day>`. A series that
is moved to another hour keeps its days, and so its loans. The uid a date carries itself (`iCalUId`) is not trusted: it
differs from date to date, or not, by who shows it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from engine.ids import ICalUid
from engine.rooms.event import EventCopy, EventStub, EventType

_GLOBAL_ID = re.compile(r"(040000008200E00074C5B7101A82E008)([0-9A-F]{8})([0-9A-F]{16,})", re.IGNORECASE)
_DAY_DIGITS, _NO_DAY = slice(32, 40), "00000000"
"""Where a global object id names the day of a date; what stands there in that of a whole meeting."""

_KEY = re.compile(r"(.+)@([0-9]{8}(?:T[0-9]{6}Z)?)", re.DOTALL)
_YEARS = range(1970, 2200)


def occurrence_key(uid: str, original_start: datetime, zone: str) -> ICalUid:
    """
    Return what names the date of a series that the pattern put at *original_start*.

    Args:
        uid: the series', as its master shows it.
        original_start: aware; where the pattern put the date, wherever it is now.
        zone: the series' own zone, an IANA name. Where nobody knows it (""), the instant itself is the name: a day
            needs a zone.
    """
    if not zone:
        return ICalUid(f"{series_uid(uid)}@{original_start.astimezone(UTC):%Y%m%dT%H%M%SZ}")
    return day_key(uid, original_start.astimezone(_zone(zone)).date())


def day_key(uid: str, day: date) -> ICalUid:
    """Return what names the date of a series on *day*, in the series' own zone."""
    return ICalUid(f"{series_uid(uid)}@{day:%Y%m%d}")


def split_key(key: str) -> tuple[ICalUid, str] | None:
    """Return the series and the date that *key* names; None for a single event's uid."""
    found = _KEY.fullmatch(key) if "@" in key else None
    return (ICalUid(found[1]), found[2]) if found is not None and _is_day(found[2][:8]) else None


def _is_day(digits: str) -> bool:
    """Tell whether there is such a day: what others write into a meeting's uid may end like the name of a date."""
    try:
        date.fromisoformat(digits)
    except ValueError:
        return False
    return True


def is_date(key: str | None) -> bool:
    """Tell whether *key* names a date of a series, whether a room has it with its series or by itself."""
    return split_key(key or "") is not None


def is_date_of(key: str | None, uid: str | None) -> bool:
    """Tell whether *key* names a date of the series *uid*."""
    parts = split_key(key or "")
    return parts is not None and parts[0] == uid


def day_of(key: str) -> date | None:
    """Return the day that *key* names (in UTC where the series' zone is unknown); None for a single event's uid."""
    parts = split_key(key)
    return date.fromisoformat(parts[1][:8]) if parts is not None else None


def series_uid(uid: str) -> ICalUid:
    """Return *uid* less the day of one date, which the global object id of a date mailed by itself holds."""
    found = _GLOBAL_ID.fullmatch(uid) if uid[_DAY_DIGITS] != _NO_DAY else None
    if found is None or _day_within(found[2]) is None:
        return ICalUid(uid)
    return ICalUid(f"{found[1]}{_NO_DAY}{found[3]}")


def lone_key(uid: str) -> ICalUid | None:
    """Return what names a date that was mailed by itself, to a room that has not got its series; None for others."""
    if uid[_DAY_DIGITS] == _NO_DAY:  # of nearly every meeting
        return None
    found = _GLOBAL_ID.fullmatch(uid)
    day = _day_within(found[2]) if found is not None else None
    return day_key(uid, day) if day is not None else None


def _day_within(digits: str) -> date | None:
    """Read the four bytes of a global object id that name a date's day: year (two bytes), month, day."""
    if digits == _NO_DAY:
        return None
    year, month, day = int(digits[:4], 16), int(digits[4:6], 16), int(digits[6:8], 16)
    try:
        return date(year, month, day) if year in _YEARS else None
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def key_within(master: EventCopy, copy: EventCopy | EventStub, zone: str) -> ICalUid | None:
    """Return what names *copy*, a date of *master*'s series; None when it does not say when it was meant to be."""
    return name_date(master.ical_uid, copy, zone=zone, is_all_day=master.all_day is not None)


def name_date(uid: str, copy: EventCopy | EventStub, *, zone: str, is_all_day: bool) -> ICalUid | None:
    """Return what names *copy*, a date of the series *uid*, which is one of whole days or not."""
    start = original_start(copy)
    if start is None:
        return None
    return day_key(uid, _nearest_day(start, zone)) if is_all_day else occurrence_key(uid, start, zone)


def original_start(copy: EventCopy | EventStub) -> datetime | None:
    """Return where the pattern put a date: an untouched one is still there (Graph docs: event, originalStart)."""
    if isinstance(copy, EventCopy) and copy.original_start is not None:
        return copy.original_start
    if isinstance(copy, EventCopy) and copy.all_day is not None:
        return datetime.combine(copy.all_day[0], time.min, UTC)
    return copy.interval.start if copy.interval is not None else copy.instant


def _nearest_day(start: datetime, zone: str) -> date:
    """Return the day whose midnight *start* means: a floating one, or one in the series' zone."""
    if start.astimezone(UTC).time() == time.min:
        return start.astimezone(UTC).date()
    local = start.astimezone(_zone(zone)) if zone else start + timedelta(hours=12)
    return local.date()


def hydrate(stub: EventStub, master: EventCopy) -> EventCopy:
    """
    Return the copy that *stub* stands for.

    Delta shows an untouched date by its ids and times only (observed by developers: microsoft-graph-docs issues
    7632 and 22197); everything else it has in common with the master in the same calendar, its owner's answer too.
    """
    all_day = _days(stub) if master.all_day is not None else None
    return replace(
        master,
        event_id=stub.event_id,
        etag=stub.etag,
        type=EventType.OCCURRENCE,
        interval=None if all_day else stub.interval,
        all_day=all_day,
        time_fault=stub.time_fault,
        instant=None if all_day else stub.instant,
        series_master_id=stub.series_master_id,
        original_start=None,
    )


def _days(stub: EventStub) -> tuple[date, date] | None:
    """Return the floating days of an all-day date, which is shown as midnight to midnight in the zone asked for."""
    if stub.interval is None:
        return None
    first, last = stub.interval.start, stub.interval.end
    return first.date(), last.date() if last.time() == time.min else last.date() + timedelta(days=1)

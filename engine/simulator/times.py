"""
Dates as Graph writes them: seven fraction digits, a zone beside them, Windows or IANA zone names.

Sources: Graph docs, dateTimeTimeZone and "Prefer: outlook.timezone"; Unicode CLDR windowsZones for the name table.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

WINDOWS_ZONES = {
    "utc": "UTC",
    "gmt standard time": "Europe/London",
    "greenwich standard time": "Atlantic/Reykjavik",
    "w. europe standard time": "Europe/Berlin",
    "romance standard time": "Europe/Paris",
    "central europe standard time": "Europe/Budapest",
    "central european standard time": "Europe/Warsaw",
    "e. europe standard time": "Europe/Chisinau",
    "fle standard time": "Europe/Kiev",
    "gtb standard time": "Europe/Bucharest",
    "turkey standard time": "Europe/Istanbul",
    "russian standard time": "Europe/Moscow",
    "morocco standard time": "Africa/Casablanca",
    "w. central africa standard time": "Africa/Lagos",
    "egypt standard time": "Africa/Cairo",
    "south africa standard time": "Africa/Johannesburg",
    "israel standard time": "Asia/Jerusalem",
    "arabian standard time": "Asia/Dubai",
    "arab standard time": "Asia/Riyadh",
    "iran standard time": "Asia/Tehran",
    "india standard time": "Asia/Kolkata",
    "nepal standard time": "Asia/Kathmandu",
    "se asia standard time": "Asia/Bangkok",
    "singapore standard time": "Asia/Singapore",
    "china standard time": "Asia/Shanghai",
    "tokyo standard time": "Asia/Tokyo",
    "korea standard time": "Asia/Seoul",
    "aus eastern standard time": "Australia/Sydney",
    "e. australia standard time": "Australia/Brisbane",
    "new zealand standard time": "Pacific/Auckland",
    "azores standard time": "Atlantic/Azores",
    "e. south america standard time": "America/Sao_Paulo",
    "argentina standard time": "America/Buenos_Aires",
    "newfoundland standard time": "America/St_Johns",
    "atlantic standard time": "America/Halifax",
    "eastern standard time": "America/New_York",
    "central standard time": "America/Chicago",
    "mountain standard time": "America/Denver",
    "us mountain standard time": "America/Phoenix",
    "pacific standard time": "America/Los_Angeles",
    "alaskan standard time": "America/Anchorage",
    "hawaiian standard time": "Pacific/Honolulu",
    "tzone://microsoft/utc": "UTC",
}

CUSTOM_ZONE = "tzone://Microsoft/Custom"
"""What is shown for a zone that has no name (Graph docs: event, originalStartTimeZone)."""
_SHAPE = re.compile(
    r"^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d+))?)?\s*(Z|[+\- ]\d\d:?\d\d)?$", re.IGNORECASE
)


class UnknownZone(ValueError):
    """The zone name is neither a Windows nor an IANA name."""


@lru_cache(maxsize=512)
def find_zone(name: str) -> ZoneInfo:
    """Return the zone called *name*, Windows or IANA; raise UnknownZone."""
    try:
        return ZoneInfo(WINDOWS_ZONES.get(name.lower(), name))
    except (KeyError, ValueError, OSError) as error:
        raise UnknownZone(name) from error


@lru_cache(maxsize=4096)
def parse_when(text: str, zone: str = "UTC") -> datetime:
    """
    Return the UTC instant that *text* names.

    Args:
        text: ISO 8601 with up to nine fraction digits; an offset in it wins over *zone*. A `+` that a URL turned into
            a space is accepted.
        zone: where a text without offset is read.

    Raises:
        ValueError: the text is no date. UnknownZone: the zone is none.
    """
    found = _SHAPE.match(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a date")
    day, clock, fraction, offset = found.groups()
    moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}")
    moment += timedelta(microseconds=int((fraction or "0")[:6].ljust(6, "0")))
    if offset is None:
        return moment.replace(tzinfo=find_zone(zone)).astimezone(UTC)
    if offset in "Zz":
        return moment.replace(tzinfo=UTC)
    digits = offset[1:].replace(":", "")
    shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return moment.replace(tzinfo=UTC) - (-shift if offset[0] == "-" else shift)


def render_local(moment: datetime, zone: str) -> str:
    """Return the wall-clock time of *moment* in *zone*: no offset, seven fraction digits."""
    try:
        local = moment if zone == "UTC" else moment.astimezone(find_zone(zone))
    except OverflowError:
        local = moment  # the sentinels 0001-01-01 and 9999-12-31 are the same everywhere
    return f"{local.isoformat(timespec='microseconds')[:26]}0"


def render_instant(moment: datetime) -> str:
    """Return `2026-01-01T00:00:00Z`, with seven fraction digits when there is a fraction."""
    text = moment.isoformat()  # a third of what strftime costs
    return f"{text[:26]}0Z" if moment.microsecond else f"{text[:19]}Z"


def is_midnight(moment: datetime, zone: str) -> bool:
    """Tell whether *moment* is 00:00 in *zone*."""
    local = moment.astimezone(find_zone(zone))
    return (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)

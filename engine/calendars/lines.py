"""Content lines of iCalendar (RFC 5545, 3.1): escaped, folded, ended with CRLF.

Written here and not by the library of `zones.py` and `invitation.py`, which needs 0.2 s and more for a thousand events;
`tests/unit/calendars/` holds every line against that library's parser.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from engine.interval import Interval

OCTETS_MAX = 75
"""Of a line, without its end (RFC 5545, 3.1)."""

_NOT_QUOTED = str.maketrans({'"': "'", "\n": " ", "\r": " ", "\t": " "})
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def escape(text: str) -> str:
    """Return *text* as a value of type TEXT holds it (RFC 5545, 3.3.11). Control characters are left out."""
    plain = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return plain.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def fold(line: str) -> str:
    """Return *line* cut into lines of at most 75 octets; no character is cut in two."""
    if len(line) <= OCTETS_MAX // 4 or len(line.encode()) <= OCTETS_MAX:
        return line
    pieces: list[str] = []
    piece: list[str] = []
    size = 0
    for character in line:
        octets = len(character.encode())
        if size + octets > OCTETS_MAX:
            pieces.append("".join(piece))
            piece, size = [], 1  # the space that begins a line which goes on
        piece.append(character)
        size += octets
    pieces.append("".join(piece))
    return "\r\n ".join(pieces)


def text_line(name: str, text: str) -> str:
    """Return the property *name* with a text."""
    return fold(f"{name}:{escape(text)}")


def parameter(name: str, value: str) -> str:
    """Return the parameter *name* of a property, quoted; what no quotes may hold is left out (RFC 5545, 3.2)."""
    return f';{name}="{_CONTROLS.sub("", value).translate(_NOT_QUOTED)}"'


def instant(moment: datetime) -> str:
    """Return an aware *moment* in UTC."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def whole_days(interval: Interval, zone: ZoneInfo) -> tuple[date, date] | None:
    """Return the first day and the day after the last when *interval* lasts from midnight to midnight in *zone*."""
    start, end = interval.start.astimezone(zone), interval.end.astimezone(zone)
    midnights = all((m.hour, m.minute, m.second, m.microsecond) == (0, 0, 0, 0) for m in (start, end))
    return (start.date(), end.date()) if midnights and end.date() > start.date() else None


def time_lines(interval: Interval, zone: ZoneInfo) -> tuple[str, str]:
    """
    Return DTSTART and DTEND: days for whole days, else times on the wall of *zone*, which a VTIMEZONE must explain.

    The second run of an hour that the clocks repeat has no name on the wall, so it is written in UTC.
    """
    days = whole_days(interval, zone)
    if days is not None:
        return f"DTSTART;VALUE=DATE:{days[0]:%Y%m%d}", f"DTEND;VALUE=DATE:{days[1]:%Y%m%d}"
    return _time_line("DTSTART", interval.start, zone), _time_line("DTEND", interval.end, zone)


def _time_line(name: str, moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    if zone.key == "UTC" or local.fold:
        return f"{name}:{instant(moment)}"
    return f"{name};TZID={zone.key}:{local:%Y%m%dT%H%M%S}"

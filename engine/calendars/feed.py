"""A feed as text: the calendar that programs of people fetch again and again (`webcal:`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.calendars.lines import fold, instant, text_line, time_lines
from engine.calendars.zones import zone_text
from engine.interval import Interval

PRODUCT = "-//Accord//Accord//EN"

REFRESH = "PT15M"
"""How often a program may ask again. Outlook and Google ask when they like (C11-C13)."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """
    One loan as a calendar shows it; its texts tell no more than its store's text level allows.

    Args:
        uid: stays the same for as long as the loan exists.
        sequence: rises with each change.
        zone: the IANA name of the zone whose clocks show its times.
        changed_at: when the loan was changed last.
    """

    uid: str
    sequence: int
    summary: str
    description: str
    location: str
    link: str
    interval: Interval
    zone: str
    changed_at: datetime
    is_tentative: bool = False
    is_private: bool = False


def render_feed(name: str, entries: Sequence[FeedEntry]) -> str:
    """Return the calendar called *name*. The same entries give the same text, whenever it is made."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        text_line("NAME", name),
        text_line("X-WR-CALNAME", name),
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
        f"X-PUBLISHED-TTL:{REFRESH}",
    ]
    for zone, stretch in _stretches(entries):
        lines.append(zone_text(zone, stretch))
    for entry in entries:
        lines += _event_lines(entry)
    lines += ["END:VCALENDAR", ""]
    return "\r\n".join(lines)


def _stretches(entries: Sequence[FeedEntry]) -> list[tuple[str, Interval]]:
    """Return each zone but UTC with the time from its first entry to its last."""
    found: dict[str, Interval] = {}
    for entry in entries:
        known = found.get(entry.zone, entry.interval)
        found[entry.zone] = Interval(min(known.start, entry.interval.start), max(known.end, entry.interval.end))
    return sorted((zone, stretch) for zone, stretch in found.items() if zone != "UTC")


def _event_lines(entry: FeedEntry) -> list[str]:
    return [
        "BEGIN:VEVENT",
        fold(f"UID:{entry.uid}"),
        f"DTSTAMP:{instant(entry.changed_at)}",
        f"LAST-MODIFIED:{instant(entry.changed_at)}",
        f"SEQUENCE:{entry.sequence}",
        *time_lines(entry.interval, ZoneInfo(entry.zone)),
        text_line("SUMMARY", entry.summary),
        *((text_line("LOCATION", entry.location),) if entry.location else ()),
        text_line("DESCRIPTION", entry.description),
        fold(f"URL:{entry.link}"),
        f"STATUS:{'TENTATIVE' if entry.is_tentative else 'CONFIRMED'}",
        f"CLASS:{'PRIVATE' if entry.is_private else 'PUBLIC'}",
        "TRANSP:OPAQUE",
        "END:VEVENT",
    ]

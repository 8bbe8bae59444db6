"""One loan as a calendar shows it, and its lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from engine.calendars.lines import fold, instant, text_line, time_lines
from engine.calendars.zones import zone_text
from engine.interval import Interval

PRODUCT = "-//Accord//Accord//EN"


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """
    One loan as a calendar shows it; its texts tell no more than its store's text level allows.

    Args:
        uid: stays the same for as long as the loan exists.
        sequence: rises with each change.
        zone: the IANA name of the zone whose clocks show its times.
        changed_at: when it was changed last.
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
    is_cancelled: bool = False

    @property
    def status(self) -> str:
        """Return the STATUS of RFC 5545, 3.8.1.11."""
        return "CANCELLED" if self.is_cancelled else "TENTATIVE" if self.is_tentative else "CONFIRMED"


def event_lines(entry: CalendarEntry, further: Iterable[str] = ()) -> list[str]:
    """Return the VEVENT of *entry*, with *further* lines in it."""
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
        f"STATUS:{entry.status}",
        f"CLASS:{'PRIVATE' if entry.is_private else 'PUBLIC'}",
        "TRANSP:OPAQUE",
        *further,
        "END:VEVENT",
    ]


def zone_lines(entries: Sequence[CalendarEntry]) -> list[str]:
    """Return what explains the zones of *entries*, each as far as its entries reach. UTC needs no explanation."""
    found: dict[str, Interval] = {}
    for entry in entries:
        known = found.get(entry.zone, entry.interval)
        found[entry.zone] = Interval(min(known.start, entry.interval.start), max(known.end, entry.interval.end))
    return [
        zone_text(zone, stretch) for zone, stretch in sorted(found.items(), key=lambda pair: pair[0]) if zone != "UTC"
    ]

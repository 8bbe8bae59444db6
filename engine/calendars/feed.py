"""A feed as text: the calendar that programs of people fetch again and again (`webcal:`)."""

from __future__ import annotations

from collections.abc import Sequence

from engine.calendars.entry import PRODUCT, CalendarEntry, event_lines, zone_lines
from engine.calendars.lines import text_line

REFRESH = "PT15M"
"""How often a program may ask again. Outlook and Google ask when they like (C11-C13)."""


def render_feed(name: str, entries: Sequence[CalendarEntry]) -> str:
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
        *zone_lines(entries),
    ]
    for entry in entries:
        lines += event_lines(entry)
    lines += ["END:VCALENDAR", ""]
    return "\r\n".join(lines)

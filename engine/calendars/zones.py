"""What a time zone means for the stretch of time a calendar is about: the VTIMEZONE of RFC 5545."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from engine.interval import Interval

AROUND = timedelta(days=1)
"""Days of one zone reach into its neighbours' days."""


def zone_text(zone: str, stretch: Interval) -> str:
    """Return the VTIMEZONE of *zone*, an IANA name, with the changes of its clocks during *stretch* and no others."""
    return _zone_text(zone, (stretch.start - AROUND).date(), (stretch.end + AROUND).date())


@lru_cache(maxsize=256)
def _zone_text(zone: str, first: date, last: date) -> str:
    from icalendar import Timezone  # takes 0.1 s to load, which commands do without

    made = Timezone.from_tzid(zone, first_date=first, last_date=last)
    made.pop("COMMENT", None)
    text: str = made.to_ical().decode()
    return text.rstrip("\r\n")

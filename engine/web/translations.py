"""What pages and API say, in both languages, and how times read in each.

English is written in the templates and in the code; `catalogues/fr/*.po` holds the French, one file per page, and one
for the API. They are turned into catalogues in memory at start, so nothing has to be compiled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta, get_day_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.units import format_unit

CATALOGUES = Path(__file__).parent / "catalogues"

LOCALES: Mapping[str, str] = {"en": "en_GB", "fr": "fr"}
"""British English: days before months, and 14:30."""

NO_BREAK = "\u00a0"
_BEFORE_MARKS = re.compile(" (?=[:;?!»%](?: |$))")


class Say(Protocol):
    """Says a text, a literal that the catalogues know, in somebody's language, with its values."""

    def __call__(self, text: str, /, **values: object) -> str: ...


def N_(text: str) -> str:
    """Mark a text for the catalogues."""
    return text


@cache
def speak(language: str) -> Say:
    """Return what says texts in *language*."""
    translate = load_translations(language).gettext

    def say(text: str, /, **values: object) -> str:
        return translate(text) % values if values else translate(text)

    return say


@cache
def load_translations(language: str) -> NullTranslations:
    """Return the texts of *language*; English needs none."""
    found: NullTranslations = NullTranslations()
    for path in sorted((CATALOGUES / language).glob("*.po")):
        compiled = BytesIO()
        with path.open("rb") as source:
            catalogue = read_po(source, locale=language)
        for message in catalogue:
            said = message.string or ""
            message.string = keep_marks(said) if isinstance(said, str) else tuple(map(keep_marks, said))
        write_mo(compiled, catalogue)
        compiled.seek(0)
        more = GNUTranslations(compiled)
        if isinstance(found, GNUTranslations):
            more.add_fallback(found)
        found = more
    return found


def keep_marks(text: str) -> str:
    """Return French *text* with the spaces before its marks kept from breaking: no line begins with a colon."""
    return _BEFORE_MARKS.sub(NO_BREAK, text).replace("« ", f"«{NO_BREAK}")


class Formats:
    """Days and times as people read them, in one language and one time zone."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self._locale = LOCALES[language]
        self.zone = zone
        self.dash = " – "

    def day(self, value: date | datetime) -> str:
        """Return `Mon 23 Nov 2026`."""
        return self._date(value, "EEE d MMM y")

    def last_day(self, end: datetime) -> str:
        """Return the day before the midnight that ends a stretch of whole days, as `day` does."""
        return self.day(end - timedelta(seconds=1))

    def long_day(self, value: date | datetime) -> str:
        """Return `Monday 23 November 2026`."""
        return self._date(value, "EEEE d MMMM y")

    def short_day(self, value: date | datetime) -> str:
        """Return `Mon 23`."""
        return self._date(value, "EEE d")

    def weekday(self, number: int) -> str:
        """Return `Mon` for 0."""
        return str(get_day_names("abbreviated", locale=self._locale)[number])

    def clock(self, value: datetime) -> str:
        """Return `14:30`."""
        return format_time(value.astimezone(self.zone), "HH:mm", locale=self._locale)

    def moment(self, value: datetime) -> str:
        """Return `Mon 23 Nov 2026, 14:30`."""
        return f"{self.day(value)}, {self.clock(value)}"

    def stretch(self, start: datetime, end: datetime) -> str:
        """Return `Mon 23 Nov 2026, 14:30 – 15:00`, with the second day when there is one."""
        return f"{self.moment(start)}{self.dash}{self.stretch_end(start, end)}"

    def stretch_end(self, start: datetime, end: datetime) -> str:
        """Return the end of a stretch: `15:00`, with its day when it is another one."""
        start, end = start.astimezone(self.zone), end.astimezone(self.zone)
        return self.clock(end) if start.date() == end.date() else self.moment(end)

    def hours(self, start: datetime, end: datetime, *, on: date) -> str:
        """Return `14:30 – 15:00`; an end on another day than *on* carries its day."""
        return f"{self._clock_on(start, on)}{self.dash}{self._clock_on(end, on)}"

    def _clock_on(self, value: datetime, day: date) -> str:
        return self.clock(value) if self._local_day(value) == day else f"{self.short_day(value)}, {self.clock(value)}"

    def length(self, value: timedelta) -> str:
        """Return `1 h 30 min`; days as hours, which people count bookings in up to two of them."""
        hours, minutes = divmod(int(value.total_seconds()) // 60, 60)
        days, hours = divmod(hours, 24) if hours >= 48 else (0, hours)
        parts = (self._days(days) if days else "", f"{hours} h" if hours else "", f"{minutes} min" if minutes else "")
        return " ".join(part for part in parts if part)

    def minutes(self, number: int) -> str:
        """Return a number of minutes as a length."""
        return self.length(timedelta(minutes=number))

    def _days(self, number: int) -> str:
        return format_unit(number, "duration-day", length="long", locale=self._locale)

    def ago(self, value: datetime, *, now: datetime) -> str:
        """Return `12 minutes ago`; what is only just so, or would lie ahead, was a second ago."""
        return format_timedelta(min(value - now, timedelta(seconds=-1)), add_direction=True, locale=self._locale)

    def machine(self, value: datetime) -> str:
        """Return what goes into `datetime=`."""
        return format_datetime(value.astimezone(self.zone), "yyyy-MM-dd'T'HH:mmxxx", locale="en")

    def _date(self, value: date | datetime, pattern: str) -> str:
        """Return a day by a pattern of Unicode's. The first of a month is an ordinal in French, of which that knows
        nothing (CLDR, dates: no pattern letter stands for one)."""
        day = self._local_day(value)
        is_ordinal = day.day == 1 and self._locale == LOCALES["fr"]
        return format_date(day, pattern.replace("d", "d'er'") if is_ordinal else pattern, locale=self._locale)

    def _local_day(self, value: date | datetime) -> date:
        return value.astimezone(self.zone).date() if isinstance(value, datetime) else value

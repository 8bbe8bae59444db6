"""The form of booking rules, of stores, rooms and assets alike: what people type, and the rules it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import Fault, Invalid
from engine.loans.rules import BookingRules, OpeningHours

WINDOW_DAYS_MAX = 3650
DURATION_MINUTES = (15, 525_600)

Clock = Annotated[str, Field(max_length=10)]
Number = Annotated[str, Field(max_length=10)]
Choice = Literal["", "yes", "no"]

_CLOCK = re.compile(r"([01]?\d|2[0-4])[:h.]?([0-5]\d)?")


class RulesForm(BaseModel):
    """
    What the form sends. Empty numbers and choices say nothing: the store counts, for a store nothing is limited.

    `opens` and `closes` hold the seven days from Monday on; a day without both is closed.
    """

    model_config = ConfigDict(str_strip_whitespace=True)

    hours: Literal["inherit", "own"] = "inherit"
    opens: list[Clock] = Field(default=[], max_length=7)
    closes: list[Clock] = Field(default=[], max_length=7)
    window_days: Number = ""
    duration_minutes_max: Number = ""
    automatic_check_out: Choice = ""
    automatic_closing: Choice = ""

    def parse(self) -> BookingRules:
        """Return the rules. Raises Invalid with every fault there is."""
        faults: list[Fault] = []
        rules = BookingRules(
            opening_hours=OpeningHours(dict(self._days(faults))) if self.hours == "own" else None,
            window_days=_number("window_days", self.window_days, 0, WINDOW_DAYS_MAX, faults),
            duration_minutes_max=_number("duration_minutes_max", self.duration_minutes_max, *DURATION_MINUTES, faults),
            automatic_check_out=_TRUTH[self.automatic_check_out],
            automatic_closing=_TRUTH[self.automatic_closing],
        )
        if faults:
            raise Invalid(*faults)
        return rules

    def _days(self, faults: list[Fault]) -> Iterator[tuple[int, tuple[time, time]]]:
        for day, (opens, closes) in enumerate(zip(self.opens, self.closes, strict=False), start=1):
            if not opens and not closes:
                continue
            start, end = parse_clock(opens), parse_clock(closes)
            if start is None or end is None:
                faults.append(Fault(f"day_{day}", "clock_malformed", "opening hours read like 08:30"))
            elif end != time(0) and end <= start:
                faults.append(Fault(f"day_{day}", "hours_backwards", "a day must close after it opens"))
            else:
                yield day, (start, end)


_TRUTH = {"": None, "yes": True, "no": False}


def parse_clock(text: str) -> time | None:
    """Return a time of day as people write it: `8:30`, `8h30`, `8`; 24:00 is midnight at the end. None: no time."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if hour == 24:
        return time(0) if minute == 0 else None
    return time(hour, minute)


def _number(name: str, text: str, least: int, most: int, faults: list[Fault]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and least <= int(text) <= most:
        return int(text)
    faults.append(Fault(name, "number_out_of_range", f"a whole number from {least} to {most}"))
    return None


@dataclass(frozen=True, slots=True)
class DayHours:
    """One line of the form; `opens` and `closes` are empty on a closed day."""

    weekday: int
    opens: str
    closes: str


def show_days(rules: BookingRules, fallback: BookingRules = BookingRules()) -> list[DayHours]:
    """Return the seven days of *rules*; where they say nothing, those of *fallback*, else Monday to Friday."""
    hours = rules.opening_hours or fallback.opening_hours
    days = hours.days if hours is not None else dict.fromkeys(range(1, 6), (time(8), time(18)))
    return [_show_day(day, days.get(day)) for day in range(1, 8)]


def _show_day(weekday: int, hours: tuple[time, time] | None) -> DayHours:
    if hours is None:
        return DayHours(weekday, "", "")
    return DayHours(weekday, f"{hours[0]:%H:%M}", f"{hours[1]:%H:%M}")

"""Sentences of reasons as people in the building read them: their times are kept in UTC, and shown in local time.

Machines (the API, webhooks, `-o json`) get the sentences of `reasons.py` as they are: in UTC, like the instants beside
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from types import MappingProxyType
from typing import Protocol

from engine.reconcile.words.quoting import TAKEN_STRETCH

_INSTANT = r"\d{4}-\d\d-\d\d \d\d:\d\d"
_ONE = re.compile(_INSTANT)
_STRETCH = re.compile(f"({_INSTANT}) - ({_INSTANT})")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_QUOTED = re.compile(TAKEN_STRETCH)
_LOCAL = "\u2063"
"""An invisible mark after each time that is local now: the sentence's own "UTC" behind it would be wrong."""

_BY_THE_ROOM = frozenset({"outside_opening_hours", "beyond_booking_window"})
"""Codes whose facts are on the room's wall clock already, as its opening hours are (`loans/rules.py`)."""


class Times(Protocol):
    """How instants and stretches of time read, to people in one zone."""

    @property
    def zone(self) -> tzinfo: ...

    @property
    def dash(self) -> str:
        """What stands between the ends of a stretch, with its spaces."""
        ...

    def day(self, value: date, /) -> str: ...

    def moment(self, value: datetime, /) -> str: ...

    def stretch(self, start: datetime, end: datetime, /) -> str: ...

    def stretch_end(self, start: datetime, end: datetime, /) -> str: ...


@dataclass(frozen=True, slots=True)
class PlainTimes:
    """Times as one types them: `2026-11-23 14:30`, of a stretch `2026-11-23 14:30 - 15:00`."""

    zone: tzinfo
    dash: str = " - "

    def day(self, value: date) -> str:
        """Return one day."""
        return value.isoformat()

    def moment(self, value: datetime) -> str:
        """Return one instant."""
        return f"{value.astimezone(self.zone):%Y-%m-%d %H:%M}"

    def stretch(self, start: datetime, end: datetime) -> str:
        """Return both ends; the day once where it is the same."""
        return f"{self.moment(start)}{self.dash}{self.stretch_end(start, end)}"

    def stretch_end(self, start: datetime, end: datetime) -> str:
        """Return the end of a stretch, with its day when that is another one than the start's."""
        start, end = start.astimezone(self.zone), end.astimezone(self.zone)
        return f"{end:%H:%M}" if start.date() == end.date() else self.moment(end)


def _show_day(text: str, times: Times) -> str:
    return times.day(date.fromisoformat(text)) if _DAY.fullmatch(text) else text


def _show_hours(text: str, times: Times) -> str:
    return text.replace("-", times.dash.strip())


_BY_NAME: Mapping[str, Callable[[str, Times], str]] = MappingProxyType({"day": _show_day, "hours": _show_hours})
"""Facts of which the name says how they read: a day such as `2026-11-23`, opening hours such as `08:00-20:00`."""


def say_here(
    explain: Callable[[str, Mapping[str, object], str], str],
    code: str,
    facts: Mapping[str, object],
    language: str,
    times: Times,
) -> str:
    """Return the sentence of a reason. Facts that are instants (`reasons.say_instant`) are shown in local time."""
    kept_in = times.zone if code in _BY_THE_ROOM else UTC
    shown = {key: _show(value, times, kept_in, key) for key, value in facts.items()}
    start, end = facts.get("start"), facts.get("end")
    if isinstance(start, str) and isinstance(end, str) and _ONE.fullmatch(start) and _ONE.fullmatch(end):
        shown["end"] = times.stretch_end(_parse(start, kept_in), _parse(end, kept_in)) + _LOCAL
    said = _unmarked(explain(code, shown, language), times)
    return _QUOTED.sub(lambda found: _show_quoted(found, times), said)


def say_fact(value: object, times: Times) -> str:
    """Return one fact by itself, in local time when it is an instant or a stretch of time."""
    return _unmarked(str(_show(value, times, UTC)), times)


def _show(value: object, times: Times, kept_in: tzinfo, name: str = "") -> object:
    """Return *value*, or what it holds, in local time when it is an instant or a stretch of time, else as it is."""
    if isinstance(value, Mapping):
        return {key: _show(each, times, kept_in, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_show(each, times, kept_in) for each in value]
    if not isinstance(value, str):
        return value
    if name in _BY_NAME:
        return _BY_NAME[name](value, times)
    if _ONE.fullmatch(value):
        return times.moment(_parse(value, kept_in)) + _LOCAL
    stretch = _STRETCH.fullmatch(value)
    if stretch is None:
        return value
    return times.stretch(_parse(stretch[1], kept_in), _parse(stretch[2], kept_in)) + _LOCAL


def _show_quoted(found: re.Match[str], times: Times) -> str:
    """Return the stretch of time in a refusal of the desk that a sentence quotes, in local time."""
    start, clock, end = found.groups()
    return times.stretch(_parse(start, UTC), _parse(end or f"{start[:10]} {clock}", UTC))


def _unmarked(sentence: str, times: Times) -> str:
    return sentence.replace(f"{_LOCAL} UTC", "").replace(f"{_LOCAL} - ", times.dash).replace(_LOCAL, "")


def _parse(text: str, zone: tzinfo) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=zone)

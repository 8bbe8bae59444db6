"""Sentences of reasons as people in the building read them: their times are kept in UTC, and shown in local time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from engine.web.pages.translations import Formats

_INSTANT = r"\d{4}-\d\d-\d\d \d\d:\d\d"
_ONE = re.compile(_INSTANT)
_STRETCH = re.compile(f"({_INSTANT}) - ({_INSTANT})")
_LOCAL = "\u2063"
"""An invisible mark after each time that is local now: the sentence's own "UTC" behind it would be wrong."""


def say_here(
    explain: Callable[[str, Mapping[str, object], str], str],
    code: str,
    facts: Mapping[str, object],
    language: str,
    formats: Formats,
) -> str:
    """Return the sentence of a reason. Facts that are instants (`reasons.say_instant`) are shown in local time."""
    shown = {key: show_fact(value, formats) for key, value in facts.items()}
    start, end = facts.get("start"), facts.get("end")
    if isinstance(start, str) and isinstance(end, str) and _ONE.fullmatch(start) and _ONE.fullmatch(end):
        shown["end"] = formats.stretch_end(_parse(start), _parse(end)) + _LOCAL
    sentence = explain(code, shown, language)
    return sentence.replace(f"{_LOCAL} UTC", "").replace(_LOCAL, "")


def show_fact(value: object, formats: Formats) -> object:
    """Return *value*, or what it holds, in local time when it is an instant or a stretch of time, else as it is."""
    if isinstance(value, Mapping):
        return {key: show_fact(each, formats) for key, each in value.items()}
    if not isinstance(value, str):
        return value
    if _ONE.fullmatch(value):
        return formats.moment(_parse(value)) + _LOCAL
    stretch = _STRETCH.fullmatch(value)
    return formats.stretch(_parse(stretch[1]), _parse(stretch[2])) + _LOCAL if stretch else value


def say_fact(value: object, formats: Formats) -> str:
    """Return one fact by itself, in local time when it is one."""
    return str(show_fact(value, formats)).replace(_LOCAL, "")


def _parse(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)

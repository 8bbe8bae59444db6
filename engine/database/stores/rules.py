"""Booking rules as JSON values in rows, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from engine.loans.rules import BookingRules, OpeningHours

_PLAIN = ("window_days", "duration_minutes_max", "automatic_check_out", "automatic_closing")


def parse_rules(value: Mapping[str, Any]) -> BookingRules:
    """Return the rules a row holds; what is absent says nothing."""
    hours = value.get("opening_hours")
    days = None
    if hours is not None:
        days = {
            int(day): (time.fromisoformat(opens), time.fromisoformat(closes)) for day, (opens, closes) in hours.items()
        }
    return BookingRules(
        opening_hours=OpeningHours(days) if days is not None else None,
        **{name: value.get(name) for name in _PLAIN},
    )


def render_rules(rules: BookingRules) -> dict[str, Any]:
    """Return *rules* as a row keeps them: only what they say."""
    value: dict[str, Any] = {name: getattr(rules, name) for name in _PLAIN if getattr(rules, name) is not None}
    if rules.opening_hours is not None:
        value["opening_hours"] = {
            str(day): [f"{opens:%H:%M}", f"{closes:%H:%M}"] for day, (opens, closes) in rules.opening_hours.days.items()
        }
    return value


def describe_changes(before: BookingRules, after: BookingRules) -> str:
    """Return what differs, as histories tell it: `window_days: 30 -> 60`."""
    old, new = render_rules(before), render_rules(after)
    return ", ".join(
        f"{name}: {_shown(old.get(name))} -> {_shown(new.get(name))}"
        for name in ("opening_hours", *_PLAIN)
        if old.get(name) != new.get(name)
    )


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{day} {opens}-{closes}" for day, (opens, closes) in sorted(value.items())) or "closed"
    return "-" if value is None else str(value).lower()

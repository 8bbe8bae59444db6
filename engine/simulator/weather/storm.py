"""
Bad weather by number: a mix of faults drawn from a seed, the same for the same seed.

Every fault is bounded (`times`), so that the weather passes and whatever recovers by itself has recovered afterwards.
"""

from __future__ import annotations

from random import Random
from typing import Any

from engine.simulator.weather.faults import Faults, Rule, parse_rule

KINDS: tuple[dict[str, Any], ...] = (
    {"effect": "error", "status": 429, "code": "ApplicationThrottled", "retry_after": "2"},
    {"effect": "error", "status": 429, "retry_after": "2.128"},
    {"effect": "error", "status": 429},
    {"effect": "error", "status": 503, "retry_after": "3"},
    {"effect": "error", "status": 504},
    {"effect": "error", "status": 409, "code": "ConcurrentItemSave", "method": "PATCH"},
    {"effect": "error_after", "status": 503, "method": "POST", "path": "/events$"},
    {"effect": "html", "status": 503},
    {"effect": "html_after", "status": 502, "method": "PATCH"},
    {"effect": "drop"},
    {"effect": "drop_after"},
    {"effect": "delay", "seconds": 5.0},
    {"effect": "delay_after", "seconds": 5.0},
    {"effect": "gone"},
    {"effect": "gone_without_location"},
    {"effect": "sync_state_not_found", "status": 404},
    {"effect": "next_link_expired"},
    {"effect": "replay", "count": 3},
    {"effect": "shuffle"},
    {"effect": "silent"},
    {"effect": "resend_series"},
    {"effect": "empty_page"},
    {"effect": "loop"},
    {"effect": "lag", "seconds": 20.0},
    {"effect": "lose"},
    {"effect": "duplicate"},
    {"effect": "late", "seconds": 120.0},
    {"effect": "reorder"},
    {"effect": "batch", "seconds": 10.0},
    {"effect": "foreign_state"},
    {"effect": "foreign_subscription"},
    {"effect": "slow_endpoint"},
    {"effect": "missed"},
    {"effect": "reauthorize"},
    {"effect": "remove_subscription"},
)
"""What may happen in bad weather; what breaks for good (an empty list of rooms, a refused consent) is left out."""


def draw(seed: int, count: int = 10) -> list[Rule]:
    """Return *count* different faults with chances between 2 and 20 in a hundred, each at most 3 to 30 times."""
    rng = Random(f"storm {seed}")
    kinds = rng.sample(KINDS, min(count, len(KINDS)))
    return [
        parse_rule({**kind, "probability": round(rng.uniform(0.02, 0.2), 3), "times": rng.randint(3, 30)})
        for kind in kinds
    ]


def raise_storm(faults: Faults, seed: int, count: int = 10) -> list[Rule]:
    """Put the mix that *seed* stands for in force; returns the rules."""
    return [faults.add(rule) for rule in draw(seed, count)]

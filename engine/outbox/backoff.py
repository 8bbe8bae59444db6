"""How long a message waits after a try that failed: 20 tries, the last one eight days after the first."""

from __future__ import annotations

from datetime import timedelta

TRIES_MAX = 20
SPAN = timedelta(days=8)

_SUM = sum(tried**4 for tried in range(1, TRIES_MAX))

RETRY_AFTER_MAX = timedelta(days=1)
"""The longest wait that a receiver may ask for."""

PROBE_EVERY = timedelta(minutes=1)
"""How often a receiver that is down is tried, with one message, however many wait for it."""

DOWN_AFTER = 3
"""Failures in a row after which a receiver counts as down."""


def wait_after(tries: int, retry_after: float | None = None) -> timedelta | None:
    """
    Return how long to wait after the *tries*-th failure (from 1); None when it was the last try.

    The waits grow with the fourth power (1.2 s, 20 s, 100 s ... 44 h), as RDV Service Public's do, and make eight days
    in all. *retry_after*, in seconds, is what the receiver asked for; it is believed for up to a day.
    """
    if tries >= TRIES_MAX:
        return None
    wait = SPAN * (max(tries, 1) ** 4 / _SUM)
    if retry_after is None:
        return wait
    return max(wait, timedelta(seconds=min(max(retry_after, 0.0), RETRY_AFTER_MAX.total_seconds())))

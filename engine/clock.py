"""
The one place that reads the time.

Everything else is handed a `Clock` and calls it, so that a test, or the simulator, can hand over another one.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the present instant, aware and in UTC, each time it is called."""


def utc_now() -> datetime:
    """Return the present instant, aware and in UTC."""
    return datetime.now(UTC)

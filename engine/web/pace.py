"""Slowing down who does something again and again: so much at once, and so much as time goes by."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

NAMES_MAX = 10_000
"""How many names are remembered; beyond that, those that are forgiven soonest are forgotten."""


class Pace:
    """
    How often each name did something of late. Lives in this process; threads share it.

    Args:
        now: the clock.
        burst: how often it may be done at once.
        pause: after that, how long to wait for each further time.
    """

    def __init__(self, now: Callable[[], datetime], *, burst: int, pause: timedelta) -> None:
        self._now = now
        self._burst = burst
        self._pause = pause
        self._forgiven_at: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def wait(self, name: str) -> timedelta:
        """Return how long *name* has to wait before it may do it again; zero when it may at once."""
        with self._lock:
            forgiven_at = self._forgiven_at.get(name)
        if forgiven_at is None:
            return timedelta(0)
        return max(timedelta(0), forgiven_at - self._now() - (self._burst - 1) * self._pause)

    def note(self, name: str) -> None:
        """Remember that *name* did it."""
        now = self._now()
        with self._lock:
            self._forgiven_at[name] = max(now, self._forgiven_at.get(name, now)) + self._pause
            if len(self._forgiven_at) > NAMES_MAX:
                self._forget(now)

    def _forget(self, now: datetime) -> None:
        kept = sorted(((at, name) for name, at in self._forgiven_at.items() if at > now), reverse=True)
        self._forgiven_at = {name: at for at, name in kept[: NAMES_MAX // 2]}

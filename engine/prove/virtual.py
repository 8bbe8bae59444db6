"""A clock that jumps to whatever comes next: a week takes seconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""A Monday morning."""


class _JumpingSelector(selectors.DefaultSelector):
    """Waits by moving the clock."""

    skip: Callable[[float], None]

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing is scheduled and somebody waits")
        if not ready and timeout:
            self.skip(timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a number."""

    def __init__(self) -> None:
        selector = _JumpingSelector()
        super().__init__(selector)
        self._elapsed = 0.0
        selector.skip = self._skip

    def _skip(self, seconds: float) -> None:
        self._elapsed += seconds

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._elapsed

    def now(self) -> datetime:
        """Return the virtual instant, aware."""
        return START + timedelta(seconds=self._elapsed)

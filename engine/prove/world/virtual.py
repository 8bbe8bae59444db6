"""A clock that jumps to whatever comes next: a week takes seconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from contextvars import Context, ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
"""A Monday morning."""


CALL_SOON = "call_soon"


class _JumpingSelector(selectors.DefaultSelector):
    """Waits by moving the clock."""

    skip: Callable[[float], None]

    def select(self, timeout: float | None = None) -> Any:
        if timeout == 0:  # something is to be done already
            return []
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
        self._now = START
        self._asleep: dict[int, list[asyncio.Handle]] = {}
        self._whose: ContextVar[Any]
        selector.skip = self._skip

    def _skip(self, seconds: float) -> None:
        self._elapsed += seconds
        self._now = START + timedelta(seconds=self._elapsed)

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._elapsed

    def now(self) -> datetime:
        """Return the virtual instant, aware."""
        return self._now

    def put_to_sleep(self, whose: ContextVar[Any], sleeper: object) -> None:
        """Let nothing go on that runs in a context in which *whose* is *sleeper*, as if its process were stopped."""
        self._whose = whose
        self._asleep[id(sleeper)] = []
        setattr(self, CALL_SOON, self._call_unless_asleep)

    def is_asleep(self, sleeper: object) -> bool:
        return id(sleeper) in self._asleep

    def wake(self, sleeper: object) -> None:
        """Let go on what was put to sleep."""
        self._ready.extend(self._asleep.pop(id(sleeper), []))  # type: ignore[attr-defined]
        if not self._asleep:
            self.__dict__.pop(CALL_SOON, None)

    def _call_unless_asleep(
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        whose = context.get(self._whose) if context is not None else self._whose.get()
        kept = self._asleep.get(id(whose))
        if kept is None:
            return super().call_soon(callback, *args, context=context)
        kept.append(asyncio.Handle(callback, args, self, context))
        return kept[-1]

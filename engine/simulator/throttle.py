"""
Limits per application and mailbox: four requests in flight, and a quota per ten minutes.

Source: Graph docs, throttling-limits; the code and message of the refusal: observed by developers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from engine.simulator.options import TenantOptions
from engine.simulator.wire import GraphError

WINDOW = timedelta(minutes=10)


class Throttle:
    """Counts what is in flight and what went through."""

    def __init__(self, options: TenantOptions, now: Callable[[], datetime]) -> None:
        self._options = options
        self._now = now
        self._flying: dict[str, int] = {}
        self._recent: dict[str, deque[datetime]] = {}
        self.refused = 0

    def enter(self, mailbox: str) -> None:
        """Let a request in, or raise 429. A refused request counts against the quota too."""
        flying = self._flying.get(mailbox, 0)
        if self._options.quota is not None:
            self._count(mailbox, self._options.quota)
        if flying >= self._options.concurrent_max:
            raise self._refusal("Application is over its MailboxConcurrency limit.", self._options.retry_after_seconds)
        self._flying[mailbox] = flying + 1

    def leave(self, mailbox: str) -> None:
        """Note that a request that was let in has ended."""
        left = self._flying[mailbox] - 1
        if left:
            self._flying[mailbox] = left
        else:
            del self._flying[mailbox]

    def _count(self, mailbox: str, quota: int) -> None:
        now = self._now()
        recent = self._recent.setdefault(mailbox, deque())
        while recent and recent[0] <= now - WINDOW:
            recent.popleft()
        recent.append(now)
        if len(recent) > quota:
            recent.popleft()
            wait = (recent[0] + WINDOW - now).total_seconds()
            raise self._refusal("Application is over its RequestBurst limit.", max(1, int(wait) + 1))

    def _refusal(self, message: str, wait: int) -> GraphError:
        self.refused += 1
        return GraphError(429, "ApplicationThrottled", message, headers={"Retry-After": str(wait)})

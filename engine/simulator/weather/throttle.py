"""
Limits per application and mailbox: four requests in flight, a quota per ten minutes; and on subscriptions.

Source: Graph docs, throttling-limits; the code and message of the refusal: observed by developers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from engine.simulator.options import TenantOptions
from engine.simulator.wire import GraphError

WINDOW = timedelta(minutes=10)
SUBSCRIPTION_WINDOW = timedelta(seconds=20)
SUBSCRIPTION_CALLS = {"list": 25, "get": 500, "write": 500, "reauthorize": 1000}
"""Calls on subscriptions per application and tenant in twenty seconds (Graph docs: throttling-limits)."""


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

    def count_subscription_call(self, method: str, segments: list[str]) -> None:
        """Let a call on subscriptions in, or raise 429, when these limits are on."""
        if not self._options.subscription_limits:
            return
        kind = ("list" if len(segments) == 2 else "get") if method == "GET" else "write"
        if segments[-1].lower() == "reauthorize":
            kind = "reauthorize"
        self._count(f"subscriptions {kind}", SUBSCRIPTION_CALLS[kind], SUBSCRIPTION_WINDOW)

    def _count(self, key: str, quota: int, window: timedelta = WINDOW) -> None:
        now = self._now()
        recent = self._recent.setdefault(key, deque())
        while recent and recent[0] <= now - window:
            recent.popleft()
        recent.append(now)
        if len(recent) > quota:
            recent.popleft()
            wait = (recent[0] + window - now).total_seconds()
            raise self._refusal("Application is over its RequestBurst limit.", max(1, int(wait) + 1))

    def _refusal(self, message: str, wait: int) -> GraphError:
        self.refused += 1
        return GraphError(429, "ApplicationThrottled", message, headers={"Retry-After": str(wait)})

"""Which mailboxes asked us to wait, and until when.

A 429 is of one application in one mailbox. What is sent there before its Retry-After is over is refused, and counts
all the same (Graph docs: throttling-limits, throttling). So whatever else is to be sent there waits, too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.errors import Paused, Throttled
from engine.ids import fold_address


class Pauses:
    """The waits that mailboxes asked for. A mailbox known by two names is asked for under each."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._until: dict[str, datetime] = {}

    def note(self, mailbox: str | None, error: Throttled) -> None:
        """Remember that *mailbox* asked for a wait, if it said how long; an earlier, longer one still holds."""
        if mailbox is None or not error.retry_after:
            return
        key, until = fold_address(mailbox), self._now() + timedelta(seconds=error.retry_after)
        self._until[key] = max(until, self._until.get(key, until))

    def check(self, mailbox: str | None) -> None:
        """Raise Paused while *mailbox* waits."""
        if mailbox is None or not self._until:
            return
        key, now = fold_address(mailbox), self._now()
        until = self._until.get(key, now)
        if until <= now:
            self._until.pop(key, None)
            return
        raise Paused(f"{mailbox} asked us to wait", (until - now).total_seconds())

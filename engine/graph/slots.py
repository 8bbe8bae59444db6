"""
How many requests may be under way in one mailbox.

Outlook allows four per application and mailbox and answers 429 beyond (Graph docs: throttling-limits). Writes go one at
a time, so that two changes of one mailbox never save in parallel.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from engine.ids import fold_address

REQUESTS_PER_MAILBOX_MAX = 4


class _Mailbox:
    __slots__ = ("reading", "users", "writing")

    def __init__(self, limit: int) -> None:
        self.reading = asyncio.Semaphore(limit)
        self.writing = asyncio.Lock()
        self.users = 0


class MailboxSlots:
    """Slots per mailbox; a mailbox nobody uses is forgotten. A mailbox known by two names has slots under each."""

    def __init__(self, limit: int) -> None:
        if not 1 <= limit <= REQUESTS_PER_MAILBOX_MAX:
            raise ValueError(f"requests per mailbox must be 1 to {REQUESTS_PER_MAILBOX_MAX}, got {limit}")
        self._limit = limit
        self._mailboxes: dict[str, _Mailbox] = {}

    @asynccontextmanager
    async def take(self, mailbox: str | None, *, is_write: bool) -> AsyncIterator[None]:
        """Hold one slot of *mailbox*, and for a write its only pen; without a mailbox there is no limit."""
        if mailbox is None:
            yield
            return
        async with self._using(mailbox) as slots:
            if is_write:
                async with slots.writing, slots.reading:
                    yield
            else:
                async with slots.reading:
                    yield

    @asynccontextmanager
    async def _using(self, mailbox: str) -> AsyncIterator[_Mailbox]:
        key = fold_address(mailbox)
        slots = self._mailboxes.get(key)
        if slots is None:
            slots = self._mailboxes[key] = _Mailbox(self._limit)
        slots.users += 1
        try:
            yield slots
        finally:
            slots.users -= 1
            if not slots.users:
                self._mailboxes.pop(key, None)

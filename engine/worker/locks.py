"""Locks by name, which exist only while somebody holds or awaits them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.01, 0.25
"""Between two tries for what another process holds: a write takes about as long."""


class Holding(Protocol):
    """Whoever holds a name is alone."""

    def holding(self, name: str) -> AbstractAsyncContextManager[None]: ...


class Latch(Protocol):
    """Locks that other processes see as well."""

    def try_take(self, name: str) -> bool: ...

    def give_back(self, name: str) -> None: ...


class Locks:
    """One lock per name: whoever holds it is alone."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def holding(self, name: str) -> AsyncIterator[None]:
        lock, users = self._locks.get(name, (asyncio.Lock(), 0))
        self._locks[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[name]
            if users == 1:
                del self._locks[name]
            else:
                self._locks[name] = (lock, users - 1)


class SharedLocks:
    """One lock per name among all processes that share *latch*; who waits longest here goes first here."""

    def __init__(self, latch: Latch) -> None:
        self._here = Locks()
        self._latch = latch

    @asynccontextmanager
    async def holding(self, name: str) -> AsyncIterator[None]:
        async with self._here.holding(name):
            pause = PAUSE_SECONDS_MIN
            while not self._latch.try_take(name):
                await asyncio.sleep(pause)
                pause = min(2 * pause, PAUSE_SECONDS_MAX)
            try:
                yield
            finally:
                self._latch.give_back(name)

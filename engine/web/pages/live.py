"""Telling open pages what changes, as server-sent events (HTML standard, "Server-sent events").

One look at the history of decisions, four times a second while anybody listens, serves all listeners, and finds what
other processes did as well. A message names loans and says nothing about them: each page asks anew for what its user
may see. A page says since when it knows everything, so that nothing is missed between its making and its listening; one
that lost its connection asks for everything again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence

from msgspec.json import encode
from starlette.concurrency import run_in_threadpool

from engine.errors import EngineError
from engine.ids import LoanNumber
from engine.loans.board import Changes

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
PING_SECONDS = 15.0
"""How often a silent stream says something, so that proxies keep it open and leavers are noticed."""

WAITING_MAX = 64
"""Messages a listener may be behind before it is told to look at everything."""

HELLO = b"retry: 2000\n\n"
PING = b": still here\n\n"
EVERYTHING = b"event: everything\ndata: {}\n\n"


class Live:
    """
    The listeners of one process.

    Args:
        look: returns what changed since a cursor; called in a thread, by one caller at a time.
        since: returns the loans that changed since a cursor; called in threads.
    """

    def __init__(self, look: Callable[[int | None], Changes], since: Callable[[int], Sequence[LoanNumber]]) -> None:
        self._look = look
        self._since = since
        self._begun = asyncio.Event()
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._looking: asyncio.Task[None] | None = None

    async def stream(self, cursor: int, is_welcome: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Yield what happened since *cursor*, and then what happens, until the listener leaves, we stop, or
        *is_welcome*, asked at each ping, says no."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_MAX + 1)
        self._listeners.add(queue)
        if self._looking is None or self._looking.done():
            self._begun.clear()
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            yield HELLO
            await self._begun.wait()
            missed = await run_in_threadpool(self._since, cursor)
            if missed:
                yield _message(missed)
            while True:
                try:
                    message = await asyncio.wait_for(queue.get(), PING_SECONDS)
                except TimeoutError:
                    if not await run_in_threadpool(is_welcome):
                        return
                    message = PING
                if message is None:
                    return
                yield message
        finally:
            self._listeners.discard(queue)

    def close(self) -> None:
        """End every stream, so that the server can stop at once."""
        for queue in self._listeners:
            _clear(queue)
            queue.put_nowait(None)
        self._begun.set()
        if self._looking is not None:
            self._looking.cancel()

    async def _keep_looking(self) -> None:
        cursor: int | None = None
        failing = False
        while self._listeners:
            try:
                found = await run_in_threadpool(self._look, cursor)
            except EngineError as error:
                if not failing:
                    log.warning("cannot look for changes", extra={"error": type(error).__name__})
                failing = True
            else:
                if failing:
                    self._tell(EVERYTHING)
                failing, cursor = False, found.cursor
                if found.numbers:
                    self._tell(_message(found.numbers))
            self._begun.set()
            await asyncio.sleep(LOOK_SECONDS)

    def _tell(self, message: bytes) -> None:
        for queue in self._listeners:
            if queue.qsize() >= WAITING_MAX:
                _clear(queue)
                queue.put_nowait(EVERYTHING)
            else:
                queue.put_nowait(message)


def _message(numbers: Sequence[LoanNumber]) -> bytes:
    return b"event: loans\ndata: " + encode({"loans": numbers}) + b"\n\n"


def _clear(queue: asyncio.Queue[bytes | None]) -> None:
    while not queue.empty():
        queue.get_nowait()

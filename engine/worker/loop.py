"""The loop: claim keys, run their passes side by side, and let the class of an error say what is next.

One key may fail; the loop may not. A transient failure waits with back-off, a permanent one is parked
with its error and a case, a fatal one stops the engine with a message.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from engine.errors import (
    CredentialsRevoked,
    EngineError,
    Fatal,
    Occupied,
    Paused,
    Permanent,
    Stale,
    Throttled,
    Transient,
    Unreachable,
)
from engine.lease import LeaseLost, acting_under

log = logging.getLogger(__name__)

BACKOFF_SECONDS_MIN, BACKOFF_SECONDS_MAX = 1.0, 300.0
CREDENTIALS_RETRY_SECONDS = 60.0
"""An admin has to act on a revoked credential; until then the engine asks once a minute and says so."""

POLL_SECONDS = 0.1
"""How often marks of other processes are looked for where nothing wakes us (SQLite)."""

IDLE_SECONDS_MAX = 30.0
"""The longest sleep: a wake-up that was lost costs no more than this."""

CLOSING_SECONDS = 10.0
"""How long running passes may take to end when the engine stops."""


class ClaimLike(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def attempts(self) -> int: ...
    @property
    def marked_at(self) -> datetime: ...


C = TypeVar("C", bound=ClaimLike)


class Queue(Protocol[C]):
    """What the loop needs of the work queue; see `database.queue.WorkQueue`."""

    def turn(self, ended: Sequence[C], limit: int, *, is_due: bool = False) -> tuple[list[C], datetime | None]: ...
    def retry(self, claim: C, *, delay: float, error: str) -> None: ...
    def park(self, claim: C, *, error: str) -> None: ...
    def renew(self, claims: Iterable[C]) -> list[C]: ...
    def release(self) -> None: ...
    def on_mark(self, callback: Callable[[float], None]) -> None: ...
    def changed_elsewhere(self) -> bool: ...


class Watcher(Protocol):
    """Who is told about passes: metrics and cases."""

    def passed(self, kind: str, key: str, outcome: str, seconds: float) -> None: ...
    def settled(self, seconds: float) -> None:
        """A booking named by a notification was settled, this long after the notification came."""
        ...

    def refused(self, error: str) -> None:
        """The directory refuses our identity."""
        ...

    def admitted(self) -> None:
        """Graph takes our identity (again)."""
        ...

    def parked(self, kind: str, key: str, error: str) -> None: ...
    def recovered(self, kind: str, key: str) -> None: ...


class Silent:
    """Is told about passes, and tells nobody."""

    def passed(self, kind: str, key: str, outcome: str, seconds: float) -> None:
        return None

    def settled(self, seconds: float) -> None:
        return None

    def refused(self, error: str) -> None:
        return None

    def admitted(self) -> None:
        return None

    def parked(self, kind: str, key: str, error: str) -> None:
        return None

    def recovered(self, kind: str, key: str) -> None:
        return None


def backoff_seconds(attempts: int, error: Transient) -> float:
    """Return how long a key waits after failing *attempts* times before: doubling, at least what we were asked."""
    if isinstance(error, Stale | Occupied):
        return float(min(0.05 * (attempts + 1), 5.0))
    wait = float(min(BACKOFF_SECONDS_MIN * 2.0 ** min(attempts, 12), BACKOFF_SECONDS_MAX))
    asked = error.retry_after if isinstance(error, Throttled | Unreachable) else None
    return max(wait, asked) if asked is not None else wait


class Loop(Generic[C]):
    """
    Runs passes until stopped.

    Args:
        queue: the work queue.
        handlers: the pass per kind of key.
        slots: how many passes run side by side.
        now: the clock, aware.
        watcher: who is told.
        poll_seconds: how often other processes' marks are looked for; 0: never.
        lease_seconds: leases of running passes are renewed after a third of it; a pass without one acts no more.
        before_passes: called once keys are claimed, before their passes begin: what they know must be no older.
        ticks: a clock in seconds that never jumps.
    """

    def __init__(
        self,
        queue: Queue[C],
        handlers: Mapping[str, Callable[[C], Awaitable[None]]],
        *,
        slots: int,
        now: Callable[[], datetime],
        watcher: Watcher,
        poll_seconds: float = POLL_SECONDS,
        lease_seconds: float = 60.0,
        ticks: Callable[[], float] = time.monotonic,
        before_passes: Callable[[], None] = lambda: None,
    ) -> None:
        self._queue = queue
        self._handlers = handlers
        self._slots = slots
        self._now = now
        self._watcher = watcher
        self._poll_seconds = poll_seconds
        self._lease_seconds = lease_seconds
        self._ticks = ticks
        self._before_passes = before_passes
        self._leases: dict[C, float] = {}
        """Until when, by *ticks*, the keys of running passes are ours for certain."""
        self._running: dict[asyncio.Task[None], C] = {}
        self._ended: list[C] = []
        """Passes that ended well, which the queue does not know yet."""
        self._parked: dict[tuple[str, str], str] = {}
        """The keys that this process gave up, and why: what is told of them once need not be told again."""
        self._is_refused = True  # not known: the first room that is read closes what an earlier run opened
        self._fatal: BaseException | None = None
        self._look_at = now()
        """When the queue is looked at next, as far as anybody told: a key is due then, or a lease may have ended."""
        self._is_told = False
        """Whether that was told by the queue, or by who marked a key in this process; else something may be due."""
        self._awake = asyncio.Event()
        self._occupied = asyncio.Event()
        """Set when a pass begins: from then on there are leases to keep."""
        self._stopping = False

    async def run(self) -> None:
        """Run until `stop`. Raises Fatal when the engine cannot go on."""
        events = asyncio.get_running_loop()
        home = threading.get_ident()
        self._queue.on_mark(
            lambda seconds: (
                self._look_in(seconds) if threading.get_ident() == home else _tell(events, self._look_in, seconds)
            )
        )
        keepers = [events.create_task(self._keep_leases())]
        if self._poll_seconds:
            keepers.append(events.create_task(self._watch_others()))
        try:
            while not self._stopping:
                self._awake.clear()
                self._raise_fatal()
                await self._sleep(self._turn())
        finally:
            for keeper in keepers:
                keeper.cancel()
            await self._close()

    def stop(self) -> None:
        """Let `run` end once the running passes have."""
        self._stopping = True
        self._awake.set()

    @property
    def is_idle(self) -> bool:
        """Whether no pass is running, and the queue knows of all that ended."""
        return not self._running and not self._ended

    @property
    def running_tasks(self) -> tuple[asyncio.Task[None], ...]:
        """The passes under way."""
        return tuple(self._running)

    def claim_of(self, task: asyncio.Task[Any]) -> C | None:
        """Return the claim on the key whose pass *task* is; None when it is none of ours."""
        return self._running.get(task)

    def _turn(self) -> float:
        """
        Tell the queue what has ended, and start passes in the free slots. Afterwards no slot is free, or nothing else
        is due. Returns how many seconds to sleep at most. The queue is not asked before anything can be due.
        """
        free = self._slots - len(self._running)
        early = self._seconds_until_look()
        if not self._ended and (free <= 0 or early > 0):
            return IDLE_SECONDS_MAX if free <= 0 else early
        until = self._ticks() + self._lease_seconds
        try:
            claims, next_due = self._queue.turn(self._ended, free, is_due=self._is_told and early <= 0)
        except Transient as error:
            log.warning("the queue cannot be read: %s", error)
            return BACKOFF_SECONDS_MIN
        self._ended.clear()
        if claims:
            self._before_passes()
        for claim in claims:
            task = asyncio.get_running_loop().create_task(self._pass(claim), name=f"{claim.kind}:{claim.key}")
            self._running[task] = claim
            self._leases[claim] = until
            task.add_done_callback(self._end)
            self._occupied.set()
        latest = self._now() + timedelta(seconds=IDLE_SECONDS_MAX)
        self._is_told = next_due is not None and next_due <= latest
        self._look_at = next_due if next_due is not None and self._is_told else latest
        return IDLE_SECONDS_MAX if len(self._running) >= self._slots else max(0.001, self._seconds_until_look())

    def _seconds_until_look(self) -> float:
        return (self._look_at - self._now()).total_seconds()

    def _look_in(self, seconds: float, *, is_told: bool = True) -> None:
        """Look at the queue in so many *seconds*, or sooner if that was said before."""
        now = self._now()
        look_at = now + timedelta(seconds=seconds)
        if look_at < self._look_at:
            self._look_at, self._is_told = look_at, is_told
            self._awake.set()
        elif self._look_at <= now:  # the clock has jumped ahead: we sleep on, by a clock that does not
            self._awake.set()

    def _end(self, task: asyncio.Task[None]) -> None:
        """Free the slot of a pass that has ended."""
        self._leases.pop(self._running.pop(task), None)
        error = None if task.cancelled() else task.exception()
        self._fatal = self._fatal or error
        self._awake.set()

    def _raise_fatal(self) -> None:
        if self._fatal is not None:
            raise self._fatal

    async def _sleep(self, seconds: float) -> None:
        """Sleep until woken, or for so long."""
        alarm = asyncio.get_running_loop().call_later(seconds, self._awake.set)
        try:
            await self._awake.wait()
        finally:
            alarm.cancel()

    async def _pass(self, claim: C) -> None:
        began = self._now()
        try:
            outcome = await self._run_handler(claim)
        except Transient as error:  # the database is away, so that not even the end of the pass can be told
            log.warning("left until its lease ends: %s", error, extra={"kind": claim.kind, "key": claim.key})
            outcome = "retry"
        self._watcher.passed(claim.kind, claim.key, outcome, (self._now() - began).total_seconds())

    async def _run_handler(self, claim: C) -> str:
        """Run one pass; the class of what it raises says what becomes of the key."""
        try:
            with acting_under(lambda: self._check_lease(claim)):
                await self._handlers[claim.kind](claim)
        except Transient as error:
            return self._after_transient(claim, error)
        except CredentialsRevoked as error:
            log.error("our identity is refused: %s", error)
            self._queue.retry(claim, delay=CREDENTIALS_RETRY_SECONDS, error=str(error))
            self._is_refused = True
            self._watcher.refused(str(error))
            return "credentials"
        except Fatal:
            raise
        except (Permanent, EngineError) as error:
            return self._after_permanent(claim, error)
        except Exception as error:
            log.exception("a pass failed unexpectedly", extra={"kind": claim.kind, "key": claim.key})
            return self._after_permanent(claim, error)
        if self._is_refused and claim.kind == "room":  # a room's pass has spoken to Graph for certain
            self._watcher.admitted()
            self._is_refused = False
        if claim.attempts or (claim.kind, claim.key) in self._parked:
            self._watcher.recovered(claim.kind, claim.key)
            self._parked.pop((claim.kind, claim.key), None)
            log.info("recovered", extra={"kind": claim.kind, "key": claim.key})
        self._ended.append(claim)
        return "done"

    def _check_lease(self, claim: C) -> None:
        if self._ticks() >= self._leases[claim]:
            raise LeaseLost(f"the lease of {claim.kind}:{claim.key} has ended: what was found out is dropped")

    def _after_transient(self, claim: C, error: Transient) -> str:
        if claim.attempts == 0 and not isinstance(error, Stale | Paused):
            log.warning("will be tried again: %s", error, extra={"kind": claim.kind, "key": claim.key})
        self._queue.retry(claim, delay=backoff_seconds(claim.attempts, error), error=str(error))
        return "retry"

    def _after_permanent(self, claim: C, error: Exception) -> str:
        message = str(error) or type(error).__name__
        if self._parked.get((claim.kind, claim.key)) != message:
            log.error("parked: %s", message, extra={"kind": claim.kind, "key": claim.key})
        self._queue.park(claim, error=message)
        self._parked[claim.kind, claim.key] = message
        self._watcher.parked(claim.kind, claim.key, message)
        return "parked"

    async def _keep_leases(self) -> None:
        """Renew what is held after each third of a lease; sleep while nothing is."""
        while True:
            await self._occupied.wait()
            await asyncio.sleep(self._lease_seconds / 3)
            claims = [*self._running.values(), *self._ended]
            if not claims:
                self._occupied.clear()
                continue
            until = self._ticks() + self._lease_seconds
            try:
                kept = self._queue.renew(claims)
                self._leases |= {claim: until for claim in kept if claim in self._leases}
            except Transient as error:
                log.warning("leases could not be renewed: %s", error)

    async def _watch_others(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                if self._queue.changed_elsewhere():
                    self._look_in(0.0, is_told=False)
            except Transient:
                continue
            except Fatal as error:
                self._fatal = self._fatal or error
                self._awake.set()

    async def _close(self) -> None:
        """Let running passes end, then give back what is left: another start goes on with it at once."""
        if self._running:
            await asyncio.wait(self._running, timeout=CLOSING_SECONDS)
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.gather(*self._running, return_exceptions=True)
        try:
            self._queue.turn(self._ended, 0)
            self._queue.release()
        except EngineError as error:
            log.warning("leases could not be released: %s", error)


def _tell(events: asyncio.AbstractEventLoop, hear: Callable[[float], None], seconds: float) -> None:
    """Tell the loop from another thread; one that has closed needs no telling."""
    if not events.is_closed():
        events.call_soon_threadsafe(hear, seconds)

"""A world whose engine dies at once and for good: no answer is heard, nothing is given back, nothing is tidied.

A *point* lies behind every commit to the database, and before and behind every request to Graph: whatever the engine
does in between is in memory only, so that a death there is no other than one at the point before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from engine.app.office import Office
from engine.database.connection import Database, Transaction
from engine.graph.transport import Request
from engine.prove.world import World
from engine.subscriptions.plan import Endpoint

Reach = Callable[[str], bool]
"""Called at every point with its name; tells whether the engine dies there."""

SETTLE_SECONDS = 900.0
"""Virtual; what is not quiet by then never is: a lease ends after 60 s, the longest back-off after 300."""

Done = TypeVar("Done")


class Died(BaseException):
    """The process is gone. No `except Exception` hears of it."""


class Life:
    """One incarnation of the engine, from its start to its death."""

    def __init__(self, reach: Reach) -> None:
        self.is_over = False
        self._reach = reach

    def pass_point(self, name: str) -> None:
        """Go on, unless the engine is dead or dies here."""
        self.check()
        if self._reach(name):
            self.is_over = True
            raise Died(name)

    def check(self) -> None:
        if self.is_over:
            raise Died("dead already")


class MortalDatabase(Database):
    """The database as one incarnation sees it: after its death nothing comes through any more (I19)."""

    life: Life | None = None

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        if self.life is None:
            with super().write() as transaction:
                yield transaction
            return
        self.life.check()
        with super().write() as transaction:
            yield transaction
        self.life.pass_point("commit")

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        if self.life is not None:
            self.life.check()
        with super().read() as transaction:
            yield transaction

    def heir(self, life: Life) -> MortalDatabase:
        """Return the same database as the next incarnation sees it."""
        heir = object.__new__(MortalDatabase)
        heir.__dict__.update(self.__dict__, mark_listeners=[], life=life)
        return heir


class MortalWorld(World):
    """
    A world whose engine dies where `reach` says so.

    Args:
        is_sole: whether the next incarnation knows that the dead one is dead, as the one process on SQLite does; else
            it has to wait for the leases to end.
    """

    def __init__(self, reach: Reach, *, is_sole: bool = True, **options: Any) -> None:
        self._reach = reach
        self._is_sole = is_sole
        self._life = Life(reach)
        self._lives = 0
        super().__init__(database=self._open_database, on_request=self._hear_of_request, **options)

    def _open_database(self, now: Callable[[], datetime]) -> Database:
        return MortalDatabase("sqlite:///:memory:", clock=now)

    def start(self) -> None:
        """Begin a new life, as `run` does: with another address and a look at every room."""
        self._life = Life(self._reach)
        self._lives += 1
        assert isinstance(self.database, MortalDatabase)
        self.database = self.database.heir(self._life)
        super().start()
        if self._is_sole:
            self.office.queue.release_others()
        self.office.rooms.mark_rooms(priority=2)

    @property
    def endpoint(self) -> Endpoint:
        """Where Graph calls this incarnation: a service that takes any free port is elsewhere after each start."""
        known = super().endpoint
        return Endpoint(self._move_in(known.notification_url), self._move_in(known.lifecycle_url))

    def _move_in(self, url: str) -> str:
        return url.replace("//accord.", f"//{self._door}.")

    @property
    def _door(self) -> str:
        return f"accord-{self._lives}"

    def settle(self, most: float = SETTLE_SECONDS) -> None:
        super().settle(most)

    def bury(self) -> None:
        """Take away what is left in memory of the engine that died."""
        assert self._life.is_over
        self.kill()
        assert isinstance(self.database, MortalDatabase)
        self.database.life = None

    @property
    def office(self) -> Office:
        """The engine's office; while it is dead the one that the command line opens, on the same database."""
        if self.engine is not None:
            return super().office
        return Office(self.settings, now=self.loop.now, database=self.database)

    @property
    def has_died(self) -> bool:
        return self._life.is_over

    def _hear_of_request(self, when: str, request: Request) -> None:
        path = request.url.partition("?")[0].rpartition("/v1.0")[2]
        self._life.pass_point(f"{when} {request.method} {path}")

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        if self._door not in url:
            return 202, "text/plain", b""  # lost: nobody is at the old address any more, however often it is tried
        try:
            return await super().post(url, body, headers)
        except Died as error:
            raise OSError("nobody is there any more") from error

    def at_desk(self, act: Callable[[], Done]) -> Done:
        """Let staff act. Their commits are no points: a death there is no other than one at the engine's next point."""
        assert isinstance(self.database, MortalDatabase)
        if self.engine is not None:
            self._life.check()
        life, self.database.life = self.database.life, None
        try:
            return act()
        finally:
            self.database.life = life


def continue_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop run on in a forked child, from within one of its tasks: asyncio forgets it in a fork."""
    asyncio.set_event_loop(loop)
    asyncio.events._set_running_loop(loop)

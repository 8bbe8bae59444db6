"""A world whose engine dies at once and for good: no answer is heard, nothing is given back, nothing is tidied.

A *point* lies behind every commit to the database, and before and behind every request to Graph: whatever the engine
does in between is in memory only, so that a death there is no other than one at the point before. Nor is a death at a
point before which it has only read: `MortalWorld.stamp` is the same there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from engine.app.office import Office
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.graph.transport import Request
from engine.prove.world.life import Died, Life, MortalDatabase
from engine.prove.world.world import World
from engine.simulator.store import MemoryStore
from engine.subscriptions.plan import Endpoint

Reach = Callable[[str], bool]
"""Called at every point with its name; tells whether the engine dies there."""

READ_ROOMS = {"ENGINE_SYNC__CONTENT": "false"}
"""Settings under which rooms are read for each change, as where Graph brings no events: there is more to die in."""

SETTLE_SECONDS = 900.0
"""Virtual; what is not quiet by then never is: a lease ends after 60 s, the longest back-off after 300."""

Done = TypeVar("Done")


class PassingLife(Life):
    """One incarnation of the engine, which may die at any point it passes."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._reach = reach

    def pass_point(self, name: str) -> None:
        """Go on, unless the engine is dead or dies here."""
        self.check()
        if self._reach(name):
            self.is_over = True
            raise Died(name)


class PassingDatabase(MortalDatabase):
    """Has a point behind every commit."""

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Transaction]:
        with super().write(durable=durable) as transaction:
            yield transaction
        if isinstance(self.life, PassingLife):
            self.life.pass_point("commit")


class CountingStore(MemoryStore):
    """Counts what changes in the tenant."""

    changes = 0

    def put(self, key: str, document: Any) -> None:
        self.changes += 1

    def drop(self, key: str) -> None:
        self.changes += 1


class MortalWorld(World):
    """
    A world whose engine dies where `reach` says so.

    *is_sole*: as `World` takes it.
    """

    def __init__(self, reach: Reach, *, is_sole: bool = True, **options: Any) -> None:
        self._reach = reach
        self._life = PassingLife(reach)
        self._begun = 0
        self._sent = 0
        """How many requests that may change something were sent off."""
        super().__init__(database=self._open_database, on_request=self._hear_of_request, is_sole=is_sole, **options)
        self.tenant.world.store = self._changed = CountingStore()

    @property
    def stamp(self) -> tuple[int, int, int]:
        """What has changed so far, in store and tenant, and what was sent off to change more."""
        with self.database.read() as transaction:
            driver: Any = transaction.connection.connection.dbapi_connection
            return driver.total_changes, self._changed.changes, self._sent

    def _open_database(self, now: Callable[[], datetime]) -> Database:
        return PassingDatabase("sqlite:///:memory:", clock=now)

    def start(self) -> None:
        """Begin a new life, as `run` does: with another address and a look at every room."""
        self._begun += 1
        super().start()
        self.office.rooms.mark_rooms(priority=2)

    def new_life(self) -> Life:
        self._life = PassingLife(self._reach)
        return self._life

    @property
    def endpoint(self) -> Endpoint:
        """Where Graph calls this incarnation: a service that takes any free port is elsewhere after each start."""
        known = super().endpoint
        return Endpoint(self._move_in(known.notification_url), self._move_in(known.lifecycle_url))

    def _move_in(self, url: str) -> str:
        return url.replace("//accord.", f"//{self._door}.")

    @property
    def _door(self) -> str:
        return f"accord-{self._begun}"

    def settle(self, most: float = SETTLE_SECONDS) -> None:
        super().settle(most)

    def bury(self) -> None:
        """Take away what is left in memory of the engine that died."""
        assert self._life.is_over
        self.kill()

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
        self._sent += when == "before" and request.method != "GET"

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        if self._door not in url:
            return 202, "text/plain", b""  # lost: nobody is at the old address any more, however often it is tried
        try:
            return await super().post(url, body, headers)
        except Died as error:
            raise OSError("nobody is there any more") from error

    def at_desk(self, act: Callable[[], Done]) -> Done:
        """Let staff act. Their commits are no points: a death there is no other than one at the engine's next point."""
        if self.engine is None:
            return act()
        self._life.check()
        database = self.engine.office.database
        assert isinstance(database, MortalDatabase)
        life, database.life = database.life, None
        try:
            return act()
        finally:
            database.life = life


def continue_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop run on in a forked child, from within one of its tasks: asyncio forgets it in a fork."""
    asyncio.set_event_loop(loop)
    asyncio.events._set_running_loop(loop)

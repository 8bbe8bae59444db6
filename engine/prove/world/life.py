"""One engine from its start to its death. After it not one statement and not one request of it comes through (I19)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import bindparam, select

from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata

if TYPE_CHECKING:
    from engine.app.engine import Engine

DatabaseT = TypeVar("DatabaseT", bound="MortalDatabase")

_work = metadata.tables["work"]
_HOLDER = Prepared(
    select(_work.c.lease_owner, _work.c.fence).where(
        _work.c.kind == bindparam("of_kind"), _work.c.key == bindparam("of_key")
    )
)


class Died(BaseException):
    """The process is gone. No `except Exception` hears of it."""


class Life:
    """One incarnation of the engine, from its start to its death."""

    engine: Engine
    task: asyncio.Task[None]

    def __init__(self) -> None:
        self.is_over = False
        self.has_slept = False
        """Whether it was put to sleep at some time: leases may have ended without its knowing."""
        self.sleeps_at: tuple[str, float] | None = None
        """`before` or `after` its next request it falls asleep, for so many seconds."""
        self.late: list[str] = []
        """What it did in passes over keys that somebody else had taken over."""

    def check(self) -> None:
        """Go on, unless it is over. Raises Died."""
        if self.is_over:
            raise Died("dead already")

    @property
    def tasks(self) -> tuple[asyncio.Task[None], ...]:
        """Everything it has under way."""
        return (self.task, *self.engine.loop.running_tasks)

    def note_request(self, method: str) -> None:
        """Note a request of a pass whose key somebody else has taken over."""
        with self.engine.office.database.read() as transaction:
            if self.has_lost_its_key(transaction):
                self.late.append(method)

    def has_lost_its_key(self, transaction: Transaction) -> bool:
        """Tell whether somebody else has taken over the key of the pass that is running."""
        task = asyncio.current_task() if LIFE.get() is self else None
        claim = self.engine.loop.claim_of(task) if task is not None else None
        if claim is None:
            return False
        row = _HOLDER.run(transaction.connection, {"of_kind": claim.kind, "of_key": claim.key}).one()
        return (row.lease_owner, row.fence) != (self.engine.office.queue.owner, claim.fence)


LIFE: ContextVar[Life | None] = ContextVar("LIFE", default=None)
"""Whose doing something is: an engine's; None: the world's."""


class MortalDatabase(Database):
    """A database as one incarnation of the engine sees it; the one they all came from, as everybody else does."""

    life: Life | None = None
    kin: list[MortalDatabase]
    """The same database as the living see it: each hears of the others' marks."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.begun: Counter[str] = Counter()
        """How many transactions that may write were begun in it, by whomever it is shared with."""

    def write(self, *, durable: bool = True) -> AbstractContextManager[Transaction]:
        self.begun["write"] += 1
        life = self.life
        if life is None:
            return super().write(durable=durable)
        life.check()
        return self._write_late(life, durable=durable) if life.has_slept else super().write(durable=durable)

    def read(self) -> AbstractContextManager[Transaction]:
        if self.life is not None:
            self.life.check()
        return super().read()

    @contextmanager
    def _write_late(self, life: Life, *, durable: bool) -> Iterator[Transaction]:
        """Note what a pass writes whose key somebody else has taken over. What its end undoes was not written."""
        with super().write(durable=durable) as transaction:
            driver = transaction.connection.connection.dbapi_connection
            before = getattr(driver, "total_changes", 0)
            is_late = life.has_lost_its_key(transaction)
            yield transaction
            has_written = getattr(driver, "total_changes", 0) > before
        if is_late and has_written:
            life.late.append("write")

    def heir(self: DatabaseT, life: Life) -> DatabaseT:
        """Return the same database as the next incarnation sees it, while it lives."""
        heir = object.__new__(type(self))
        self.__dict__.setdefault("kin", [])
        heir.__dict__.update(self.__dict__, mark_listeners=[], announcers={}, before_writing=[], life=life)
        self.kin[:] = [each for each in self.kin if each.life is not None and not each.life.is_over]
        self.kin.append(heir)
        return heir

    def data_version(self) -> int | None:
        """Tell nothing: engines that share one connection are one process to SQLite."""
        return None

    def announce_marks(self, seconds: float = 0.0) -> None:
        """Tell everyone who waits for marks, in whatever incarnation."""
        super().announce_marks(seconds)
        for each in self.__dict__.get("kin", ()):
            if each is not self and each.life is not None and not each.life.is_over:
                Database.announce_marks(each, seconds)

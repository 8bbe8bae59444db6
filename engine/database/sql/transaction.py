"""One transaction under way: its instant, the marks it leaves, and what others are owed of what it changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection, exc

from engine.database.sql.faults import translate_error
from engine.database.sql.marks import Mark, Priority, write_marks
from engine.outbox.changes import Changes

log = logging.getLogger(__name__)


class Transaction:
    """One transaction under way. Marks and `after_commit` callbacks take effect if, and only if, it commits."""

    def __init__(
        self,
        connection: Connection,
        *,
        clock: Callable[[], datetime] | None,
        draw: Callable[[int], str],
        writes: bool,
        now: datetime | None = None,
        announcers: Sequence[Announcer] = (),
    ) -> None:
        self.connection = connection
        self.draw = draw
        """Draws a name nobody else has: so many bytes of chance, as hexadecimal digits."""
        self.changes = Changes()
        """What this transaction changed that others may be owed word of."""
        self._announcers = announcers
        self._clock = clock
        self._writes = writes
        self._now = now
        self._marks: dict[tuple[str, str], Mark] = {}
        self._finals: dict[tuple[str, str], Callable[[Transaction], None]] = {}
        self._callbacks: list[Callable[[], None]] = []

    @property
    def now(self) -> datetime:
        """The instant of this transaction, aware and UTC, read once."""
        if self._now is None:
            self._now = self._clock() if self._clock is not None else _sqlite_now(self.connection)
        return self._now

    def mark(
        self, kind: str, key: str, *, priority: int = Priority.LIVE, delay: float = 0.0, postpones: bool = False
    ) -> None:
        """
        Mark a key of the work queue, due *delay* seconds from now. Written just before the commit, each key once.

        With *postpones*, a live mark whose time has not come yet is put off until then (see `work/marks.py`).
        """
        self.mark_all(kind, (key,), priority=priority, delay=delay, postpones=postpones)

    def mark_all(
        self,
        kind: str,
        keys: Iterable[str],
        *,
        priority: int = Priority.LIVE,
        delay: float = 0.0,
        postpones: bool = False,
    ) -> None:
        """Mark many keys of one kind as `mark` does."""
        assert self._writes, "a reading transaction marks nothing"
        due_at = self.now + timedelta(seconds=delay) if delay else self.now
        mark, marks = Mark(Priority(priority), due_at, postpones), self._marks
        for key in keys:
            earlier = marks.get((kind, key))
            marks[kind, key] = mark.merged(earlier) if earlier else mark

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call *callback* once this transaction has committed. What it raises is logged: the commit stands."""
        self._callbacks.append(callback)

    def finish_key(self, kind: str, key: str, write: Callable[[Transaction], None]) -> None:
        """Have *write* end the pass over a key just before the commit, in its turn among the marks."""
        self._finals[(kind, key)] = write

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Try what may be refused: on an error only what was done inside is undone. Errors come translated."""
        savepoint = self.connection.begin_nested()
        changes = self.changes.copy()
        try:
            yield
            savepoint.commit()
        except exc.SQLAlchemyError as error:
            savepoint.rollback()
            self.changes = changes
            raise translate_error(error) from error
        except BaseException:
            savepoint.rollback()
            self.changes = changes
            raise

    @property
    def first_due_in(self) -> float | None:
        """In how many seconds the first of what was marked is due; None: nothing was marked."""
        first = min((mark.due_at for mark in self._marks.values()), default=None)
        return None if first is None else (first - self.now).total_seconds()

    @property
    def has_marks(self) -> bool:
        """Whether there is anything that others should look at."""
        return bool(self._marks)

    def flush(self) -> None:
        """Write what was put off until the end. Rows of the queue are always locked in the order of their keys."""
        if self.changes:
            for announce in self._announcers:
                announce(self)
        if not self._finals:
            write_marks(self.connection, self._marks, now=self.now) if self._marks else None
            return
        for key in sorted({*self._finals, *self._marks}):
            if key in self._finals:
                self._finals[key](self)
            if key in self._marks:
                write_marks(self.connection, {key: self._marks[key]}, now=self.now)

    def run_callbacks(self) -> None:
        for callback in self._callbacks:
            try:
                callback()
            except Exception:
                log.exception("a callback failed after its commit")


Announcer = Callable[[Transaction], None]
"""Looks at `Transaction.changes` and writes, in the same transaction, what others are owed."""


def _sqlite_now(connection: Connection) -> datetime:
    text: str = connection.exec_driver_sql("SELECT strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')").scalar_one()
    return datetime.fromisoformat(text)

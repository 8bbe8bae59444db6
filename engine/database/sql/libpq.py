"""Statements sent to PostgreSQL by libpq's own functions, at a third of what the driver's cursors cost.

A cursor looks for placeholders, picks a type for each value and waits in Python. Here a statement comes with `$1`, `$2`
in it and names the types itself, so each value goes out as text, and the answer is waited for in C while other threads
run. Values and rows are converted by the driver (decision 0030).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from select import POLLIN, POLLOUT, poll
from typing import Any

from psycopg import Connection, Error, OperationalError, errors, pq
from psycopg.adapt import PyFormat, Transformer

STATEMENTS_KEPT = 512
"""Prepared statements that a connection keeps: all of ours. One that is run a second time is prepared."""

SENT_AT_ONCE = 256
"""So many runs of a statement go out before their answers are looked at: some 400 kB of a page's meetings."""

_DONE, _ROWS = pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK
_SYNC = pq.ExecStatus.PIPELINE_SYNC


class Line:
    """A connection of the driver, as libpq sees it. Of one thread at a time, as that is."""

    def __init__(self, driver: Connection[Any]) -> None:
        self._libpq = driver.pgconn
        self._converter = Transformer(driver)
        self._readable, self._usable = poll(), poll()
        self._readable.register(self._libpq.socket, POLLIN)
        self._usable.register(self._libpq.socket, POLLIN | POLLOUT)
        self._names: dict[bytes, bytes | None] = {}
        """What the statements that were run are prepared as; None: not yet."""

    def run(self, sql: bytes, values: Sequence[Any]) -> tuple[Sequence[Any], int]:
        """Run a statement; return its rows, and how many it brought or changed. Raises psycopg.Error."""
        given = self._write(values)
        name = self._names.get(sql) or self._prepare(sql)
        result = self._libpq.exec_params(sql, given) if name is None else self._libpq.exec_prepared(name, given)
        return self._read(result), result.command_tuples or 0

    def run_many(self, sql: bytes, rows: Sequence[Sequence[Any]]) -> int:
        """
        Run a statement that brings no rows once for each of *rows*; return how many it changed.

        Raises psycopg.Error: what was to run after the one that failed has not been run.
        """
        given = [self._write(values) for values in rows]
        name = self._names.get(sql) or self._prepare(sql)
        changed = 0
        for first in range(0, len(given), SENT_AT_ONCE):
            for result in self._run_together(sql, name, given[first : first + SENT_AT_ONCE]):
                self._check(result)
                changed += result.command_tuples or 0
        return changed

    def command(self, text: str) -> Any:
        """
        Send commands that take no values, all at once; return the row that the last one brings, if any.

        Raises psycopg.Error: what was to run after the one that failed has not been run. Also for a commit that found a
        statement to have failed before: PostgreSQL rolls back then, and calls that done.
        """
        result = self._libpq.exec_(text.encode())
        rows = self._read(result)
        if result.command_status == b"ROLLBACK":
            raise errors.InFailedSqlTransaction("a statement had failed: nothing of its transaction is kept")
        return rows[0] if rows else None

    def _prepare(self, sql: bytes) -> bytes | None:
        """
        Return what a statement is prepared as: nothing the first time, and once enough are.

        The name says what the statement is: behind a pooler that mixes up sessions it is refused, never another's run.
        """
        if sql not in self._names:
            if len(self._names) < STATEMENTS_KEPT:
                self._names[sql] = None
            return None
        name = b"accord_" + blake2b(sql, digest_size=16).hexdigest().encode()
        self._check(self._libpq.prepare(name, sql))
        self._names[sql] = name
        return name

    def _run_together(self, sql: bytes, name: bytes | None, given: Sequence[Any]) -> list[Any]:
        """Send a statement once for each of *given* before any answer is read; return the answers."""
        self._libpq.enter_pipeline_mode()
        for values in given:
            if name is None:
                self._libpq.send_query_params(sql, values)
            else:
                self._libpq.send_query_prepared(name, values)
        self._libpq.pipeline_sync()
        while self._libpq.flush():
            self._usable.poll()
            self._libpq.consume_input()
        results: list[Any] = []
        while (result := self._next_result()) is None or result.status != _SYNC:
            if result is not None:
                results.append(result)
        self._libpq.exit_pipeline_mode()
        return results

    def _next_result(self) -> Any:
        """
        Return the next answer once it is there; None between those of two runs.

        The driver's `get_result` would wait for it while no other thread runs, of which one may hold the very lock that
        the server waits for, and another heeds signals.
        """
        while self._libpq.is_busy():
            self._readable.poll()
            self._libpq.consume_input()
        result = self._libpq.get_result()
        if result is None and self._libpq.status == pq.ConnStatus.BAD:
            raise OperationalError(self._libpq.get_error_message())
        return result

    def _write(self, values: Sequence[Any]) -> Sequence[Any]:
        return self._converter.dump_sequence(values, [PyFormat.TEXT] * len(values))

    def _read(self, result: Any) -> Sequence[Any]:
        if result.status != _ROWS:
            self._check(result)
            return ()
        self._converter.set_pgresult(result)
        return self._converter.load_rows(0, result.ntuples, tuple)

    def _check(self, result: Any) -> None:
        """Raise what went wrong, as the driver does."""
        if result.status not in (_DONE, _ROWS):
            raise _error_of(result)


def _error_of(result: Any) -> Error:
    """Return what *result* tells went wrong. Without a code it is the connection that was lost."""
    error = errors.error_from_result(result)
    return error if error.sqlstate else OperationalError(result.get_error_message())

"""Databases for worlds: brought to the schema once in a process, and emptied in a moment for each world."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError

from engine.database.migrations import migrate
from engine.database.sql.connection import Database, parse_url
from engine.database.sql.faults import translate_error
from engine.database.sql.prepared import run_directly
from engine.database.tables import metadata
from engine.errors import DatabaseUnusable
from engine.prove.world.life import MortalDatabase
from engine.prove.world.rows import delete_rows

Clock = Callable[[], datetime]
OpenDatabase = Callable[[Clock], Database]
"""Opens an empty database, given a world's clock."""


class Databases:
    """
    Empty databases at one address, for one world after the other. A context manager.

    What a world leaves there is lost to the next one. A world that closes its database gives it back, connected and
    with all that was compiled. Two worlds at once have one each in memory, and nowhere else.

    Args:
        url: one that holds no loans.
    """

    def __init__(self, url: str = "sqlite:///:memory:") -> None:
        self._url = url
        self._free: list[_Kept] = []

    def open(self, clock: Clock) -> Database:
        """Open one. Raises as `Database` and `migrate` do, and DatabaseUnusable when there are loans in it."""
        if not self._free:
            kind = _Sqlite if self._url.startswith("sqlite") else _Postgres
            self._free.append(kind(self._url, self._free.append))
        database = self._free.pop()
        database.begin(clock)
        return database

    def close(self) -> None:
        """Close those that were given back."""
        while self._free:
            self._free.pop().end()

    def __enter__(self) -> Databases:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


@contextmanager
def databases_at(url: str | None, job: int = 0) -> Iterator[OpenDatabase]:
    """
    Yield what opens an empty database, beside those of other jobs.

    Args:
        url: None: in memory. A file of SQLite: each job makes one of its own beside it. PostgreSQL: each makes a
            database of its own on that server, and drops it in the end. What is there already is left alone.

    Raises: DatabaseUnusable, Unreachable.
    """
    if url is None:
        yield in_memory.open
        return
    given = parse_url(url)
    name = f"{given.database}-worlds-{os.getpid()}-{job}"
    if given.get_backend_name() == "sqlite":
        try:
            with Databases(given.set(database=name).render_as_string(hide_password=False)) as databases:
                yield databases.open
        finally:
            for tail in ("", "-wal", "-shm"):
                Path(name + tail).unlink(missing_ok=True)
        return
    server = create_engine(given, isolation_level="AUTOCOMMIT")
    try:
        _run(server, f'CREATE DATABASE "{name}"')
        try:
            with Databases(given.set(database=name).render_as_string(hide_password=False)) as databases:
                yield databases.open
        finally:
            _run(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        server.dispose()


def _run(server: Engine, statement: str) -> None:
    try:
        with server.connect() as connection:
            connection.exec_driver_sql(statement)
    except SQLAlchemyError as error:
        raise translate_error(error) from error


class _Kept(MortalDatabase):
    """A database that is emptied instead of closed."""

    def __init__(self, url: str, give_back: Callable[[Any], None]) -> None:
        super().__init__(url)
        self._give_back = give_back
        self._is_used = True
        migrate(self)
        with self.read() as transaction:
            if transaction.connection.exec_driver_sql("SELECT 1 FROM loan").first() is not None:
                raise DatabaseUnusable("worlds empty their database, and this one holds loans: name an empty one")

    def begin(self, clock: Clock) -> None:
        """Empty it for a world with this clock."""
        self.clock = clock
        self.mark_listeners.clear()
        self.announcers.clear()
        self.before_writing.clear()
        self.kin = []
        self._empty()
        self._is_used = True

    def _empty(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        if self._is_used:
            self._is_used = False
            self._give_back(self)

    def end(self) -> None:
        """Close it for good."""
        super().close()


class _Sqlite(_Kept):
    """Its rows are deleted: see `rows`."""

    def _empty(self) -> None:
        with self.write() as transaction:
            delete_rows(transaction.connection.connection.dbapi_connection)


TRUNCATED_EVERY = 50
"""After so many worlds the tables of PostgreSQL are made anew, which takes as long as half a world: what was deleted is
still read past until then."""

_TABLES = [f'"{table.name}"' for table in metadata.sorted_tables]
_TRUNCATION = f"TRUNCATE {', '.join(_TABLES)} RESTART IDENTITY CASCADE"
_DELETION = ";".join(
    [
        *(f"DELETE FROM {name}" for name in reversed(_TABLES)),
        "SELECT setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences "
        "WHERE schemaname = current_schema AND last_value IS NOT NULL",
    ]
)


class _Postgres(_Kept):
    _worlds = 0

    def _empty(self) -> None:
        with self.write() as transaction:
            is_truncated = self._worlds % TRUNCATED_EVERY == 0
            run_directly(transaction.connection, _TRUNCATION if is_truncated else _DELETION)
        self._worlds += 1


in_memory = Databases()
atexit.register(in_memory.close)

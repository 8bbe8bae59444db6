"""What SQLite and PostgreSQL are told in their own words: how connections are opened, transactions begun and ended.

PostgreSQL answers each command before the next one is sent, and each of these round trips costs 0.1 ms in which nobody
works. So what is always said together is said at once.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from engine.database.sql.marks import CHANNEL
from engine.database.sql.patterns import FOLD, fold_for_sqlite
from engine.database.sql.prepared import LINE, run_together
from engine.errors import DatabaseUnusable

_decode = msgspec.json.Decoder().decode

POOL_SIZE, POOL_OVERFLOW = 5, 15
"""Connections kept, and how many more when the web is busy. PostgreSQL allows 100 in all by default."""

STATEMENTS_KEPT = 512
"""Compiled statements that a connection to SQLite keeps: all of ours. Of the 128 it keeps unasked, many of some 300
would be compiled again and again, at 50 to 100 us each."""


def begin_on_postgres(connection: Connection, *, writes: bool, relaxed: bool, tells_time: bool) -> datetime | None:
    """
    Begin a transaction.

    Args:
        writes: else it sees everything as of one instant.
        relaxed: its commit need not wait for the disk.
        tells_time: whether to return its instant.
    """
    commands = ["BEGIN" if writes else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"]
    if relaxed:
        commands.append("SET LOCAL synchronous_commit = off")
    if tells_time:
        commands.append("SELECT now()")
    told = run_together(connection, commands)
    return told[0].astimezone(UTC) if tells_time else None


def wake_and_commit(connection: Connection) -> None:
    """Commit, and wake whoever listens for marks once that is done."""
    run_together(connection, (f"NOTIFY {CHANNEL}", "COMMIT"))


KEPT_KILOBYTES = 8192
"""What the writing connection keeps of its file at most: SQLite's own 2 MB are little for thousands of rooms."""


LOG_PAGES = 2000
"""From how many pages of 4 kB on a commit copies the log into the file: twice SQLite's own. A page of a calendar writes
up to a thousand, most of them of indexes and soon written again, so nearly each one's commit did."""


def sqlite_engines(url: URL, durability: str, busy_seconds: float) -> tuple[Engine, Engine]:
    """Return the engines that write and read; in memory they are one."""
    arguments = {"check_same_thread": False, "timeout": busy_seconds, "cached_statements": STATEMENTS_KEPT}
    given: dict[str, Any] = {"connect_args": arguments, "json_deserializer": read_json}
    if url.database in (None, "", ":memory:"):
        engine = create_engine(url, poolclass=StaticPool, **given)
        _prepare_sqlite(engine, (f"PRAGMA synchronous={durability}",))
        return engine, engine
    if not str(url.database).startswith("file:"):
        _make_directory(Path(str(url.database)))
    pragmas = (
        "PRAGMA journal_mode=WAL",
        f"PRAGMA synchronous={durability}",
        f"PRAGMA cache_size=-{KEPT_KILOBYTES}",
        f"PRAGMA wal_autocheckpoint={LOG_PAGES}",
    )
    writer = create_engine(url, poolclass=QueuePool, pool_size=1, max_overflow=0, **given)
    _prepare_sqlite(writer, pragmas)
    reader = create_engine(url, poolclass=QueuePool, pool_size=POOL_SIZE, max_overflow=POOL_OVERFLOW, **given)
    _prepare_sqlite(reader, ("PRAGMA query_only=ON",))
    return writer, reader


def read_json(text: str) -> Any:
    """Return what a column of JSON holds, in a third of the time of the standard library, which reads what few others
    do: half of a letter, by itself."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return json.loads(text)


def _make_directory(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnusable(f"the directory {path.parent} of the database cannot be made: {error}") from error


def _prepare_sqlite(engine: Engine, pragmas: tuple[str, ...]) -> None:
    """Take transactions into our own hands: the driver would begin them late and not at all for reads."""

    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("PRAGMA foreign_keys=ON", *pragmas):
            connection.execute(pragma)
        connection.create_function(FOLD, 1, fold_for_sqlite, deterministic=True)

    event.listen(engine, "connect", connected)


def postgres_engines(url: URL, durability: str, busy_seconds: float) -> tuple[Engine, Engine]:
    """Return the engine that writes and reads, twice."""
    from engine.database.sql.libpq import Line  # brings the PostgreSQL driver, which SQLite does without

    options = [f"-c lock_timeout={int(busy_seconds * 1000)}"]
    if durability == "NORMAL":
        options.append("-c synchronous_commit=off")
    given = url.query.get("options")
    if isinstance(given, str):
        options.append(given)
    engine = create_engine(
        url.difference_update_query(["options"]),
        isolation_level="AUTOCOMMIT",  # transactions are in our own hands
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        connect_args={"options": " ".join(options), "connect_timeout": 10, "prepare_threshold": None},
    )

    def connected(driver: Any, record: Any) -> None:
        record.info[LINE] = Line(driver)

    event.listen(engine, "connect", connected)
    return engine, engine

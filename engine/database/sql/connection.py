"""Transactions on SQLite and PostgreSQL, the same to whoever uses them.

Synchronous on purpose: on SQLite an async driver costs two to three times as much, and on PostgreSQL it gains
nothing that can be measured. A transaction is short and is never held across an `await`.

SQLite has one writer at a time, whatever one does. So a process keeps one writing connection behind a lock, and
threads queue for it in order instead of spinning on "database is locked".
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import URL, Connection, Engine, exc, make_url

from engine.database.sql.drivers import begin_on_postgres, postgres_engines, sqlite_engines, wake_and_commit
from engine.database.sql.faults import translate_error
from engine.database.sql.files import WatchedFile
from engine.database.sql.prepared import commit_directly, run_directly
from engine.database.sql.transaction import Announcer, Transaction
from engine.errors import DatabaseUnusable, OutcomeUnknown, Unreachable
from engine.lease import check_lease

BUSY_SECONDS = 5.0
"""How long a transaction waits for another process before it is told "busy"."""

PATIENCE = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""What libpq is told of a server that says nothing more, not even that it is gone: it is given up in a minute. The
system alone waits for a quarter of an hour with what was sent, and two hours for an answer."""

_SYNCHRONOUS = {"full": "FULL", "normal": "NORMAL"}


class Database:
    """
    One database: where its transactions come from.

    Args:
        url: `sqlite:///path`, `sqlite:///:memory:` or `postgresql://...`.
        clock: what `Transaction.now` reads. None: the database's own clock, which several machines share.
        draw: what `Transaction.draw` asks for chance; a world that shall happen twice the same hands in its own.
        durability: `full` survives a power cut; `normal` may lose the last moments, but never tears a transaction.
        busy_seconds: how long to wait for another process.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime] | None = None,
        draw: Callable[[int], str] = secrets.token_hex,
        durability: str = "full",
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.url = _with_patience(parse_url(url))
        self.dialect = self.url.get_backend_name()
        self.clock = clock
        self.draw = draw
        self.mark_listeners: list[Callable[[float], None]] = []
        """Told, after a commit that marked something, in how many seconds the first of it is due."""
        self.announcers: dict[str, Announcer] = {}
        """Told in each transaction, just before its commit, what it changed: they write what others are owed."""
        self.before_writing: list[Callable[[], None]] = []
        """Called before each transaction that may write: what announcers go by is read then, as it cannot be in it."""
        self._durability = _SYNCHRONOUS[durability]
        self._lock = threading.Lock()
        self._open = threading.local()
        self._writer: Connection | None = None
        self._reader: Connection | None = None
        self._home = threading.get_ident()
        self._file = WatchedFile(self.url)
        if self.dialect == "sqlite":
            self._write_engine, self._read_engine = sqlite_engines(self.url, self._durability, busy_seconds)
        else:
            self._write_engine, self._read_engine = postgres_engines(self.url, self._durability, busy_seconds)
        self.in_memory = self.dialect == "sqlite" and self._write_engine is self._read_engine
        """Whether everything is gone when the process ends: one connection, used in turn."""

    def write(self, *, durable: bool = True) -> AbstractContextManager[Transaction]:
        """
        Open a transaction that may write; it commits at the end and is rolled back on any exception.

        Args:
            durable: whether a power cut must leave it done (decision 0026). One that need not be saves the wait for
                the disk; a power cut undoes it only together with all that was committed after it, and a durable one
                makes all before it durable.

        Raises: Unreachable (busy, lost), OutcomeUnknown (lost while committing), DatabaseUnusable, Occupied, Stale, and
        LeaseLost: in a pass whose lease has ended.
        """
        return _Writing(self, durable=durable)

    @contextmanager
    def change_schema(self) -> Iterator[Transaction]:
        """
        Open a transaction that may rebuild tables: as `write`, with foreign keys checked at its end instead of always.

        SQLite rebuilds a table by dropping it, and with foreign keys on that deletes or refuses what points at it.
        """
        if self.dialect != "sqlite":
            with self.write() as transaction:
                yield transaction
            return
        self._set_foreign_keys("OFF")
        try:
            with self.write() as transaction:
                yield transaction
                broken = transaction.connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise DatabaseUnusable(f"the change would leave {len(broken)} rows that point nowhere: {broken[0]}")
        finally:
            self._set_foreign_keys("ON")

    def _set_foreign_keys(self, value: str) -> None:
        with self._lock, _translating():
            driver: Any = self._keep_writer().connection.dbapi_connection
            driver.execute(f"PRAGMA foreign_keys={value}")

    def read(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that only reads: everything in it is seen as of one instant. Raises as `write` does."""
        return _Reading(self)

    @property
    def is_in_transaction(self) -> bool:
        """Whether this thread is inside a transaction of ours."""
        return bool(getattr(self._open, "yes", False))

    def announce_marks(self, seconds: float = 0.0) -> None:
        """Tell everyone in this process who waits for marks that something may be due in so many *seconds*."""
        for listener in tuple(self.mark_listeners):
            listener(seconds)

    def data_version(self) -> int | None:
        """Return a number that changes when *another process* writes; None where no file is, and while we write."""
        if self.dialect != "sqlite" or self.in_memory or not self._lock.acquire(blocking=False):
            return None
        try:
            with _translating():
                cursor: Any = self._keep_writer().connection.dbapi_connection
                self._file.check()
                found = cursor.execute("PRAGMA data_version").fetchone()
            return int(found[0])
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close every connection. The next transaction opens new ones (and, in memory, starts empty)."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            self._write_engine.dispose()
            self._file.closed()
            if not self.in_memory:
                self._read_engine.dispose()

    def _acquire(self, *, writes: bool, durable: bool = True) -> tuple[Connection, datetime | None, bool]:
        """
        Return a connection on which a transaction has begun, its instant as far as the beginning told it, and whether
        it is the one that threads use in turn.

        Refuses one inside another: on SQLite it would wait for itself, for ever.
        """
        if self.is_in_transaction:
            raise RuntimeError("this thread is inside a transaction already (held across an await, or nested)")
        in_turn = self._take_turn(writes)
        self._open.yes = True
        connection = None
        try:
            connection = self._connect(writes, in_turn=in_turn)
            try:
                now = self._begin(connection, writes=writes, durable=durable)
            except exc.DBAPIError:
                if not connection.invalidated:
                    raise
                connection = self._connect_again(connection, writes, in_turn=in_turn)
                now = self._begin(connection, writes=writes, durable=durable)
        except BaseException as error:
            self._release(connection, in_turn=in_turn)
            if isinstance(error, exc.SQLAlchemyError):
                raise translate_error(error) from error
            raise
        return connection, now, in_turn

    def _connect_again(self, lost: Connection, writes: bool, *, in_turn: bool) -> Connection:
        """Replace a connection that was lost while it rested, with all that rest beside it: nothing had begun on it."""
        lost.close()
        self._write_engine.dispose()
        return self._connect(writes, in_turn=in_turn)

    def _release(self, connection: Connection | None, *, in_turn: bool) -> None:
        """Let go of a connection whose transaction has ended."""
        self._open.yes = False
        if in_turn:
            self._lock.release()
        elif connection is not None and connection is not self._reader:
            connection.close()

    def _take_turn(self, writes: bool) -> bool:
        """
        Wait for the writing connection that SQLite's threads use in turn; returns whether it is ours now.

        Who reads in the thread of the passes takes it when it is free: what it keeps of the file stays good, while each
        commit on it empties what others keep.
        """
        if self.dialect != "sqlite":
            return False
        if writes or self.in_memory:
            return self._lock.acquire()
        return threading.get_ident() == self._home and self._lock.acquire(blocking=False)

    def _connect(self, writes: bool, *, in_turn: bool) -> Connection:
        if in_turn:
            return self._keep_writer()
        if threading.get_ident() == self._home:
            return self._keep_reader()
        return _connect(self._write_engine if writes else self._read_engine)

    def _keep_reader(self) -> Connection:
        """Keep one connection for the thread of the passes, which on PostgreSQL also writes on it: taking one from the
        pool costs more."""
        if self._reader is None or self._reader.closed or self._reader.invalidated:
            self._reader = _connect(self._read_engine)
        return self._reader

    def _keep_writer(self) -> Connection:
        if self._writer is None or self._writer.closed or self._writer.invalidated:
            self._writer = _connect(self._write_engine)
            self._file.opened()
        return self._writer

    def _begin(self, connection: Connection, *, writes: bool, durable: bool) -> datetime | None:
        """Begin a transaction; returns its instant where the database tells that by the way."""
        level = self._durability if durable else "NORMAL"
        if self.dialect == "postgresql":
            relaxed = level != self._durability
            return begin_on_postgres(connection, writes=writes, relaxed=relaxed, tells_time=self.clock is None)
        if self.in_memory and not writes:
            return None  # while it is ours nobody else reads or writes there
        if writes:
            self._file.check()
        is_kept = writes and not self.in_memory
        if is_kept and connection.info.get("synchronous") != level:  # cannot be changed once a transaction has begun
            run_directly(connection, f"PRAGMA synchronous={level}")
            connection.info["synchronous"] = level
        run_directly(connection, "BEGIN IMMEDIATE" if writes else "BEGIN")
        return None

    def _commit(self, connection: Connection, *, wakes: bool) -> None:
        try:
            if wakes and self.dialect == "postgresql":
                wake_and_commit(connection)
            else:
                commit_directly(connection)
        except exc.SQLAlchemyError as error:
            _roll_back(connection)
            meaning = translate_error(error)
            if self.dialect == "postgresql" and isinstance(meaning, Unreachable):
                raise OutcomeUnknown(f"the answer to a commit was lost: {meaning}") from error
            raise meaning from error


class _Reading:
    """A transaction that only reads, from its beginning to its end. No generator: that would double what one costs."""

    __slots__ = ("_before", "_connection", "_database", "_in_turn")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Transaction:
        database = self._database
        connection, now, in_turn = database._acquire(writes=False)
        self._connection, self._in_turn = connection, in_turn
        self._before = _rows_changed(connection) if in_turn and not database.in_memory else None
        return Transaction(connection, clock=database.clock, draw=database.draw, writes=False, now=now)

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        try:
            if error is not None:
                _undo(self._connection, error)
                return
            try:
                if self._before is not None and _rows_changed(self._connection) != self._before:
                    raise DatabaseUnusable("a transaction that only reads has written: nothing of it is kept")
                commit_directly(self._connection)
            except BaseException as failure:
                _undo(self._connection, failure)
                raise
        finally:
            self._database._release(self._connection, in_turn=self._in_turn)


class _Writing:
    """A transaction that may write, from its beginning to its end, as `_Reading` is one."""

    __slots__ = ("_connection", "_database", "_durable", "_in_turn", "_transaction")

    def __init__(self, database: Database, *, durable: bool) -> None:
        self._database = database
        self._durable = durable

    def __enter__(self) -> Transaction:
        database = self._database
        for prepare in database.before_writing:
            prepare()
        self._connection, now, self._in_turn = database._acquire(writes=True, durable=self._durable)
        self._transaction = Transaction(
            self._connection,
            clock=database.clock,
            draw=database.draw,
            writes=True,
            now=now,
            announcers=tuple(database.announcers.values()),
        )
        return self._transaction

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        database, transaction = self._database, self._transaction
        try:
            if error is not None:
                _undo(self._connection, error)
                return
            try:
                transaction.flush()
                check_lease()
            except BaseException as failure:
                _undo(self._connection, failure)
                raise
            database._commit(self._connection, wakes=transaction.has_marks)
        finally:
            database._release(self._connection, in_turn=self._in_turn)
        transaction.run_callbacks()
        due_in = transaction.first_due_in
        if due_in is not None:
            database.announce_marks(due_in)


def _undo(connection: Connection, error: BaseException) -> None:
    """Roll back what failed. Raises what *error* means where it is the driver's."""
    _roll_back(connection)
    if isinstance(error, exc.SQLAlchemyError):
        meaning = translate_error(error)
        if meaning is not error:
            raise meaning from error


def _connect(engine: Engine) -> Connection:
    """Return a connection on which SQLAlchemy believes a transaction to be under way: it begins and ends none itself,
    since the drivers are told by us, at a tenth of the cost."""
    connection = engine.connect()
    connection.begin()
    return connection


@contextmanager
def _translating() -> Iterator[None]:
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise translate_error(error) from error


def _roll_back(connection: Connection) -> None:
    """Roll back whatever is open; a connection that cannot even do that is thrown away."""
    if connection.invalidated:
        return
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.rollback()
    except connection.dialect.loaded_dbapi.Error:
        connection.invalidate()


def _rows_changed(connection: Connection) -> int:
    """Return how many rows SQLite's *connection* has changed so far. The one that writes cannot be opened for reading
    only, as those are that do nothing else."""
    driver: Any = connection.connection.dbapi_connection
    return int(driver.total_changes)


def parse_url(url: str) -> URL:
    """Return the address of a database of ours, with the driver we use. Raises DatabaseUnusable."""
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise DatabaseUnusable("the database url cannot be read; use sqlite:///path or postgresql://...") from error
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        raise DatabaseUnusable(f"no such database as {parsed.get_backend_name()}: use sqlite or postgresql")
    return parsed


def _with_patience(url: URL) -> URL:
    """Return an address with what it does not say of `PATIENCE`."""
    if url.get_backend_name() != "postgresql":
        return url
    return url.update_query_dict({name: value for name, value in PATIENCE.items() if name not in url.query})


def name_database(url: str) -> str:
    """Return how messages name the database at *url*: without a password. Raises DatabaseUnusable."""
    parsed = parse_url(url)
    return parsed.set(drivername=parsed.get_backend_name()).render_as_string()

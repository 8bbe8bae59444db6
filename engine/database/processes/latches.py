"""Latches: locks by name that every process on one PostgreSQL database sees, and that end with who holds them.

They are PostgreSQL's advisory locks of one session (PostgreSQL docs: explicit locking), so whoever dies lets go of
them at once. The session needs a connection of its own: a pooler that hands out connections by the transaction
(PgBouncer's `transaction` mode) would lose them.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from hashlib import blake2b
from typing import Any

import psycopg

from engine.database.sql.connection import Database
from engine.errors import Unreachable

CONNECT_SECONDS = 10


class Latches:
    """
    The latches of one process. Safe to use from several threads; whoever takes a name twice must let go twice.

    Args:
        database: on PostgreSQL.
        space: keeps the names of one use apart from those of another.
    """

    def __init__(self, database: Database, *, space: str) -> None:
        assert database.dialect == "postgresql", "only PostgreSQL has locks that end with a session"
        self._address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._space = space
        self._lock = threading.Lock()
        self._session: psycopg.Connection[Any] | None = None

    def try_take(self, name: str) -> bool:
        """Take *name* unless another process holds it. Raises Unreachable."""
        return self._ask("SELECT pg_try_advisory_lock(%s)", name)

    def give_back(self, name: str) -> None:
        """Let go of *name*. A session that was lost has let go already."""
        with suppress(Unreachable):
            self._ask("SELECT pg_advisory_unlock(%s)", name)

    def close(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._drop()

    def _ask(self, question: str, name: str) -> bool:
        digest = blake2b(f"{self._space}:{name}".encode(), digest_size=8).digest()
        with self._lock:
            try:
                if self._session is None:
                    self._session = psycopg.connect(self._address, autocommit=True, connect_timeout=CONNECT_SECONDS)
                row = self._session.execute(question, (int.from_bytes(digest, signed=True),)).fetchone()
            except psycopg.Error as error:
                self._drop()
                raise Unreachable(f"the database: {error}") from error
        return bool(row and row[0])

    def _drop(self) -> None:
        if self._session is not None:
            with suppress(psycopg.Error):
                self._session.close()
            self._session = None

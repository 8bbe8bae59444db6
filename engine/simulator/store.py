"""
Where the tenant's documents live: nowhere (memory), or a small SQLite file that survives kill -9.

A document is written when its owner marks it dirty and the request or step that changed it ends: one transaction per
request, committed before the answer leaves. WAL with synchronous=NORMAL loses nothing when the process dies (SQLite
docs: "PRAGMA synchronous"); only a power cut may lose the last transactions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec


class Store(Protocol):
    """Key to document; `put` and `drop` take effect at `flush`."""

    def put(self, key: str, document: Any) -> None: ...
    def drop(self, key: str) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None: ...
    def load(self, prefix: str) -> Iterator[bytes]: ...


class StoreUnusable(Exception):
    """A file in which no tenant can be kept; the message names it and says why."""


class MemoryStore:
    """Keeps nothing: the live objects are the state."""

    def put(self, key: str, document: Any) -> None:
        """Do nothing."""

    def drop(self, key: str) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def load(self, prefix: str) -> Iterator[bytes]:
        """Yield nothing."""
        return iter(())


class SqliteStore:
    """One table of JSON documents."""

    def __init__(self, path: str | Path) -> None:
        try:
            self._connection = _open(Path(path))
        except (OSError, sqlite3.Error) as error:
            raise StoreUnusable(f"{path}: {error}") from error
        self._dirty: dict[str, Any] = {}
        self._encode = msgspec.json.Encoder().encode

    def put(self, key: str, document: Any) -> None:
        """Mark the document at *key* as changed; it is encoded as it stands at the next flush."""
        self._dirty[key] = document

    def drop(self, key: str) -> None:
        """Mark the document at *key* as gone."""
        self._dirty[key] = None

    def flush(self) -> None:
        """Write everything marked, in one transaction."""
        if not self._dirty:
            return
        written = [(key, self._encode(body)) for key, body in self._dirty.items() if body is not None]
        gone = [(key,) for key, body in self._dirty.items() if body is None]
        self._dirty.clear()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT OR REPLACE INTO document VALUES (?, ?)", written)
        self._connection.executemany("DELETE FROM document WHERE key = ?", gone)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Flush and close the file."""
        self.flush()
        self._connection.close()

    def load(self, prefix: str) -> Iterator[bytes]:
        """Yield the documents whose key begins with *prefix* and a slash."""
        rows = self._connection.execute(
            "SELECT body FROM document WHERE key >= ? AND key < ?", (f"{prefix}/", f"{prefix}0")
        )
        return (row[0] for row in rows.fetchall())


def open_store(path: str | Path | None) -> Store:
    """Return the store for *path*, or one that keeps nothing."""
    return MemoryStore() if path is None else SqliteStore(path)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS document (key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID")
    except sqlite3.Error:
        connection.close()
        raise
    return connection

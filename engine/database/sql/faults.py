"""What the two database drivers throw, in the engine's words: the only place that says so."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import exc

from engine.errors import DatabaseUnusable, Occupied, Stale, Unreachable

OCCUPIED = "occupied"
"""What the guard's message contains on SQLite; PostgreSQL tells by its code."""

_SQLITE_LATER = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL", "SQLITE_INTERRUPT")
_SQLITE_UNUSABLE = (
    "SQLITE_READONLY",
    "SQLITE_FULL",
    "SQLITE_NOTADB",
    "SQLITE_CORRUPT",
    "SQLITE_CANTOPEN",
    "SQLITE_IOERR",
    "SQLITE_PERM",
)
_SQLITE_TWICE = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")

_POSTGRES_LATER = ("08", "40", "53", "55P03", "57")
"""Connection, rollback (deadlock, serialisation), resources, lock timeout, operator (SQLSTATE)."""
_POSTGRES_UNUSABLE = ("25006", "28", "3D000", "53100", "58")
"""Read-only, not let in, no such database, disk full, system error."""
_POSTGRES_SHARED = ("26000", "42P05")
"""A prepared statement is missing, or there already: the session is not ours alone."""
_POSTGRES_REFUSED_AT_THE_DOOR = (
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "unsupported startup parameter",  # PgBouncer's
)
"""A refused connection carries no SQLSTATE, only libpq's sentence."""


def translate_error(error: exc.SQLAlchemyError) -> Exception:
    """
    Return what *error* means to the engine.

    Returns:
        `Unreachable` when trying again may help, `DatabaseUnusable` when only a person can help, `Occupied`
        when the guard refused an overlap, `Stale` when somebody else inserted the same row first, and *error*
        itself for anything that is a mistake of ours.
    """
    if isinstance(error, exc.TimeoutError):
        return Unreachable(f"no free database connection: {error}")
    if not isinstance(error, exc.DBAPIError):
        return error
    original: Any = error.orig
    if isinstance(original, sqlite3.Error):
        return _translate_sqlite(error, original)
    return _translate_postgres(error, original)


def _translate_sqlite(error: exc.DBAPIError, original: sqlite3.Error) -> Exception:
    name: str = getattr(original, "sqlite_errorname", "") or ""
    if name.startswith(_SQLITE_LATER):
        return Unreachable(f"the database is busy, try again in a moment: {original}")
    if name.startswith(_SQLITE_UNUSABLE):
        return DatabaseUnusable(f"the database cannot be used: {original} ({name}); check file, rights, disk")
    if name == "SQLITE_CONSTRAINT_TRIGGER" and OCCUPIED in str(original):
        return Occupied(str(original))
    if name in _SQLITE_TWICE:
        return Stale(f"somebody wrote the same row first: {original}")
    return error


def _translate_postgres(error: exc.DBAPIError, original: Any) -> Exception:
    state: str = getattr(original, "sqlstate", None) or ""
    first_line = str(original).partition("\n")[0]
    if state == "23P01":
        return Occupied(f"{OCCUPIED}: {first_line}")
    if state == "23505":
        return Stale(f"somebody wrote the same row first: {first_line}")
    if state in _POSTGRES_SHARED:
        return DatabaseUnusable(
            f"a pooler hands out connections by the transaction, and locks belong to a session: {first_line}; "
            "see docs/scale.md"
        )
    refused = not state and any(words in str(original) for words in _POSTGRES_REFUSED_AT_THE_DOOR)
    if refused or state.startswith(_POSTGRES_UNUSABLE):
        return DatabaseUnusable(f"the database cannot be used: {first_line}")
    lost = error.connection_invalidated or (not state and isinstance(error, exc.OperationalError))
    if lost or state.startswith(_POSTGRES_LATER):
        return Unreachable(f"the database does not answer now: {first_line}")
    return error

"""What the drivers' errors mean to the engine: try again, look again, stop, or a mistake of ours."""

import sqlite3

import psycopg
import pytest
from sqlalchemy import exc

from engine.database.sql.faults import translate_error
from engine.errors import DatabaseUnusable, Occupied, Stale, Unreachable


def sqlite_error(name: str, text: str = "message") -> exc.DBAPIError:
    original = sqlite3.OperationalError(text)
    original.sqlite_errorname = name
    return exc.OperationalError("SELECT 1", {}, original)


def postgres_error(state: str, text: str = "message", *, lost: bool = False) -> exc.DBAPIError:
    found = psycopg.errors.lookup(state) if state else psycopg.OperationalError
    return exc.OperationalError("SELECT 1", {}, found(text), connection_invalidated=lost)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("SQLITE_BUSY", Unreachable),
        ("SQLITE_BUSY_RECOVERY", Unreachable),
        ("SQLITE_LOCKED_SHAREDCACHE", Unreachable),
        ("SQLITE_READONLY_DBMOVED", DatabaseUnusable),
        ("SQLITE_FULL", DatabaseUnusable),
        ("SQLITE_NOTADB", DatabaseUnusable),
        ("SQLITE_CORRUPT_INDEX", DatabaseUnusable),
        ("SQLITE_CANTOPEN", DatabaseUnusable),
        ("SQLITE_IOERR_FSYNC", DatabaseUnusable),
        ("SQLITE_CONSTRAINT_UNIQUE", Stale),
        ("SQLITE_CONSTRAINT_PRIMARYKEY", Stale),
        ("SQLITE_CONSTRAINT_FOREIGNKEY", exc.OperationalError),
        ("SQLITE_CONSTRAINT_TRIGGER", exc.OperationalError),
        ("SQLITE_ERROR", exc.OperationalError),
    ],
)
def test_sqlite(name: str, meaning: type[Exception]) -> None:
    """By its extended code; what is a mistake of ours stays what it is, so that it is seen."""
    assert type(translate_error(sqlite_error(name))) is meaning


def test_the_trigger_of_the_guard() -> None:
    """Only the guard's own words mean an occupied item."""
    assert type(translate_error(sqlite_error("SQLITE_CONSTRAINT_TRIGGER", "occupied: x"))) is Occupied


@pytest.mark.parametrize(
    ("state", "meaning"),
    [
        ("08006", Unreachable),
        ("40001", Unreachable),
        ("40P01", Unreachable),
        ("53300", Unreachable),
        ("55P03", Unreachable),
        ("57014", Unreachable),
        ("57P01", Unreachable),
        ("25006", DatabaseUnusable),
        ("26000", DatabaseUnusable),
        ("42P05", DatabaseUnusable),
        ("28P01", DatabaseUnusable),
        ("3D000", DatabaseUnusable),
        ("53100", DatabaseUnusable),
        ("58030", DatabaseUnusable),
        ("23P01", Occupied),
        ("23505", Stale),
        ("23503", exc.OperationalError),
        ("42P01", exc.OperationalError),
    ],
)
def test_postgresql(state: str, meaning: type[Exception]) -> None:
    """By its SQLSTATE."""
    assert type(translate_error(postgres_error(state))) is meaning


def test_a_connection_that_cannot_be_made() -> None:
    """No SQLSTATE yet: who is not let in must be told, who finds nobody at home may come back."""
    refused = postgres_error("", 'FATAL: password authentication failed for user "x"')

    assert type(translate_error(refused)) is DatabaseUnusable
    pooler = postgres_error("", "FATAL:  unsupported startup parameter: options")
    assert type(translate_error(pooler)) is DatabaseUnusable
    assert type(translate_error(postgres_error("", "Connection refused"))) is Unreachable
    assert type(translate_error(postgres_error("", "gone", lost=True))) is Unreachable
    assert type(translate_error(exc.TimeoutError("QueuePool limit"))) is Unreachable


def test_a_mistake_of_ours() -> None:
    """It is handed on as it is."""
    error = exc.ArgumentError("x")

    assert translate_error(error) is error

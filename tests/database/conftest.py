"""A migrated database of either kind, and a building in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.database.migrations import migrate
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from tests.database.building import Building, StandingClock
from tests.postgres import Postgres
from tests.templates import put_database

EMPTY_ALL = (
    "".join(f'DELETE FROM "{table.name}";' for table in reversed(metadata.sorted_tables))
    + """
DO $$ DECLARE counter text; BEGIN
    FOR counter IN SELECT quote_ident(sequencename) FROM pg_sequences WHERE last_value IS NOT NULL LOOP
        EXECUTE 'ALTER SEQUENCE ' || counter || ' RESTART';
    END LOOP;
END $$"""
)
"""Empties every table of PostgreSQL, and numbers begin anew. TRUNCATE does it with ten times the work: it makes new
files for each table and index, when hardly any holds a row."""


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(scope="session")
def migrated_postgresql_url(postgres: Postgres) -> Iterator[str]:
    """A PostgreSQL database with all tables, emptied before each test."""
    with postgres.database() as url:
        _migrate(url)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a migrated, empty database."""
    if request.param == "sqlite":
        return put_database(tmp_path / "accord.db")
    url: str = request.getfixturevalue("migrated_postgresql_url")
    database = Database(url)
    with database.write() as transaction:
        transaction.connection.exec_driver_sql(EMPTY_ALL)
    database.close()
    return url


@pytest.fixture
def database(migrated_url: str, clock: StandingClock) -> Iterator[Database]:
    """A database with all its tables, on a clock that stands still."""
    database = Database(migrated_url, clock=clock, durability="normal")
    yield database
    database.close()


@pytest.fixture
def fresh_database(database_url: str) -> Iterator[Database]:
    """A database of its own, migrated just now: for tests that spoil its schema."""
    database = Database(database_url)
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def building(database: Database, clock: StandingClock) -> Building:
    return Building(database, clock)


def _migrate(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()

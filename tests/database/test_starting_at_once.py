"""What processes that start at the same moment write at their first start: one finds the other's row, not an error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from engine.database.rooms.book import RoomCache
from engine.database.rooms.directory import FOLLOWED_ZONE, RoomDirectory, setting_table
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.database.sql.upserts import upsert
from engine.database.work.jobs import JobBook, save_job
from tests.database.building import MONDAY, rows

HEAD_START = 0.2
PATIENCE = 30.0


@pytest.fixture
def other(migrated_url: str) -> Iterator[Database]:
    """The same database, as another process opens it."""
    database = Database(migrated_url, durability="normal")
    yield database
    database.close()


def write_at_once(database: Database, first: Callable[[Transaction], None], other: Callable[[], None]) -> None:
    """Let *other* begin when *first* has written and not yet committed; raises what it raises."""
    failed: list[Exception] = []

    def try_it() -> None:
        try:
            other()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=try_it)
    with database.write() as transaction:
        first(transaction)
        thread.start()
        thread.join(HEAD_START)
    thread.join(PATIENCE)
    assert not thread.is_alive()
    for error in failed:
        raise error


def test_a_timed_job_is_told_of(database: Database, other: Database) -> None:
    write_at_once(
        database,
        lambda transaction: save_job(transaction, "import_rooms", {"next_at": MONDAY}),
        lambda: JobBook(other).save("import_rooms", MONDAY, None, None),
    )
    assert [job.name for job in JobBook(database).load_jobs()] == ["import_rooms"]


def test_the_default_zone_is_followed(database: Database, other: Database) -> None:
    row = {"value": {"value": "UTC"}, "changed_at": MONDAY, "changed_by": "engine"}
    write_at_once(
        database,
        lambda transaction: upsert(transaction, setting_table, {"key": FOLLOWED_ZONE}, row),
        RoomDirectory(other, RoomCache(other, time_zone="Europe/Paris")).follow_default_zone,
    )
    assert [each.value for each in rows(database, "setting")] == [{"value": "Europe/Paris"}]

"""Locks that every process on one PostgreSQL database sees, and who waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from engine.database.processes.latches import Latches
from engine.database.sql.connection import Database
from engine.errors import Unreachable
from engine.worker.locks import SharedLocks


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    database = Database(postgresql_url)
    yield database
    database.close()


@pytest.fixture
def ours(database: Database) -> Iterator[Latches]:
    latches = Latches(database, space="mailbox")
    yield latches
    latches.close()


@pytest.fixture
def theirs(database: Database) -> Iterator[Latches]:
    latches = Latches(database, space="mailbox")
    yield latches
    latches.close()


class TestANameHasOneHolder:
    def test_until_it_lets_go(self, ours: Latches, theirs: Latches) -> None:
        assert ours.try_take("amelie")
        assert not theirs.try_take("amelie")
        assert theirs.try_take("wei")
        ours.give_back("amelie")
        assert theirs.try_take("amelie")

    def test_until_it_dies(self, ours: Latches, theirs: Latches) -> None:
        """What the holder of a session leaves behind is free when the session ends, however it ends."""
        assert theirs.try_take("amelie")
        theirs.close()
        assert ours.try_take("amelie")

    def test_names_of_another_use_are_other_names(self, database: Database, ours: Latches) -> None:
        other = Latches(database, space="something else")
        assert ours.try_take("amelie")
        assert other.try_take("amelie")
        other.close()

    def test_a_session_that_was_cut_is_opened_anew(self, database: Database, ours: Latches) -> None:
        """The loss is told once, as something that passes; the next question opens another session."""
        assert ours.try_take("amelie")
        address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())"
            )

        with pytest.raises(Unreachable):
            ours.try_take("wei")
        assert ours.try_take("wei")


class TestWritersOfOneMailbox:
    def test_in_two_processes_never_write_at_once(self, ours: Latches, theirs: Latches) -> None:
        """Each waits its turn; nobody is inside while somebody else is."""
        inside, most = 0, 0

        async def write(locks: SharedLocks) -> None:
            nonlocal inside, most
            async with locks.holding("amelie"):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        async def write_all() -> None:
            here, there = SharedLocks(ours), SharedLocks(theirs)
            await asyncio.gather(*(write(locks) for locks in (here, there, here, there)))

        asyncio.run(write_all())

        assert most == 1

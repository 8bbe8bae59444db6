"""Workers on one PostgreSQL database that show each other that they live, and take over the keys of those that died."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from engine.database.migrations import migrate
from engine.database.processes.presence import SHOWN, Presence
from engine.database.processes.wakeups import Listener
from engine.database.sql.connection import Database
from engine.database.work.queue import WorkQueue
from tests.database.building import rows
from tests.database.processes import claim_and_fall, start

SECONDS_MAX = 60


@pytest.fixture
def database(postgresql_url: str) -> Iterator[Database]:
    database = Database(postgresql_url)
    migrate(database)
    with database.write() as transaction:
        transaction.mark("loan", "1")
    yield database
    database.close()


@pytest.fixture
def connect(database: Database) -> Iterator[Callable[[], psycopg.Connection[Any]]]:
    """Opens sessions, as a listener does."""
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    opened: list[psycopg.Connection[Any]] = []

    def connect() -> psycopg.Connection[Any]:
        opened.append(psycopg.connect(address, autocommit=True))
        return opened[-1]

    yield connect
    for session in opened:
        session.close()


Connect = Callable[[], psycopg.Connection[Any]]


class Worker:
    """A worker that shows itself in a session of its own."""

    def __init__(self, database: Database, connect: Connect, name: str) -> None:
        self.queue = WorkQueue(database, owner=name)
        self.presence = Presence(self.queue)
        self._connect = connect
        self.session = connect()
        self.presence.begin(self.session)

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self.presence.look(self.session)

    def die(self) -> None:
        """End the session as a death does, and wait until the server knows."""
        pid = self.session.info.backend_pid
        self.session.close()
        witness = self._connect()
        while witness.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
            time.sleep(0.01)


@pytest.fixture
def ours(database: Database, connect: Connect) -> Worker:
    return Worker(database, connect, "ours")


@pytest.fixture
def theirs(database: Database, connect: Connect) -> Worker:
    theirs = Worker(database, connect, "theirs")
    assert theirs.queue.claim(1)
    return theirs


class TestAWorkerThatShowsItself:
    def test_says_so_in_its_name(self, ours: Worker) -> None:
        assert ours.queue.owner == f"{SHOWN}ours"

    def test_keeps_its_keys_while_it_lives(self, ours: Worker, theirs: Worker) -> None:
        ours.look(3)

        assert ours.queue.claim(1) == []

    def test_that_is_missed_twice_has_died(self, ours: Worker, theirs: Worker) -> None:
        """Its keys are free at once, and what it was at counts as failed."""
        theirs.die()
        ours.look(1)
        assert ours.queue.claim(1) == []

        ours.look(1)

        assert [(claim.key, claim.fence, claim.attempts) for claim in ours.queue.claim(1)] == [("1", 2, 1)]

    def test_that_lost_its_session_and_has_another_lives(self, ours: Worker, theirs: Worker, connect: Connect) -> None:
        theirs.die()
        ours.look(1)
        theirs.presence.go_on(connect())

        ours.look(3)

        assert ours.queue.claim(1) == []

    def test_shows_itself_anew_once_the_server_gave_up_a_session_that_it_lost(
        self, ours: Worker, theirs: Worker, connect: Connect
    ) -> None:
        """Till then that one holds the lock, which nobody else can take."""
        another = connect()
        theirs.presence.go_on(another)
        theirs.die()

        theirs.presence.look(another)
        ours.look(3)

        assert ours.queue.claim(1) == []


def test_of_one_that_shows_nothing_only_time_tells(database: Database, ours: Worker) -> None:
    """It could take no lock, or is of an older version."""
    assert WorkQueue(database, owner="older").claim(1)

    ours.look(3)

    assert ours.queue.claim(1) == []


class TestAProcess:
    def test_that_is_killed_is_stood_in_for_long_before_its_leases_end(
        self, database: Database, postgresql_url: str
    ) -> None:
        victim = start(claim_and_fall, postgresql_url, signal.SIGKILL)
        victim.join(SECONDS_MAX)
        assert [row.lease_owner for row in rows(database, "work")] == [f"{SHOWN}victim"]
        queue = WorkQueue(database, owner="heir", lease_seconds=3600)
        listener = Listener(database, lambda: None, Presence(queue))
        listener.start()

        end = time.monotonic() + SECONDS_MAX / 2
        while not (claims := queue.claim(1)) and time.monotonic() < end:
            time.sleep(0.05)

        listener.close()
        assert [(claim.key, claim.fence) for claim in claims] == [("1", 2)]

    def test_that_only_sleeps_is_waited_for(self, database: Database, postgresql_url: str, ours: Worker) -> None:
        """It may wake up in the middle of a request."""
        victim = start(claim_and_fall, postgresql_url, signal.SIGSTOP)
        while not any(row.lease_owner for row in rows(database, "work")):
            time.sleep(0.05)

        ours.look(3)

        assert ours.queue.claim(1) == []
        assert victim.pid is not None
        os.kill(victim.pid, signal.SIGKILL)
        victim.join(SECONDS_MAX)

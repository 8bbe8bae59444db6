"""Who is the only worker of a SQLite file, and what becomes of a dead one's keys."""

from __future__ import annotations

from pathlib import Path

from engine.clock import utc_now
from engine.database.migrations import migrate
from engine.database.processes.sole import SoleWorker
from engine.database.sql.connection import Database
from engine.database.work.queue import WorkQueue


def open_database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/accord.db", clock=utc_now)
    migrate(database)
    return database


class TestOneFileTwoProcesses:
    def test_only_the_first_is_the_worker(self, tmp_path: Path) -> None:
        """Two locks on one file: the second is told that somebody works there already, until the first is gone."""
        database = open_database(tmp_path)
        first = SoleWorker(database)

        assert first.is_sole
        assert not SoleWorker(database).is_sole
        assert (first.is_taken, SoleWorker(database).is_taken) == (False, True)
        first.close()
        third = SoleWorker(database)
        assert third.is_sole
        third.close()
        database.close()


class TestADeadWorkersKeys:
    def test_go_on_at_once(self, tmp_path: Path) -> None:
        """A key leased to a process that died is claimed again as soon as it is certain that nobody else works."""
        database = open_database(tmp_path)
        with database.write() as transaction:
            transaction.mark("loan", "1")
        (lost,) = WorkQueue(database, owner="dead").claim(5)
        queue = WorkQueue(database, owner="alive")
        assert queue.claim(5) == []

        queue.release_others()

        (claim,) = queue.claim(5)
        assert (claim.kind, claim.key) == ("loan", "1")
        assert claim.fence > lost.fence
        database.close()

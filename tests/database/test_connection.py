"""Transactions: what commits, what is rolled back, and what a failing database means to the engine."""

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from engine.database.migrations import migrate
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.errors import DatabaseUnusable, EngineError, Stale, Unreachable
from tests.database.building import StandingClock, insert, marked, rows
from tests.database.processes import hold_write_lock, start


class TestATransaction:
    def test_commits_at_its_end(self, database: Database) -> None:
        """What was written is there once the block is left."""
        insert(database, "job", name="nightly")

        assert [row.name for row in rows(database, "job")] == ["nightly"]

    def test_is_rolled_back_by_any_exception(self, database: Database) -> None:
        """Rows, marks and callbacks: nothing is left of a transaction that failed."""
        told: list[str] = []

        def fail_in_the_midst() -> None:
            with database.write() as transaction:
                transaction.mark("loan", "1")
                transaction.after_commit(lambda: told.append("committed"))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_in_the_midst()

        assert (rows(database, "work"), told) == ([], [])

    def test_calls_back_after_the_commit(self, database: Database) -> None:
        """A callback sees what the transaction wrote, and its failure does not undo it."""
        seen: list[int] = []

        with database.write() as transaction:
            transaction.after_commit(lambda: 1 // 0)
            transaction.after_commit(lambda: seen.append(len(rows(database, "work"))))
            transaction.mark("loan", "1")

        assert seen == [1]

    def test_reads_the_clock_once(self, database: Database, clock: StandingClock) -> None:
        """All of a transaction happens at one instant."""
        with database.write() as transaction:
            before = transaction.now
            clock.advance(hours=1)

            assert transaction.now == before

    def test_is_not_opened_inside_another(self, database: Database) -> None:
        """On SQLite it would wait for itself for ever, so it is refused everywhere."""
        with database.write(), pytest.raises(RuntimeError, match="inside a transaction"), database.read():
            pass

    @pytest.mark.parametrize("elsewhere", [False, True])
    def test_that_reads_keeps_nothing_it_writes(self, database: Database, elsewhere: bool) -> None:
        """On whichever connection it runs: the thread of the passes reads on the one that writes."""

        def write_while_reading() -> None:
            with database.read() as transaction:
                transaction.connection.execute(metadata.tables["job"].insert().values(name="while reading"))

        def do() -> None:
            with pytest.raises(EngineError):
                write_while_reading()

        insert(database, "job", name="before")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(do).result() if elsewhere else do()

        assert [row.name for row in rows(database, "job")] == ["before"]

    def test_undoes_an_attempt_alone(self, database: Database) -> None:
        """What was refused inside `attempt` is undone; the rest of the transaction stands."""
        insert(database, "store", name="A", rules={}, approval=False)

        with database.write() as transaction:
            transaction.mark("loan", "1")
            with pytest.raises(Stale), transaction.attempt():
                transaction.connection.exec_driver_sql(
                    "INSERT INTO store (name, rules, approval) SELECT name, rules, approval FROM store"
                )

        assert marked(database) == {"loan:1"}

    def test_of_the_database_clock_is_utc_and_now(self, database_url: str) -> None:
        """Without a clock of ours the database's own is read: several machines share it."""
        database = Database(database_url)
        with database.read() as transaction:
            now = transaction.now
        database.close()

        assert now.utcoffset() is not None
        assert now.year >= 2025


class TestDurability:
    """What a commit waits for, as the database itself tells it."""

    ASKED = MappingProxyType({"sqlite": "PRAGMA synchronous", "postgresql": "SHOW synchronous_commit"})
    WAITS = MappingProxyType({"sqlite": 2, "postgresql": "on"})
    DOES_NOT_WAIT = MappingProxyType({"sqlite": 1, "postgresql": "off"})

    @pytest.fixture
    def database(self, migrated_url: str) -> Iterator[Database]:
        """A database that waits for the disk, whatever the test server was told."""
        options = "?options=-c%20synchronous_commit%3Don" if migrated_url.startswith("postgresql") else ""
        database = Database(migrated_url + options, durability="full")
        yield database
        database.close()

    def ask(self, database: Database, *, durable: bool) -> object:
        with database.write(durable=durable) as transaction:
            return transaction.connection.exec_driver_sql(self.ASKED[database.dialect]).scalar_one()

    def test_is_each_transactions_own(self, database: Database) -> None:
        """One that need not outlive a power cut changes nothing for those after it."""
        answers = [self.ask(database, durable=durable) for durable in (True, False, True)]

        waits, does_not = self.WAITS[database.dialect], self.DOES_NOT_WAIT[database.dialect]
        assert answers == [waits, does_not, waits]

    def test_is_full_again_after_a_failure(self, database: Database) -> None:
        """A transaction that was rolled back leaves no mark on the connection."""
        with pytest.raises(ZeroDivisionError), database.write(durable=False):
            raise ZeroDivisionError
        assert self.ask(database, durable=True) == self.WAITS[database.dialect]


class TestThreads:
    def test_write_one_after_the_other(self, database: Database) -> None:
        """Many threads write at once; none is told "locked", none is lost."""

        def write(number: int) -> None:
            for step in range(20):
                insert(database, "job", name=f"{number}/{step}")

        threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(rows(database, "job")) == 160

    def test_read_while_another_writes(self, database: Database) -> None:
        """A reader sees the last committed state, and does not wait for the writer."""
        seen: list[int] = []
        with database.write() as transaction:
            transaction.connection.exec_driver_sql("INSERT INTO job (name) VALUES ('a')")
            reader = threading.Thread(target=lambda: seen.append(len(rows(database, "job"))))
            reader.start()
            reader.join()

        assert seen == [0]


class TestInMemory:
    def test_threads_share_one_database(self) -> None:
        """`:memory:` is one database for all threads of the process, for simulated worlds."""
        database = Database("sqlite:///:memory:")
        migrate(database)

        thread = threading.Thread(target=insert, args=(database, "job"), kwargs={"name": "a"})
        thread.start()
        thread.join()

        assert len(rows(database, "job")) == 1
        database.close()


class TestAFailingDatabase:
    def test_that_another_process_holds_is_busy(self, sqlite_url: str, tmp_path: Path) -> None:
        """While another process holds the write lock, writing is "not now", reading goes on, and later all is well."""
        database = Database(sqlite_url, busy_seconds=0.05)
        migrate(database)
        context = multiprocessing.get_context("spawn")
        ready, finish = context.Event(), context.Event()
        holder = start(hold_write_lock, str(tmp_path / "accord.db"), ready, finish)
        assert ready.wait(30)

        with pytest.raises(Unreachable, match="busy"):
            insert(database, "job", name="a")
        assert rows(database, "job") == []

        finish.set()
        holder.join()
        insert(database, "job", name="a")
        assert len(rows(database, "job")) == 1
        database.close()

    def test_that_cannot_be_written_is_unusable(self, sqlite_url: str, tmp_path: Path) -> None:
        """A read-only file stops the engine, and the message says what to look at."""
        first = Database(sqlite_url)
        migrate(first)
        first.close()
        database = Database(f"sqlite:///file:{tmp_path / 'accord.db'}?mode=ro&uri=true")

        with pytest.raises(DatabaseUnusable, match="readonly"):
            insert(database, "job", name="a")
        database.close()

    @pytest.mark.parametrize("fate", ["removed", "replaced"])
    def test_whose_file_is_another_one_now_is_unusable(self, sqlite_url: str, tmp_path: Path, fate: str) -> None:
        """Nothing is written, or said to be, where nobody would find it again; a new start takes what lies there."""
        database, file = Database(sqlite_url), tmp_path / "accord.db"
        migrate(database)
        insert(database, "job", name="before")
        file.rename(tmp_path / "aside.db")
        if fate == "replaced":
            file.write_bytes(b"")

        with pytest.raises(DatabaseUnusable, match=f"{fate} .*while it was open"):
            insert(database, "job", name="lost")
        with pytest.raises(DatabaseUnusable, match=fate):
            database.data_version()

        (tmp_path / "aside.db").rename(file)
        insert(database, "job", name="after")
        assert {row.name for row in rows(database, "job")} == {"before", "after"}
        database.close()

    def test_that_is_no_database_is_unusable(self, sqlite_url: str, tmp_path: Path) -> None:
        """A file of something else is told apart from an empty one."""
        (tmp_path / "accord.db").write_bytes(b"something else entirely" * 100)

        with pytest.raises(DatabaseUnusable, match="not a database"):
            migrate(Database(sqlite_url))

    def test_whose_directory_cannot_be_made_is_unusable(self, tmp_path: Path) -> None:
        """Missing directories are made; where that is impossible the message names the directory."""
        (tmp_path / "file").write_text("")

        with pytest.raises(DatabaseUnusable, match="file"):
            Database(f"sqlite:///{tmp_path / 'file' / 'below' / 'accord.db'}")

    def test_of_another_kind_is_unusable(self) -> None:
        """Only SQLite and PostgreSQL are spoken."""
        with pytest.raises(DatabaseUnusable, match="sqlite or postgresql"):
            Database("mysql://somewhere/accord")

    def test_that_does_not_listen_is_unreachable(self) -> None:
        """A PostgreSQL that is not there may come back: try again."""
        database = Database("postgresql://nobody@127.0.0.1:1/accord")

        with pytest.raises(Unreachable):
            rows(database, "job")

    @pytest.mark.parametrize(("given", "idle"), [("", "30"), ("?keepalives_idle=7", "7")])
    def test_that_falls_silent_is_given_up_in_a_minute(self, postgresql_url: str, given: str, idle: str) -> None:
        """A machine that is gone, or a firewall that forgot, says nothing: the system would wait for hours."""
        database = Database(postgresql_url + given)

        with database.read() as transaction:
            driver: Any = transaction.connection.connection.dbapi_connection
            told = driver.info.get_parameters()
        database.close()

        assert told["keepalives_idle"] == idle
        assert (told["keepalives_interval"], told["keepalives_count"]) == ("10", "3")
        assert told["tcp_user_timeout"] == "30000"

    def test_that_drops_its_connections_is_reached_again(self, postgresql_url: str) -> None:
        """A transaction whose connection the server closed fails as "not now"; the next one succeeds."""
        database = Database(postgresql_url)
        migrate(database)

        with pytest.raises(Unreachable), database.write() as transaction:
            transaction.connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        insert(database, "job", name="a")

        assert len(rows(database, "job")) == 1
        database.close()

    @pytest.mark.parametrize("elsewhere", [False, True])
    def test_that_closed_what_rested_is_not_noticed(self, postgresql_url: str, elsewhere: bool) -> None:
        """A server that was started again meanwhile refuses nothing: what rested here is replaced, in any thread."""
        database, other = Database(postgresql_url), Database(postgresql_url)
        migrate(database)
        with ThreadPoolExecutor(1) as threads:
            insert(database, "job", name="a")
            threads.submit(insert, database, "job", name="b").result()
            with other.write() as transaction:
                transaction.connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid != pg_backend_pid()"
                )

            if elsewhere:
                threads.submit(insert, database, "job", name="c").result()
            else:
                insert(database, "job", name="c")

        assert len(rows(database, "job")) == 3
        database.close()
        other.close()


class TestTheFile:
    def test_is_kept_in_wal_with_full_syncs(self, tmp_path: Path) -> None:
        """Missing directories are made, and the file is one that survives a power cut by default."""
        database = Database(f"sqlite:///{tmp_path / 'new' / 'accord.db'}")
        migrate(database)

        with database.write() as transaction:
            synchronous = transaction.connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
            foreign_keys = transaction.connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one()
        database.close()

        mode = sqlite3.connect(tmp_path / "new" / "accord.db")
        assert mode.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        mode.close()
        assert (synchronous, foreign_keys) == (2, 1)

"""Coming to the present schema: from nothing, twice at once, from a future one, and with the guards in place."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.engine.interfaces import ReflectedIndex
from sqlalchemy.exc import IntegrityError

from engine.database import migrations
from engine.database.loans.guards import ensure_guards
from engine.database.migrations import HEAD, migrate, upgrade
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.errors import DatabaseUnusable, Occupied, Unreachable
from tests.database.building import MONDAY, insert, rows
from tests.database.processes import migrate_it, run_all
from tests.database.test_guards import hold


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return config


def _grown(database_url: str, revision: str, statements: Iterable[str]) -> Database:
    """Open a database as it was at an earlier revision, with rows of that time."""
    database, config = Database(database_url), _config()
    with database.change_schema() as transaction:
        config.attributes["connection"] = transaction.connection
        command.upgrade(config, revision)
        for statement in statements:
            transaction.connection.exec_driver_sql(statement)
    return database


def _drop_all(connection: Connection) -> None:
    metadata.drop_all(connection)
    connection.exec_driver_sql("DROP TABLE alembic_version")


def _shape(connection: Connection) -> dict[str, object]:
    """Everything about the tables but the order of their columns."""
    found = inspect(connection)
    shape: dict[str, object] = {
        name: (
            sorted(str({**column, "type": repr(column["type"])}) for column in found.get_columns(name)),
            str(found.get_pk_constraint(name)),
            sorted(map(_index, found.get_indexes(name))),
            sorted(map(str, found.get_foreign_keys(name))),
            sorted(map(str, found.get_unique_constraints(name))),
            sorted(map(str, found.get_check_constraints(name))),
        )
        for name in found.get_table_names()
    }
    if connection.dialect.name == "sqlite":
        counted = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY name"
        shape["counted"] = connection.exec_driver_sql(counted).scalars().all()
        shape["triggers"] = sorted(connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'trigger'"))
    return shape


_AT = "'2026-03-02 08:00:00+00:00'"
_REFUSED = (
    "INSERT INTO store (id, name, rules, approval, policy) VALUES (1, 'Desk', '{}', false, '{}')",
    "INSERT INTO person (id, address, address_folded, name) VALUES (1, 'alex@example.org', 'alex@example.org', 'Alex')",
    *(
        "INSERT INTO loan (number, status, home, person_id, start_at, end_at, store_id, title, notes, private, series,"
        f" version, created_at, changed_at) VALUES ({number}, 'new', 'app', 1, {_AT}, {_AT}, 1, '', '', false,"
        f" {series}, 1, {_AT}, {_AT})"
        for number, series in ((1, "'7'"), (2, "'7'"), (3, "'7'"), (4, "NULL"), (5, "NULL"))
    ),
    *(
        "INSERT INTO link (loan_number, generation, state, base) VALUES "
        f"({number}, {generation}, '{state}', '{{}}')"
        for number, generation, state in (
            (1, 1, "pending"), (2, 1, "ended"), (2, 2, "pending"), (3, 1, "pending"), (4, 1, "pending"),
            (5, 1, "pending"),
        )
    ),
    *(
        "INSERT INTO decision (at, code, facts, actor, loan_number) VALUES "
        f"({_AT}, 'write_refused', '{{}}', 'engine', {number})"
        for number in (1, 2, 3, 4)
    ),
    *(
        "INSERT INTO \"case\" (subject, code, facts, state, standing, opened_at, loan_number) VALUES "
        f"('loan:{number}', 'write_refused', '{{}}', 'open', false, {_AT}, {number})"
        for number in (1, 2, 4)
    ),
)  # fmt: skip
"""Rows as revision 0022 kept them."""

_BEING_WRITTEN = (
    "INSERT INTO series (id, zone, version, title, private) VALUES (1, 'UTC', 1, '', false)",
    *(
        "INSERT INTO series_write (series_id, kind, mailbox, payload, attempts, created_at)"
        f" VALUES (1, 'change', 'alex@example.org', '{{}}', {attempts}, {_AT})"
        for attempts in (0, 1, 3)
    ),
)
"""Rows as revision 0023 kept them."""

_NAMED_BY_NUMBER = ("person", "case", "decision", "series", "series_write", "intent", "feed", "session")
_NUMBERED = (
    "INSERT INTO store (id, name, rules, approval) VALUES (1, 'Desk', '{}', false)",
    "INSERT INTO person (id, address, address_folded, name) VALUES (1, 'alex@example.org', 'alex@example.org', 'Alex')",
    "INSERT INTO series (id, uid, zone, version, title, private) VALUES (7, 'uid', 'UTC', 3, 'Talk', true)",
    "INSERT INTO series_write (id, series_id, kind, mailbox, payload, is_begun, created_at)"
    f" VALUES (4, 7, 'change', 'alex@example.org', '{{}}', true, {_AT})",
    "INSERT INTO loan (number, status, home, person_id, start_at, end_at, store_id, title, notes, private, series,"
    " version, created_at, changed_at)"
    f" VALUES (1, 'new', 'app', 1, {_AT}, {_AT}, 1, '', '', false, '7', 1, {_AT}, {_AT})",
    "INSERT INTO intent (id, loan_number, generation, kind, mailbox, payload, base, loan_version, created_at)"
    f" VALUES (5, 1, 1, 'create', 'alex@example.org', '{{}}', '{{}}', 1, {_AT})",
    'INSERT INTO "case" (id, subject, code, facts, state, standing, opened_at, loan_number)'
    f" VALUES (6, 'loan:1', 'write_refused', '{{\"error\": \"no\"}}', 'open', false, {_AT}, 1)",
    "INSERT INTO feed (id, kind, address, language, digest, created_at, created_by)"
    f" VALUES (3, 'person', 'alex@example.org', 'fr', 'abc', {_AT}, 'app:alex')",
    "INSERT INTO session (id, digest, name, address, address_folded, role, provider, agent, created_at, seen_at)"
    f" VALUES (2, 'abc', 'Alex', 'alex@example.org', 'alex@example.org', 'staff', 'test', '', {_AT}, {_AT})",
    *(
        "INSERT INTO decision (id, at, code, facts, actor, loan_number)"
        f" VALUES ({number}, {_AT}, 'x', '{{}}', 'engine', 1)"
        for number in (8, 9)
    ),
)
"""A row of each table whose numbers are remembered, as revision 0026 kept them."""


def _index(index: ReflectedIndex) -> str:
    options = {name: str(option) for name, option in index.get("dialect_options", {}).items()}
    return str({**index, "dialect_options": options})


class TestMigrating:
    def test_is_done_once(self, database_url: str) -> None:
        """The first start makes the tables, the second finds nothing to do."""
        database = Database(database_url)

        assert [migrate(database), migrate(database)] == [True, False]
        database.close()

    def test_ends_where_the_models_are(self, database_url: str) -> None:
        """Autogenerate finds no difference between a database that went through all revisions and the tables the code
        declares."""
        database, config = Database(database_url), _config()

        with database.change_schema() as transaction:
            upgrade(transaction.connection, None)
            config.attributes["connection"] = transaction.connection
            command.check(config)
        database.close()

    def test_makes_the_tables_that_all_revisions_end_at(self, database_url: str) -> None:
        """A new database is made in one go, the same one: its columns, keys, indexes, conditions, defaults."""
        made, grown = Database(database_url), Database(database_url)
        migrate(made)
        with made.change_schema() as transaction:
            at_once = _shape(transaction.connection)
            _drop_all(transaction.connection)

        with grown.change_schema() as transaction:
            upgrade(transaction.connection, None)
            ensure_guards(transaction.connection)
            step_by_step = _shape(transaction.connection)

        assert at_once == step_by_step
        made.close()
        grown.close()

    def test_knows_which_events_outlook_refused(self, database_url: str) -> None:
        """Loans 1 to 3 are dates of a series that was refused, 2 once more by itself; 4 is a loan beside it, and 5 was
        never refused."""
        database = _grown(database_url, "0022", _REFUSED)

        assert migrate(database)

        assert {row.loan_number for row in rows(database, "link") if row.refused} == {1, 2, 3, 4}
        filed = [(row.subject, row.state, row.settlement) for row in rows(database, "case")]
        assert sorted(filed) == [
            ("loan:2", "closed", "cause_gone"),
            ("loan:4", "open", None),
            ("series:7", "open", None),
        ]
        database.close()

    def test_knows_which_series_were_being_written(self, database_url: str) -> None:
        """What a write that was begun finds in Outlook may be its own doing, whichever version goes on with it."""
        database = _grown(database_url, "0023", _BEING_WRITTEN)

        assert migrate(database)

        assert [row.is_begun for row in rows(database, "series_write")] == [False, True, True]
        database.close()

    def test_gives_no_number_again(self, database_url: str) -> None:
        """Tables are made anew for it on SQLite: every row stays, and what points at them still does."""
        database = _grown(database_url, "0026", _NUMBERED)
        before = {name: rows(database, name) for name in _NAMED_BY_NUMBER}

        assert migrate(database)

        assert {name: rows(database, name) for name in _NAMED_BY_NUMBER} == before
        with database.change_schema() as transaction:
            assert ensure_guards(transaction.connection) is False
        with pytest.raises(IntegrityError), database.write() as transaction:
            transaction.connection.exec_driver_sql("DELETE FROM person WHERE id = 1")
        if database.dialect == "sqlite":  # numbers given by hand are not counted by a sequence
            with database.write() as transaction:
                transaction.connection.exec_driver_sql("DELETE FROM decision WHERE id = 9")
            insert(database, "decision", at=MONDAY, code="x", facts={}, actor="engine")
            assert [row.id for row in rows(database, "decision")] == [8, 10]
        database.close()

    def test_knows_its_newest_revision(self) -> None:
        """The revision written in the code is the newest script's."""
        assert ScriptDirectory.from_config(_config()).get_current_head() == HEAD

    @pytest.mark.slow
    def test_happens_once_when_two_processes_start(self, database_url: str) -> None:
        """Two processes that start on an empty database both find it ready."""
        run_all((migrate_it, (database_url,)), (migrate_it, (database_url,)))

        database = Database(database_url)
        assert migrate(database) is False
        assert len(rows(database, "loan")) == 0
        database.close()

    def test_tells_once_what_it_waits_for(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A database that does not answer may be starting: that is waited for, but not in silence."""
        monkeypatch.setattr(migrations, "PATIENCE_SECONDS", 0.0)
        monkeypatch.setattr(migrations, "WAIT_SECONDS", 0.2)
        database = Database("postgresql://nobody@127.0.0.1:1/nothing")

        with pytest.raises(Unreachable):
            migrate(database)

        assert len([line for line in caplog.messages if "cannot be used yet" in line]) == 1
        database.close()

    def test_refuses_a_newer_schema(self, fresh_database: Database) -> None:
        """A database that a newer version has used is left alone, and the message says so."""
        with fresh_database.write() as transaction:
            transaction.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

        with pytest.raises(DatabaseUnusable, match="newer version"):
            migrate(fresh_database)

    def test_refuses_tables_that_are_not_ours(self, fresh_database: Database) -> None:
        """Tables of our names without a version are somebody else's."""
        with fresh_database.write() as transaction:
            transaction.connection.exec_driver_sql("DROP TABLE alembic_version")

        with pytest.raises(DatabaseUnusable, match="not ours"):
            migrate(fresh_database)

    def test_that_breaks_a_reference_is_undone(self, sqlite_url: str) -> None:
        """Foreign keys rest while tables are rebuilt: they are checked before the commit, and watched after."""
        database = Database(sqlite_url)
        migrate(database)

        with pytest.raises(DatabaseUnusable, match="point nowhere"), database.change_schema() as transaction:
            transaction.connection.exec_driver_sql("INSERT INTO person_alias VALUES ('a@example.org', 99)")

        assert rows(database, "person_alias") == []
        with database.write() as transaction:
            assert transaction.connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        database.close()


class TestTheGuards:
    def test_are_there_after_the_first_start(self, fresh_database: Database) -> None:
        """Nothing is left to do for them."""
        with fresh_database.write() as transaction:
            assert ensure_guards(transaction.connection) is False

    def test_come_back_after_a_rebuild_dropped_them(self, sqlite_url: str) -> None:
        """SQLite drops a table's triggers when the table is rebuilt; the next start puts them back."""
        database = Database(sqlite_url)
        migrate(database)
        with database.change_schema() as transaction:
            for statement in (
                "CREATE TABLE copy AS SELECT * FROM loan_item",
                "DROP TABLE loan_item",
                "ALTER TABLE copy RENAME TO loan_item",
            ):
                transaction.connection.exec_driver_sql(statement)

        assert migrate(database) is True

        hold(database, 1, 0, 4)
        with pytest.raises(Occupied):
            hold(database, 1, 3, 5)
        database.close()

    def test_that_differ_are_replaced(self, fresh_database: Database) -> None:
        """A guard of an older wording does not stay."""
        with fresh_database.write() as transaction:
            connection = transaction.connection
            if fresh_database.dialect == "postgresql":
                connection.exec_driver_sql("COMMENT ON CONSTRAINT guard_loan_item ON loan_item IS 'older'")
            else:
                connection.exec_driver_sql("DROP TRIGGER guard_loan_item_insert")
                connection.exec_driver_sql(
                    "CREATE TRIGGER guard_loan_item_insert BEFORE INSERT ON loan_item BEGIN SELECT 1; END"
                )

        assert migrate(fresh_database) is True
        assert migrate(fresh_database) is False

        insert(fresh_database, "store", id=1, name="s", rules={}, approval=False)

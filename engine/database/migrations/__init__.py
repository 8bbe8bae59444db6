"""Bringing a database to the present schema. Runs at every start; does nothing when there is nothing to do."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from sqlalchemy import Connection, and_, column, or_, select, table

from engine.database.loans.guards import SQLITE_TRIGGERS, ensure_guards
from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.errors import DatabaseUnusable, Unreachable

log = logging.getLogger(__name__)

HEAD = "0027"
"""The newest revision in `versions/`. Known here, so that a start with nothing to do need not load Alembic."""

WAIT_SECONDS = 120.0
"""How long to wait while another process migrates, or until a database that is just being started answers."""

PATIENCE_SECONDS = 2.0
"""After so long somebody is told what is waited for."""

RETRY_SECONDS = 0.05
"""Some locks of SQLite are refused at once, whatever one is ready to wait."""

_ADVISORY_LOCK = 7_266_003_115_021_440_101
"""Any number will do, as long as nothing else in the same PostgreSQL database uses it."""

_master = table("sqlite_master", column("type"), column("name"), column("sql"))
_SCHEMA = Prepared(
    select(_master.c.name, _master.c.sql).where(
        or_(_master.c.type == "trigger", and_(_master.c.type == "table", _master.c.name == "alembic_version"))
    )
)
_VERSION = Prepared(select(column("version_num")).select_from(table("alembic_version")))

_SCRIPTS = Path(__file__).parent


def migrate(database: Database) -> bool:
    """
    Bring *database* to the present schema, with its guards; return whether anything was done.

    One transaction: it happens as a whole or not at all, and a second process waits and then finds it done.

    Raises:
        DatabaseUnusable: the schema is newer than this program, or the tables are not ours.
        Unreachable: the database did not answer, or another process was migrating, for longer than `WAIT_SECONDS`.
    """
    if database.dialect == "sqlite" and _is_current(database):
        return False
    began, is_told = time.monotonic(), False
    while True:
        try:
            return _migrate_once(database)
        except Unreachable as error:
            waited = time.monotonic() - began
            if waited > WAIT_SECONDS:
                raise
            if waited >= PATIENCE_SECONDS and not is_told:
                log.warning("the database cannot be used yet, trying for %.0f seconds: %s", WAIT_SECONDS, error)
                is_told = True
            time.sleep(RETRY_SECONDS)


def _is_current(database: Database) -> bool:
    """Tell, without writing, whether there is nothing to do. An empty or foreign file says no."""
    with database.write() if database.in_memory else database.read() as transaction:
        connection = transaction.connection
        schema = {row.name: row.sql for row in _SCHEMA.run(connection)}
        if "alembic_version" not in schema or _VERSION.run(connection).scalars() != [HEAD]:
            return False
        return set(SQLITE_TRIGGERS.values()) <= set(schema.values())


def _migrate_once(database: Database) -> bool:
    with database.change_schema() as transaction:
        connection = transaction.connection
        if database.dialect == "postgresql":
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(WAIT_SECONDS)}s'")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        revision = _revision(connection)
        if revision is None:
            _create(connection)
        elif revision != HEAD:
            upgrade(connection, revision)
        return ensure_guards(connection) or revision != HEAD


def _revision(connection: Connection) -> str | None:
    """Return the revision the database is at; None for one without any tables of ours."""
    if not _has_table(connection, "alembic_version"):
        if _has_table(connection, "loan"):
            raise DatabaseUnusable("the database has tables of our names but no version: it is not ours; use another")
        return None
    found: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    return found


def _has_table(connection: Connection, name: str) -> bool:
    if connection.dialect.name == "postgresql":
        return connection.exec_driver_sql(f"SELECT to_regclass('{name}')").scalar_one() is not None
    found = connection.exec_driver_sql(f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{name}'")
    return found.first() is not None


def _create(connection: Connection) -> None:
    """Make all tables as they are by now, in an empty database: the way through every revision ends at the same ones
    and takes ten times as long, Alembic included."""
    metadata.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql(f"INSERT INTO alembic_version (version_num) VALUES ('{HEAD}')")


def upgrade(connection: Connection, revision: str | None) -> None:
    """Go through the revisions from *revision* on; None: from an empty database. Raises DatabaseUnusable."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseUnusable(
            f"the database is at schema {revision}, this program knows up to {HEAD}:"
            " it was used by a newer version; start that one, or restore a backup"
        )
    command.upgrade(config, "head")

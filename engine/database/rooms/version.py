"""The number that tells processes on one database whether the rooms, stores and things they keep in memory are still
those of the database."""

from __future__ import annotations

from sqlalchemy import literal, select
from sqlalchemy.dialects import postgresql, sqlite

from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata

_version = metadata.tables["version"]
ROOMS = "rooms"

_NUMBER = Prepared(select(_version.c.number).where(_version.c.name == literal(ROOMS)))


def read_version(transaction: Transaction) -> int:
    """Return the number; it is another one after each change that is committed."""
    row = _NUMBER.run(transaction.connection).one_or_none()
    return int(row.number) if row is not None else 0


def raise_version(transaction: Transaction) -> None:
    """Tell every process, with the commit, that rooms, stores or things have changed."""
    dialect = sqlite if transaction.connection.dialect.name == "sqlite" else postgresql
    made = dialect.insert(_version).values(name=ROOMS, number=1)
    raised = made.on_conflict_do_update(index_elements=["name"], set_={"number": _version.c.number + 1})
    transaction.connection.execute(raised)

"""What columns of JSON hold comes back as it was, on both databases."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import select

from engine.database.migrations import migrate
from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata

store = metadata.tables["store"]
ADD = Prepared(store.insert())
RULES = Prepared(select(store.c.rules))


@pytest.mark.parametrize(
    "value",
    [{}, {"a": [1, None, True, 1.5, -(10**18)]}, {"é": 'Amélie \N{GRINNING FACE} \\ " /'}, {"deep": {"er": [[{}]]}}],
)
def test_what_was_written_is_read(database: Database, value: dict[str, object]) -> None:
    with database.write() as transaction:
        ADD.run(transaction.connection, {"name": "S", "rules": value, "approval": False})
        prepared = RULES.run(transaction.connection).scalar_one()
        plain = transaction.connection.execute(select(store.c.rules)).scalar_one()
    assert prepared == plain == value
    assert repr(prepared) == repr(plain)


def test_half_of_a_letter_that_an_older_version_cut_is_read() -> None:
    half = {"title": "Tea \ud83d"}
    with closing(Database("sqlite:///:memory:")) as database:
        migrate(database)
        with database.write() as transaction:
            ADD.run(transaction.connection, {"name": "S", "rules": half, "approval": False})
            assert RULES.run(transaction.connection).scalar_one() == half

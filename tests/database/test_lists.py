"""Lists of any length as one parameter of a statement, on both databases."""

import pytest
from sqlalchemy import select, update

from engine.database.sql.connection import Database
from engine.database.sql.lists import is_any_of
from engine.database.sql.prepared import Prepared, line_of, run_directly
from engine.database.tables import metadata

work = metadata.tables["work"]

ADD_KEY = Prepared(work.insert())
FOUND = Prepared(select(work.c.key).where(work.c.kind == "room", is_any_of(work.c.key, "keys")).order_by(work.c.key))
CHANGE = Prepared(update(work).where(is_any_of(work.c.key, "keys")).values(priority=9))

OTHERS = Prepared(select(work.c.key).where(~is_any_of(work.c.key, "keys")).order_by(work.c.key))

ODD = ["", "1", "a'b", 'a"b', "a\\b", "{x,y}", "é", "Ω\n", "😀", "null", "%s", ":x"]


def add(database: Database, keys: list[str]) -> None:
    with database.write() as transaction:
        fixed = {"kind": "room", "priority": 1, "version": 1, "fence": 0, "attempts": 0}
        ADD_KEY.run(transaction.connection, [{**fixed, "key": key} for key in keys])


@pytest.mark.parametrize("count", [0, 1, 2, 1200])
def test_it_finds_what_is_in_the_list(database: Database, count: int) -> None:
    keys = [f"{number:04}" for number in range(1200)]
    add(database, keys)

    with database.read() as transaction:
        found = FOUND.run(transaction.connection, {"keys": ["missing", *keys[:count]]}).scalars()

    assert found == keys[:count]


def test_it_finds_what_is_not_in_the_list(database: Database) -> None:
    add(database, ["1", "2", "3"])

    with database.read() as transaction:
        assert OTHERS.run(transaction.connection, {"keys": ["1", "3", "4"]}).scalars() == ["2"]


def test_it_may_be_empty(database: Database) -> None:
    add(database, ["1", "2"])

    with database.write() as transaction:
        assert FOUND.run(transaction.connection, {"keys": []}).scalars() == []
        assert OTHERS.run(transaction.connection, {"keys": []}).scalars() == ["1", "2"]
        assert CHANGE.run(transaction.connection, {"keys": []}).rowcount == 0


def test_it_may_be_as_long_as_a_year_of_meetings(database: Database) -> None:
    """Longer than the parameters that either database takes."""
    add(database, ["00007", "40000"])

    with database.read() as transaction:
        found = FOUND.run(transaction.connection, {"keys": [f"{number:05}" for number in range(70_000)]}).scalars()

    assert found == ["00007", "40000"]


def test_it_takes_texts_as_they_are(database: Database) -> None:
    """Whatever quotes, backslashes and letters a list holds, and one that is held twice."""
    add(database, ODD)

    with database.read() as transaction:
        found = FOUND.run(transaction.connection, {"keys": ODD + ODD}).scalars()

    assert sorted(found) == sorted(ODD)


def test_it_changes_what_is_in_the_list(database: Database) -> None:
    add(database, ["1", "2", "3"])

    with database.write() as transaction:
        changed = CHANGE.run(transaction.connection, {"keys": ["1", "3", "4"]}).rowcount

    assert changed == 2


def test_it_finds_them_by_an_index(database: Database) -> None:
    """Each value by itself, instead of every row of the table."""
    add(database, [f"{number:04}" for number in range(1200)])

    with database.write() as transaction:
        connection, values = transaction.connection, {"keys": ["0001", "0002"]}
        plan = FOUND._plan(connection.dialect, values)
        run_directly(connection, "ANALYZE work")
        if plan.numbered is not None:
            rows, _ = line_of(connection).run(b"EXPLAIN " + plan.numbered, plan.bind(values))
        else:
            driver = connection.connection.dbapi_connection
            rows = driver.execute(f"EXPLAIN QUERY PLAN {plan.sql}", plan.bind(values)).fetchall()

    told = " ".join(str(row) for row in rows)
    assert any(each in told for each in ("key = ANY", "(key)::text = ANY", "key=?"))
    assert "Seq Scan" not in told

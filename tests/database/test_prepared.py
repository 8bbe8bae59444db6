"""Statements that the driver runs itself: the same rows, types and errors as SQLAlchemy's way, on both databases."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from threading import Event
from typing import Any

import pytest
from sqlalchemy import bindparam, exc, select, update
from sqlalchemy.dialects import sqlite

from engine.database.sql.connection import Database
from engine.database.sql.libpq import Line
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.errors import Occupied, OutcomeUnknown, Stale, Unreachable
from tests.database.building import BY, Building, hours, order, room
from tests.database.conftest import EMPTY_ALL

store, work, item = metadata.tables["store"], metadata.tables["work"], metadata.tables["loan_item"]

AT = datetime(2026, 11, 23, 9, 0, 0, 1500, tzinfo=UTC)

ADD_STORE = Prepared(store.insert())
ADD_STORE_FOR_ID = Prepared(store.insert().returning(store.c.id))
ADD_KEY = Prepared(work.insert())
STORES = Prepared(select(store).where(store.c.name.in_(bindparam("names", expanding=True))).order_by(store.c.name))
CHANGE_STORE = Prepared(update(store).where(store.c.name == bindparam("of_name")))


A_KEY = {"kind": "room", "key": "1", "priority": 2, "version": 7, "fence": 0, "attempts": 0}


def a_store(name: str, **values: object) -> dict[str, object]:
    return {"name": name, "rules": {}, "approval": False, **values}


def test_values_come_back_as_they_were_given(database: Database) -> None:
    with database.write() as transaction:
        ADD_STORE.run(transaction.connection, a_store("É", rules={"opens": ["08:00", None, 1.5]}, approval=True))
        (row,) = STORES.run(transaction.connection, {"names": ["É"]})
    assert (row.name, row.rules, row.approval, row.text_level) == ("É", {"opens": ["08:00", None, 1.5]}, True, None)


def test_a_row_is_what_sqlalchemy_would_have_read(database: Database) -> None:
    with database.write() as transaction:
        ADD_KEY.run(transaction.connection, {**A_KEY, "ready_at": AT, "last_error": "100 % of :it ?"})
        everything = select(work)
        (ours,) = Prepared(everything).run(transaction.connection)
        theirs = transaction.connection.execute(everything).one()
    assert ours._asdict() == theirs._asdict()
    assert ours.ready_at == AT
    assert ours.ready_at.utcoffset() == timedelta(0)


def test_an_instant_is_stored_in_utc_and_never_without_a_zone(database: Database) -> None:
    paris = timezone(timedelta(hours=1))
    with database.write() as transaction:
        ADD_KEY.run(transaction.connection, {**A_KEY, "ready_at": AT.astimezone(paris)})
        found = Prepared(select(work.c.ready_at)).run(transaction.connection).scalar_one()
        with pytest.raises(ValueError, match="without a zone"):
            ADD_KEY.run(transaction.connection, {**A_KEY, "key": "2", "ready_at": AT.replace(tzinfo=None)})
    assert found.isoformat() == AT.isoformat()


@pytest.mark.parametrize("microsecond", [0, 1, 500_000, 999_999])
@pytest.mark.parametrize("year", [1, 999, 2026, 9999])
def test_instants_sort_as_their_texts_do(year: int, microsecond: int) -> None:
    """SQLite compares texts: each has the same width, whatever its fraction."""
    to_text = Instant().bind_processor(sqlite.dialect())
    moment = datetime(year, 11, 23, 9, 5, 7, microsecond, tzinfo=UTC)

    assert to_text(moment) == moment.isoformat(timespec="microseconds")
    assert to_text(moment.astimezone(timezone(timedelta(hours=-3)))) == to_text(moment)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 9])
def test_a_list_of_any_length_finds_each_of_its_values_once(database: Database, count: int) -> None:
    names = [f"store {number}" for number in range(10)]
    with database.write() as transaction:
        ADD_STORE.run(transaction.connection, [a_store(name) for name in names])
        found = STORES.run(transaction.connection, {"names": names[:count]})
    assert [row.name for row in found] == names[:count]


def test_a_list_that_belongs_to_the_statement_is_kept(database: Database) -> None:
    fixed = Prepared(select(store.c.name).where(store.c.name.in_(["a", "b", "c"])).order_by(store.c.name))
    with database.write() as transaction:
        ADD_STORE.run(transaction.connection, [a_store(name) for name in "abd"])
        assert fixed.run(transaction.connection).scalars() == ["a", "b"]


def test_one_statement_writes_whichever_columns_are_given(database: Database) -> None:
    with database.write() as transaction:
        ADD_STORE.run(transaction.connection, a_store("old"))
        changed = CHANGE_STORE.run(transaction.connection, {"of_name": "old", "approval": True})
        assert changed.rowcount == 1
        CHANGE_STORE.run(transaction.connection, {"of_name": "old", "name": "new", "rules": {"a": 1}})
        assert CHANGE_STORE.run(transaction.connection, {"of_name": "old", "name": "x"}).rowcount == 0
        (row,) = STORES.run(transaction.connection, {"names": ["new"]})
    assert (row.approval, row.rules) == (True, {"a": 1})


def test_a_new_row_tells_its_id(database: Database) -> None:
    with database.write() as transaction:
        first = ADD_STORE_FOR_ID.run(transaction.connection, a_store("a")).scalar_one()
        second = ADD_STORE_FOR_ID.run(transaction.connection, a_store("b")).scalar_one()
        assert second == first + 1


def test_no_values_at_all_run_nothing(database: Database) -> None:
    with database.write() as transaction:
        assert ADD_STORE.run(transaction.connection, []).rowcount == 0
        assert STORES.run(transaction.connection, {"names": ["a"]}).first() is None


def test_one_row_means_exactly_one(database: Database) -> None:
    with database.write() as transaction:
        ADD_STORE.run(transaction.connection, [a_store("a"), a_store("b")])
        two = STORES.run(transaction.connection, {"names": ["a", "b"]})
        none = STORES.run(transaction.connection, {"names": ["c"]})
    assert none.one_or_none() is None
    for refused in (two.one, two.one_or_none, two.scalar_one, none.one, none.scalar_one):
        with pytest.raises(ValueError, match="one row was expected"):
            refused()


def test_a_row_that_is_there_already_is_told_as_stale(database: Database) -> None:
    with pytest.raises(Stale), database.write() as transaction:
        ADD_STORE.run(transaction.connection, [a_store("a"), a_store("a")])
    with database.read() as transaction:
        assert not STORES.run(transaction.connection, {"names": ["a"]}).all()


def test_what_the_guard_refuses_is_told_as_occupied(building: Building) -> None:
    held = building.desk.book(order(hours(1, 2), room(1)), actor=BY)
    other = building.desk.book(order(hours(1, 2), room(2)), actor=BY)
    move = Prepared(update(item).where(item.c.loan_number == bindparam("of_number")))
    with pytest.raises(Occupied), building.database.write() as transaction:
        move.run(transaction.connection, {"of_number": other.number, "bookable_id": 1})
    with building.database.read() as transaction:
        found = Prepared(select(item.c.loan_number).where(item.c.bookable_id == 1)).run(transaction.connection)
    assert found.scalars() == [held.number]


def test_a_mistake_of_ours_is_raised_as_it_is_and_undone(database: Database) -> None:
    with pytest.raises(exc.IntegrityError), database.write() as transaction:
        ADD_STORE.run(transaction.connection, [a_store("a"), a_store("b", approval=None)])
    with database.read() as transaction:
        assert not STORES.run(transaction.connection, {"names": ["a"]}).all()


@pytest.mark.parametrize("wrong", [0, 300, 599])
def test_one_row_of_many_that_is_refused_undoes_all(database: Database, wrong: int) -> None:
    rows = [a_store(f"store {number}", approval=None if number == wrong else False) for number in range(600)]
    with pytest.raises(exc.IntegrityError), database.write() as transaction:
        ADD_STORE.run(transaction.connection, rows)
    with database.write() as transaction:
        assert _names(transaction) == []
        assert ADD_STORE.run(transaction.connection, [row for row in rows if row["approval"] is False]).rowcount == 599


def test_what_is_run_again_and_again_finds_the_same(database: Database) -> None:
    """A statement is prepared on PostgreSQL by then, and what is undone meanwhile leaves it so."""
    for count in range(1, 8):
        with pytest.raises(Stale), database.write() as transaction:
            ADD_STORE.run(transaction.connection, [a_store(f"{count}"), a_store(f"{count}")])
        with database.write() as transaction:
            with pytest.raises(Stale), transaction.attempt():
                ADD_STORE.run(transaction.connection, [a_store("twice"), a_store("twice")])
            ADD_STORE.run(transaction.connection, a_store(f"store {count}", text_level=None if count % 2 else "full"))
            assert len(_names(transaction)) == count


def test_only_what_was_attempted_is_undone(database: Database) -> None:
    with database.write() as transaction:
        ADD_STORE.run(transaction.connection, a_store("a"))
        with pytest.raises(Stale), transaction.attempt():
            ADD_STORE.run(transaction.connection, a_store("a"))
        assert _names(transaction) == ["a"]


def test_a_connection_that_is_lost_is_told_as_unreachable_and_replaced(migrated_postgresql_url: str) -> None:
    database, other = Database(migrated_postgresql_url), Database(migrated_postgresql_url)
    with pytest.raises(Unreachable), database.write() as transaction:
        _write_without_connection(transaction, other)
    with database.read() as transaction:
        assert "lost" not in _names(transaction)
    database.close()
    other.close()


def _write_without_connection(transaction: Transaction, other: Database) -> None:
    backend = transaction.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
    with ThreadPoolExecutor() as pool:
        pool.submit(_end_backend, other, backend).result()
    ADD_STORE.run(transaction.connection, a_store("lost"))


@pytest.fixture
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[[], Database]]:
    """Opens an empty PostgreSQL database, as often as one asks."""
    url: str = request.getfixturevalue("migrated_postgresql_url")
    opened: list[Database] = []

    def open_one() -> Database:
        opened.append(Database(url))
        return opened[-1]

    with open_one().write() as transaction:
        transaction.connection.exec_driver_sql(EMPTY_ALL)
    yield open_one
    for database in opened:
        database.close()


NAMES = [f"row {number}" for number in range(600)]
ROWS = [a_store(name) for name in NAMES]
CHANGES = [{"of_name": name, "approval": True} for name in NAMES]


def test_other_threads_run_while_many_rows_wait_for_a_lock(connect: Callable[[], Database]) -> None:
    """One of them may hold that very lock: it lets go once it has seen that somebody waits."""
    database = connect()
    with database.write() as transaction:
        ADD_STORE.run(transaction.connection, ROWS)

    with _held_elsewhere(connect(), NAMES[300]), database.write() as transaction:
        changed = CHANGE_STORE.run(transaction.connection, CHANGES).rowcount

    assert changed == 600


@pytest.mark.parametrize("end", ["cancel", "terminate"])
def test_many_rows_whose_wait_is_ended_are_told_as_unreachable(connect: Callable[[], Database], end: str) -> None:
    """By a limit of the server's, or with the connection: nothing of them is kept, and the next ones are written."""
    database = connect()
    with database.write() as transaction:
        ADD_STORE.run(transaction.connection, ROWS)

    with _held_elsewhere(connect(), NAMES[300], ends_by=f"pg_{end}_backend(pid)"):  # noqa: SIM117
        with pytest.raises(Unreachable), database.write() as transaction:
            CHANGE_STORE.run(transaction.connection, CHANGES)

    with database.write() as transaction:
        assert not any(row.approval for row in STORES.run(transaction.connection, {"names": NAMES}))
        assert CHANGE_STORE.run(transaction.connection, CHANGES).rowcount == 600


def test_many_rows_that_are_broken_off_leave_a_connection_that_works(
    connect: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the process was told in the middle of them: the answers to come belong to no later statement."""
    database = connect()

    with monkeypatch.context() as broken:
        broken.setattr(Line, "_next_result", _break_off)
        with pytest.raises(KeyboardInterrupt), database.write() as transaction:
            ADD_STORE.run(transaction.connection, ROWS)

    with database.write() as transaction:
        assert _names(transaction) == []
        assert ADD_STORE.run(transaction.connection, ROWS).rowcount == 600


@pytest.mark.parametrize("marks", [False, True])
def test_a_commit_whose_answer_is_lost_may_have_been_done(connect: Callable[[], Database], marks: bool) -> None:
    database, other = connect(), connect()

    with pytest.raises(OutcomeUnknown), database.write() as transaction:
        _lose_connection_at_the_end(transaction, other, marks=marks)

    with database.write() as transaction:
        assert _names(transaction) == []


def _lose_connection_at_the_end(transaction: Transaction, other: Database, *, marks: bool) -> None:
    backend = transaction.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()

    def lose(_transaction: Transaction) -> None:
        with ThreadPoolExecutor() as pool:
            pool.submit(_end_backend, other, backend).result()

    ADD_STORE.run(transaction.connection, a_store("lost"))
    if marks:
        transaction.mark("room", "1")
    transaction.finish_key("room", "2", lose)  # behind the marks, just before the commit


def test_a_commit_after_a_failure_that_nobody_told_is_told(connect: Callable[[], Database]) -> None:
    """PostgreSQL answers it with ROLLBACK, as if that were well."""
    refused = pytest.raises(exc.InternalError, match="nothing of its transaction is kept")

    with refused, connect().write() as transaction, suppress(exc.IntegrityError):
        ADD_STORE.run(transaction.connection, [a_store("a"), a_store("b", approval=None)])


def test_a_session_that_several_share_runs_each_ones_own_statements(connect: Callable[[], Database]) -> None:
    """As behind a pooler that hands out connections by the transaction: what is prepared there is never mistaken."""
    with connect().read() as transaction:
        driver: Any = transaction.connection.connection.dbapi_connection
        first, second = Line(driver), Line(driver)

        for _ in range(3):
            assert first.run(b"SELECT $1::TEXT", ["a"]) == ([("a",)], 1)
            assert second.run(b"SELECT $1::TEXT || 'b'", ["a"]) == ([("ab",)], 1)


WAITING = "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@contextmanager
def _held_elsewhere(database: Database, name: str, *, ends_by: str | None = None) -> Iterator[None]:
    """Have another thread hold a row until somebody waits for it; it ends that one's wait before, if it is said how."""
    is_held, is_over = Event(), Event()

    def hold() -> None:
        with database.write() as transaction:
            CHANGE_STORE.run(transaction.connection, {"of_name": name, "text_level": "full"})
            is_held.set()
            while not transaction.connection.exec_driver_sql(f"SELECT pid {WAITING}").all() and not is_over.is_set():
                time.sleep(0.01)
            if ends_by is not None:
                transaction.connection.exec_driver_sql(f"SELECT {ends_by} {WAITING}")
                while transaction.connection.exec_driver_sql(f"SELECT pid {WAITING}").all():
                    time.sleep(0.01)

    with ThreadPoolExecutor(1) as threads:
        holding = threads.submit(hold)
        is_held.wait()
        try:
            yield
        finally:
            is_over.set()
        holding.result()


def _break_off(_line: Line) -> None:
    raise KeyboardInterrupt


def _end_backend(database: Database, backend: int) -> None:
    with database.write() as transaction:
        transaction.connection.exec_driver_sql(f"SELECT pg_terminate_backend({backend})")


def _names(transaction: Transaction) -> list[str]:
    return Prepared(select(store.c.name).order_by(store.c.name)).run(transaction.connection).scalars()

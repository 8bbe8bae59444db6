"""The guard: whatever writes, and however many at once, two held items never overlap."""

import threading
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

import pytest

from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.errors import Occupied
from tests.database.building import ALEX, MONDAY, Building, hours, insert, order, room, rows
from tests.database.processes import book_at_random, run_all


def hold(database: Database, item: int, start: int, end: int, *, loan: int | None = None, holds: bool = True) -> None:
    """Have a loan hold an item, in quarters of an hour from Monday; foreign keys aside, as only the guard is meant."""
    with database.change_schema() if database.dialect == "sqlite" else database.write() as transaction:
        connection = transaction.connection
        _make_parents(connection, item)
        number = (
            loan
            or connection.execute(
                metadata.tables["loan"]
                .insert()
                .values(
                    status="new",
                    home="app",
                    person_id=1,
                    start_at=MONDAY,
                    end_at=MONDAY + timedelta(hours=1),
                    store_id=1,
                    title="",
                    notes="",
                    private=False,
                    version=1,
                    created_at=MONDAY,
                    changed_at=MONDAY,
                )
                .returning(metadata.tables["loan"].c.number)
            ).scalar_one()
        )
        connection.execute(
            metadata.tables["loan_item"]
            .insert()
            .values(
                loan_number=number,
                bookable_id=item,
                kind="room",
                state="accepted",
                holds=holds,
                blocked_start=MONDAY + timedelta(minutes=15 * start),
                blocked_end=MONDAY + timedelta(minutes=15 * end),
            )
        )


def _make_parents(connection: object, item: int) -> None:
    run = connection.exec_driver_sql  # type: ignore[attr-defined]
    run(f"INSERT INTO bookable (id, kind) VALUES ({item}, 'room') ON CONFLICT DO NOTHING")
    run("INSERT INTO store (id, name, rules, approval) VALUES (1, 's', '{}', false) ON CONFLICT DO NOTHING")
    run("INSERT INTO person (id, address, address_folded, name) VALUES (1, 'a@b', 'a@b', 'A') ON CONFLICT DO NOTHING")


def overlaps(database: Database) -> list[tuple[int, int]]:
    """Return pairs of held rows that overlap: there must be none."""
    held = defaultdict(list)
    for row in rows(database, "loan_item"):
        if row.holds:
            held[row.bookable_id].append(row)
    found = []
    for stretch in held.values():
        stretch.sort(key=lambda row: row.blocked_start)
        found += [(a.id, b.id) for a, b in pairwise(stretch) if b.blocked_start < a.blocked_end]
    return found


class TestTwoLoansOfOneItem:
    @pytest.mark.parametrize(("start", "end"), [(0, 4), (1, 3), (-1, 5), (-2, 1), (3, 8)])
    def test_are_refused_when_they_overlap(self, database: Database, start: int, end: int) -> None:
        """Same, inside, around, before and after: an overlap of any form is refused."""
        hold(database, 1, 0, 4)

        with pytest.raises(Occupied, match="occupied"):
            hold(database, 1, start, end)

    def test_may_touch(self, database: Database) -> None:
        """Back to back is no overlap: intervals are half-open."""
        hold(database, 1, 0, 4)
        hold(database, 1, 4, 8)
        hold(database, 1, -4, 0)

        assert len(rows(database, "loan_item")) == 3

    def test_may_overlap_when_one_holds_nothing(self, database: Database) -> None:
        """What is cancelled, declined or completed is in nobody's way."""
        hold(database, 1, 0, 4, holds=False)
        hold(database, 1, 0, 4)

        assert overlaps(database) == []

    def test_are_refused_when_one_comes_back(self, database: Database) -> None:
        """An update that makes a row hold again, or moves it, is watched like an insert."""
        hold(database, 1, 0, 4, holds=False)
        hold(database, 1, 2, 6)
        table = metadata.tables["loan_item"]

        with pytest.raises(Occupied), database.write() as transaction:
            transaction.connection.execute(table.update().where(~table.c.holds).values(holds=True))

    def test_of_different_items_are_none_of_its_business(self, database: Database) -> None:
        """One room does not block another."""
        hold(database, 1, 0, 4)
        hold(database, 2, 0, 4)

        assert len(rows(database, "loan_item")) == 2


class TestARow:
    def test_may_move_onto_its_own_old_time(self, database: Database) -> None:
        """A loan that moves by a quarter of an hour is not in its own way."""
        hold(database, 1, 0, 4)

        with database.write() as transaction:
            transaction.connection.execute(
                metadata.tables["loan_item"].update().values(blocked_start=MONDAY + timedelta(minutes=15))
            )

        assert overlaps(database) == []


class TestManyAtOnce:
    def test_threads_never_overlap(self, building: Building) -> None:
        """Eight threads fight over two rooms through the desk: no overlap, no lost work, no deadlock."""
        refused: list[int] = []
        booked: list[int] = []
        broken: list[Exception] = []

        def fight(seed: int) -> None:
            for step in range(15):
                start = (seed * 7 + step * 3) % 20 / 4
                try:
                    wish = order(hours(start + 1, start + 2), room(1), room(2), requester=ALEX)
                    booked.append(building.desk.book(wish, actor="app:t").number)
                except Exception as error:
                    (refused if type(error).__name__ == "Unavailable" else broken).append(error)  # type: ignore[arg-type]

        threads = [threading.Thread(target=fight, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert broken == []
        assert len(refused) + len(booked) == 120
        assert len(rows(building.database, "loan_item")) == 2 * len(booked) > 0
        assert overlaps(building.database) == []

    @pytest.mark.slow
    def test_processes_never_overlap(self, building: Building, migrated_url: str) -> None:
        """Four processes write rows straight into the table, hundreds of tries: the guard alone keeps them apart."""
        tries = 150
        insert(building.database, "person", id=1, address="a@b", address_folded="a@b", name="A")
        with building.database.write() as transaction:
            shared = {"status": "new", "home": "app", "person_id": 1, "store_id": 1, "title": "", "notes": ""}
            times = dict.fromkeys(("start_at", "end_at", "created_at", "changed_at"), MONDAY)
            transaction.connection.execute(
                metadata.tables["loan"].insert(),
                [{**shared, **times, "private": False, "version": 1} for _ in range(4 * tries)],
            )

        run_all(*((book_at_random, (migrated_url, seed, tries)) for seed in range(4)))

        assert len(rows(building.database, "loan_item")) > 10
        assert overlaps(building.database) == []

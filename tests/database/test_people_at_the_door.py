"""What the app's doors are kept in, on both databases: sessions, keepers of stores, and what the board reads."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.database.access.sessions import IDLE, LIFETIME, SessionStore
from engine.database.reports.board import Board
from engine.database.sql.connection import Database
from engine.database.stores.keepers import Keepers
from engine.database.sync.sides import Sides
from engine.errors import NotFound
from engine.ids import Address, LoanNumber, StoreId
from engine.loans.loan import Loan, Requester
from engine.loans.sides import Standing
from tests.database.building import BY, Building, StandingClock, hours, insert, order, room, rows, update

ZOE = Requester(Address("Zoe@example.org"), "Zoé")
LEO = Requester(Address("leo@example.org"), "Léo")


class TestSessions:
    def test_a_secret_opens_its_session_only(self, database: Database) -> None:
        store = SessionStore(database)
        secret = store.create(ZOE, "staff", provider="microsoft", agent="A browser")

        found = store.find(secret)

        assert found is not None
        assert (found.name, found.address, found.role) == ("Zoé", "Zoe@example.org", "staff")
        assert store.find(secret[:-1]) is None
        assert store.find("") is None

    @pytest.mark.parametrize("steps", [(IDLE,), (IDLE * 0.9, IDLE * 0.9, LIFETIME - IDLE * 1.8)])
    def test_ends_without_use_and_in_any_case_after_a_day(
        self, database: Database, clock: StandingClock, steps: tuple[timedelta, ...]
    ) -> None:
        store = SessionStore(database)
        secret = store.create(ZOE, "staff", provider="microsoft", agent="")
        for step in steps[:-1]:
            clock.advance(seconds=step.total_seconds())
            assert store.find(secret) is not None

        clock.advance(seconds=steps[-1].total_seconds())

        assert store.find(secret) is None
        assert store.list_of(ZOE.address) == []
        assert store.list_all(limit=10) == []

    def test_are_listed_and_ended_by_their_person_or_by_an_administrator(self, database: Database) -> None:
        store = SessionStore(database)
        secrets = [store.create(person, "staff", provider="microsoft", agent="") for person in (ZOE, LEO, LEO)]
        assert [session.id for session in store.list_of("LEO@example.org")] == [3, 2]
        assert [session.id for session in store.list_all(limit=2)] == [3, 2]

        with pytest.raises(NotFound):
            store.revoke(1, address=LEO.address)
        store.revoke(2, address=LEO.address)
        store.revoke(1, address=None)

        assert [store.find(secret) is not None for secret in secrets] == [False, False, True]
        with pytest.raises(NotFound):
            store.revoke(1, address=None)


class TestKeepers:
    def test_a_store_is_everybodys_until_it_names_somebody(self, database: Database, building: Building) -> None:
        keepers = Keepers(database)
        (store,) = self.stores(database)
        assert keepers.stores_of_others(ZOE.address) == frozenset()

        keepers.set_keepers(store, [ZOE.address, Address("ZOE@example.org")], actor="app:admin")

        assert keepers.stores_of_others("zoe@EXAMPLE.org") == frozenset()
        assert keepers.stores_of_others(LEO.address) == {store}
        assert keepers.load_keepers() == {store: [Address("ZOE@example.org")]}
        keepers.set_keepers(store, [], actor="app:admin")
        assert keepers.stores_of_others(LEO.address) == frozenset()

    def test_what_was_set_is_in_the_history(self, database: Database, building: Building) -> None:
        (store,) = self.stores(database)

        Keepers(database).set_keepers(store, [ZOE.address], actor="app:admin")

        newest = max(rows(database, "decision"), key=lambda row: row.id)
        assert (newest.code, newest.actor) == ("store_keepers_named", "app:admin")

    def stores(self, database: Database) -> list[StoreId]:
        return [StoreId(row.id) for row in rows(database, "store")]


def book(building: Building) -> Loan:
    return building.desk.book(order(hours(2, 3), room(1)), actor=BY)


class TestOutlooksSide:
    def test_is_nothing_before_there_is_a_meeting(self, database: Database, building: Building) -> None:
        loan = book(building)

        assert Sides(database).outlook_side(loan.number) is None
        assert Sides(database).outlook_side(LoanNumber(999)) is None

    def test_is_the_newest_meetings(self, database: Database, building: Building) -> None:
        loan = book(building)
        for generation, state in ((1, "ended"), (2, "pending")):
            insert(database, "link", loan_number=loan.number, generation=generation, state=state, base={})

        side = Sides(database).outlook_side(loan.number)

        assert side is not None
        assert (side.standing, side.rooms) == (Standing.UNWRITTEN, ())

        update(database, "link", refused=True)
        side = Sides(database).outlook_side(loan.number)

        assert side is not None
        assert side.standing is Standing.REFUSED


class TestTheBoard:
    def test_reads_entries_with_their_store(self, database: Database, building: Building) -> None:
        loan = book(building)
        board = Board(database)

        (entry,) = board.entries(loan.interval)

        assert (entry.number, entry.store_id, entry.interval) == (loan.number, loan.store_id, loan.interval)
        assert list(board.entries(loan.interval, [LoanNumber(999)])) == []
        assert loan.number in board.changed_since(0)
        assert board.newest() > 0

"""An open database with all tables and a clock that stands still until it is moved, for tests of what stores rooms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, select

from engine.database.rooms.book import RoomCache
from engine.database.rooms.directory import RoomDirectory
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.ids import Address, BookableId
from engine.rooms.listing import ImportPlan, plan_import
from engine.rooms.room import Place

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
IGNORED = frozenset({"no-sync"})


@dataclass
class HandClock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, step: timedelta) -> None:
        self.now += step


class Opened:
    """A migrated database, its clock, and short ways to look into it."""

    def __init__(self, url: str) -> None:
        self.clock = HandClock()
        self.database = Database(url, clock=self.clock, durability="normal")
        self.directory = RoomDirectory(self.database, RoomCache(self.database))

    def rows(self, name: str) -> list[dict[str, Any]]:
        """All rows of a table, in the order of its key."""
        table: Table = metadata.tables[name]
        with self.database.read() as transaction:
            found = transaction.connection.execute(select(table).order_by(*table.primary_key.columns))
            return [dict(row) for row in found.mappings()]

    def marks(self) -> set[tuple[str, str]]:
        """The keys that wait."""
        return {(row["kind"], row["key"]) for row in self.rows("work") if row["ready_at"] is not None}

    def forget_marks(self) -> None:
        self.change("work", {"ready_at": None, "marked_at": None})

    def change(self, name: str, values: dict[str, Any], **where: Any) -> None:
        table = metadata.tables[name]
        with self.database.write() as transaction:
            conditions = [table.c[column] == value for column, value in where.items()]
            transaction.connection.execute(table.update().where(*conditions).values(**values))

    def insert(self, name: str, /, **values: Any) -> None:
        with self.database.write() as transaction:
            transaction.connection.execute(metadata.tables[name].insert().values(**values))

    def link(self, uid: str, *, status: str, state: str) -> None:
        """Have a loan of the meeting *uid*."""
        self.insert("person", id=1, address="kim@example.org", address_folded="kim@example.org", name="Kim")
        facts = {"title": "", "notes": "", "private": False, "version": 1}
        times = {"start_at": NOW, "end_at": NOW + timedelta(hours=1), "created_at": NOW, "changed_at": NOW}
        self.insert("loan", number=1, status=status, home="app", person_id=1, store_id=1, **times, **facts)
        self.insert("link", loan_number=1, generation=1, state=state, ical_uid=uid, base={})

    def plan(self, *places: Place) -> ImportPlan:
        return plan_import(places, self.directory.load_rooms(), ignored_tags=IGNORED)

    def list_places(self, *places: Place) -> Any:
        """Import a list of rooms, whole."""
        return self.directory.apply_import(self.plan(*places), default_store="Main desk")


def place(number: int, **values: Any) -> Place:
    """Room *number* as the directory lists it."""
    facts: dict[str, Any] = {"directory_id": f"guid-{number}", "name": f"Room {number}", "place_id": f"place-{number}"}
    facts["address"] = Address(f"room{number}@example.org")
    return Place(**(facts | values))


ONE, TWO = BookableId(1), BookableId(2)

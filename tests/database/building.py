"""A small building to lend from, a clock that stands still, and orders in few words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.database.loans.desk import Desk, DeskOptions
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.ids import Address, BookableId
from engine.interval import Interval
from engine.loans.loan import Requester
from engine.loans.register import ItemKind, ItemRef, LoanOrder

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ALEX = Requester(Address("alex@example.org"), "Alex Doe")
SAM = Requester(Address("sam@example.org"), "Sam Roe")
BY = "app:alex"


@dataclass
class StandingClock:
    """A clock that moves when told to."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def hours(start: float, end: float) -> Interval:
    """Return the stretch from *start* to *end* hours after Monday, 8:00."""
    return Interval(MONDAY + timedelta(hours=start), MONDAY + timedelta(hours=end))


def room(number: int) -> ItemRef:
    return ItemRef(ItemKind.ROOM, BookableId(number))


def asset(number: int) -> ItemRef:
    return ItemRef(ItemKind.ASSET, BookableId(number))


def order(interval: Interval, *items: ItemRef, requester: Requester = ALEX, **fields: Any) -> LoanOrder:
    return LoanOrder(requester, interval, items, **fields)


def insert(database: Database, table: str, **values: Any) -> None:
    with database.write() as transaction:
        transaction.connection.execute(metadata.tables[table].insert().values(**values))


def update(database: Database, table: str, **values: Any) -> None:
    """Set columns in every row."""
    with database.write() as transaction:
        transaction.connection.execute(metadata.tables[table].update().values(**values))


def rows(database: Database, table: str) -> Sequence[Any]:
    with database.read() as transaction:
        return transaction.connection.execute(metadata.tables[table].select()).all()


def marked(database: Database) -> set[str]:
    """Return the keys that wait in the queue."""
    return {f"{row.kind}:{row.key}" for row in rows(database, "work") if row.ready_at is not None}


def forget_marks(database: Database) -> None:
    with database.write() as transaction:
        transaction.connection.execute(metadata.tables["work"].update().values(ready_at=None))


def add_room(database: Database, number: int, **fields: Any) -> None:
    values: dict[str, Any] = {
        "id": number,
        "address": f"room{number}@example.org",
        "address_folded": f"room{number}@example.org",
        "directory_id": f"directory-{number}",
        "name": f"Room {number}",
        "state": "active",
        "state_since": MONDAY,
        "store_id": 1,
        "aliases": [],
        "tags": [],
        "features": [],
        "rules": {},
        "reading": 0,
        "changed_unsignalled": 0,
    }
    insert(database, "bookable", id=number, kind="room")
    insert(database, "room", **{**values, **fields})


def add_asset(database: Database, number: int, **fields: Any) -> None:
    values: dict[str, Any] = {"id": number, "name": f"Asset {number}", "store_id": 1, "description": "", "rules": {}}
    insert(database, "bookable", id=number, kind="asset")
    insert(database, "asset", **{**values, "retired": False, **fields})


def add_meeting(database: Database, room_id: int, interval: Interval, *, uid: str, live: bool = True) -> None:
    """Put an event into the mirror, as a reading of the room's calendar does."""
    insert(
        database,
        "room_copy",
        room_id=room_id,
        event_id=f"event-{uid}-{room_id}",
        ical_uid=uid,
        etag="1",
        payload="{}",
        start_at=interval.start,
        end_at=interval.end,
        live=live,
        gone=False,
        doubt=False,
        listed=False,
        reading=1,
        observed_at=MONDAY,
    )


@dataclass
class Building:
    """Rooms 1 to 3 and assets 11 and 12, all of store 1."""

    database: Database
    clock: StandingClock
    options: DeskOptions = field(default_factory=DeskOptions)

    def __post_init__(self) -> None:
        insert(self.database, "store", name="Main desk", rules={}, approval=False)
        for number in (1, 2, 3):
            add_room(self.database, number, capacity=4 * number)
        for number in (11, 12):
            add_asset(self.database, number)
        if self.database.dialect == "postgresql":
            with self.database.write() as transaction:  # numbers given by hand are not counted by the sequence
                transaction.connection.exec_driver_sql("SELECT setval(pg_get_serial_sequence('bookable', 'id'), 100)")
        self.desk = Desk(self.database, lambda: self.options)

"""Rooms, their rules and zones, kept in memory between passes and read again when they changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select

from engine.database.rooms.version import raise_version, read_version
from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.stores.rules import parse_rules
from engine.database.tables import metadata
from engine.errors import Transient
from engine.ids import Address, BookableId, StoreId
from engine.interval import Interval
from engine.loans.loan import TextLevel
from engine.loans.rules import BookingRules, RuleBreach, find_breaches
from engine.reconcile.observe import resolve_interval
from engine.rooms.event import EventCopy
from engine.rooms.room import Room, RoomBook, RoomState

room_table = metadata.tables["room"]
store_table = metadata.tables["store"]
asset_table = metadata.tables["asset"]

IMPORT_JOB = "import_rooms"
"""The row of the table `job` that tells about the last import."""

KEPT_SECONDS = 10.0
"""How long what is kept in memory goes unquestioned by whoever only tells people of it: names in status reports, the
zone a mail tells a time in. Another process may have changed it."""

_r, _s = room_table.c, store_table.c
ALL_ROOMS = Prepared(select(
    _r.id, _r.address, _r.directory_id, _r.name, _r.state, _r.store_id, _r.place_id, _r.aliases, _r.capacity,
    _r.building, _r.floor, _r.tags, _r.features, _r.postal_address, _r.time_zone, _r.rules,
).order_by(_r.id))  # fmt: skip
"""What `read_room` takes, and the rules; nothing of how far a calendar was read, which changes all the time."""

_STORES = Prepared(select(_s.id, _s.text_level, _s.rules).order_by(_s.id))
_THINGS = Prepared(select(asset_table.c.id, asset_table.c.name))


def read_room(row: Any) -> Room:
    """Return the room a row of the table `room` holds."""
    return Room(
        id=BookableId(row.id),
        address=Address(row.address),
        directory_id=row.directory_id,
        name=row.name,
        state=RoomState(row.state),
        store_id=StoreId(row.store_id),
        place_id=row.place_id,
        aliases=tuple(Address(alias) for alias in row.aliases),
        capacity=row.capacity,
        building=row.building,
        floor=row.floor,
        tags=tuple(row.tags),
        features=tuple(row.features),
        postal_address=row.postal_address,
        time_zone=row.time_zone,
    )


class RoomCache:
    """
    A cache of the few rows every pass needs. Whoever changes them calls `change`; other processes' changes show within
    KEPT_SECONDS, and at once to whoever calls `catch_up`, as the loop does before it begins passes, or `current_book`,
    as whoever else acts on them does. So what a change marks waits for nobody to hear of it.

    Inside a transaction what is at hand must do: it is read again at the next question outside of one.
    """

    def __init__(
        self, database: Database, *, time_zone: str = "UTC", ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._ticks = ticks
        self._database = database
        self.default_zone: tzinfo = ZoneInfo(time_zone)
        self._lock = threading.Lock()
        self._book = RoomBook(())
        self._rows: tuple[Any, Any] = ((), ())
        """What the book and the rules were made of, kept where it is read often: see `_is_as_read`."""
        self._is_stale = True
        self._read_at = 0.0
        self._rules: dict[int, BookingRules] = {}
        self._levels: dict[int, TextLevel | None] = {}
        self._things: dict[int, str] = {}
        self._version = 0
        self._written: int | None = None
        """What `Database.data_version` told before we asked for the version."""

    def change(self, transaction: Transaction) -> None:
        """Read everything again once *transaction* has changed it, here and in every other process."""
        raise_version(transaction)
        transaction.after_commit(self.forget)

    def forget(self) -> None:
        """Read everything again at the next question."""
        with self._lock:
            self._is_stale = True

    def catch_up(self) -> None:
        """
        Read everything again at the next question if any process has changed it, or if that cannot be told.

        Opens a transaction of its own: not to be called inside another.
        """
        with self._lock:
            try:
                self._is_stale = self._is_stale or not self._is_as_read()
            except Transient:
                self._is_stale = True

    def current_book(self) -> RoomBook:
        """Return the rooms as they are now, whoever has changed them. Not to be called inside a transaction."""
        self.catch_up()
        return self.book()

    def book(self) -> RoomBook:
        """Return the rooms as they are, or were KEPT_SECONDS ago at most; inside a transaction, as they are at hand."""
        with self._lock:
            is_old = self._ticks() - self._read_at > KEPT_SECONDS
            if (self._is_stale or is_old) and not self._database.is_in_transaction:
                self._read_at = self._ticks()
                self._is_stale = self._is_stale or not self._is_as_read()
                if self._is_stale:
                    self._load()
                    self._is_stale = False
            return self._book

    def _is_as_read(self) -> bool:
        """Tell whether nobody has changed anything since we read. To read ten thousand rooms takes 0.1 s, in which
        everything else waits. Of a file it is known, cheaper still, whether another process has written at all."""
        written = self._database.data_version()
        if written is not None and written == self._written:
            return True
        with self._database.read() as transaction:
            is_current = read_version(transaction) == self._version
        if is_current:
            self._written = written
        return is_current

    def _load(self) -> None:
        """Read the rows; where none has changed, the book stays the same one, and what was made with it stays good."""
        written = self._database.data_version()
        with self._database.read() as transaction:
            version = read_version(transaction)
            rooms = ALL_ROOMS.run(transaction.connection).all()
            stores = _STORES.run(transaction.connection).all()
            self._things = {row.id: row.name for row in _THINGS.run(transaction.connection)}
        if (rooms, stores) == self._rows:
            self._version, self._written = version, written
            return
        by_store = {row.id: parse_rules(row.rules) for row in stores}
        self._levels = {row.id: TextLevel(row.text_level) if row.text_level else None for row in stores}
        self._rules = {row.id: parse_rules(row.rules).over(by_store[row.store_id]) for row in rooms}
        self._book = RoomBook(tuple(read_room(row) for row in rooms))
        self._rows = (rooms, stores) if written is None else ((), ())
        self._version, self._written = version, written

    def zone_of(self, room_id: BookableId) -> tzinfo:
        """Return the zone of a room: its own, else the default one."""
        room = self.book().by_id(room_id)
        if room is None or room.time_zone is None:
            return self.default_zone
        try:
            return ZoneInfo(room.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return self.default_zone

    def times_of(self, event: EventCopy, rooms: Iterable[BookableId]) -> Interval | None:
        """
        Return *event*'s times as instants; None where it has none.

        All-day events float, and a loan has one time: from the first midnight to the last one of all *rooms* that take
        part. Where these lie in several zones that is longer than the day of any of them, and none is free while
        Exchange holds it.
        """
        if event.all_day is None:
            return event.interval
        zones = {self.zone_of(room) for room in rooms} or {self.default_zone}
        days = [day for zone in zones if (day := resolve_interval(event, zone)) is not None]
        return Interval(min(day.start for day in days), max(day.end for day in days))

    def rules_of(self, room_id: BookableId) -> BookingRules:
        """Return a room's rules merged over its store's."""
        self.book()
        return self._rules.get(room_id, BookingRules())

    def breaches(self, rooms: Iterable[BookableId], interval: Interval, *, now: datetime) -> tuple[RuleBreach, ...]:
        """Return which local rules a booking of *rooms* would break, each kind once."""
        found: dict[str, RuleBreach] = {}
        for room in rooms:
            for breach in find_breaches(self.rules_of(room), interval, now=now, zone=self.zone_of(room)):
                found.setdefault(breach.code, breach)
        return tuple(found.values())

    def text_level(self, store_id: StoreId) -> TextLevel | None:
        self.book()
        return self._levels.get(store_id)

    def name_of(self, item_id: BookableId) -> str:
        """Return what people call a room or a thing; "#N" for one that is not there."""
        room = self.book().by_id(item_id)
        if room is not None:
            return room.name
        if item_id not in self._things:
            self.forget()  # it may be new
            self.book()
        return self._things.get(item_id, f"#{item_id}")

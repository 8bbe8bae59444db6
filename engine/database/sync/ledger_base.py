"""What the parts of the ledger share: the database, the rooms as they are known, the rules."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from engine.database.mirror.mirror import Mirror
from engine.database.rooms.book import RoomCache
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.database.sync.settle import Settler
from engine.ids import BookableId
from engine.reconcile.ledger import SyncRules
from engine.rooms.room import RoomBook


class LedgerBase:
    """All methods of the ledger are one short transaction each; times are the transaction's own clock."""

    def __init__(self, database: Database, rooms: RoomCache, rules: Callable[[], SyncRules], *, instance: str) -> None:
        self._database = database
        self._rooms = rooms
        self._rules = rules
        self._mirror = Mirror(rooms)
        self._began_at = database.clock() if database.clock is not None else datetime.now(UTC)
        """When this process began to remember: what was read before may be of a store that has been replaced since."""
        self._settler = Settler(rooms, rules, self._mirror, instance=instance)

    def room_book(self) -> RoomBook:
        return self._rooms.book()

    def catch_up_with_rooms(self) -> None:
        self._rooms.catch_up()

    def name_of(self, item_id: BookableId) -> str:
        return self._rooms.name_of(item_id)

    def _write(self, *, durable: bool = True) -> AbstractContextManager[Transaction]:
        """Open a writing transaction, the rooms being up to date before it begins."""
        self._rooms.book()
        return self._database.write(durable=durable)

    def _read(self) -> AbstractContextManager[Transaction]:
        self._rooms.book()
        return self._database.read()

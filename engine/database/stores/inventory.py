"""Looking after stores, assets and where rooms belong. Each method is one transaction and leaves a line of history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Table, func, select, update

from engine.database.cases.records import write_decisions
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.database.stores.catalogue import load_assets, load_stores
from engine.database.stores.rules import parse_rules
from engine.database.tables import metadata
from engine.database.work.wakes import retell
from engine.errors import Fault, Invalid, NotFound
from engine.ids import ID_MAX, BookableId, StoreId
from engine.loans.loan import Asset, Store, TextLevel
from engine.loans.rules import BookingRules
from engine.loans.wishes import find_name_faults
from engine.reconcile.actions import Note

_room = metadata.tables["room"]
_asset = metadata.tables["asset"]
_store = metadata.tables["store"]


class Inventory:
    """
    Stores and assets, for administrators. `Desk.add_asset` and `Desk.set_rules` do the rest.

    Args:
        database: where they are.
        on_change: told, in the transaction, of each change: who keeps rooms and rules at hand must read them again.
    """

    def __init__(self, database: Database, *, on_change: Callable[[Transaction], None]) -> None:
        self._database = database
        self._on_change = on_change

    def add_store(self, name: str, *, actor: str) -> Store:
        """Make a store without rules of its own. Raises Invalid."""
        with self._database.write() as transaction:
            _check_name(transaction, _store, name, but=0)
            statement = _store.insert().values(name=name.strip(), rules={}, approval=False).returning(_store.c.id)
            number = StoreId(transaction.connection.execute(statement).scalar_one())
            self._tell(transaction, Note("store_added", {"name": name.strip()}, actor=actor))
            return load_stores(transaction.connection)[number]

    def change_store(
        self, store_id: StoreId, *, name: str, approval: bool, text_level: TextLevel | None, actor: str
    ) -> None:
        """Set what a store says. No text level: the setting counts. Raises NotFound, Invalid."""
        with self._database.write() as transaction:
            before = _find(transaction, _store, store_id, "store")
            _check_name(transaction, _store, name, but=store_id)
            values = {"name": name.strip(), "approval": approval, "text_level": text_level and text_level.value}
            self._change(transaction, _store, before, values, "store_changed", actor)

    def change_asset(self, asset_id: BookableId, *, name: str, description: str, store_id: StoreId, actor: str) -> None:
        """Set what an asset says. Raises NotFound, Invalid."""
        with self._database.write() as transaction:
            before = _find(transaction, _asset, asset_id, "asset")
            _find(transaction, _store, store_id, "store")
            _check_name(transaction, _asset, name, but=asset_id, description=description)
            values = {"name": name.strip(), "description": description.strip(), "store_id": store_id}
            self._change(transaction, _asset, before, values, "asset_changed", actor)
            if values["name"] != before["name"]:
                retell(transaction, asset_id)

    def retire_asset(self, asset_id: BookableId, *, actor: str) -> None:
        """Take an asset out of service: nothing new is booked on it, its loans stay. Raises NotFound."""
        with self._database.write() as transaction:
            before = _find(transaction, _asset, asset_id, "asset")
            self._change(transaction, _asset, before, {"retired": True}, "asset_retired", actor)

    def revive_asset(self, asset_id: BookableId, *, actor: str) -> None:
        """Put a retired asset back into service. Raises NotFound, and Invalid when another has its name now."""
        with self._database.write() as transaction:
            before = _find(transaction, _asset, asset_id, "asset")
            _check_name(transaction, _asset, before["name"], but=asset_id)
            self._change(transaction, _asset, before, {"retired": False}, "asset_revived", actor)

    def move_room(self, room_id: BookableId, store_id: StoreId, *, actor: str) -> None:
        """Let a room belong to another store. Loans that it is in stay where they are. Raises NotFound."""
        with self._database.write() as transaction:
            before = _find(transaction, _room, room_id, "room")
            store = _find(transaction, _store, store_id, "store")
            if before["store_id"] == store_id:
                return
            transaction.connection.execute(update(_room).where(_room.c.id == room_id).values(store_id=store_id))
            note = Note("room_moved_to_store", {"name": before["name"], "store": store["name"]}, actor=actor)
            self._tell(transaction, note, item_id=room_id)

    def rules_of(self, item_id: BookableId) -> BookingRules:
        """Return a room's or an asset's own rules, without its store's. Raises NotFound."""
        with self._database.read() as transaction:
            for table in (_room, _asset):
                found = transaction.connection.execute(select(table.c.rules).where(table.c.id == item_id)).one_or_none()
                if found is not None:
                    return parse_rules(found.rules)
        raise NotFound(f"there is no item {item_id}")

    def find_asset(self, asset_id: BookableId) -> Asset:
        """Return an asset, a retired one too. Raises NotFound."""
        with self._database.read() as transaction:
            found = next((asset for asset in load_assets(transaction.connection) if asset.id == asset_id), None)
        if found is None:
            raise NotFound(f"there is no asset {asset_id}")
        return found

    def _change(
        self,
        transaction: Transaction,
        table: Table,
        before: Mapping[str, Any],
        values: Mapping[str, Any],
        code: str,
        actor: str,
    ) -> None:
        """Write what differs, and a decision that names it; nothing when nothing does."""
        changed = {key: value for key, value in values.items() if before[key] != value}
        if not changed:
            return
        transaction.connection.execute(update(table).where(table.c.id == before["id"]).values(**changed))
        shown = ", ".join(f"{key}: {_shown(before[key])} -> {_shown(value)}" for key, value in changed.items())
        facts: dict[str, object] = {"name": before["name"]}
        if code in ("store_changed", "asset_changed"):
            facts["changes"] = shown
        self._tell(transaction, Note(code, facts, actor=actor), item_id=before["id"] if table is _asset else None)

    def _tell(self, transaction: Transaction, note: Note, *, item_id: int | None = None) -> None:
        about = Note(note.code, note.facts, actor=note.actor, room_id=BookableId(item_id) if item_id else None)
        write_decisions(transaction, [about], loan_number=None, ical_uid=None)
        self._on_change(transaction)


def _find(transaction: Transaction, table: Table, number: int, kind: str) -> Mapping[str, Any]:
    statement = select(table).where(table.c.id == number).with_for_update()
    found = transaction.connection.execute(statement).mappings().one_or_none() if 0 < number <= ID_MAX else None
    if found is None:
        raise NotFound(f"there is no {kind} {number}")
    return dict(found)


def _check_name(transaction: Transaction, table: Table, name: str, *, but: int, description: str = "") -> None:
    """Raise Invalid for a name that is empty, too long or another's; *but* is the number of the one that has it."""
    faults = find_name_faults(name, description, None)
    if faults:
        raise Invalid(*faults)
    taken = select(table.c.id).where(func.lower(table.c.name) == name.strip().lower(), table.c.id != but)
    if table is _asset:
        taken = taken.where(~_asset.c.retired)
    if transaction.connection.execute(taken).first() is not None:
        raise Invalid(Fault("name", "taken", f"there is one called {name.strip()} already"))


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in (None, "") else str(value)

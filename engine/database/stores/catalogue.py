"""What can be lent: rooms, assets and the stores they belong to, with the rules that apply to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select, union_all
from sqlalchemy.sql.expression import literal_column

from engine.database.sql.prepared import Prepared
from engine.database.stores.rules import parse_rules
from engine.database.tables import metadata
from engine.errors import Fault
from engine.ids import ID_MAX, BookableId, StoreId, fold_address
from engine.loans.loan import Asset, ItemKind, Store, TextLevel
from engine.loans.register import ItemRef
from engine.loans.rules import BookingRules
from engine.rooms.room import RoomState

store_table = metadata.tables["store"]
room_table = metadata.tables["room"]
asset_table = metadata.tables["asset"]
bookable_table = metadata.tables["bookable"]

_null: ColumnElement[Any] = literal_column("NULL")
_ROOMS = select(
    literal_column(f"'{ItemKind.ROOM.value}'").label("kind"),
    room_table.c.id,
    room_table.c.name,
    room_table.c.store_id,
    room_table.c.rules,
    room_table.c.capacity,
    room_table.c.time_zone,
    (room_table.c.state == RoomState.EXCLUDED.value).label("is_out"),
)
_ASSETS = select(
    literal_column(f"'{ItemKind.ASSET.value}'").label("kind"),
    asset_table.c.id,
    asset_table.c.name,
    asset_table.c.store_id,
    asset_table.c.rules,
    _null.label("capacity"),
    _null.label("time_zone"),
    asset_table.c.retired.label("is_out"),
)
_ids: ColumnElement[Any] = bindparam("ids", expanding=True)
_ITEMS = Prepared(union_all(_ROOMS.where(room_table.c.id.in_(_ids)), _ASSETS.where(asset_table.c.id.in_(_ids))))
_ALL_ROOMS = _ROOMS.where(room_table.c.state != RoomState.EXCLUDED.value).order_by(room_table.c.name, room_table.c.id)
_ALL_ASSETS = _ASSETS.where(~asset_table.c.retired).order_by(asset_table.c.name, asset_table.c.id)
_ROOM_OF = Prepared(select(room_table.c.id).where(room_table.c.address_folded == bindparam("folded")))
_STORES = Prepared(select(store_table).order_by(store_table.c.id))
_LIST_ASSETS = Prepared(
    select(*asset_table.c, store_table.c.name.label("store"))
    .join(store_table, store_table.c.id == asset_table.c.store_id)
    .order_by(asset_table.c.name, asset_table.c.id)
)


@dataclass(frozen=True, slots=True)
class Item:
    """A room or an asset as the desk sees it. `rules` are merged over its store's."""

    kind: ItemKind
    id: BookableId
    name: str
    store_id: StoreId
    rules: BookingRules
    approval: bool
    is_out: bool
    """Excluded or retired: nothing new is booked on it."""
    capacity: int | None = None
    time_zone: str | None = None


def load_stores(connection: Connection) -> dict[StoreId, Store]:
    """Return all stores by number."""
    return {StoreId(row.id): _store(row) for row in _STORES.run(connection)}


def load_items(connection: Connection, ids: Iterable[int]) -> dict[int, Item]:
    """Return those of *ids* that exist: rooms first, each kind by number."""
    wanted = sorted({item for item in ids if 0 < item <= ID_MAX})
    if not wanted:
        return {}
    stores = load_stores(connection)
    rows = sorted(_ITEMS.run(connection, {"ids": wanted}), key=lambda row: (row.kind != ItemKind.ROOM, row.id))
    return {row.id: _item(row, stores) for row in rows}


def load_all_items(connection: Connection) -> list[Item]:
    """Return everything that can be booked: rooms first, then assets, by name."""
    stores = load_stores(connection)
    return [_item(row, stores) for statement in (_ALL_ROOMS, _ALL_ASSETS) for row in connection.execute(statement)]


def load_assets(connection: Connection) -> list[Asset]:
    """Return all assets, retired ones included, by name."""
    return [_asset(row) for row in _LIST_ASSETS.run(connection)]


def find_room_faults(connection: Connection, address: str) -> list[Fault]:
    """Return what is wrong with a requester of that *address*: a room has a calendar, but it borrows nothing."""
    if _ROOM_OF.run(connection, {"folded": fold_address(address)}).first() is None:
        return []
    return [Fault("requester.address", "is_room", "this is a room: name the person it is for")]


def find_item_faults(items: Sequence[ItemRef], known: Mapping[int, Item], *, kept: Iterable[int] = ()) -> list[Fault]:
    """Return the faults of items that are not there or not to be had; *kept* ones are in the loan and may stay."""
    staying = set(kept)
    faults = []
    for index, wanted in enumerate(items):
        item = known.get(wanted.id)
        if item is None or item.kind is not wanted.kind:
            faults.append(Fault(f"items.{index}", "unknown", f"there is no {wanted.kind.value} {wanted.id}"))
        elif item.is_out and item.id not in staying:
            faults.append(Fault(f"items.{index}", "not_bookable", f"{item.name} cannot be booked any more"))
    return faults


def _item(row: Any, stores: Mapping[StoreId, Store]) -> Item:
    store = stores[StoreId(row.store_id)]
    return Item(
        kind=ItemKind(row.kind),
        id=BookableId(row.id),
        name=row.name,
        store_id=store.id,
        rules=parse_rules(row.rules).over(store.rules),
        approval=store.approval,
        is_out=bool(row.is_out),
        capacity=row.capacity,
        time_zone=row.time_zone,
    )


def _store(row: Any) -> Store:
    return Store(
        StoreId(row.id),
        row.name,
        parse_rules(row.rules),
        row.approval,
        TextLevel(row.text_level) if row.text_level else None,
    )


def _asset(row: Any) -> Asset:
    return Asset(
        BookableId(row.id),
        row.name,
        StoreId(row.store_id),
        row.store,
        row.description,
        row.retired,
        parse_rules(row.rules),
    )

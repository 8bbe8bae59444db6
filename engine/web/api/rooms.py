"""Routes of what can be booked, and by which rules: rooms, assets, stores."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from engine.errors import NotFound
from engine.ids import ID_MAX, BookableId, StoreId
from engine.rooms.room import Room
from engine.web.access import Admin, Viewer
from engine.web.api.models import Listing, render_page
from engine.web.api.shelf import (
    AssetIn,
    AssetOut,
    ImportOut,
    PageQuery,
    RoomOut,
    RoomQuery,
    RulesIn,
    RulesOut,
    StoreOut,
    render_asset,
    render_room,
    render_rules,
    render_store,
)
from engine.web.parts import Parts, WebParts

router = APIRouter(tags=["rooms, assets, stores"])

IMPORT = ("places", "all")
"""Kind and key of the room import in the work queue."""

ThingId = Annotated[int, Path(ge=1, le=ID_MAX)]


@router.get("/rooms")
def list_rooms(parts: Parts, caller: Viewer, wanted: Annotated[RoomQuery, Query()]) -> Listing[RoomOut]:
    """List the rooms we know, the excluded and missing ones too."""
    found = [
        room
        for room in sorted(parts.rooms.load_rooms(), key=lambda room: room.id)
        if room.id > wanted.after and wanted.state in (None, room.state)
    ]
    page, following = render_page(found, wanted.limit, lambda room: room.id)
    stores = _store_names(parts)
    return Listing(items=[render_room(room, stores) for room in page], next=following)


@router.get("/rooms/{id:int}")
def show_room(parts: Parts, caller: Viewer, id: ThingId) -> RoomOut:
    """Show one room."""
    return render_room(_find_room(parts, id), _store_names(parts))


@router.post("/rooms/import", status_code=202)
def import_rooms(parts: Parts, caller: Admin) -> ImportOut:
    """Ask for a new look at the directory's list of rooms; it happens soon, not at once."""
    parts.enqueue(*IMPORT)
    return ImportOut()


@router.put("/rooms/{id}/rules")
def set_room_rules(parts: Parts, caller: Admin, id: ThingId, rules: RulesIn) -> RulesOut:
    """Replace the rules of a room; what is left out follows its store."""
    room = _find_room(parts, id)
    parsed = rules.parse()
    parts.register.set_rules(parsed, store_id=None, item_id=room.id, actor=caller.actor)
    return render_rules(parsed)


@router.get("/assets")
def list_assets(parts: Parts, caller: Viewer, wanted: Annotated[PageQuery, Query()]) -> Listing[AssetOut]:
    """List the things to lend that are not rooms."""
    found = [
        asset for asset in sorted(parts.register.list_assets(), key=lambda asset: asset.id) if asset.id > wanted.after
    ]
    page, following = render_page(found, wanted.limit, lambda asset: asset.id)
    return Listing(items=[render_asset(asset) for asset in page], next=following)


@router.post("/assets", status_code=201)
def add_asset(parts: Parts, caller: Admin, asset: AssetIn) -> AssetOut:
    """Add a thing to lend."""
    made = parts.register.add_asset(asset.name, store=asset.store, description=asset.description, actor=caller.actor)
    return render_asset(made)


@router.put("/assets/{id}/rules")
def set_asset_rules(parts: Parts, caller: Admin, id: ThingId, rules: RulesIn) -> RulesOut:
    """Replace the rules of an asset; what is left out follows its store."""
    if not any(asset.id == id for asset in parts.register.list_assets()):
        raise NotFound(f"there is no asset {id}")
    parsed = rules.parse()
    parts.register.set_rules(parsed, store_id=None, item_id=BookableId(id), actor=caller.actor)
    return render_rules(parsed)


@router.get("/stores")
def list_stores(parts: Parts, caller: Viewer) -> Listing[StoreOut]:
    """List the loan stores with their rules."""
    return Listing(items=[render_store(store) for store in parts.register.list_stores()])


@router.put("/stores/{id}/rules")
def set_store_rules(parts: Parts, caller: Admin, id: ThingId, rules: RulesIn) -> RulesOut:
    """Replace the rules of a store, which hold for its rooms and assets that have none of their own."""
    if not any(store.id == id for store in parts.register.list_stores()):
        raise NotFound(f"there is no store {id}")
    parsed = rules.parse()
    parts.register.set_rules(parsed, store_id=StoreId(id), item_id=None, actor=caller.actor)
    return render_rules(parsed)


def _find_room(parts: WebParts, room_id: int) -> Room:
    for room in parts.rooms.load_rooms():
        if room.id == room_id:
            return room
    raise NotFound(f"there is no room {room_id}")


def _store_names(parts: WebParts) -> dict[int, str]:
    return {store.id: store.name for store in parts.register.list_stores()}

"""Which free room stands in best for another, or fits a wish best. Pure: who is free is asked before.

The order is that of what people miss most: a room of the same store, with seats enough, nearby, with the same
equipment, and not much too large.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from engine.ids import StoreId
from engine.rooms.room import Room, RoomState, natural


@dataclass(frozen=True, slots=True)
class RoomWish:
    """What a room should be like; None and empty ask for nothing. `people` is a head count."""

    people: int | None = None
    store_id: StoreId | None = None
    building: str | None = None
    floor: str | None = None
    features: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RankedRoom:
    """A room that will do, and what it lacks: `store`, `seats` (their number is unknown), `building`, `floor`,
    `features`."""

    room: Room
    lacks: tuple[str, ...] = ()


def wish_like(room: Room) -> RoomWish:
    """Return the wish for a room that can stand in for *room*."""
    return RoomWish(room.capacity, room.store_id, room.building, room.floor, _folded(room.features))


def rank_rooms(wish: RoomWish, rooms: Iterable[Room]) -> tuple[RankedRoom, ...]:
    """Return those of *rooms* that will do, the best first; a room known to be too small is left out."""
    fit = [room for room in rooms if room.state is RoomState.ACTIVE and _seats(wish, room) >= 0]
    return tuple(RankedRoom(room, _lacks(wish, room)) for room in sorted(fit, key=lambda room: _order(wish, room)))


def _order(wish: RoomWish, room: Room) -> tuple[object, ...]:
    return (
        wish.store_id is not None and room.store_id != wish.store_id,
        wish.people is not None and room.capacity is None,
        _is_other(wish.building, room.building),
        _floors_apart(wish.floor, room.floor),
        len(_missing(wish, room)),
        _seats(wish, room),
        natural(room.name),
        room.id,
    )


def _lacks(wish: RoomWish, room: Room) -> tuple[str, ...]:
    told = {
        "store": wish.store_id is not None and room.store_id != wish.store_id,
        "seats": wish.people is not None and room.capacity is None,
        "building": _is_other(wish.building, room.building),
        "floor": _floors_apart(wish.floor, room.floor) > 0,
        "features": bool(_missing(wish, room)),
    }
    return tuple(name for name, is_lacking in told.items() if is_lacking)


def _seats(wish: RoomWish, room: Room) -> int:
    """Return how many seats stay empty; 0 where one of the numbers is unknown."""
    return 0 if wish.people is None or room.capacity is None else room.capacity - wish.people


def _missing(wish: RoomWish, room: Room) -> frozenset[str]:
    """Return what is missed. Places keeps equipment in tags as well as in the fields made for it (Graph docs: room)."""
    return _folded(wish.features) - _folded((*room.features, *room.tags))


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.strip().casefold() for word in words)


def _is_other(wanted: str | None, found: str | None) -> bool:
    return wanted is not None and (found or "").strip().casefold() != wanted.strip().casefold()


def _floors_apart(wanted: str | None, found: str | None) -> float:
    """Return how many floors lie between; floors are free texts, and those without a number are simply different."""
    if not _is_other(wanted, found):
        return 0
    here, there = (re.search(r"-?\d+", floor or "") for floor in (wanted, found))
    return abs(int(here[0]) - int(there[0])) or 0.5 if here and there else 1000

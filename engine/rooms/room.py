"""Rooms as the directory lists them, and as the engine keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeVar

from engine.folding import fold_text
from engine.ids import Address, BookableId, StoreId, fold_address
from engine.rooms.event import Mailbox


class RoomState(StrEnum):
    """Whether a room takes part in the sync. None of these ever loses a loan."""

    ACTIVE = "active"
    EXCLUDED = "excluded"
    """Carries an ignored tag (H17, H25)."""
    MISSING = "missing"
    """No longer listed. Weak evidence: Places may lag or be misconfigured (Graph docs: place-list)."""
    SUSPENDED = "suspended"
    """Its mailbox answers 403 or "not enabled": nothing is concluded from silence (design: never gone)."""


@dataclass(frozen=True, slots=True)
class Place:
    """One row of the directory's room list (Graph docs: place-list, room). Not yet a room of ours.

    `directory_id` may change for the same mailbox; `place_id` is steadier but absent on older
    tenants; `address` is the join key to the mailbox.
    """

    directory_id: str
    address: Address
    name: str
    place_id: str | None = None
    capacity: int | None = None
    building: str | None = None
    floor: str | None = None
    tags: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    postal_address: str | None = None
    booking_type: str = "standard"


@dataclass(frozen=True, slots=True)
class Room:
    """A bookable Exchange room known to us."""

    id: BookableId
    address: Address
    directory_id: str
    name: str
    state: RoomState
    store_id: StoreId
    place_id: str | None = None
    aliases: tuple[Address, ...] = ()
    capacity: int | None = None
    building: str | None = None
    floor: str | None = None
    tags: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    postal_address: str | None = None
    time_zone: str | None = None
    """IANA; None: the setting `rooms.time_zone`."""

    @property
    def addresses(self) -> frozenset[Address]:
        """All addresses under which this room may appear among attendees, folded."""
        return frozenset(fold_address(address) for address in (self.address, *self.aliases))

    @property
    def is_synced(self) -> bool:
        """Whether it is followed: a missing room may still receive meetings, an excluded one is left alone."""
        return self.state in (RoomState.ACTIVE, RoomState.SUSPENDED, RoomState.MISSING)


def match_rooms(rooms: Iterable[Room], wanted: str) -> list[Room]:
    """Return the rooms whose id, name or address *wanted* is, as people type it: without accents, too."""
    folded, name = fold_address(wanted), fold_text(wanted.strip())
    return [
        room
        for room in rooms
        if folded == str(room.id) or folded in room.addresses or fold_text(room.name.strip()) == name
    ]


@dataclass(frozen=True, slots=True)
class RoomBook:
    """All rooms, found by number or by any address: how a room among attendees is recognised, whatever its type."""

    rooms: tuple[Room, ...]
    _by_id: dict[BookableId, Room] = field(init=False, repr=False, compare=False)
    _by_address: dict[Address, Room] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {room.id: room for room in self.rooms})
        object.__setattr__(self, "_by_address", {address: room for room in self.rooms for address in room.addresses})

    def by_id(self, room_id: BookableId) -> Room | None:
        return self._by_id.get(room_id)

    def by_address(self, address: str) -> Room | None:
        return self._by_address.get(fold_address(address))

    def numbers_of(self, addresses: Iterable[str]) -> frozenset[BookableId]:
        """Return the numbers of the rooms that *addresses* name, whatever else is among them."""
        return frozenset(room.id for room in map(self.by_address, addresses) if room is not None)

    def mailboxes_of(self, rooms: Iterable[BookableId]) -> tuple[Mailbox, ...]:
        """Return the mailboxes of *rooms* as they are now, in the order of their numbers."""
        found = map(self.by_id, sorted(rooms))
        return tuple(Mailbox(room.address, room.name) for room in found if room is not None)

    def addresses_of(self, rooms: Iterable[BookableId]) -> tuple[Address, ...]:
        """Return every address by which *rooms* may be invited, those they had before among them, in a fixed order."""
        found = map(self.by_id, sorted(rooms))
        return tuple(address for room in found if room is not None for address in sorted(room.addresses))


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a sort key that reads numbers in *text* as numbers, and letters without their accents: É comes after D."""
    parts = re.split(r"(\d+)", fold_text(text))
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts if part]


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def sort_by_name(things: Iterable[N]) -> list[N]:
    """Return rooms, or whatever else has a name, in the order in which people look for them."""
    return sorted(things, key=lambda thing: natural(thing.name))

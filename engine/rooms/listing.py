"""Compare the directory's list of rooms with the rooms we know (H14-H18, H25-H28): pure, values in, values out.

Places has neither delta nor change notifications, so the whole list is read and compared (Graph docs:
delta-query-overview, change-notifications-overview). What the list says is weak evidence: hidden rooms are not
listed at all (place-list), and an unfinished Places setup lists nothing (places-api-overview). So nothing here
ever loses a loan, and an empty list changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from engine.ids import Address, BookableId, fold_address
from engine.rooms.room import Place, Room, RoomState

RESERVED = "reserved"
"""`bookingType` of a room that is first come, first served: it cannot be booked (Graph docs: room)."""

FOLLOWED = ("name", "capacity", "building", "floor", "tags", "features", "postal_address")
"""Attributes copied from the directory, one way (H28)."""


class WarningCode(StrEnum):
    """What a person should look at. None of them stops an import."""

    LISTING_EMPTY = "listing_empty"
    PLACE_TWICE = "place_twice"
    PLACE_WITHOUT_ADDRESS = "place_without_address"
    PLACE_RESERVED = "place_reserved"


@dataclass(frozen=True, slots=True)
class ListingWarning:
    """Something odd in the list: about one place (its name and address), or about the whole list."""

    code: WarningCode
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One attribute of a room, before and after; `field` is the attribute's name in `Room`."""

    field: str
    old: object
    new: object


@dataclass(frozen=True, slots=True)
class AddRoom:
    """A place that we did not know becomes a room."""

    place: Place


@dataclass(frozen=True, slots=True)
class Skip:
    """A place that we did not know carries an ignored tag: not imported (H25). `tag` is written as in the directory."""

    place: Place
    tag: str


@dataclass(frozen=True, slots=True)
class ChangeRoom:
    """Attributes, ids or addresses of a known room changed in the directory."""

    room_id: BookableId
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class ExcludeRoom:
    """A known room gained an ignored tag, or its tag became ignored: it leaves the sync, its loans stay."""

    room_id: BookableId
    tag: str


@dataclass(frozen=True, slots=True)
class IncludeRoom:
    """A known room carries no ignored tag any more: it takes part again."""

    room_id: BookableId


@dataclass(frozen=True, slots=True)
class MarkMissing:
    """A known room is not listed."""

    room_id: BookableId


@dataclass(frozen=True, slots=True)
class MarkFound:
    """A missing room is listed again."""

    room_id: BookableId


Action = AddRoom | Skip | ChangeRoom | ExcludeRoom | IncludeRoom | MarkMissing | MarkFound


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What one comparison asks for, in the order of the list, then of the rooms that are not in it."""

    actions: tuple[Action, ...] = ()
    warnings: tuple[ListingWarning, ...] = ()

    @property
    def skipped(self) -> tuple[Skip, ...]:
        """Places left out for their tag; repeated by every import, since nothing remembers them."""
        return tuple(action for action in self.actions if isinstance(action, Skip))

    @property
    def changes(self) -> tuple[Action, ...]:
        """What has to be written."""
        return tuple(action for action in self.actions if not isinstance(action, Skip))

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has to be written."""
        return not self.changes


def plan_import(listed: tuple[Place, ...], known: tuple[Room, ...], *, ignored_tags: frozenset[str]) -> ImportPlan:
    """Say what makes the known rooms agree with the directory's list.

    Args:
        listed: the whole list, every page of it; half a list would make rooms "missing".
        known: every room of ours, whatever its state.
        ignored_tags: as the settings hold them; compared trimmed and without regard to case.

    Returns:
        The plan; applying it and planning again gives a quiet one. Never raises.
    """
    if not listed:
        return ImportPlan(warnings=(ListingWarning(WarningCode.LISTING_EMPTY),))
    places, warnings = _usable_places(listed)
    matches = _match(places, known)
    ignored = frozenset(_fold_tag(tag) for tag in ignored_tags) - {""}
    taken = frozenset(fold_address(place.address) for place in places)
    actions: list[Action] = []
    for position, place in enumerate(places):
        room = matches.get(position)
        actions += _new_place(place, ignored) if room is None else _known_place(place, room, ignored, taken)
    found = {room.id for room in matches.values()}
    for room in known:
        if room.id not in found:
            actions += _unlisted(room, ignored)
    return ImportPlan(tuple(actions), tuple(warnings))


def find_ignored_tag(tags: Iterable[str], ignored: frozenset[str]) -> str | None:
    """Return the first of *tags* that is ignored, as it is written; *ignored* holds folded tags."""
    return next((tag for tag in tags if _fold_tag(tag) in ignored), None)


def _fold_tag(tag: str) -> str:
    return tag.strip().casefold()


def _usable_places(listed: tuple[Place, ...]) -> tuple[tuple[Place, ...], list[ListingWarning]]:
    """Drop places without an address and all but the first of one address; tell about them and about reserved ones."""
    warnings: list[ListingWarning] = []
    places: dict[Address, Place] = {}
    for place in listed:
        code = _oddity(place, places)
        if code is not None:
            warnings.append(ListingWarning(code, place.name, place.address))
        if code in (None, WarningCode.PLACE_RESERVED):
            places[fold_address(place.address)] = place
    return tuple(places.values()), warnings


def _oddity(place: Place, before: dict[Address, Place]) -> WarningCode | None:
    folded = fold_address(place.address)
    if not folded:
        return WarningCode.PLACE_WITHOUT_ADDRESS
    if folded in before:
        return WarningCode.PLACE_TWICE
    return WarningCode.PLACE_RESERVED if place.booking_type == RESERVED else None


def _match(places: tuple[Place, ...], known: tuple[Room, ...]) -> dict[int, Room]:
    """Find the room behind each place, the strongest evidence first over *all* places, each room once.

    The address is the join key to the mailbox; an alias is an address the room once had; `placeId` is steadier
    than `id`, which may change for one mailbox (Graph docs: room).
    """
    matches: dict[int, Room] = {}
    free = {room.id: room for room in known}
    passes: tuple[tuple[Callable[[Place], object], Callable[[Room], Iterable[object]]], ...] = (
        (lambda place: fold_address(place.address), lambda room: (fold_address(room.address),)),
        (lambda place: fold_address(place.address), lambda room: (fold_address(alias) for alias in room.aliases)),
        (lambda place: place.place_id, lambda room: (room.place_id,)),
        (lambda place: place.directory_id, lambda room: (room.directory_id,)),
    )
    for place_key, room_keys in passes:
        rooms = {key: room for room in free.values() for key in room_keys(room) if key}
        for position, place in enumerate(places):
            room = rooms.get(place_key(place)) if position not in matches else None
            if room is not None and free.pop(room.id, None) is not None:
                matches[position] = room
    return matches


def _new_place(place: Place, ignored: frozenset[str]) -> tuple[Action, ...]:
    tag = find_ignored_tag(place.tags, ignored)
    return (AddRoom(place),) if tag is None else (Skip(place, tag),)


def _known_place(place: Place, room: Room, ignored: frozenset[str], taken: frozenset[Address]) -> list[Action]:
    actions: list[Action] = []
    changes = _changes(place, room, taken)
    if changes:
        actions.append(ChangeRoom(room.id, changes))
    tag = find_ignored_tag(place.tags, ignored)
    if tag is not None and room.state is not RoomState.EXCLUDED:
        actions.append(ExcludeRoom(room.id, tag))
    elif tag is None and room.state is RoomState.EXCLUDED:
        actions.append(IncludeRoom(room.id))
    elif tag is None and room.state is RoomState.MISSING:
        actions.append(MarkFound(room.id))
    return actions


def _unlisted(room: Room, ignored: frozenset[str]) -> tuple[Action, ...]:
    """Judge a room that is not listed by the tags it last had: an excluded one must not come back as "missing".

    A suspended one stays so: what its mailbox answered says more than the list.
    """
    tag = find_ignored_tag(room.tags, ignored)
    if tag is not None:
        return () if room.state is RoomState.EXCLUDED else (ExcludeRoom(room.id, tag),)
    if room.state in (RoomState.ACTIVE, RoomState.EXCLUDED):
        return (MarkMissing(room.id),)
    return ()


def _changes(place: Place, room: Room, taken: frozenset[Address]) -> tuple[FieldChange, ...]:
    """Compare attributes, then ids, then addresses. A place id that is not told (older tenants) is kept."""
    wanted: list[tuple[str, object]] = [(name, getattr(place, name)) for name in FOLLOWED]
    wanted.append(("directory_id", place.directory_id or room.directory_id))
    wanted.append(("place_id", place.place_id or room.place_id))
    wanted.append(("address", place.address))
    wanted.append(("aliases", _aliases(place, room, taken)))
    return tuple(FieldChange(name, getattr(room, name), new) for name, new in wanted if getattr(room, name) != new)


def _aliases(place: Place, room: Room, taken: frozenset[Address]) -> tuple[Address, ...]:
    """Keep the addresses a room once had, less those that now belong to a listed place."""
    seen = {fold_address(place.address)} | taken
    kept: list[Address] = []
    for address in (*room.aliases, room.address):
        if fold_address(address) not in seen:
            seen.add(fold_address(address))
            kept.append(address)
    return tuple(kept)

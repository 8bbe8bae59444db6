"""What rooms have, as a filter offers it and as it finds rooms by it."""

from __future__ import annotations

from dataclasses import replace

from engine.ids import Address, BookableId, StoreId
from engine.rooms.room import Room, RoomState
from engine.web.pages.occupancy.timeline import Filter, all_features

ROOM = Room(
    BookableId(1), Address("one@example.org"), "dir-1", "One", RoomState.ACTIVE, StoreId(1), tags=("screen",)
)  # fmt: skip
OTHER = replace(ROOM, id=BookableId(2), tags=("piano",), features=("Screen",))


def test_each_is_offered_once_however_it_is_spelled() -> None:
    assert all_features([ROOM, OTHER]) == ["piano", "screen"]


def test_and_finds_every_room_that_has_it() -> None:
    wanted = Filter(features=frozenset({"screen"}))
    assert [wanted.takes(room) for room in (ROOM, OTHER)] == [True, True]
    assert not Filter(features=frozenset({"stage"})).takes(ROOM)

"""Rooms and things are called what people call them, new ones at once."""

from engine.database.connection import Database
from engine.database.roombook import RoomCache
from engine.ids import BookableId
from tests.database.building import add_asset, add_room, insert


def test_rooms_and_things_have_their_names_new_ones_at_once(database: Database) -> None:
    insert(database, "store", name="Desk", rules={}, approval=False)
    add_room(database, 1, name="Turing")
    cache = RoomCache(database)
    assert cache.name_of(BookableId(1)) == "Turing"
    assert cache.name_of(BookableId(2)) == "#2"
    add_asset(database, 2, name="Projector")
    assert cache.name_of(BookableId(2)) == "Projector"
    assert cache.name_of(BookableId(3)) == "#3"

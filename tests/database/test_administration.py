"""What administrators change, on both databases: settings, stores, things; and what pages read of it."""

from __future__ import annotations

import pytest

from engine.database.access.overrides import Overrides
from engine.database.cases.records import open_cases
from engine.database.loans.desk import Desk
from engine.database.reports.status import StatusBoard
from engine.database.rooms.book import RoomCache
from engine.database.rooms.directory import RoomDirectory
from engine.database.sql.connection import Database
from engine.database.stores.inventory import Inventory
from engine.database.work.queue import WorkQueue
from engine.errors import Invalid
from engine.loans.rules import BookingRules
from engine.reconcile.actions import Note
from engine.rooms.listing import WarningCode, plan_import
from tests.database.opening import place

WHO = "app:admin"


@pytest.fixture
def directory(database: Database) -> RoomDirectory:
    return RoomDirectory(database, RoomCache(database))


def list_places(directory: RoomDirectory) -> None:
    """Two rooms, one left out for its tag, one listed twice."""
    places = (place(1), place(2), place(3, tags=("lab",)), place(1, directory_id="guid-9"))
    plan = plan_import(places, directory.load_rooms(), ignored_tags=frozenset({"lab"}))
    directory.apply_import(plan, default_store="Main desk")


def test_an_import_is_told_in_values(database: Database, directory: RoomDirectory) -> None:
    """Counts, what was left out and why, what is odd: pages say it in words of their own."""
    status = StatusBoard(database)
    assert status.last_import().last_at is None

    list_places(directory)

    found = status.last_import()
    assert found.counts == {"added": 2}
    assert [(one.name, one.tag) for one in found.left_out] == [("Room 3", "lab")]
    assert [warning.code for warning in found.warnings] == [WarningCode.PLACE_TWICE]
    assert not found.is_under_way


def test_an_import_under_way_is_seen(database: Database, directory: RoomDirectory) -> None:
    queue, status = WorkQueue(database, owner="a"), StatusBoard(database)
    with database.write() as transaction:
        transaction.mark("places", "all")
    assert (status.last_import().is_under_way, status.last_import().running) == (True, False)

    (claim,) = queue.claim(5)
    assert status.last_import().running
    queue.park(claim, error="403")

    found = status.last_import()
    assert (found.parked, found.error, found.is_under_way) == (True, "403", False)


def test_changes_are_told_newest_first(database: Database, directory: RoomDirectory) -> None:
    list_places(directory)
    inventory, status = Inventory(database, on_change=lambda _: None), StatusBoard(database)
    room = directory.load_rooms()[0]

    annex = inventory.add_store("Annex", actor=WHO)
    inventory.move_room(room.id, annex.id, actor=WHO)
    Desk(database).set_rules(BookingRules(window_days=30), store_id=annex.id, item_id=None, actor=WHO)
    Overrides(database).save_override("sync.mode", "shadow", WHO)
    with pytest.raises(Invalid):
        inventory.add_store("ANNEX", actor=WHO)

    assert [line.code for line in status.admin_history()] == [
        "setting_changed", "rules_changed", "room_moved_to_store", "store_added",
    ]  # fmt: skip
    assert [line.code for line in status.room_history(room.id)] == ["room_moved_to_store", "room_added"]
    assert Overrides(database).list_overrides()["sync.mode"].changed_by == WHO


def test_a_setting_wakes_rooms_and_bookings_that_have_a_case(database: Database, directory: RoomDirectory) -> None:
    list_places(directory)
    with database.write() as transaction:
        open_cases(transaction, "loan:12", [Note("write_withheld", {"would": "x"})], standing=True)
        open_cases(transaction, "places:all", [Note("listing_empty")], standing=True)
        transaction.connection.exec_driver_sql("UPDATE work SET ready_at = NULL, marked_at = NULL")
    queue = WorkQueue(database, owner="a")

    Overrides(database).save_override("loans.domains", ["example.org"], WHO, wake=True)
    Overrides(database).save_override("loans.domains", ["example.org"], WHO, wake=True)

    rooms = {("room", str(room.id)) for room in directory.load_rooms()}
    assert {(key.kind, key.key) for key in queue.waiting(50)} == {("places", "all"), ("loan", "12"), *rooms}

"""Stores and assets as administrators change them, and the lines of history that leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.app.office import Office
from engine.errors import Invalid, NotFound
from engine.ids import BookableId, StoreId
from engine.loans.loan import Asset, TextLevel
from tests.web.visitors import House, open_house

WHO = "app:admin"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with open_house(tmp_path) as found:
        yield found


@pytest.fixture
def office(house: House) -> Office:
    return house.office


@pytest.fixture
def trolley(office: Office) -> Asset:
    return office.desk.add_asset("Trolley", store=None, description="", actor=WHO)


def history(office: Office, item_id: int) -> list[str]:
    return [line.code for line in office.status.room_history(item_id)]


class TestStores:
    def test_are_added_and_changed(self, office: Office) -> None:
        made = office.inventory.add_store(" Annex ", actor=WHO)

        office.inventory.change_store(
            made.id, name="The annex", approval=True, text_level=TextLevel.NUMBER_ONLY, actor=WHO
        )

        found = next(store for store in office.desk.list_stores() if store.id == made.id)
        assert (made.name, found.name) == ("Annex", "The annex")
        assert (found.approval, found.text_level) == (True, TextLevel.NUMBER_ONLY)

    def test_have_names_of_their_own(self, office: Office) -> None:
        with pytest.raises(Invalid, match="main DESK"):
            office.inventory.add_store("main DESK", actor=WHO)
        with pytest.raises(Invalid):
            office.inventory.add_store("  ", actor=WHO)
        annex = office.inventory.add_store("Annex", actor=WHO)
        with pytest.raises(Invalid):
            office.inventory.change_store(annex.id, name="Main desk", approval=False, text_level=None, actor=WHO)

        office.inventory.change_store(annex.id, name="ANNEX", approval=False, text_level=None, actor=WHO)

        assert sorted(store.name for store in office.desk.list_stores()) == ["ANNEX", "Main desk"]


class TestAssets:
    def test_are_changed_and_tell_it(self, office: Office, trolley: Asset) -> None:
        annex = office.inventory.add_store("Annex", actor=WHO)

        office.inventory.change_asset(trolley.id, name="Cart", description="two wheels", store_id=annex.id, actor=WHO)

        found = office.inventory.find_asset(trolley.id)
        assert (found.name, found.description, found.store) == ("Cart", "two wheels", "Annex")
        assert history(office, trolley.id) == ["asset_changed", "asset_added"]

    def test_change_nothing_and_tell_nothing(self, office: Office, trolley: Asset) -> None:
        office.inventory.change_asset(trolley.id, name="Trolley", description="", store_id=trolley.store_id, actor=WHO)

        assert history(office, trolley.id) == ["asset_added"]

    def test_retire_and_come_back_unless_their_name_is_taken(self, office: Office, trolley: Asset) -> None:
        office.inventory.retire_asset(trolley.id, actor=WHO)
        assert office.inventory.find_asset(trolley.id).retired

        other = office.desk.add_asset("Trolley", store=None, description="", actor=WHO)
        with pytest.raises(Invalid):
            office.inventory.revive_asset(trolley.id, actor=WHO)
        office.inventory.retire_asset(other.id, actor=WHO)
        office.inventory.revive_asset(trolley.id, actor=WHO)

        assert not office.inventory.find_asset(trolley.id).retired
        assert history(office, trolley.id) == ["asset_revived", "asset_retired", "asset_added"]

    def test_that_are_not_there_are_not_found(self, office: Office, trolley: Asset) -> None:
        for number in (0, 999, 2**40):
            with pytest.raises(NotFound):
                office.inventory.retire_asset(BookableId(number), actor=WHO)
        with pytest.raises(NotFound):
            office.inventory.change_asset(trolley.id, name="x", description="", store_id=StoreId(99), actor=WHO)


def test_a_room_moves_to_another_store_once(house: House, office: Office) -> None:
    """The desk and the passes know its new rules at once."""
    annex, fern = office.inventory.add_store("Annex", actor=WHO), BookableId(house.room("Fern"))

    office.inventory.move_room(fern, annex.id, actor=WHO)
    office.inventory.move_room(fern, annex.id, actor=WHO)

    room = office.cache.book().by_id(fern)
    assert room is not None
    assert room.store_id == annex.id
    assert history(office, fern) == ["room_moved_to_store", "room_added"]

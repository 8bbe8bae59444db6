"""The room import, decision by decision (H14-H18, H25-H28)."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from engine.ids import Address, BookableId, StoreId
from engine.rooms.listing import (
    AddRoom,
    ChangeRoom,
    ExcludeRoom,
    FieldChange,
    ImportPlan,
    IncludeRoom,
    ListingWarning,
    MarkFound,
    MarkMissing,
    Skip,
    WarningCode,
    plan_import,
)
from engine.rooms.room import Place, Room, RoomState

IGNORED = frozenset({"no-sync"})
PLACE = Place(directory_id="d1", address=Address("one@example.org"), name="Room 1", place_id="p1")
ROOM = Room(
    id=BookableId(1),
    address=Address("one@example.org"),
    directory_id="d1",
    place_id="p1",
    name="Room 1",
    state=RoomState.ACTIVE,
    store_id=StoreId(1),
)
OTHER = Place(directory_id="d2", address=Address("two@example.org"), name="Room 2", place_id="p2")


def plan(*listed: Place, known: tuple[Room, ...] = (), ignored: frozenset[str] = IGNORED) -> ImportPlan:
    return plan_import(listed, known, ignored_tags=ignored)


def changed(result: ImportPlan) -> dict[str, object]:
    """The new values that the plan gives to room 1."""
    (action,) = result.actions
    assert isinstance(action, ChangeRoom)
    return {change.field: change.new for change in action.changes}


A, E, M, S = RoomState.ACTIVE, RoomState.EXCLUDED, RoomState.MISSING, RoomState.SUSPENDED
EXCLUDE, INCLUDE = (ExcludeRoom(BookableId(1), "no-sync"),), (IncludeRoom(BookableId(1)),)
MISSING, FOUND = (MarkMissing(BookableId(1)),), (MarkFound(BookableId(1)),)

# state of the room x is it listed x does it carry an ignored tag -> the actions
TABLE = {
    (A, True, False): (),
    (A, True, True): EXCLUDE,
    (A, False, False): MISSING,
    (A, False, True): EXCLUDE,
    (E, True, False): INCLUDE,
    (E, True, True): (),
    (E, False, False): MISSING,
    (E, False, True): (),
    (M, True, False): FOUND,
    (M, True, True): EXCLUDE,
    (M, False, False): (),
    (M, False, True): EXCLUDE,
    (S, True, False): (),
    (S, True, True): EXCLUDE,
    (S, False, False): (),
    (S, False, True): EXCLUDE,
}


class TestAKnownRoom:
    @pytest.mark.parametrize(("state", "listed", "tagged"), list(product(RoomState, (True, False), (True, False))))
    def test_its_state_follows_the_list_and_the_tags(self, state: RoomState, listed: bool, tagged: bool) -> None:
        """The whole table: an ignored tag excludes, absence makes missing, and neither touches a loan."""
        tags = ("no-sync",) if tagged else ()
        room = replace(ROOM, state=state, tags=tags)
        places = (OTHER, replace(PLACE, tags=tags)) if listed else (OTHER,)

        result = plan(*places, known=(room,))

        assert (
            tuple(action for action in result.actions if not isinstance(action, AddRoom))
            == TABLE[state, listed, tagged]
        )

    def test_a_tag_gained_in_the_directory_is_kept_and_excludes(self) -> None:
        """Tag and state change together, so that the room's page can say which tag did it."""
        result = plan(replace(PLACE, tags=("screen", " No-Sync ")), known=(ROOM,))

        assert result.actions == (
            ChangeRoom(BookableId(1), (FieldChange("tags", (), ("screen", " No-Sync ")),)),
            ExcludeRoom(BookableId(1), " No-Sync "),
        )

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("name", "Blue room"),
            ("capacity", 12),
            ("building", "Main"),
            ("floor", "2"),
            ("tags", ("screen",)),
            ("features", ("video",)),
            ("postal_address", "1 High Street"),
        ],
    )
    def test_an_attribute_is_followed_both_ways(self, field: str, value: object) -> None:
        """Attributes come from the directory, one way, and going back to nothing is a change as well (H28)."""
        place = replace(PLACE, **{field: value})  # type: ignore[arg-type]
        room = replace(ROOM, **{field: value})  # type: ignore[arg-type]

        assert changed(plan(place, known=(ROOM,))) == {field: value}
        assert changed(plan(PLACE, known=(room,))) == {field: getattr(PLACE, field)}


class TestIdentity:
    def test_an_id_that_changed_under_one_address_is_followed(self) -> None:
        """The directory id is not immutable; the address is the join key (Graph docs: room)."""
        result = plan(replace(PLACE, directory_id="d9", place_id="p9"), known=(ROOM,))

        assert changed(result) == {"directory_id": "d9", "place_id": "p9"}

    @pytest.mark.parametrize("match", ["place_id", "directory_id"])
    def test_an_address_that_changed_keeps_the_old_one_as_alias(self, match: str) -> None:
        """Old meetings still name the old address."""
        place = replace(PLACE, address=Address("new@example.org"))
        place = replace(place, directory_id="d9") if match == "place_id" else replace(place, place_id=None)

        result = changed(plan(place, known=(ROOM,)))

        assert result["address"] == "new@example.org"
        assert result["aliases"] == ("one@example.org",)

    def test_a_room_is_found_by_alias_and_the_addresses_swap(self) -> None:
        """Going back to an old address is the same room."""
        room = replace(ROOM, address=Address("new@example.org"), aliases=(Address("ONE@example.org"),), place_id="x")

        result = changed(plan(replace(PLACE, directory_id="d9"), known=(room,)))

        assert result["address"] == "one@example.org"
        assert result["aliases"] == ("new@example.org",)

    def test_an_alias_that_now_is_another_room_is_given_up(self) -> None:
        """A freed address handed to a new room must not be claimed by two."""
        room = replace(ROOM, address=Address("new@example.org"), aliases=(Address("one@example.org"),))
        renamed = replace(PLACE, address=Address("new@example.org"))
        newcomer = Place(directory_id="d3", address=Address("one@example.org"), name="Room 3")

        result = plan(newcomer, renamed, known=(room,))

        assert result.actions == (
            AddRoom(newcomer),
            ChangeRoom(BookableId(1), (FieldChange("aliases", (Address("one@example.org"),), ()),)),
        )

    def test_only_the_spelling_of_the_address_changed(self) -> None:
        """Addresses are compared without regard to case; the newest spelling is shown."""
        result = plan(replace(PLACE, address=Address("One@Example.org")), known=(ROOM,))

        assert changed(result) == {"address": "One@Example.org"}

    def test_a_place_id_that_is_not_told_is_kept(self) -> None:
        """Older tenants do not send it."""
        assert plan(replace(PLACE, place_id=None), known=(ROOM,)).is_quiet

    def test_address_beats_ids(self) -> None:
        """Two rooms that swapped their addresses are known by their addresses."""
        second = replace(
            ROOM, id=BookableId(2), address=Address("two@example.org"), directory_id="d2", place_id="p2", name="Room 2"
        )
        swapped = (replace(PLACE, address=OTHER.address), replace(OTHER, address=PLACE.address))

        result = plan(*swapped, known=(ROOM, second))

        assert [action.room_id for action in result.actions if isinstance(action, ChangeRoom)] == [2, 1]


class TestANewPlace:
    def test_it_is_added(self) -> None:
        """A place without an ignored tag becomes a room (H14, H15)."""
        assert plan(PLACE) == ImportPlan((AddRoom(PLACE),))

    @pytest.mark.parametrize("tag", ["no-sync", "NO-SYNC", "  No-Sync\t"])
    def test_an_ignored_tag_keeps_it_out_and_is_reported(self, tag: str) -> None:
        """One ignored tag is enough, however it is written (H17, H25)."""
        place = replace(PLACE, tags=("screen", tag))

        result = plan(place)

        assert result.actions == (Skip(place, tag),)
        assert result.is_quiet
        assert result.skipped == (Skip(place, tag),)

    def test_any_of_several_ignored_tags_counts(self) -> None:
        """Several tags may be listed (H18); an empty one ignores nothing."""
        place = replace(PLACE, tags=("", "private"))

        assert plan(place, ignored=frozenset({"", " Private ", "x"})).actions == (Skip(place, "private"),)
        assert plan(place, ignored=frozenset({""})).actions == (AddRoom(place),)

    def test_a_reserved_one_is_imported_and_reported(self) -> None:
        """First come, first served: it exists, but nobody can book it."""
        place = replace(PLACE, booking_type="reserved")

        result = plan(place)

        assert result.actions == (AddRoom(place),)
        assert result.warnings == (ListingWarning(WarningCode.PLACE_RESERVED, "Room 1", "one@example.org"),)

    def test_of_two_with_one_address_the_first_wins(self) -> None:
        """One mailbox is one room."""
        result = plan(PLACE, replace(PLACE, directory_id="d9", name="Twin", address=Address("ONE@example.org")))

        assert result.actions == (AddRoom(PLACE),)
        assert [warning.code for warning in result.warnings] == [WarningCode.PLACE_TWICE]

    def test_one_without_an_address_is_only_reported(self) -> None:
        """Without an address there is no mailbox to follow."""
        result = plan(PLACE, replace(OTHER, address=Address(" ")))

        assert result.actions == (AddRoom(PLACE),)
        assert [warning.code for warning in result.warnings] == [WarningCode.PLACE_WITHOUT_ADDRESS]


class TestTheWholeList:
    @pytest.mark.parametrize("state", list(RoomState))
    def test_an_empty_one_changes_nothing(self, state: RoomState) -> None:
        """Nothing listed is a setup problem, never "all rooms are gone"."""
        result = plan(known=(replace(ROOM, state=state),))

        assert result == ImportPlan((), (ListingWarning(WarningCode.LISTING_EMPTY),))

    def test_a_second_look_finds_nothing_to_do(self) -> None:
        """What was applied is at rest."""
        place = replace(PLACE, address=Address("new@example.org"), capacity=4)
        values = changed(plan(place, known=(ROOM,)))

        assert plan(place, known=(replace(ROOM, **values),)).is_quiet  # type: ignore[arg-type]

"""Rooms as the database keeps them: imports, states, marks, decisions and overrides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.database.access.overrides import Overrides
from engine.database.rooms.copies import make_row
from engine.database.rooms.states import resume
from engine.database.sql.marks import Priority
from engine.ids import Address, EventId, ICalUid
from engine.interval import Interval
from engine.rooms.event import Answer, Attendee, EventCopy, EventType, TimeFault
from engine.rooms.room import RoomState
from tests.database.opening import NOW, ONE, TWO, Opened, place


@pytest.fixture
def opened(migrated_url: str) -> Iterator[Opened]:
    found = Opened(migrated_url)
    yield found
    found.database.close()


def make_copy(uid: str, all_day: tuple[date, date] | None = None) -> EventCopy:
    interval = None if all_day else Interval(NOW, NOW + timedelta(hours=1))
    return EventCopy(EventId(uid), "E", ICalUid(uid), EventType.SINGLE, None, interval, all_day)


def codes(opened: Opened) -> list[str]:
    return [row["code"] for row in opened.rows("decision")]


class TestAnImport:
    def test_a_new_room_is_kept_whole_and_looked_at(self, opened: Opened) -> None:
        """A room is added with all its attributes, in the default store, and read and subscribed to at once."""
        report = opened.list_places(place(1, capacity=8, building="Main", floor="1", tags=("screen",)))

        (room,) = opened.directory.load_rooms()
        assert (room.id, room.name, room.address, room.state) == (1, "Room 1", "room1@example.org", RoomState.ACTIVE)
        assert (room.capacity, room.building, room.floor, room.tags) == (8, "Main", "1", ("screen",))
        assert [row["name"] for row in opened.rows("store")] == ["Main desk"]
        assert opened.marks() == {("room", "1"), ("subscription", "1")}
        assert codes(opened) == ["room_added"]
        assert opened.rows("decision")[0]["room_id"] == 1
        assert report.added == 1

    def test_a_second_one_writes_nothing(self, opened: Opened) -> None:
        """What agrees is left alone."""
        opened.list_places(place(1))
        opened.forget_marks()

        opened.list_places(place(1))

        assert opened.plan(place(1)).is_quiet
        assert opened.marks() == set()
        assert codes(opened) == ["room_added"]

    def test_a_plan_may_be_applied_twice(self, opened: Opened) -> None:
        """A pass that died after its commit is repeated."""
        opened.list_places(place(1), place(2))
        plan = opened.plan(place(1, tags=("no-sync",)))

        opened.directory.apply_import(plan, default_store="Main desk")
        report = opened.directory.apply_import(plan, default_store="Main desk")

        assert (report.excluded, report.missing) == (0, 0)
        assert codes(opened).count("room_excluded") == codes(opened).count("room_missing") == 1

    def test_a_store_is_recognised_in_whatever_case(self, opened: Opened) -> None:
        """A second one would be made of a default store that the settings spell otherwise."""
        opened.list_places(place(1))

        opened.directory.apply_import(opened.plan(place(1), place(2)), default_store="main DESK")

        assert [row["name"] for row in opened.rows("store")] == ["Main desk"]

    def test_changes_are_followed_and_told(self, opened: Opened) -> None:
        """Name and capacity change; the decision says from what to what (H28)."""
        opened.list_places(place(1))

        opened.list_places(place(1, name="Blue room", capacity=4))

        room = opened.directory.find(ONE)
        assert room is not None
        assert (room.name, room.capacity) == ("Blue room", 4)
        assert opened.rows("decision")[-1]["facts"]["changes"] == "name: Room 1 -> Blue room, capacity: - -> 4"

    def test_a_new_address_keeps_the_old_one_as_alias(self, opened: Opened) -> None:
        """The room is found by both, and its calendar is looked at again."""
        opened.list_places(place(1))
        opened.forget_marks()

        opened.list_places(place(1, address=Address("New@example.org")))

        book = opened.directory.room_book()
        assert book.by_address("new@example.org") == book.by_address("room1@example.org") is not None
        assert opened.marks() == {("room", "1")}

    def test_a_new_directory_id_has_the_subscriptions_compared(self, opened: Opened) -> None:
        """What is subscribed to is the old id."""
        opened.list_places(place(1))
        opened.forget_marks()

        opened.list_places(place(1, directory_id="guid-9"))

        assert opened.marks() == {("room", "1"), ("subscription", "all")}

    def test_an_ignored_tag_excludes_and_its_end_includes(self, opened: Opened) -> None:
        """The room stays known; only its subscription is looked at, to be dropped (H17, H25)."""
        opened.list_places(place(1))
        opened.forget_marks()

        opened.list_places(place(1, tags=("No-Sync ",)))

        (row,) = opened.rows("room")
        assert (row["state"], row["state_detail"], row["state_since"]) == ("excluded", "No-Sync", NOW)
        assert opened.marks() == {("subscription", "1")}

        opened.list_places(place(1))

        assert opened.rows("room")[0]["state"] == "active"
        assert opened.marks() == {("subscription", "1"), ("room", "1")}
        assert codes(opened)[-2:] == ["room_changed", "room_included"]

    def test_what_other_rooms_say_it_is_invited_to_is_looked_at_when_it_is_included(self, opened: Opened) -> None:
        """It may have dropped a meeting while nobody read it, and says nothing of that itself."""
        opened.list_places(place(1), place(2))
        opened.list_places(place(1, tags=("No-Sync",)), place(2))
        for uid, address in (
            ("invited", "Room1@example.org"),
            ("other", "room2@example.org"),
            ("a", "big-room1@example.org"),
            ("unreadable", "room1@example.org"),
        ):
            invited = (Attendee(Address(address), "", "resource", Answer.ACCEPTED),)
            copy = replace(make_copy(uid), attendees=invited)
            if uid == "unreadable":
                copy = replace(copy, interval=None, time_fault=TimeFault("dates_invalid", "soon"))
            row = make_row(TWO, copy, zone=UTC, reading=1, now=NOW, book=opened.directory.room_book())
            opened.insert("room_copy", **row)
        opened.forget_marks()

        opened.list_places(place(1), place(2))

        assert {key for kind, key in opened.marks() if kind == "meeting"} == {"invited", "unreadable"}

    def test_a_room_that_is_not_listed_is_missing_until_it_is(self, opened: Opened) -> None:
        """Absence is weak evidence: the room is kept and goes on being read."""
        opened.list_places(place(1), place(2))

        opened.list_places(place(2))
        missing = opened.directory.find(ONE)
        opened.list_places(place(1), place(2))
        found = opened.directory.find(ONE)

        assert missing is not None
        assert found is not None
        assert (missing.state, found.state) == (RoomState.MISSING, RoomState.ACTIVE)
        assert codes(opened)[-2:] == ["room_missing", "room_found"]

    def test_an_empty_list_opens_a_case_that_the_next_one_closes(self, opened: Opened) -> None:
        """Nothing changes but that people are told."""
        opened.list_places(place(1))

        opened.list_places()

        (case,) = opened.rows("case")
        assert (case["code"], case["state"], case["subject"]) == ("listing_empty", "open", "places:all")
        assert opened.rows("room")[0]["state"] == "active"

        opened.list_places(place(1))

        assert opened.rows("case")[0]["state"] == "closed"

    def test_the_last_one_is_told_on_one_line(self, opened: Opened) -> None:
        """Status pages show when it ran and what came of it."""
        opened.list_places(place(1), place(2, tags=("no-sync",)))

        (job,) = opened.rows("job")
        assert (job["name"], job["last_at"]) == ("import_rooms", NOW)
        assert job["last_result"] == "1 added; left out: Room 2 (no-sync)"

    def test_a_plan_made_for_another_state_does_not_wake_a_suspended_room(self, opened: Opened) -> None:
        """The list says nothing about a mailbox that refuses us."""
        opened.list_places(place(1), place(2))
        plan = opened.plan(place(2))
        opened.directory.suspend(ONE, "403")

        opened.directory.apply_import(plan, default_store="Main desk")

        assert opened.rows("room")[0]["state"] == "suspended"


class TestSuspending:
    def test_it_is_told_once_and_ends_once_it_could_be_read(self, opened: Opened) -> None:
        """A case stands while the mailbox refuses us; afterwards the room is subscribed to."""
        opened.list_places(place(1))
        opened.forget_marks()

        assert opened.directory.suspend(ONE, "mailbox not enabled")
        assert not opened.directory.suspend(ONE, "mailbox not enabled")
        assert opened.rows("room")[0]["state_detail"] == "mailbox not enabled"
        assert [case["state"] for case in opened.rows("case")] == ["open"]

        with opened.database.write() as transaction:
            assert (resume(transaction, ONE), resume(transaction, ONE)) == (True, False)
        assert [case["state"] for case in opened.rows("case")] == ["closed"]
        assert opened.marks() == {("subscription", "1"), ("places", "all")}
        assert codes(opened)[-2:] == ["room_suspended", "room_resumed"]


class TestTheBookOfRooms:
    def test_it_is_kept_until_something_changes(self, opened: Opened) -> None:
        """Every pass asks for it, so it is read again only when it must be."""
        opened.list_places(place(1))

        first = opened.directory.room_book()
        again = opened.directory.room_book()
        opened.directory.suspend(ONE, "403")
        changed = opened.directory.room_book()

        assert first is again
        assert changed is not first
        assert [room.state for room in changed.rooms] == [RoomState.SUSPENDED]

    def test_it_notices_what_another_process_did(self, opened: Opened, migrated_url: str) -> None:
        """Two processes may share a database."""
        opened.list_places(place(1))
        before = opened.directory.room_book()
        opened.clock.move(timedelta(minutes=1))
        other = Opened(migrated_url)
        other.clock.now = opened.clock.now

        other.list_places(place(1), place(2))
        other.database.close()

        assert len(before.rooms) == 1
        assert len(opened.directory.room_book().rooms) == 2


class TestTimeZones:
    def test_a_new_zone_has_whole_days_looked_at(self, opened: Opened) -> None:
        """They mean other instants now, in this room; setting the same zone again means nothing."""
        opened.list_places(place(1), place(2))
        whole, hour = make_copy("whole", all_day=(date(2026, 11, 24), date(2026, 11, 25))), make_copy("hour")
        for room in (ONE, TWO):
            for copy in (whole, hour):
                row = make_row(room, copy, zone=UTC, reading=1, now=NOW, book=opened.directory.room_book())
                opened.insert("room_copy", **row)
        opened.forget_marks()

        opened.directory.set_time_zone(ONE, "Europe/Paris")
        assert opened.marks() == {("meeting", "whole")}
        midnight = datetime(2026, 11, 24, tzinfo=UTC)
        assert {
            (row["room_id"], row["start_at"]) for row in opened.rows("room_copy") if row["ical_uid"] == "whole"
        } == {
            (ONE, midnight - timedelta(hours=1)),
            (TWO, midnight),
        }

        opened.forget_marks()
        opened.directory.set_time_zone(ONE, "Europe/Paris")
        assert opened.marks() == set()
        assert [room.time_zone for room in opened.directory.load_rooms()] == ["Europe/Paris", None]


class TestASweep:
    def test_every_followed_room_is_marked_and_spread(self, opened: Opened) -> None:
        """The one unread for longest goes first; excluded rooms are left alone."""
        opened.list_places(place(1), place(2), place(3))
        opened.list_places(place(1), place(2), place(3, tags=("no-sync",)))
        opened.forget_marks()
        opened.change("room", {"read_at": NOW}, id=ONE)

        count = opened.directory.mark_rooms(priority=Priority.SWEEP, spread_seconds=60)

        due = {row["key"]: row["ready_at"] for row in opened.rows("work") if row["ready_at"] and row["kind"] == "room"}
        assert count == 2
        assert due == {str(TWO): NOW, str(ONE): NOW + timedelta(seconds=30)}

    @pytest.mark.parametrize(
        ("read_before", "is_due"), [(None, True), (7.0, True), (6.0, True), (5.9, False), (0.0, False), (-24.0, True)]
    )
    def test_only_rooms_that_were_not_read_of_late(self, opened: Opened, read_before, is_due) -> None:
        """Whatever read it counts, but not a reading in the future: the clock was wrong then."""
        opened.list_places(place(1))
        opened.forget_marks()
        read_at = None if read_before is None else NOW - timedelta(hours=read_before)
        opened.change("room", {"read_at": read_at}, id=ONE)

        count = opened.directory.mark_rooms(priority=Priority.SWEEP, unread_for=timedelta(hours=6))

        assert count == int(is_due)


class TestOverrides:
    def test_a_change_is_kept_told_and_acted_on(self, opened: Opened) -> None:
        """Saving the page has the rooms looked at again (H26)."""
        overrides = Overrides(opened.database)

        overrides.save_override("rooms.ignored_tags", ["private", "no-sync"], "app:alex")

        assert overrides.load_overrides() == {"rooms.ignored_tags": ["private", "no-sync"]}
        assert opened.marks() == {("places", "all")}
        (decision,) = opened.rows("decision")
        assert (decision["code"], decision["actor"]) == ("setting_changed", "app:alex")

    def test_the_same_value_again_changes_nothing(self, opened: Opened) -> None:
        """A page that is saved untouched leaves no trace."""
        overrides = Overrides(opened.database)
        overrides.save_override("sync.mode", "shadow", "app:alex")

        overrides.save_override("sync.mode", "shadow", "app:alex")

        assert codes(opened) == ["setting_changed"]

    def test_none_goes_back_to_the_file(self, opened: Opened) -> None:
        """An override can be taken back."""
        overrides = Overrides(opened.database)
        overrides.save_override("sync.mode", "shadow", "app:alex")

        overrides.save_override("sync.mode", None, "app:alex")

        assert overrides.load_overrides() == {}

"""The mirror keeps apart what Graph keeps apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import msgspec
import pytest
from sqlalchemy import bindparam

from engine.database.inbox.contents import doubt_unshown, save_contents
from engine.database.mirror.mirror import Mirror, copy_table
from engine.database.rooms.book import RoomCache
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sync.ledger import SyncLedger
from engine.graph.parse import parse_change, show_change
from engine.graph.payloads import EventItem, decode_page
from engine.ids import BookableId, EventId, ICalUid
from engine.interval import Interval
from engine.reconcile.ledger import SyncRules
from engine.rooms.calendar import ChangesPage
from engine.rooms.event import EventCopy, EventRemoved, EventShown, EventType, Shown
from tests.database.opening import NOW, ONE, TWO, Opened, place

HOUR = timedelta(hours=1)


@pytest.fixture
def opened(migrated_url: str) -> Iterator[Opened]:
    made = Opened(migrated_url)
    made.list_places(place(1))
    yield made
    made.database.close()


class TestIdsThatLookAlike:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ("AAMkAGx-Aa==", "AAMkAGX-Aa=="),  # upper and lower case
            ("AAMkAGx-Aa==", "AAMkAGx_Aa=="),  # two spellings of base64
            ("AAMkAGx+Aa==", "AAMkAGx Aa=="),  # decoded once too often
            ("AAMkAGx-Aa==", "AAMkAGx-Aa="),
            ("AAMkAGxé", "AAMkAGxe\u0301"),  # composed and decomposed
        ],
    )
    def test_are_two_events(self, opened: Opened, first: str, second: str) -> None:
        """Ids and uids are compared to the letter: nothing is folded, trimmed or normalised."""
        mirror, book = Mirror(RoomCache(opened.database)), opened.directory.room_book()
        copies = tuple(
            EventCopy(EventId(name), "E", ICalUid(name), EventType.SINGLE, None, Interval(start, start + HOUR))
            for name, start in ((first, NOW), (second, NOW + HOUR))
        )

        with opened.database.write() as transaction:
            mirror.save_page(
                transaction,
                ONE,
                ChangesPage(copies, None, "delta"),
                reading=1,
                whole=True,
                listed=False,
                priority=Priority.LIVE,
                book=book,
            )
            found = [mirror.load_copies(transaction, ICalUid(name))[0] for name in (first, second)]

        assert [(copy.event.event_id, copy.interval and copy.interval.start) for (copy,) in found] == [
            (first, NOW),
            (second, NOW + HOUR),
        ]
        assert opened.marks() >= {("meeting", first), ("meeting", second)}


class TestTheFirstReadingOfARoom:
    """It lists what was there before us, and has nothing looked at but the loans of what it shows."""

    @pytest.mark.parametrize("is_cancelled", [False, True])
    @pytest.mark.parametrize("is_over", [False, True])
    def test_has_the_loan_of_a_meeting_looked_at_that_is_to_come(
        self, opened: Opened, *, is_cancelled: bool, is_over: bool
    ) -> None:
        """Of a cancelled one, too: the loan may have read meanwhile that the room takes part, which is true no more."""
        mirror, book = Mirror(RoomCache(opened.database)), opened.directory.room_book()
        opened.link("U", status="new", state="linked")
        times = Interval(NOW - HOUR, NOW) if is_over else Interval(NOW, NOW + HOUR)
        mine = EventCopy(EventId("A"), "1", ICalUid("U"), EventType.SINGLE, None, times, is_cancelled=is_cancelled)
        nobodys = replace(mine, event_id=EventId("B"), ical_uid=ICalUid("V"))
        opened.forget_marks()

        with opened.database.write() as transaction:
            page = ChangesPage((mine, nobodys), None, "delta")
            mirror.save_page(
                transaction, ONE, page, reading=1, whole=True, listed=True, priority=Priority.LIVE, book=book
            )

        assert opened.marks() == (set() if is_over else {("loan", "1")})
        assert [row["listed"] for row in opened.rows("room_copy")] == [is_over, True]


class TestACopyThatWasAskedFor:
    """By a pass over a loan that is no more: the plan that made it was undone meanwhile."""

    @pytest.mark.parametrize("is_moved", [True, False])
    def test_has_its_meeting_looked_at_when_it_is_not_what_was_there_before_us(
        self, opened: Opened, is_moved: bool
    ) -> None:
        """It was saved as read, so that the room's next reading found nothing new, and nobody looked at it any more."""
        mirror, book = Mirror(RoomCache(opened.database)), opened.directory.room_book()
        before = EventCopy(EventId("A"), "1", ICalUid("U"), EventType.SINGLE, None, Interval(NOW, NOW + HOUR))
        later = replace(before, etag="2", interval=Interval(NOW + HOUR, NOW + 2 * HOUR))
        with opened.database.write() as transaction:
            page = ChangesPage((before,), None, "delta")
            mirror.save_page(
                transaction, ONE, page, reading=1, whole=True, listed=True, priority=Priority.LIVE, book=book
            )
        with opened.database.write() as transaction:
            (shown,), _ = mirror.load_copies(transaction, ICalUid("U"))
            asked = later if is_moved else before
            mirror.save_copy(transaction, ONE, EventId("A"), asked, book, seen_at=shown.seen_at)
            (copy,), _ = mirror.load_copies(transaction, ICalUid("U"))

        assert (copy.interval, copy.listed) == (asked.interval, not is_moved)
        assert (("meeting", "U") in opened.marks()) == is_moved


class Brought(Opened):
    """One copy, at nine when it was changed first, and an hour later with each version."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.list_places(place(1))
        self.mirror = Mirror(RoomCache(self.database))
        self.book = self.directory.room_book()

    def version(self, number: int) -> EventCopy:
        times = Interval(NOW + number * HOUR, NOW + (number + 1) * HOUR)
        changed = NOW - HOUR + timedelta(minutes=number)
        return EventCopy(EventId("A"), f"{number}", ICalUid("U"), EventType.SINGLE, None, times, modified_at=changed)

    def read(self, *changes: EventCopy | EventRemoved) -> None:
        with self.database.write() as transaction:
            page = ChangesPage(changes, None, "delta")
            self.mirror.save_page(
                transaction, ONE, page, reading=1, whole=False, listed=False, priority=Priority.LIVE, book=self.book
            )

    def bring(self, number: int) -> None:
        with self.database.write() as transaction:
            save_contents(transaction, ONE, [self.version(number)], zone=UTC, book=self.book, reading=1)

    def doubt_unshown(self, before: datetime) -> list[str]:
        with self.database.write() as transaction:
            return doubt_unshown(transaction, ONE, before)

    @property
    def shown(self) -> tuple[str, bool, bool]:
        """Which version is shown, whether it waits to be confirmed, and whether it is in doubt."""
        (row,) = self.rows("room_copy")
        return row["etag"], bool(row["unconfirmed"]), bool(row["doubt"])


@pytest.fixture
def brought(migrated_url: str) -> Iterator[Brought]:
    made = Brought(migrated_url)
    yield made
    made.database.close()


class TestWhatANotificationBrings:
    def test_is_confirmed_by_a_page_that_shows_the_same(self, brought: Brought) -> None:
        brought.bring(1)
        assert brought.shown == ("1", True, False)
        brought.read(brought.version(1))
        assert brought.shown == ("1", False, False)

    def test_is_not_undone_by_an_older_page(self, brought: Brought) -> None:
        brought.read(brought.version(1))
        brought.bring(3)
        brought.read(brought.version(2))
        assert brought.shown == ("3", True, False)

    def test_gives_way_to_a_newer_page(self, brought: Brought) -> None:
        brought.bring(1)
        brought.read(brought.version(2))
        assert brought.shown == ("2", False, False)

    def test_does_not_overwrite_what_another_process_has_read_meanwhile(self, brought: Brought) -> None:
        """It was judged by what was known before."""
        brought.read(brought.version(2))
        brought.bring(1)
        assert brought.shown == ("2", False, False)

    def test_does_not_take_a_doubt_away_that_came_meanwhile(self, brought: Brought) -> None:
        brought.read(brought.version(1))
        brought.read(EventRemoved(EventId("A")))
        brought.bring(2)
        assert brought.shown == ("1", False, True)

    def test_of_two_readings_the_last_counts_as_ever(self, brought: Brought) -> None:
        """Nothing but a notification has a time of its own."""
        brought.read(brought.version(2))
        brought.read(brought.version(1))
        assert brought.shown == ("1", False, False)

    def test_is_in_doubt_when_a_later_round_does_not_show_it(self, brought: Brought) -> None:
        """It tells of its room as of when it was changed."""
        brought.bring(1)
        changed = brought.version(1).modified_at
        assert changed is not None
        assert brought.doubt_unshown(changed) == []
        assert brought.shown == ("1", True, False)
        assert brought.doubt_unshown(changed + timedelta(seconds=1)) == ["U"]
        assert brought.shown == ("1", False, True)


class Followed(Opened):
    """A room with four meetings, each in a copy that is called as it is, read once."""

    MEETINGS = "ABCD"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.list_places(place(1))
        self.ledger = SyncLedger(self.database, RoomCache(self.database), SyncRules, instance="here")
        self.read_anew(self.MEETINGS)
        self.forget_marks()

    def copy(self, name: str) -> EventCopy:
        return EventCopy(EventId(name), "1", ICalUid(f"U{name}"), EventType.SINGLE, None, Interval(NOW, NOW + HOUR))

    def read_anew(self, *shown: str) -> int:
        """Read the window, page by page; returns the number of the reading."""
        self.clock.move(HOUR)
        reading = self.ledger.begin_reading(ONE, Interval(NOW - 24 * HOUR, NOW + 24 * HOUR))
        assert reading is not None
        for number, names in enumerate(shown, 1):
            is_last = number == len(shown)
            links = (None, "delta") if is_last else (f"page {number}", None)
            page = ChangesPage(tuple(map(self.copy, names)), *links)
            self.ledger.save_page(reading, page, whole=True, import_existing=True, priority=Priority.BACKFILL)
        return reading.number

    def column(self, name: str) -> list[object]:
        return [row[name] for row in self.rows("room_copy")]


@pytest.fixture
def followed(migrated_url: str) -> Iterator[Followed]:
    made = Followed(migrated_url)
    yield made
    made.database.close()


class TestAReadingAnew:
    def test_of_one_page_that_shows_nothing_new_writes_no_copy(self, followed: Followed) -> None:
        before = followed.rows("room_copy")

        followed.read_anew("ABCD")

        assert followed.rows("room_copy") == before
        assert followed.marks() == set()

    def test_of_several_pages_notes_what_all_but_the_last_have_shown(self, followed: Followed) -> None:
        """A crash goes on from the last page that was saved, and has forgotten what the others showed."""
        number = followed.read_anew("AC", "BD")

        assert followed.column("reading") == [number, number - 1, number, number - 1]
        assert followed.column("doubt") == [False] * 4
        assert followed.marks() == set()

    @pytest.mark.parametrize("pages", [("ABC",), ("A", "BC"), ("ABC", ""), ("", "ABC")])
    def test_puts_in_doubt_what_none_of_its_pages_shows(self, followed: Followed, pages: tuple[str, ...]) -> None:
        followed.read_anew("ABCD")

        followed.read_anew(*pages)

        assert followed.column("doubt") == [False, False, False, True]
        assert followed.marks() == {("meeting", "UD")}

    def test_takes_what_is_shown_again_out_of_doubt(self, followed: Followed) -> None:
        followed.read_anew("ABC")
        followed.forget_marks()

        number = followed.read_anew("ABCD")

        assert followed.column("doubt") == [False] * 4
        assert followed.column("reading") == [number] * 4
        assert followed.marks() == {("meeting", "UD")}

    def test_ends_what_is_shown_under_another_id(self, followed: Followed) -> None:
        """A meeting that was set up anew in its room: nobody asks for it by its former id."""
        followed.change("room_copy", {"ical_uid": "UC"}, event_id="D")

        followed.read_anew("ABC")

        assert followed.column("live") == [True, True, True, False]


class Twins(Opened):
    """Two rooms with the same meetings: those of the first are shown by their versions, those of the second in full."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.list_places(place(1), place(2))
        self.mirror = Mirror(RoomCache(self.database))
        self.book = self.directory.room_book()

    def save(self, room: BookableId, changes: tuple[Shown, ...], *, whole: bool = True, ends: bool = True) -> Any:
        """Save a page; returns how many copies changed and how many bookings were marked."""
        page = ChangesPage(changes, None if ends else "page 2", "delta" if ends else None)
        with self.database.write() as transaction:
            return self.mirror.save_page(
                transaction, room, page, reading=2, whole=whole, listed=False, priority=Priority.LIVE, book=self.book
            )

    def kept(self, room: BookableId) -> list[Any]:
        """The mirror's rows of a room and the meetings marked for it, without what tells the rooms apart."""
        uid = f"of-{room}"
        rows = [
            {name: _plain(value, uid) for name, value in row.items() if name != "room_id"}
            for row in self.rows("room_copy")
            if row["room_id"] == room
        ]
        return [*rows, sorted(key.removesuffix(uid) for kind, key in self.marks() if key.endswith(uid))]


def _plain(value: Any, uid: str) -> Any:
    return value.replace(uid, "") if isinstance(value, str) else value


@pytest.fixture
def twins(migrated_url: str) -> Iterator[Twins]:
    made = Twins(migrated_url)
    yield made
    made.database.close()


STATES = ("live", "gone", "doubt", "listed", "unconfirmed")
SERIES, VERSIONS, CHANGED = (None, "M"), ("1", "2", ""), (NOW - HOUR, NOW, NOW + HOUR, None)


class TestAnEventShownByItsVersion:
    """What a page shows is read in full only where its version is not enough to know that the mirror holds it."""

    @pytest.mark.parametrize("whole", [True, False])
    @pytest.mark.parametrize("ends", [True, False])
    def test_comes_to_the_same_as_in_full_whatever_is_held(self, twins: Twins, whole: bool, ends: bool) -> None:
        """Every state a row may be in, beside the same version, another one, and none."""
        cases = list(product(product((True, False), repeat=len(STATES)), SERIES, VERSIONS, CHANGED))
        names = [f"E{number:04}" for number in range(len(cases))]
        found, read = [], set()

        for room in (ONE, TWO):
            held = [
                EventCopy(
                    EventId(name), "1", ICalUid(f"{name}of-{room}"), EventType.SINGLE, None, Interval(NOW, NOW + HOUR),
                    modified_at=NOW,
                )
                for name in names
            ]  # fmt: skip
            twins.save(room, tuple(held))
            states = [
                {"of_event": name, "series_master": master, "reading": 1, **dict(zip(STATES, flags, strict=True))}
                for name, (flags, master, _, _) in zip(names, cases, strict=True)
            ]
            this = (copy_table.c.room_id == room, copy_table.c.event_id == bindparam("of_event"))
            with twins.database.write() as transaction:
                Prepared(copy_table.update().where(*this)).run(transaction.connection, states)
            twins.forget_marks()
            full = [
                replace(copy, etag=version, modified_at=changed, is_cancelled=version == "2")
                for copy, (_, _, version, changed) in zip(held, cases, strict=True)
            ]

            def show(copy: EventCopy) -> EventShown:
                def tell() -> EventCopy:
                    read.add(copy.event_id)
                    return copy

                return EventShown(copy.event_id, copy.etag, tell)

            shown: tuple[Shown, ...] = tuple(map(show, full)) if room == ONE else tuple(full)
            found.append((twins.save(room, shown, whole=whole, ends=ends), twins.kept(room)))

        assert found[0] == found[1]
        assert set(names) - read == {
            name
            for name, ((_, gone, doubt, _, unconfirmed), master, version, _) in zip(names, cases, strict=True)
            if version == "1" and not (gone or doubt or unconfirmed or master)
        }

    def test_comes_to_the_same_as_in_full_where_nothing_is_held(self, twins: Twins) -> None:
        for room in (ONE, TWO):
            item = {**ITEM, "iCalUId": f"Uof-{room}"}
            twins.save(room, read_items(show_change if room == ONE else parse_change, item))

        assert twins.kept(ONE) == twins.kept(TWO)
        assert twins.kept(ONE)[-1] == ["U"]

    @pytest.mark.parametrize("version", ["@odata.etag", "changeKey"])
    def test_shows_every_field_that_changes(self, twins: Twins, version: str) -> None:
        """Each alone, with a new version, as Exchange gives one to whatever changes (Graph docs: event, changeKey)."""
        hidden = {"@odata.etag", "changeKey"} - {version}
        before = {name: value for name, value in ITEM.items() if name not in hidden}
        told = {field.encode_name for field in msgspec.structs.fields(EventItem)}
        assert set(OTHERS) == told - {"id", "@odata.etag", "changeKey", "@removed", "singleValueExtendedProperties"}

        for number, (name, value) in enumerate(OTHERS.items()):
            for room in (ONE, TWO):
                look = show_change if room == ONE else parse_change
                item = {**before, "id": f"E{number:02}", "iCalUId": f"U{number:02}of-{room}"}
                twins.save(room, read_items(look, item))
                after = {**item, version: "V2"}
                after[name] = f"{value}of-{room}" if name == "iCalUId" else value
                twins.save(room, read_items(look, after), whole=False)

        assert twins.kept(ONE) == twins.kept(TWO)
        assert {row["etag"] for row in twins.rows("room_copy")} == {"V2" if version == "@odata.etag" else 'W/"V2"'}

    def test_that_is_removed_is_in_doubt(self, twins: Twins) -> None:
        item = {**ITEM, "iCalUId": "Uof-1"}
        twins.save(ONE, read_items(show_change, item))
        twins.save(ONE, read_items(show_change, {**item, "@removed": {"reason": "deleted"}}), whole=False)

        assert twins.kept(ONE)[0]["doubt"]

    @pytest.mark.parametrize("name", ['W/"quoted"', "back\\slash", "{x,y}", "é", "😀", "null", "1", "a'b"])
    def test_is_told_apart_to_the_letter(self, twins: Twins, name: str) -> None:
        """Ids and versions are handed to the database as they are."""
        copy = EventCopy(EventId(name), name, ICalUid("U"), EventType.SINGLE, None, Interval(NOW, NOW + HOUR))
        twins.save(ONE, (copy,))

        def refuse() -> EventCopy:
            raise AssertionError("it is held just so")

        assert twins.save(ONE, (EventShown(EventId(name), name, refuse),)) == (0, 0)
        other = replace(copy, etag=f"{name} ")
        assert twins.save(ONE, (EventShown(other.event_id, other.etag, lambda: other),)) == (1, 1)


def read_items(look: Callable[[EventItem], Shown | None], *items: dict[str, Any]) -> tuple[Shown, ...]:
    page = decode_page(json.dumps({"value": items}).encode(), EventItem)
    return tuple(shown for shown in map(look, page.items) if shown is not None)


def _at(hour: int) -> dict[str, str]:
    return {"dateTime": f"2026-11-24T{hour:02}:00:00.0000000", "timeZone": "UTC"}


ITEM: dict[str, Any] = {
    "@odata.etag": "V1", "id": "E", "changeKey": "V1", "iCalUId": "U", "type": "singleInstance",
    "start": _at(9), "end": _at(10), "isAllDay": False, "isCancelled": False, "isDraft": False, "isOrganizer": False,
    "subject": "Lecture", "sensitivity": "normal", "showAs": "busy",
    "organizer": {"emailAddress": {"name": "Kim", "address": "kim@example.org"}},
    "attendees": [{"type": "resource", "emailAddress": {"name": "Room 1", "address": "room1@example.org"}}],
    "responseStatus": {"response": "accepted"},
    "createdDateTime": "2026-11-20T09:00:00Z", "lastModifiedDateTime": "2026-11-20T09:00:00Z",
}  # fmt: skip
OTHERS: dict[str, Any] = {
    "iCalUId": "V", "type": "exception", "seriesMasterId": "M", "originalStart": "2026-11-24T08:00:00Z",
    "originalStartTimeZone": "Europe/Vienna", "recurrence": {"range": {"recurrenceTimeZone": "Europe/Vienna"}},
    "start": _at(8), "end": _at(11), "isAllDay": True, "isCancelled": True, "isDraft": True, "isOrganizer": True,
    "subject": "Talk", "sensitivity": "private", "showAs": "free",
    "organizer": {"emailAddress": {"name": "Lou", "address": "lou@example.org"}},
    "attendees": [{"type": "resource", "emailAddress": {"name": "Room 2", "address": "room2@example.org"}}],
    "responseStatus": {"response": "declined"}, "transactionId": "T", "webLink": "https://outlook.example.org",
    "bodyPreview": "Bring a pen", "createdDateTime": "2026-11-21T09:00:00Z",
    "lastModifiedDateTime": "2026-11-21T09:00:00Z",
}  # fmt: skip
"""Of every field another value than in `ITEM`."""

"""The mirror keeps apart what Graph keeps apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.database.marks import Priority
from engine.database.mirror import Mirror
from engine.database.roombook import RoomCache
from engine.ids import EventId, ICalUid
from engine.interval import Interval
from engine.rooms.calendar import ChangesPage
from engine.rooms.event import EventCopy, EventType
from tests.database.opening import NOW, ONE, Opened, place

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
        mirror, book = Mirror(opened.database.dialect, RoomCache(opened.database)), opened.directory.room_book()
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


class TestACopyThatWasAskedFor:
    """By a pass over a loan that is no more: the plan that made it was undone meanwhile."""

    @pytest.mark.parametrize("is_moved", [True, False])
    def test_has_its_meeting_looked_at_when_it_is_not_what_was_there_before_us(
        self, opened: Opened, is_moved: bool
    ) -> None:
        """It was saved as read, so that the room's next reading found nothing new, and nobody looked at it any more."""
        mirror, book = Mirror(opened.database.dialect, RoomCache(opened.database)), opened.directory.room_book()
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

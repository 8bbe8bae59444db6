"""What the mirror keeps of a room's copy."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from engine.database.rooms.copies import decode_copy, make_row
from engine.ids import Address, BookableId, EventId, ICalUid, StoreId
from engine.interval import Interval
from engine.rooms.event import Answer, Attendee, EventCopy, EventType, Mailbox, Privacy, TimeFault
from engine.rooms.room import Room, RoomBook, RoomState

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
ROOM = Attendee(Address("Tilleul@example.org"), "Tilleul", "resource", Answer.ACCEPTED)
GUEST = Attendee(Address("alex@example.org"), "Alex", "required", Answer.NONE)
BOOK = RoomBook((Room(BookableId(1), Address("tilleul@example.org"), "1", "Tilleul", RoomState.ACTIVE, StoreId(1)),))

PLAIN = EventCopy(
    event_id=EventId("AAMk="), etag="1", ical_uid=ICalUid("u"), type=EventType.SINGLE,
    organizer=Mailbox(Address("sam@example.org"), "Sam"), interval=Interval(NINE, NINE + timedelta(hours=1)),
)  # fmt: skip
COPIES = (
    PLAIN,
    replace(PLAIN, attendees=(ROOM,), answer=Answer.DECLINED, show_as="free", privacy=Privacy.PRIVATE),
    replace(PLAIN, interval=None, all_day=(date(2026, 11, 24), date(2026, 11, 25)), is_cancelled=True),
    replace(PLAIN, interval=None, time_fault=TimeFault("zone_unknown", "Mars"), organizer=None),
    replace(PLAIN, interval=None, instant=NINE, is_draft=True, is_organizer=True, transaction_id="t"),
    replace(PLAIN, type=EventType.EXCEPTION, series_master_id=EventId("M"), original_start=NINE, zone="Europe/Paris"),
)


def payload_of(copy: EventCopy) -> str:
    made: str = make_row(BookableId(1), copy, zone=UTC, reading=1, now=NINE, book=BOOK)["payload"]
    return made


@pytest.mark.parametrize("copy", COPIES)
def test_what_is_kept_comes_back(copy: EventCopy) -> None:
    assert decode_copy(payload_of(copy)) == copy


@pytest.mark.parametrize("copy", COPIES)
def test_equal_copies_are_written_alike(copy: EventCopy) -> None:
    """Whether a date of a changed series says anything new is told by its payload."""
    other = msgspec.json.decode(msgspec.json.encode(copy), type=EventCopy)

    assert payload_of(other) == payload_of(copy) == payload_of(decode_copy(payload_of(copy)))


def test_titles_links_and_guests_are_not_kept() -> None:
    told = replace(
        PLAIN, subject="Salary", body_preview="of Sam", web_link="https://x", attendees=(GUEST, ROOM), created_at=NINE
    )  # fmt: skip

    assert payload_of(told) == payload_of(replace(PLAIN, attendees=(ROOM,)))


def test_a_payload_that_says_everything_is_read_as_well() -> None:
    """So were they written once: what was read of a room before stays good."""
    assert decode_copy(msgspec.json.encode(PLAIN).decode()) == PLAIN

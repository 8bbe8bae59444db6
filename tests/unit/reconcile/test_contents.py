"""When what a notification brings may stand in for a reading of its room, by tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.ids import Address, EventId, ICalUid
from engine.interval import Interval
from engine.reconcile.contents import KnownCopy, is_alone, is_usable, newest_of, overtakes, seen_at, told_in_full
from engine.reconcile.gathering import Told
from engine.rooms.event import EventCopy, EventType, Mailbox, TimeFault

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DOMAINS = frozenset({"example.org"})
NINE_TO_TEN = Interval(NOW, NOW + timedelta(hours=1))

CONTENT = EventCopy(
    event_id=EventId("e1"),
    etag="v2",
    ical_uid=ICalUid("u1"),
    type=EventType.SINGLE,
    organizer=Mailbox(Address("Kim@Example.org"), "Kim"),
    interval=NINE_TO_TEN,
    modified_at=NOW,
)
KNOWN = KnownCopy(live=True, certain=True, alone=True, modified_at=NOW - MINUTE)


class TestUsable:
    @pytest.mark.parametrize(
        ("known", "usable"),
        [
            ({}, True),
            ({"modified_at": NOW}, False),  # the same version, or another of the same time
            ({"modified_at": NOW + MINUTE}, False),  # it comes late
            ({"modified_at": None}, False),
            ({"live": False}, False),  # what ended is revived by asking only
            ({"certain": False}, False),
            ({"alone": False}, False),
        ],
    )
    def test_what_is_known_is_changed_by_a_later_version_only(self, known: dict[str, Any], usable: bool) -> None:
        assert is_usable(CONTENT, replace(KNOWN, **known), domains=DOMAINS, read_at=NOW) is usable

    @pytest.mark.parametrize(
        ("change", "read_at", "usable"),
        [
            ({}, NOW - MINUTE, True),
            ({}, NOW, False),  # the reading would have shown it
            ({}, None, False),
            ({"is_cancelled": True}, NOW - MINUTE, False),
            ({"organizer": None}, NOW - MINUTE, False),
            ({"organizer": Mailbox(Address("kim@elsewhere.example"), "")}, NOW - MINUTE, False),
        ],
    )
    def test_what_is_not_known_is_ours_and_newer_than_the_last_reading(
        self, change: dict[str, Any], read_at: datetime | None, usable: bool
    ) -> None:
        assert is_usable(replace(CONTENT, **change), None, domains=DOMAINS, read_at=read_at) is usable

    @pytest.mark.parametrize(
        "change",
        [
            {"type": EventType.MASTER},
            {"type": EventType.OCCURRENCE},
            {"type": EventType.EXCEPTION},
            {"series_master_id": EventId("m1")},
            {"is_draft": True},
            {"ical_uid": ICalUid("")},
            {"etag": ""},
            {"modified_at": None},
            {"time_fault": TimeFault("dates_invalid", "x")},
            {"instant": NOW},
        ],
    )
    def test_what_may_touch_other_events_or_cannot_be_read_is_left_to_a_reading(self, change: dict[str, Any]) -> None:
        assert not is_usable(replace(CONTENT, **change), KNOWN, domains=DOMAINS, read_at=None)

    def test_a_cancellation_of_what_is_known_counts(self) -> None:
        assert is_usable(replace(CONTENT, is_cancelled=True), KNOWN, domains=DOMAINS, read_at=None)


class TestToldInFull:
    CREATED = Told("e1", "created", "v1")
    UPDATED = Told("e1", "updated", "v2")
    ELSEWHERE = Told("e2", "updated", "v5")

    def test_every_notice_of_an_event_must_bring_it(self) -> None:
        assert told_in_full([(self.CREATED, CONTENT), (self.UPDATED, CONTENT)]) == [CONTENT, CONTENT]
        assert told_in_full([(self.CREATED, CONTENT), (self.UPDATED, None)]) == []
        assert told_in_full([(self.CREATED, None), (self.UPDATED, CONTENT)]) == []

    def test_other_events_of_the_room_have_no_part_in_it(self) -> None:
        assert told_in_full([(self.ELSEWHERE, None), (self.UPDATED, CONTENT)]) == [CONTENT]
        assert told_in_full([(Told(None, "updated", None), None), (self.UPDATED, CONTENT)]) == [CONTENT]


class TestNewest:
    def test_of_each_event_the_last_version_counts_whatever_came_first(self) -> None:
        late = replace(CONTENT, etag="v1", modified_at=NOW - MINUTE)
        other = replace(CONTENT, event_id=EventId("e2"))

        assert newest_of([CONTENT, late, other]) == {"e1": CONTENT, "e2": other}
        assert newest_of([late, CONTENT])["e1"].etag == "v2"

    def test_nobody_knows_which_of_two_of_the_same_time_is_newer(self) -> None:
        assert newest_of([CONTENT, replace(CONTENT, etag="v3")]) == {}
        assert newest_of([CONTENT, CONTENT])["e1"].etag == "v2"


@pytest.mark.parametrize(
    ("shown", "known", "unconfirmed", "overtaken"),
    [
        (NOW, NOW + MINUTE, True, True),
        (NOW, NOW + MINUTE, False, False),  # what was read last counts
        (NOW, NOW, True, False),
        (NOW + MINUTE, NOW, True, False),
        (None, NOW, True, False),
        (NOW, None, True, False),
    ],
)
def test_a_page_that_was_under_way_does_not_undo_a_notification(
    shown: datetime | None, known: datetime | None, unconfirmed: bool, overtaken: bool
) -> None:
    copy = replace(CONTENT, modified_at=shown)
    assert overtakes(copy, known_modified_at=known, unconfirmed=unconfirmed) is overtaken


def test_it_tells_of_its_room_as_of_when_it_was_changed() -> None:
    assert seen_at(CONTENT, NOW + MINUTE) == NOW
    assert seen_at(CONTENT, NOW - MINUTE) == NOW - MINUTE  # clocks differ


@pytest.mark.parametrize(("minutes", "alone"), [(0, False), (50, False), (60, True), (-60, True), (55, False)])
def test_two_events_in_a_room_at_a_time_are_left_to_a_reading(minutes: int, alone: bool) -> None:
    start = NOW + timedelta(minutes=minutes)
    assert is_alone(NINE_TO_TEN, [Interval(start, start + timedelta(hours=1))]) is alone


def test_blocked_times_count() -> None:
    """A meeting until 10:05 holds its room until 10:15."""
    longer = Interval(NOW - timedelta(hours=1), NOW + timedelta(minutes=-55))
    assert is_alone(NINE_TO_TEN, [longer])
    assert not is_alone(NINE_TO_TEN, [Interval(NOW + timedelta(minutes=59), NOW + timedelta(hours=2))])

"""What health checks and metrics ask of all rooms at once: the same as the list of rooms tells."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine.database.reports.status import StatusBoard
from engine.database.sql.connection import Database
from tests.database.building import MONDAY, add_room, insert

NOW = MONDAY
EARLIER, LATER, LONG_AGO = NOW - timedelta(minutes=5), NOW + timedelta(days=1), NOW - timedelta(hours=1)

SUBSCRIBED = {"remote_id": "s", "expires_at": LATER, "created_at": LONG_AGO}
ROOMS: dict[int, tuple[dict[str, Any], dict[str, Any] | None]] = {
    1: ({"contacted_at": LONG_AGO}, SUBSCRIBED),
    2: ({}, SUBSCRIBED),
    3: ({"contacted_at": LONG_AGO}, None),
    4: ({"contacted_at": LONG_AGO}, {**SUBSCRIBED, "remote_id": None}),
    5: ({"contacted_at": LONG_AGO}, {**SUBSCRIBED, "expires_at": EARLIER}),
    6: ({"contacted_at": LONG_AGO}, {**SUBSCRIBED, "expires_at": NOW}),
    7: ({"contacted_at": LONG_AGO, "changed_unsignalled": 1}, SUBSCRIBED),
    8: ({"contacted_at": LONG_AGO, "changed_unsignalled": 1, "signalled_at": EARLIER}, SUBSCRIBED),
    9: ({"contacted_at": LONG_AGO, "changed_unsignalled": 2}, {**SUBSCRIBED, "expires_at": EARLIER}),
    10: ({"state": "suspended", "changed_unsignalled": 1}, SUBSCRIBED),
    11: ({"state": "excluded", "changed_unsignalled": 1}, SUBSCRIBED),
    12: ({"state": "missing"}, None),
}
"""Rooms with their subscriptions, one by one."""


@pytest.fixture
def board(database: Database) -> StatusBoard:
    insert(database, "store", name="Main desk", rules={}, approval=False)
    for number, (room, subscription) in ROOMS.items():
        add_room(database, number, **room)
        if subscription is not None:
            insert(database, "subscription", room_id=number, client_state="secret", **subscription)
    return StatusBoard(database)


class TestWhatChecksAsk:
    def test_is_what_the_rooms_say(self, board: StatusBoard) -> None:
        active = [room for room in board.rooms() if room.state == "active"]
        assert board.unread_rooms(99) == tuple(room.name for room in active if not room.contacted)
        assert board.unsubscribed_rooms(99) == tuple(room.name for room in active if not room.subscribed)
        assert board.deaf_rooms() == sum(room.deaf for room in board.rooms())

    def test_names_the_rooms_meant(self, board: StatusBoard) -> None:
        assert board.unread_rooms(99) == ("Room 2",)
        assert board.unsubscribed_rooms(99) == ("Room 3", "Room 4", "Room 5", "Room 6", "Room 9")
        assert board.deaf_rooms() == 2

    def test_names_no_more_than_asked_for(self, board: StatusBoard) -> None:
        assert board.unsubscribed_rooms(2) == ("Room 3", "Room 4")

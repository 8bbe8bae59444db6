"""What is known of rooms that may still have an event that has ended. What it means: `reconcile/freeing.py`."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.database.links.codec import render_base
from engine.database.links.freeing import await_rooms
from engine.ids import Address, BookableId, LoanNumber
from engine.reconcile.freeing import FREEING, SILENCE
from engine.reconcile.views import Base, Face
from tests.database.building import BY, MONDAY, Building, add_meeting, hours, insert, marked, order, room, rows, update

ONE = LoanNumber(1)
ROOM, OTHER = BookableId(1), BookableId(2)


@pytest.fixture
def ended(building: Building) -> Building:
    """Loan 1, of rooms 1 and 2, has had an event that ended this moment, and nobody heard of it."""
    interval = hours(24, 25)
    building.desk.book(order(interval, room(1), room(2)), actor=BY)
    face = Face(interval, Address("alex@example.org"), frozenset({ROOM, OTHER}))
    values = {"loan_number": 1, "generation": 1, "state": "ended", "base": render_base(Base(face, face))}
    insert(building.database, "link", **values, ical_uid="uid-1", written_at=MONDAY)
    return building


def awaits(building: Building, *rooms: BookableId) -> bool:
    with building.database.write() as transaction:
        return await_rooms(transaction, [ONE], frozenset(rooms))


class TestARoomThatWasAsked:
    def test_is_waited_for_and_read(self, ended: Building) -> None:
        assert awaits(ended, ROOM)
        due = {row.key: row.ready_at for row in rows(ended.database, "work") if row.kind == "room"}
        assert due == {"1": MONDAY + SILENCE}

        ended.clock.now += SILENCE
        update(ended.database, "room", read_at=ended.clock.now)
        assert not awaits(ended, ROOM)

    def test_is_waited_for_while_it_shows_the_event(self, ended: Building) -> None:
        """It was read, and says so: nothing more is asked of it."""
        add_meeting(ended.database, 1, hours(24, 25), uid="uid-1")
        ended.clock.now += SILENCE
        update(ended.database, "room", read_at=ended.clock.now)
        assert awaits(ended, ROOM)

        update(ended.database, "room_copy", live=False)

        assert not awaits(ended, ROOM)
        assert {key for key in marked(ended.database) if key.startswith("room:")} == set()

    def test_is_waited_for_no_longer_than_half_a_minute(self, ended: Building) -> None:
        ended.clock.now += FREEING - timedelta(seconds=1)
        assert awaits(ended, OTHER)

        ended.clock.now += timedelta(seconds=1)

        assert not awaits(ended, ROOM, OTHER)


def test_a_room_that_was_not_asked_is_not_waited_for(ended: Building) -> None:
    assert not awaits(ended, BookableId(3))
    assert not {key for key in marked(ended.database) if key.startswith("room:")}


def test_an_event_that_never_was_is_not_waited_for(ended: Building) -> None:
    update(ended.database, "link", ical_uid=None)

    assert not awaits(ended, ROOM)

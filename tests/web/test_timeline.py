"""The board as values: days on the wall clock, rooms in their groups, filters, and what an entry tells to whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.board import BoardEntry, BoardMeeting
from engine.loans.loan import Home
from engine.loans.status import ItemState, LoanStatus
from engine.rooms.room import Room, RoomState
from engine.web.access import Role
from engine.web.pages.occupancy.timeline import (
    DAY_MINUTES,
    Filter,
    Minutes,
    Span,
    View,
    all_features,
    group_rooms,
    show_all,
    show_entry,
    shown_rooms,
    span_of,
)
from engine.web.pages.users import User

PARIS = ZoneInfo("Europe/Paris")
AUTUMN = date(2026, 10, 25)
"""Clocks go back at three in the morning."""

SPRING = date(2026, 3, 29)
"""Clocks go forward at two in the morning."""


def room(number: int, name: str, *, state: RoomState = RoomState.ACTIVE, **more: Any) -> Room:
    address = Address(f"r{number}@example.org")
    return Room(BookableId(number), address, f"dir-{number}", name, state, StoreId(1), **more)


def user(role: Role, address: str = "reader@example.org") -> User:
    return User(1, "Reader", Address(address), role, "")


def entry(**more: Any) -> BoardEntry:
    start = datetime(2026, 11, 23, 9, 5, tzinfo=PARIS)
    values: dict[str, Any] = {
        "room_id": 1, "number": LoanNumber(7), "version": 3, "interval": Interval(start, start + timedelta(minutes=50)),
        "holds": True, "state": ItemState.ACCEPTED, "status": LoanStatus.NEW, "home": Home.OUTLOOK, "title": "Budget",
        "requester": "Amélie", "address": Address("amelie@example.org"), "private": False, "is_series": False,
        "store_id": StoreId(1),
    }  # fmt: skip
    return BoardEntry(**{**values, **more})


class TestDays:
    def test_a_week_begins_on_monday(self) -> None:
        assert span_of(View.WEEK, date(2026, 11, 26), PARIS) == Span(date(2026, 11, 23), 7, PARIS)
        assert span_of(View.DAY, date(2026, 11, 26), PARIS) == Span(date(2026, 11, 26), 1, PARIS)

    @pytest.mark.parametrize(("day", "hours"), [(AUTUMN, 25), (SPRING, 23), (date(2026, 11, 23), 24)])
    def test_a_day_is_as_long_as_it_is(self, day: date, hours: int) -> None:
        assert Span(day, 1, PARIS).interval.length == timedelta(hours=hours)

    @pytest.mark.parametrize("day", [AUTUMN, SPRING, date(2026, 11, 23)])
    def test_nine_o_clock_is_at_the_same_place_every_day(self, day: date) -> None:
        span = Span(day - timedelta(days=1), 7, PARIS)
        nine = datetime(day.year, day.month, day.day, 9, tzinfo=PARIS)

        assert span.minute(nine) == DAY_MINUTES + 9 * 60
        assert span.instant(DAY_MINUTES + 9 * 60) == nine

    def test_a_minute_the_clock_skips_lies_where_it_would_have_been(self) -> None:
        assert Span(SPRING, 1, PARIS).instant(2 * 60 + 30) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)

    def test_what_began_before_is_negative(self) -> None:
        assert Span(AUTUMN, 1, PARIS).minute(datetime(2026, 10, 24, 23, 0, tzinfo=PARIS)) == -60


class TestRooms:
    def test_lie_by_building_and_floor_in_the_order_people_count_in(self) -> None:
        rooms = [
            room(1, "Room 10", building="B", floor="2"),
            room(2, "Room 9", building="B", floor="2"),
            room(3, "Attic", building="B", floor="10"),
            room(4, "Shed"),
            room(5, "Hall", building="A", floor="0"),
        ]

        groups = group_rooms(rooms)

        assert [(group.building, group.floor) for group in groups] == [("A", "0"), ("B", "2"), ("B", "10"), ("", "")]
        assert [each.name for each in groups[1].rooms] == ["Room 9", "Room 10"]

    def test_an_accent_does_not_send_a_room_to_the_end(self) -> None:
        rooms = [room(1, "Tilleul"), room(2, "Érable"), room(3, "Frêne")]

        assert [each.name for each in group_rooms(rooms)[0].rooms] == ["Érable", "Frêne", "Tilleul"]

    def test_that_are_left_alone_are_not_shown(self) -> None:
        assert shown_rooms([room(1, "A"), room(2, "B", state=RoomState.EXCLUDED)]) == [room(1, "A")]

    @pytest.mark.parametrize(
        ("wanted", "takes"),
        [
            (Filter(), True),
            (Filter(people=12), True),
            (Filter(people=13), False),
            (Filter(features=frozenset({"Screen", "piano"})), True),
            (Filter(features=frozenset({"stage"})), False),
            (Filter(store=1), True),
            (Filter(store=2), False),
            (Filter(words="till NORTH"), True),
            (Filter(words="till south"), False),
            (Filter(words="cafe tíll"), True),
        ],
    )
    def test_are_filtered(self, wanted: Filter, takes: bool) -> None:
        tilleul = room(1, "Tilleul", capacity=12, building="North", tags=("screen", "Café"), features=("Piano",))

        assert wanted.takes(tilleul) == takes

    def test_of_unknown_size_seat_nobody_for_sure(self) -> None:
        assert not Filter(people=1).takes(room(1, "Shed"))

    def test_features_are_named_once_however_they_are_spelled(self) -> None:
        rooms = [
            room(1, "A", tags=("screen",)),
            room(2, "B", tags=("screen",)),
            room(3, "C", features=("Screen", "Camera")),
        ]

        assert all_features(rooms) == ["Camera", "screen"]


class TestEntries:
    SPAN = Span(date(2026, 11, 23), 1, PARIS)
    NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)

    def show(self, who: User, **more: Any) -> dict[str, object]:
        return show_entry(entry(**more), Minutes(self.SPAN), who, self.NOW)

    def test_leave_out_what_is_usual(self) -> None:
        assert self.show(user(Role.STAFF)) == {
            "n": 7, "r": 1, "s": 545, "e": 595, "v": 3, "t": "Budget", "w": "Amélie", "m": 1,
        }  # fmt: skip

    def test_name_what_is_not(self) -> None:
        shown = self.show(
            user(Role.STAFF),
            holds=False, state=ItemState.DECLINED, status=LoanStatus.OUT, home=Home.APP, is_series=True,
        )  # fmt: skip

        assert {key: shown[key] for key in ("h", "st", "ls", "hm", "q")} == {
            "h": 0, "st": "declined", "ls": "out", "hm": "app", "q": 1,
        }  # fmt: skip

    def test_of_others_tell_a_requester_nothing(self) -> None:
        assert self.show(user(Role.REQUESTER)) == {"n": 0, "r": 1, "s": 545, "e": 595, "v": 3, "p": 1}

    def test_of_ones_own_may_be_moved(self) -> None:
        shown = self.show(user(Role.REQUESTER, "AMELIE@example.org"))

        assert (shown["n"], shown["t"], shown["o"], shown["m"]) == (7, "Budget", 1, 1)

    @pytest.mark.parametrize(
        ("status", "ended", "movable"),
        [("new", -1, True), ("new", 0, False), ("pending_approval", 1, False), ("out", 1, True), ("overdue", 1, True),
         ("completed", -1, False)],
    )  # fmt: skip
    def test_that_are_over_stay_where_they_are(self, status: str, ended: int, movable: bool) -> None:
        """Unless somebody still has the room: then it can be kept for longer."""
        one = entry(status=LoanStatus(status))

        shown = show_entry(one, Minutes(self.SPAN), user(Role.STAFF), one.interval.end + timedelta(minutes=ended))

        assert ("m" in shown) is movable

    def test_that_are_private_can_be_opened_by_staff_and_tell_nothing(self) -> None:
        shown = self.show(user(Role.STAFF), private=True)

        assert (shown["n"], shown["p"]) == (7, 1)
        assert "t" not in shown
        assert "w" not in shown

    def test_come_by_start_with_meetings_that_are_no_loans_between(self) -> None:
        meeting = BoardMeeting(BookableId(1), Interval(self.SPAN.instant(480), self.SPAN.instant(540)))
        elsewhere = BoardMeeting(BookableId(2), meeting.interval)

        shown = show_all([entry()], [meeting, elsewhere], self.SPAN, user(Role.STAFF), [1], now=self.NOW)

        assert [(each["n"], each["s"]) for each in shown] == [(0, 480), (7, 545)]

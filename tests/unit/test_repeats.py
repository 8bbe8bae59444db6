"""How a booking form speaks of series."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from engine.errors import Clash
from engine.ids import Address, BookableId, StoreId
from engine.interval import Interval
from engine.loans.loan import ItemKind
from engine.loans.recurrence import Repeat, Weekday
from engine.loans.register import ItemRef
from engine.reconcile.series.book import DateChoice, DateState, PlannedDate, StandIns
from engine.rooms.ranking import RankedRoom
from engine.rooms.room import Room, RoomState
from engine.web.pages.booking.repeats import Repeated, list_dates, settle_dates

TEN = datetime(2026, 11, 23, 9, tzinfo=UTC)
FIRST = Interval(TEN, TEN + timedelta(hours=1))
MONDAY = date(2026, 11, 23)
NEXT = date(2026, 11, 30)


def ref(number: int) -> ItemRef:
    return ItemRef(ItemKind.ROOM, BookableId(number))


def room(number: int) -> Room:
    address = Address(f"room-{number}@example.org")
    return Room(BookableId(number), address, f"dir-{number}", f"Room {number}", RoomState.ACTIVE, StoreId(1))


ROOMS = {BookableId(number): room(number) for number in range(1, 9)}


def date_of(day: date, items: tuple[ItemRef, ...], taken: dict[int, tuple[int, ...]] | None = None) -> PlannedDate:
    """Return a date; *taken* are the items that are not free, with the rooms that could stand in for each."""
    taken = taken or {}
    clashes = tuple(Clash(number, f"Room {number}", FIRST.start, FIRST.end, 7) for number in taken)
    stand_ins = tuple(
        StandIns(BookableId(number), tuple(RankedRoom(room(other)) for other in others))
        for number, others in taken.items()
    )
    state = DateState.TAKEN if taken else DateState.FREE
    return PlannedDate(day, FIRST, items, state, clashes, (), stand_ins)


def form(**fields: Any) -> Repeated:
    return Repeated(**{"repeat": "weekly", **fields})


class TestThePattern:
    def test_repeats_on_the_weekday_it_begins_on(self) -> None:
        made = form(count=3).recurrence(FIRST, "Europe/Paris")

        assert (made.repeat, made.weekdays, made.count, made.until) == (Repeat.WEEKLY, (Weekday.MONDAY,), 3, None)

    def test_the_weekday_follows_the_day_until_somebody_chooses_others(self) -> None:
        """The form was shown for Sunday, with Sunday chosen; now it begins on Monday."""
        moved = form(weekday=["sunday"], seen_day="2026-11-22")
        chosen = form(weekday=["sunday", "friday"], seen_day="2026-11-22")

        assert moved.weekdays(MONDAY) == (Weekday.MONDAY,)
        assert chosen.weekdays(MONDAY) == (Weekday.SUNDAY, Weekday.FRIDAY)

    def test_ends_after_twelve_weeks_where_no_last_day_is_given(self) -> None:
        assert form(ending="day").recurrence(FIRST, "Europe/Paris").until == date(2027, 2, 15)
        assert form(ending="day", last="2026-12-24").recurrence(FIRST, "Europe/Paris").until == date(2026, 12, 24)

    def test_other_patterns_mind_no_weekdays(self) -> None:
        made = form(repeat="monthly", weekday=["friday"]).recurrence(FIRST, "Europe/Paris")

        assert (made.weekdays, made.month_day) == ((), 23)


class TestChoices:
    @pytest.mark.parametrize(
        "written", ["2026-11-23", "2026-11-23:", "2026-11-23:x", "out", "2026-11-23:1", "2026-11-23:1-2,3-4"]
    )
    def test_what_means_nothing_is_refused(self, written: str) -> None:
        with pytest.raises(ValidationError):
            form(choice=[written])

    def test_leave_a_date_out_or_put_other_rooms_there(self) -> None:
        given = form(choice=["2026-11-23:out", "", "2026-11-30:1-5+2-6"])

        assert given.choices((ref(1), ref(2)), [MONDAY, NEXT]) == (
            DateChoice(MONDAY, None),
            DateChoice(NEXT, (ref(5), ref(6))),
        )

    def test_of_a_date_that_is_none_any_more_are_forgotten(self) -> None:
        """The pattern was changed after the choice was made."""
        assert form(choice=["2026-11-24:out"]).choices((ref(1),), [MONDAY]) == ()


class TestSettlingAtOnce:
    planned = (
        date_of(MONDAY, (ref(1),), {1: (5, 6)}),
        date_of(NEXT, (ref(1),)),
        date_of(date(2026, 12, 7), (ref(1),), {1: ()}),
    )

    def test_leaves_out_what_cannot_be_had(self) -> None:
        settled = settle_dates(self.planned, (), with_rooms=False)

        assert settled == (DateChoice(MONDAY, None), DateChoice(date(2026, 12, 7), None))

    def test_takes_the_best_room_and_leaves_out_where_there_is_none(self) -> None:
        settled = settle_dates(self.planned, (), with_rooms=True)

        assert settled == (DateChoice(MONDAY, (ref(5),)), DateChoice(date(2026, 12, 7), None))

    def test_keeps_what_was_chosen_for_other_dates(self) -> None:
        assert DateChoice(NEXT, None) in settle_dates(self.planned, (DateChoice(NEXT, None),), with_rooms=True)

    def test_never_puts_one_room_in_two_places(self) -> None:
        both = (date_of(MONDAY, (ref(1), ref(2)), {1: (5,), 2: (5,)}),)

        assert settle_dates(both, (), with_rooms=True) == (DateChoice(MONDAY, None),)


class TestTheList:
    def test_offers_each_stand_in_and_leaving_out(self) -> None:
        (line,) = list_dates([date_of(MONDAY, (ref(1),), {1: (5, 6)})], (ref(1),), (), ROOMS)

        assert not line.is_open
        assert line.options == (
            ("2026-11-23:1-5", "Room 5"),
            ("2026-11-23:1-6", "Room 6"),
            ("2026-11-23:out", ""),
        )
        assert line.chosen == ""

    def test_for_two_rooms_that_are_taken_offers_the_best_of_each_together(self) -> None:
        items = (ref(1), ref(2))

        (line,) = list_dates([date_of(MONDAY, items, {1: (5, 6), 2: (7,)})], items, (), ROOMS)

        assert line.options[0] == ("2026-11-23:1-5+2-7", "Room 5, Room 7")

    @pytest.mark.parametrize("after", [None, (ref(6),)])
    def test_shows_what_was_chosen_and_its_value_means_the_same(self, after: tuple[ItemRef, ...] | None) -> None:
        """A date that was settled is free: no stand-ins are told for it any more."""
        choice = DateChoice(MONDAY, after)

        (line,) = list_dates([date_of(MONDAY, after or (ref(1),))], (ref(1),), (choice,), ROOMS)

        assert line.chosen in [value for value, _ in line.options]
        assert form(choice=[line.chosen]).choices((ref(1),), [MONDAY]) == (choice,)

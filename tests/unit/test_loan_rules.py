"""Booking rules of rooms and stores (H57-H62): opening hours, booking window, maximum duration."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.interval import Interval
from engine.loans.rules import BookingRules, OpeningHours, RuleBreach, find_breaches

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
MONDAY, SUNDAY = datetime(2026, 11, 23, tzinfo=PARIS), datetime(2026, 11, 22, tzinfo=PARIS)

OFFICE = OpeningHours({day: (time(8), time(18)) for day in range(1, 6)})
ALWAYS = OpeningHours({day: (time(0), time(0)) for day in range(1, 8)})
LATE = OpeningHours({day: (time(8), time(0)) for day in range(1, 6)})


def local(day: datetime, hour: float) -> datetime:
    """That hour on the wall clock of that day; 24 is the midnight that ends it."""
    return day + timedelta(hours=hour)


def breaches(rules: BookingRules, start: datetime, end: datetime) -> list[str]:
    return [breach.code for breach in find_breaches(rules, Interval(start, end), now=NOW, zone=PARIS)]


class TestOpeningHours:
    @pytest.mark.parametrize(
        ("start", "end", "open"),
        [
            (8, 18, True),
            (8, 8.25, True),
            (17.75, 18, True),
            (7.75, 9, False),
            (17, 18.25, False),
            (6, 7, False),
            (19, 20, False),
            (7, 19, False),
        ],
    )
    def test_hold_from_opening_to_closing(self, start: float, end: float, open: bool) -> None:
        """A booking may begin at opening and end at closing, and not a minute beyond."""
        assert OFFICE.covers(local(MONDAY, start), local(MONDAY, end)) == open

    @pytest.mark.parametrize("hour", range(0, 23))
    def test_of_an_absent_day_are_closed(self, hour: int) -> None:
        """A day that is not listed is closed all day."""
        assert not OFFICE.covers(local(SUNDAY, hour), local(SUNDAY, hour + 1))

    def test_never_reach_across_a_night(self) -> None:
        """Both days are open, the night between them is not."""
        assert not OFFICE.covers(local(MONDAY, 17), local(MONDAY, 24 + 9))

    @pytest.mark.parametrize(("end", "open"), [(23, True), (24, True), (24.25, False), (24 + 8.25, False)])
    def test_that_close_at_midnight_close_at_the_end_of_the_day(self, end: float, open: bool) -> None:
        """00:00 as closing time is the midnight that ends the day, not the one that begins it."""
        assert LATE.covers(local(MONDAY, 20), local(MONDAY, end)) == open

    @pytest.mark.parametrize("length", [1, 24, 25, 24 * 6, 24 * 15])
    def test_round_the_clock_cover_whole_days_and_nights(self, length: int) -> None:
        """Days open round the clock join at midnight."""
        assert ALWAYS.covers(local(MONDAY, 22), local(MONDAY, 22 + length))

    def test_round_the_clock_stop_at_a_day_that_is_not(self) -> None:
        """Friday night may run into Saturday only if Saturday is open, and as long as it is."""
        week = OpeningHours({5: (time(0), time(0)), 6: (time(0), time(2))})
        friday = datetime(2026, 11, 27, tzinfo=PARIS)

        assert week.covers(local(friday, 20), local(friday, 26))
        assert not week.covers(local(friday, 20), local(friday, 26.25))
        assert not OpeningHours({5: (time(0), time(0))}).covers(local(friday, 20), local(friday, 24.25))

    def test_are_wall_clock_hours_in_the_zone_of_the_room(self) -> None:
        """08:00 is 07:00 UTC in winter and 06:00 UTC in summer."""
        rules = BookingRules(opening_hours=OFFICE)
        winter, summer = datetime(2026, 11, 23, 7, tzinfo=UTC), datetime(2026, 7, 6, 6, tzinfo=UTC)

        for opening in (winter, summer):
            assert breaches(rules, opening, opening + timedelta(hours=10)) == []
            assert breaches(rules, opening - timedelta(minutes=15), opening) == ["outside_opening_hours"]

    @pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=PARIS), datetime(2026, 10, 25, tzinfo=PARIS)])
    def test_on_days_when_clocks_change_still_mean_the_wall_clock(self, day: datetime) -> None:
        """23 or 25 hours long, such a day opens at eight and closes at six like any other."""
        sunday = BookingRules(opening_hours=OpeningHours({7: (time(8), time(18))}))

        assert breaches(sunday, day.replace(hour=8), day.replace(hour=18)) == []
        assert breaches(sunday, day.replace(hour=7, minute=45), day.replace(hour=9)) == ["outside_opening_hours"]
        assert breaches(sunday, day.replace(hour=17), day.replace(hour=18, minute=15)) == ["outside_opening_hours"]

    @pytest.mark.parametrize("day", [datetime(2026, 3, 29, tzinfo=PARIS), datetime(2026, 10, 25, tzinfo=PARIS)])
    def test_round_the_clock_cover_the_day_when_clocks_change(self, day: datetime) -> None:
        """An all-day event on such a day lies within hours that never close."""
        assert breaches(BookingRules(opening_hours=ALWAYS), day, day + timedelta(days=1)) == []

    def test_say_what_was_asked_and_what_is_open(self) -> None:
        """The breach carries local times and the hours of the day it begins on."""
        rules = BookingRules(opening_hours=OFFICE)

        (monday,) = find_breaches(rules, Interval(local(MONDAY, 17), local(MONDAY, 19)), now=NOW, zone=PARIS)
        (sunday,) = find_breaches(rules, Interval(local(SUNDAY, 9), local(SUNDAY, 10)), now=NOW, zone=PARIS)

        facts = {"start": "2026-11-23 17:00", "end": "2026-11-23 19:00", "hours": "08:00-18:00"}
        assert monday == RuleBreach("outside_opening_hours", facts)
        assert sunday.facts["hours"] == "closed"

    @given(st.integers(0, 95), st.integers(1, 96), st.integers(0, 95), st.integers(1, 96))
    @settings(max_examples=300, derandomize=True, deadline=None)
    def test_cover_exactly_what_lies_between_them(self, opens: int, lasts: int, starts: int, takes: int) -> None:
        """On one day, quarter by quarter: covered means within."""
        closes, ends = min(opens + lasts, 96), min(starts + takes, 96)
        hours = OpeningHours({1: (_quarter(opens), _quarter(closes % 96))})

        covered = hours.covers(MONDAY + starts * timedelta(minutes=15), MONDAY + ends * timedelta(minutes=15))

        assert covered == (opens <= starts and ends <= closes)


def _quarter(number: int) -> time:
    return time(number // 4, number % 4 * 15)


class TestTheBookingWindow:
    @pytest.mark.parametrize(("minutes", "codes"), [(-15, []), (0, []), (1, ["beyond_booking_window"])])
    def test_is_the_latest_end(self, minutes: int, codes: list[str]) -> None:
        """A booking may end so many days from now, to the minute."""
        end = NOW + timedelta(days=30, minutes=minutes)

        assert breaches(BookingRules(window_days=30), end - timedelta(hours=1), end) == codes

    def test_says_the_end_and_the_days(self) -> None:
        """The breach tells the value asked for, and the rule's."""
        interval = Interval(NOW + timedelta(days=2), NOW + timedelta(days=3))

        found = find_breaches(BookingRules(window_days=1), interval, now=NOW, zone=PARIS)

        assert found == (RuleBreach("beyond_booking_window", {"end": "2026-11-23 09:00", "window_days": 1}),)

    def test_of_no_days_allows_nothing_ahead(self) -> None:
        """Zero is a rule; only None is no rule."""
        assert breaches(BookingRules(window_days=0), MONDAY, MONDAY + timedelta(hours=1)) == ["beyond_booking_window"]


class TestTheMaximumDuration:
    @pytest.mark.parametrize(("minutes", "codes"), [(59, []), (60, []), (61, ["longer_than_maximum"])])
    def test_is_the_longest_booking(self, minutes: int, codes: list[str]) -> None:
        """As long as allowed is allowed."""
        assert breaches(BookingRules(duration_minutes_max=60), MONDAY, MONDAY + timedelta(minutes=minutes)) == codes

    @pytest.mark.parametrize(
        ("day", "codes"),
        [(datetime(2026, 3, 29, tzinfo=PARIS), []), (datetime(2026, 10, 25, tzinfo=PARIS), ["longer_than_maximum"])],
    )
    def test_counts_the_minutes_that_really_pass(self, day: datetime, codes: list[str]) -> None:
        """A whole day is 23 hours in March and 25 in October: a limit of 24 hours feels the difference."""
        assert breaches(BookingRules(duration_minutes_max=24 * 60), day, day + timedelta(days=1)) == codes

    def test_says_both_lengths(self) -> None:
        """The breach tells minutes asked for, and minutes allowed."""
        interval = Interval(MONDAY, MONDAY + timedelta(minutes=90))

        found = find_breaches(BookingRules(duration_minutes_max=60), interval, now=NOW, zone=PARIS)

        assert found == (RuleBreach("longer_than_maximum", {"minutes": 90, "minutes_max": 60}),)


class TestSeveralRules:
    def test_no_rule_is_no_breach(self) -> None:
        """Rules that say nothing allow everything."""
        assert breaches(BookingRules(), SUNDAY, SUNDAY + timedelta(days=400)) == []

    @pytest.mark.parametrize("broken", tuple(product((False, True), repeat=3)))
    def test_each_broken_rule_is_told(self, broken: tuple[bool, bool, bool]) -> None:
        """One breach per broken rule: nobody has to ask twice."""
        hours, window, longest = broken
        rules = BookingRules(
            opening_hours=OFFICE if hours else ALWAYS,
            window_days=1 if window else 100,
            duration_minutes_max=15 if longest else 600,
        )

        found = breaches(rules, local(SUNDAY, 9), local(SUNDAY, 10))

        codes = ("outside_opening_hours", "beyond_booking_window", "longer_than_maximum")
        assert found == [code for code, is_broken in zip(codes, broken, strict=True) if is_broken]


class TestRoomAndStore:
    ROOM = BookingRules(OpeningHours({1: (time(9), time(10))}), 5, 30, False, False)
    STORE = BookingRules(OFFICE, 50, 300, True, True)

    @pytest.mark.parametrize("name", [field.name for field in fields(BookingRules)])
    def test_the_room_says_and_the_store_fills_in(self, name: str) -> None:
        """Field by field: the room's rule if it has one, else the store's."""
        merged = replace(self.ROOM, **{name: None}).over(self.STORE)

        assert merged == replace(self.ROOM, **{name: getattr(self.STORE, name)})

    def test_a_no_of_the_room_is_not_overruled(self) -> None:
        """False and zero are rules too."""
        assert BookingRules(window_days=0, automatic_closing=False).over(self.STORE) == replace(
            self.STORE, window_days=0, automatic_closing=False
        )

    def test_of_hours_cannot_be_changed_from_outside(self) -> None:
        """Rules are values: whoever made the table keeps no hand on it."""
        table = {1: (time(8), time(18))}
        hours = OpeningHours(table)

        table.clear()

        assert hours == OpeningHours({1: (time(8), time(18))})

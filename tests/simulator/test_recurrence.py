"""Counting out dates: every kind of pattern against python-dateutil, and the rules that dateutil does not know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.simulator.calendars.recurrence import (
    WEEKDAYS,
    cut,
    dates_of,
    is_same_pattern,
    parse_recurrence,
    render_recurrence,
)

START = date(2026, 11, 23)
HORIZON = date(2031, 1, 1)
RULE_DAYS = (rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU)
INDEX = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}

days_of_week = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True)
starts_at = st.dates(date(2026, 1, 1), date(2027, 12, 31))
intervals = st.integers(1, 5)


def count_out(pattern: dict[str, Any], start: date = START, **span: Any) -> list[date]:
    given_range = {"type": "noEnd", **span, "startDate": start.isoformat()}
    found = parse_recurrence({"pattern": {"interval": 1, **pattern}, "range": given_range}, "UTC")
    return dates_of(found).between(date.min, HORIZON)


def expect(start: date, **rule: Any) -> list[date]:
    whole = rrule.rrule(dtstart=datetime(start.year, start.month, start.day, tzinfo=UTC), **rule)
    return [
        moment.date()
        for moment in whole.between(datetime(2025, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC), inc=True)
    ]


proven = settings(max_examples=100, derandomize=True, deadline=None)


class TestAgainstDateutil:
    @proven
    @given(start=starts_at, interval=intervals)
    def test_daily(self, start: date, interval: int) -> None:
        assert count_out({"type": "daily", "interval": interval}, start) == expect(
            start, freq=rrule.DAILY, interval=interval
        )

    @proven
    @given(start=starts_at, interval=intervals, days=days_of_week, first=st.sampled_from(WEEKDAYS))
    def test_weekly(self, start: date, interval: int, days: list[str], first: str) -> None:
        pattern = {"type": "weekly", "interval": interval, "daysOfWeek": days, "firstDayOfWeek": first}
        by_day = [RULE_DAYS[WEEKDAYS.index(day)] for day in days]
        week_start = RULE_DAYS[WEEKDAYS.index(first)]

        found = expect(start, freq=rrule.WEEKLY, interval=interval, byweekday=by_day, wkst=week_start)
        assert count_out(pattern, start) == found

    @proven
    @given(start=starts_at, interval=intervals, day=st.integers(1, 28))
    def test_monthly_by_date(self, start: date, interval: int, day: int) -> None:
        pattern = {"type": "absoluteMonthly", "interval": interval, "dayOfMonth": day}

        assert count_out(pattern, start) == expect(start, freq=rrule.MONTHLY, interval=interval, bymonthday=day)

    @proven
    @given(start=starts_at, interval=intervals, days=days_of_week, index=st.sampled_from(sorted(INDEX)))
    def test_monthly_by_weekday(self, start: date, interval: int, days: list[str], index: str) -> None:
        """Several days mean the nth day that is one of them."""
        pattern = {"type": "relativeMonthly", "interval": interval, "daysOfWeek": days, "index": index}
        by_day = [RULE_DAYS[WEEKDAYS.index(day)] for day in days]

        found = expect(start, freq=rrule.MONTHLY, interval=interval, byweekday=by_day, bysetpos=INDEX[index])
        assert count_out(pattern, start) == found

    @proven
    @given(start=starts_at, month=st.integers(1, 12), day=st.integers(1, 28))
    def test_yearly_by_date(self, start: date, month: int, day: int) -> None:
        pattern = {"type": "absoluteYearly", "month": month, "dayOfMonth": day}

        assert count_out(pattern, start) == expect(start, freq=rrule.YEARLY, bymonth=month, bymonthday=day)

    @proven
    @given(start=starts_at, month=st.integers(1, 12), days=days_of_week, index=st.sampled_from(sorted(INDEX)))
    def test_yearly_by_weekday(self, start: date, month: int, days: list[str], index: str) -> None:
        pattern = {"type": "relativeYearly", "month": month, "daysOfWeek": days, "index": index}
        by_day = [RULE_DAYS[WEEKDAYS.index(day)] for day in days]

        found = expect(start, freq=rrule.YEARLY, bymonth=month, byweekday=by_day, bysetpos=INDEX[index])
        assert count_out(pattern, start) == found


class TestRules:
    def test_a_month_without_that_day_gives_its_last(self) -> None:
        """Exchange's rule, not iCalendar's (MS-OXOCAL 2.2.1.44.1)."""
        found = count_out({"type": "absoluteMonthly", "dayOfMonth": 31}, date(2027, 1, 31))

        assert found[:3] == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)]

    def test_the_first_date_is_the_first_that_fits(self) -> None:
        assert count_out({"type": "weekly", "daysOfWeek": ["wednesday"]})[0] == START + timedelta(days=2)

    def test_the_end_date_counts(self) -> None:
        assert count_out({"type": "daily"}, type="endDate", endDate="2026-11-25")[-1] == date(2026, 11, 25)

    def test_a_number_counts_from_the_first_that_fits(self) -> None:
        found = count_out({"type": "weekly", "daysOfWeek": ["wednesday"]}, type="numbered", numberOfOccurrences=3)

        assert len(found) == 3

    def test_endless_ones_end_where_the_calendar_does(self) -> None:
        endless = parse_recurrence(
            {"pattern": {"type": "absoluteYearly", "interval": 1, "month": 5, "dayOfMonth": 1},
             "range": {"type": "noEnd", "startDate": "2026-01-01"}}, "UTC",
        )  # fmt: skip

        assert dates_of(endless).last is None
        assert dates_of(endless).between(date(4499, 1, 1), date.max)[-1].year == 4500

    def test_cutting_leaves_the_pattern(self) -> None:
        whole = parse_recurrence(
            {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd", "startDate": "2026-11-23"}}, "UTC"
        )
        part = cut(whole, date(2026, 11, 24))

        assert is_same_pattern(whole, part)
        assert dates_of(part).last == date(2026, 11, 24)

    @pytest.mark.parametrize(
        "span", [{"type": "endDate", "endDate": "2026-11-24"}, {"type": "numbered", "numberOfOccurrences": 2}]
    )
    def test_cutting_makes_none_longer(self, span: dict[str, Any]) -> None:
        """An exception may lie behind the last date of its pattern, and behind the horizon."""
        pattern = {"type": "daily", "interval": 1}
        whole = parse_recurrence({"pattern": pattern, "range": {**span, "startDate": "2026-11-23"}}, "UTC")

        assert cut(whole, date(2026, 11, 25)) == whole

    def test_shown_as_graph_does(self) -> None:
        """Zeros and year one stand for what does not count (Graph docs: recurrencePattern, recurrenceRange)."""
        found = parse_recurrence(
            {"pattern": {"type": "daily", "interval": 2, "dayOfMonth": 4},
             "range": {"type": "noEnd", "startDate": "2026-11-23"}}, "Romance Standard Time",
        )  # fmt: skip

        assert render_recurrence(found) == {
            "pattern": {
                "type": "daily", "interval": 2, "month": 0, "dayOfMonth": 0, "firstDayOfWeek": "sunday",
                "index": "first",
            },
            "range": {
                "type": "noEnd", "startDate": "2026-11-23", "endDate": "0001-01-01",
                "recurrenceTimeZone": "Romance Standard Time", "numberOfOccurrences": 0,
            },
        }  # fmt: skip


def _with_pattern(**change: Any) -> Callable[[], Any]:
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"], **change}
    return lambda: parse_recurrence({"pattern": pattern, "range": {"type": "noEnd", "startDate": "2026-11-23"}}, "UTC")


def _with_range(**change: Any) -> Callable[[], Any]:
    given_range = {"type": "noEnd", "startDate": "2026-11-23", **change}
    return lambda: parse_recurrence({"pattern": {"type": "daily", "interval": 1}, "range": given_range}, "UTC")


class TestRefused:
    @pytest.mark.parametrize(
        "parse",
        [
            _with_pattern(type="hourly"),
            _with_pattern(interval=0),
            _with_pattern(daysOfWeek=[]),
            _with_pattern(daysOfWeek=["noday"]),
            _with_pattern(firstDayOfWeek="noday"),
            _with_pattern(type="absoluteMonthly", dayOfMonth=0),
            _with_pattern(type="absoluteMonthly", dayOfMonth=32),
            _with_pattern(type="relativeYearly", month=0),
            _with_pattern(type="relativeMonthly", index="fifth"),
            _with_range(type="forever"),
            _with_range(type="endDate", endDate="2026-11-22"),
            _with_range(type="endDate"),
            _with_range(type="numbered"),
            _with_range(startDate="soon"),
        ],
    )
    def test_says_what_is_wrong(self, parse: Callable[[], Any]) -> None:
        with pytest.raises(ValueError, match=r".+"):
            parse()

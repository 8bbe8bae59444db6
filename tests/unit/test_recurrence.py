"""Recurrences against python-dateutil's rules, and on the wall when clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import given
from hypothesis import strategies as st

from engine.loans.recurrence import (
    DATES_MAX,
    WEEKDAYS,
    Recurrence,
    Repeat,
    Week,
    Weekday,
    begin_on,
    cut_before,
    days_of,
    expand,
    find_recurrence_faults,
    recur,
)
from engine.loans.recurrence_words import say_recurrence

PARIS = ZoneInfo("Europe/Paris")


def at(day: date, hour: int, zone: ZoneInfo = PARIS) -> datetime:
    return datetime.combine(day, time(hour), zone)


def make(repeat: Repeat, first: date, *, count: int | None = 10, **more: object) -> Recurrence:
    return recur(repeat, at(first, 13), at(first, 14), "Europe/Paris", count=count, **more)  # type: ignore[arg-type]


def by_rrule(wanted: Recurrence, start: date) -> list[date]:
    """The same series as dateutil lays it out from *start*; a missing day of a month is its last."""
    days = [WEEKDAYS.index(day) for day in wanted.weekdays]
    more: dict[str, object] = {}
    match wanted.repeat:
        case Repeat.DAILY:
            frequency = rrule.DAILY
        case Repeat.WEEKLY:
            frequency, more = rrule.WEEKLY, {"byweekday": days}
        case Repeat.MONTHLY:
            last = start.day
            frequency, more = rrule.MONTHLY, {"bymonthday": range(min(28, last), last + 1), "bysetpos": -1}
        case Repeat.YEARLY:
            last = start.day
            frequency = rrule.YEARLY
            more = {"bymonth": start.month, "bymonthday": range(min(28, last), last + 1), "bysetpos": -1}
        case _:
            assert wanted.week is not None
            position = -1 if wanted.week is Week.LAST else list(Week).index(wanted.week) + 1
            frequency = rrule.MONTHLY if wanted.repeat is Repeat.MONTHLY_BY_WEEKDAY else rrule.YEARLY
            more = {"byweekday": days, "bysetpos": position}
            if frequency == rrule.YEARLY:
                more["bymonth"] = start.month
    rule = rrule.rrule(
        frequency,
        dtstart=datetime.combine(start, time(0)),
        interval=wanted.every,
        wkst=rrule.MO,
        count=wanted.count,
        until=datetime.combine(wanted.until, time(0)) if wanted.until else None,
        **more,  # type: ignore[arg-type]
    )
    return [moment.date() for moment in rule]


starts = st.dates(date(2020, 1, 1), date(2040, 12, 31))
patterns = st.fixed_dictionaries(
    {
        "repeat": st.sampled_from(Repeat),
        "every": st.integers(1, 5),
        "weekdays": st.lists(st.sampled_from(Weekday), max_size=4).map(tuple),
        "week": st.none() | st.sampled_from(Week),
    }
)


@given(start=starts, pattern=patterns, count=st.integers(1, 40))
def test_lays_out_the_same_dates_as_dateutil(start: date, pattern: dict[str, object], count: int) -> None:
    wanted = make(pattern.pop("repeat"), start, count=count, **pattern)  # type: ignore[arg-type]

    assert list(days_of(wanted)) == by_rrule(wanted, start)


@given(start=starts, pattern=patterns, days=st.integers(0, 400))
def test_ends_on_a_day_as_dateutil_does(start: date, pattern: dict[str, object], days: int) -> None:
    repeat = pattern.pop("repeat")
    wanted = make(repeat, start, count=None, until=start + timedelta(days=days), **pattern)  # type: ignore[arg-type]

    assert list(days_of(wanted)) == by_rrule(wanted, start)


@given(start=starts, pattern=patterns, count=st.integers(2, 30), at_date=st.integers(1, 29))
def test_can_be_cut_in_two(start: date, pattern: dict[str, object], count: int, at_date: int) -> None:
    """This and the following: what is left and what goes on are together what there was."""
    wanted = make(pattern.pop("repeat"), start, count=count, **pattern)  # type: ignore[arg-type]
    days = list(days_of(wanted))
    day = days[min(at_date, count - 1)]

    assert [*days_of(cut_before(wanted, day)), *days_of(begin_on(wanted, day))] == days


@given(start=starts, pattern=patterns, count=st.integers(1, 30))
def test_every_date_is_at_its_hour_on_the_wall(start: date, pattern: dict[str, object], count: int) -> None:
    wanted = make(pattern.pop("repeat"), start, count=count, **pattern)  # type: ignore[arg-type]

    walls = [interval.start.astimezone(PARIS) for _, interval in expand(wanted)]

    assert [(wall.date(), wall.time()) for wall in walls] == [(day, time(13)) for day in days_of(wanted)]


class TestWhenClocksChange:
    def test_one_o_clock_stays_one_o_clock(self) -> None:
        wanted = make(Repeat.WEEKLY, date(2026, 10, 20), count=2)

        assert [interval.start for _, interval in expand(wanted)] == [
            datetime(2026, 10, 20, 11, tzinfo=UTC),
            datetime(2026, 10, 27, 12, tzinfo=UTC),
        ]

    def test_a_night_that_loses_an_hour_is_an_hour_shorter(self) -> None:
        evening = datetime(2027, 3, 27, 22, tzinfo=PARIS)
        wanted = recur(Repeat.DAILY, evening, evening + timedelta(hours=8), "Europe/Paris", count=2)

        assert [interval.length for _, interval in expand(wanted)] == [timedelta(hours=7), timedelta(hours=8)]

    def test_an_hour_that_does_not_exist_is_taken_later(self) -> None:
        start = datetime(2027, 3, 27, 2, 15, tzinfo=PARIS)
        wanted = recur(Repeat.DAILY, start, start + timedelta(minutes=45), "Europe/Paris", count=2)

        (_, before), (_, gap) = expand(wanted)

        assert gap.start == datetime(2027, 3, 28, 1, 15, tzinfo=UTC)
        assert gap.length == before.length == timedelta(minutes=45)


class TestTheFirstDate:
    def test_is_the_first_that_fits(self) -> None:
        """Asked for on a Thursday, meeting on Mondays and Wednesdays."""
        wanted = make(Repeat.WEEKLY, date(2026, 11, 26), weekdays=(Weekday.WEDNESDAY, Weekday.MONDAY), count=3)

        assert list(days_of(wanted)) == [date(2026, 11, 30), date(2026, 12, 2), date(2026, 12, 7)]

    def test_tells_which_tuesday_when_nobody_says(self) -> None:
        assert make(Repeat.MONTHLY_BY_WEEKDAY, date(2026, 11, 24)).week is Week.FOURTH
        assert make(Repeat.MONTHLY_BY_WEEKDAY, date(2026, 11, 30)).week is Week.LAST

    def test_of_a_month_without_the_day_is_its_last(self) -> None:
        wanted = make(Repeat.MONTHLY, date(2027, 1, 31), count=4)

        assert list(days_of(wanted)) == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]


@pytest.mark.parametrize(
    ("more", "field", "code"),
    [
        ({"every": 0}, "repeat.every", "out_of_range"),
        ({"count": None}, "repeat.until", "one_of"),
        ({"count": 3, "until": date(2027, 1, 1)}, "repeat.until", "one_of"),
        ({"count": DATES_MAX + 1}, "repeat.count", "out_of_range"),
        ({"count": None, "until": date(2026, 11, 1)}, "repeat.until", "before_start"),
        ({"count": None, "until": date(2040, 1, 1)}, "repeat.until", "too_many"),
        ({"repeat": Repeat.YEARLY, "every": 99, "count": 12}, "repeat.count", "out_of_range"),
    ],
)
def test_what_cannot_be_is_said(more: dict[str, object], field: str, code: str) -> None:
    wanted = make(**{"repeat": Repeat.DAILY, "first": date(2026, 11, 23), **more})  # type: ignore[arg-type]

    assert [(fault.field, fault.code) for fault in find_recurrence_faults(wanted)] == [(field, code)]


def test_dates_that_overlap_are_refused() -> None:
    start = at(date(2026, 11, 23), 13)
    wanted = recur(Repeat.DAILY, start, start + timedelta(hours=30), "Europe/Paris", count=3)

    assert [fault.code for fault in find_recurrence_faults(wanted)] == ["overlaps"]


WORDS = {
    "daily": (
        make(Repeat.DAILY, date(2026, 11, 23), count=1),
        "every day, 13:00–14:00, 1 time",
        "chaque jour, 13:00–14:00, 1 fois",
    ),
    "weekly": (
        make(Repeat.WEEKLY, date(2026, 11, 23), count=None, until=date(2027, 2, 1), every=2,
             weekdays=(Weekday.WEDNESDAY, Weekday.MONDAY)),
        "every 2 weeks on Monday and Wednesday, 13:00–14:00, until 1 February 2027",
        "toutes les 2 semaines le lundi et le mercredi, 13:00–14:00, jusqu’au 1er février 2027",
    ),
    "monthly": (
        make(Repeat.MONTHLY, date(2026, 11, 23)),
        "every month on day 23, 13:00–14:00, 10 times",
        "chaque mois le 23, 13:00–14:00, 10 fois",
    ),
    "monthly-by-weekday": (
        make(Repeat.MONTHLY_BY_WEEKDAY, date(2026, 11, 23), week=Week.LAST, every=3),
        "every 3 months on the last Monday, 13:00–14:00, 10 times",
        "tous les 3 mois le dernier lundi, 13:00–14:00, 10 fois",
    ),
    "yearly": (
        make(Repeat.YEARLY, date(2027, 5, 1)),
        "every year on 1 May, 13:00–14:00, 10 times",
        "chaque année le 1er mai, 13:00–14:00, 10 fois",
    ),
    "yearly-by-weekday": (
        make(Repeat.YEARLY_BY_WEEKDAY, date(2027, 4, 13)),
        "every year on the second Tuesday of April, 13:00–14:00, 10 times",
        "chaque année le deuxième mardi d’avril, 13:00–14:00, 10 fois",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_reads_well_in_both_languages(name: str) -> None:
    wanted, english, french = WORDS[name]

    assert (say_recurrence(wanted), say_recurrence(wanted, "fr")) == (english, french)

"""Recurrences as Graph reads them: what we send lays out the very dates we booked, in a tenant's own reading."""

from __future__ import annotations

from datetime import date, datetime, time
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph.render import render_end, render_recurrence, render_series
from engine.ids import Address
from engine.loans.recurrence import (
    BY_WEEKDAY,
    Recurrence,
    Repeat,
    Week,
    Weekday,
    cut_before,
    days_of,
    find_recurrence_faults,
    recur,
)
from engine.reconcile.series.writes import SeriesEvent
from engine.rooms.event import Mailbox
from engine.simulator.calendars.recurrence import dates_of, parse_recurrence

ZONE = "Europe/Paris"


def make(repeat: Repeat, start: date, **more: Any) -> Recurrence:
    begins, ends = (datetime.combine(start, time(hour), ZoneInfo(ZONE)) for hour in (13, 14))
    return recur(repeat, begins, ends, ZONE, **more)


def read(sent: dict[str, Any]) -> list[date]:
    """Return the dates that the simulated tenant lays out."""
    found = dates_of(parse_recurrence(sent, ZONE))
    return list(islice(found.after(date.min), 600))


wanted = st.builds(
    make,
    st.sampled_from(Repeat),
    st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    every=st.integers(1, 4),
    weekdays=st.lists(st.sampled_from(Weekday), max_size=3).map(tuple),
    week=st.none() | st.sampled_from(Week),
    count=st.integers(1, 30),
)


@given(recurrence=wanted)
def test_means_the_same_dates_on_both_sides(recurrence: Recurrence) -> None:
    assert read(render_recurrence(recurrence)) == list(days_of(recurrence))


@given(recurrence=wanted, at=st.integers(1, 29))
def test_ends_where_it_is_cut(recurrence: Recurrence, at: int) -> None:
    """What ends a series in Outlook leaves the dates that are left here."""
    days = list(days_of(recurrence))
    first_gone = days[min(at, len(days) - 1)]
    body = render_end(render_recurrence(recurrence), cut_before(recurrence, first_gone).until or first_gone)

    if first_gone == days[0]:
        return  # nothing is left: the series is deleted instead
    assert body is not None
    assert read(body["recurrence"]) == list(days_of(cut_before(recurrence, first_gone)))


def test_an_end_that_is_there_is_not_written_again() -> None:
    recurrence = cut_before(make(Repeat.WEEKLY, date(2026, 11, 23), count=8), date(2026, 12, 14))
    assert recurrence.until is not None

    assert render_end(render_recurrence(recurrence), recurrence.until) is None
    assert render_end(render_recurrence(recurrence), date(2026, 12, 1)) is not None


@pytest.mark.parametrize("repeat", Repeat)
def test_holds_only_the_parts_that_count(repeat: Repeat) -> None:
    sent = render_recurrence(make(repeat, date(2026, 11, 23), count=3))

    assert ("index" in sent["pattern"]) == (repeat in BY_WEEKDAY)
    assert ("dayOfMonth" in sent["pattern"]) == (repeat in (Repeat.MONTHLY, Repeat.YEARLY))
    assert sent["range"] == {
        "type": "numbered",
        "startDate": "2026-11-23",
        "numberOfOccurrences": 3,
        "recurrenceTimeZone": "Romance Standard Time",
    }


def test_a_series_is_asked_for_by_its_clock_on_the_wall() -> None:
    recurrence = make(Repeat.WEEKLY, date(2026, 11, 23), count=3)
    assert find_recurrence_faults(recurrence) == []
    room = Mailbox(Address("fern@example.org"), "Fern")

    asked = render_series(SeriesEvent("#1-3 Alex", "<p></p>", recurrence, (room,), True, "marker", "marker"))
    unasked = render_series(SeriesEvent("#1-3 Alex", "<p></p>", recurrence, (room,), False, "marker", "marker"))

    assert asked["start"] == {"dateTime": "2026-11-23T13:00:00", "timeZone": "Romance Standard Time"}
    assert [each["emailAddress"]["address"] for each in asked["attendees"]] == ["fern@example.org"]
    assert unasked["attendees"] == []
    assert unasked["location"]["displayName"] == "Fern"

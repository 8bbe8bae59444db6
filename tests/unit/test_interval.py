"""Stretches of time, and the grid on which they block."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.interval import GRID, Interval, ceil_to_grid, floor_to_grid, is_on_grid

DAY = datetime(2026, 11, 23, tzinfo=UTC)
PARIS, KATHMANDU, CAIRO = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Kathmandu"), ZoneInfo("Africa/Cairo")
ZONES: tuple[tzinfo, ...] = (UTC, PARIS, KATHMANDU, ZoneInfo("America/St_Johns"), timezone(timedelta(hours=-3)))

instants = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001 - the zone comes from the strategy
    max_value=datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from(ZONES),
    allow_imaginary=False,
)
lengths = st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=40))
proven = settings(max_examples=200, derandomize=True, deadline=None)


def at(minutes: float) -> datetime:
    return DAY + timedelta(minutes=minutes)


def stretch(start: float, end: float) -> Interval:
    return Interval(at(start), at(end))


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    start = draw(instants)
    return Interval(start, start.astimezone(UTC) + draw(lengths))


class TestAnInterval:
    def test_knows_its_zone(self) -> None:
        """An instant without a zone is nobody's instant."""
        naive = datetime(2026, 11, 23, 9)  # noqa: DTZ001 - that is the point

        for start, end in ((naive, at(60)), (at(0), naive), (naive, naive + timedelta(hours=1))):
            with pytest.raises(ValueError, match="aware"):
                Interval(start, end)

    @pytest.mark.parametrize("end", [0, -1, -60 * 24])
    def test_goes_forward(self, end: int) -> None:
        """It ends after it starts: nothing that lasts no time is a stretch of time."""
        with pytest.raises(ValueError, match="start < end"):
            stretch(0, end)

    @given(intervals())
    @proven
    def test_is_utc_whatever_zone_it_was_told_in(self, interval: Interval) -> None:
        """Inside the engine there is one clock: every text and every row says the same hour."""
        assert interval.start.tzinfo is UTC
        assert interval.end.tzinfo is UTC

    def test_is_the_same_in_any_zone(self) -> None:
        """Two ways of writing one stretch are one stretch, as a key of a set too."""
        here = Interval(at(0), at(60))
        there = Interval(at(0).astimezone(KATHMANDU), at(60).astimezone(PARIS))

        assert here == there
        assert len({here, there}) == 1

    def test_that_begins_where_clocks_jump_still_equals_itself(self) -> None:
        """
        In Cairo the clock jumps at midnight, so the first instant of that day has no local name.

        Python never calls such an instant equal to the same one in another zone: an all-day event of that day, read
        anew and compared with what the database gave back, looked moved for ever.
        """
        missing = datetime(2026, 4, 24, 0, 0, tzinfo=CAIRO)

        interval = Interval(missing, datetime(2026, 4, 25, 0, 0, tzinfo=CAIRO))

        assert interval == Interval(missing.astimezone(UTC), datetime(2026, 4, 24, 21, tzinfo=UTC))
        assert interval.length == timedelta(hours=23)

    @pytest.mark.parametrize(
        ("first", "length"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 11, 23), 24)], ids=str
    )
    def test_is_as_long_as_the_clock_on_the_wall_does_not_say(self, first: tuple[int, int, int], length: int) -> None:
        """A day on which clocks change has 23 or 25 hours, and lasts as long."""
        midnight = datetime(*first, tzinfo=PARIS)

        assert Interval(midnight, midnight + timedelta(days=1)).length == timedelta(hours=length)

    def test_may_run_through_the_hour_that_happens_twice(self) -> None:
        """02:45 before the clocks go back to 02:15 after it is half an hour, forward."""
        before = datetime(2026, 10, 25, 2, 45, tzinfo=PARIS)
        after = datetime(2026, 10, 25, 2, 15, tzinfo=PARIS, fold=1)

        assert Interval(before, after).length == timedelta(minutes=30)


class TestTwoIntervals:
    @pytest.mark.parametrize(
        ("a", "b", "c", "d"), [w for w in product(range(4), repeat=4) if w[0] < w[1] and w[2] < w[3]]
    )
    def test_overlap_where_they_share_an_instant(self, a: int, b: int, c: int, d: int) -> None:
        """Half-open: the end does not belong to it, so two that only touch do not overlap."""
        shares = bool(set(range(a, b)) & set(range(c, d)))

        assert stretch(a, b).overlaps(stretch(c, d)) == shares
        assert stretch(c, d).overlaps(stretch(a, b)) == shares

    @given(intervals(), intervals())
    @proven
    def test_that_overlap_also_block_each_other(self, one: Interval, other: Interval) -> None:
        """Rounding outwards never hides a clash."""
        assert not one.overlaps(other) or one.blocked().overlaps(other.blocked())


class TestWhatAnIntervalBlocks:
    @given(intervals())
    @proven
    def test_covers_it(self, interval: Interval) -> None:
        """What is blocked holds all that was asked for."""
        blocked = interval.blocked()

        assert blocked.start <= interval.start
        assert interval.end <= blocked.end

    @given(intervals())
    @proven
    def test_is_the_smallest_stretch_of_the_grid_that_does(self, interval: Interval) -> None:
        """Rounded outwards to the quarter hour, and never a quarter more."""
        blocked = interval.blocked()

        assert is_on_grid(blocked.start)
        assert is_on_grid(blocked.end)
        assert interval.start - blocked.start < GRID
        assert blocked.end - interval.end < GRID

    @given(intervals())
    @proven
    def test_blocks_itself(self, interval: Interval) -> None:
        """Rounding twice is rounding once."""
        assert interval.blocked().blocked() == interval.blocked()

    @pytest.mark.parametrize(
        ("start", "end", "blocked"),
        [
            (0, 15, (0, 15)),
            (0, 60, (0, 60)),
            (1, 14, (0, 15)),
            (14, 16, (0, 30)),
            (15, 16, (15, 30)),
            (14.99, 15, (0, 15)),
            (0, 15.01, (0, 30)),
            (7, 37, (0, 45)),
        ],
    )
    def test_is_rounded_outwards(self, start: float, end: float, blocked: tuple[int, int]) -> None:
        """A minute into a block takes the block; a minute short of its end takes it too."""
        assert stretch(start, end).blocked() == stretch(*blocked)

    def test_lies_on_the_same_grid_in_zones_off_the_hour(self) -> None:
        """Kathmandu is a quarter off the hour: its hours still lie on the grid."""
        assert is_on_grid(datetime(2026, 11, 23, 9, 0, tzinfo=KATHMANDU))


class TestTheGrid:
    @given(instants)
    @proven
    def test_lies_around_every_instant(self, instant: datetime) -> None:
        """The floor is at or before it, the ceiling at or after it, one block apart unless it is on the grid."""
        floor, ceiling = floor_to_grid(instant), ceil_to_grid(instant)

        assert floor <= instant.astimezone(UTC) <= ceiling
        assert ceiling - floor == (timedelta(0) if is_on_grid(instant) else GRID)

    @given(instants)
    @proven
    def test_is_told_in_utc(self, instant: datetime) -> None:
        """Whatever zone came in."""
        assert floor_to_grid(instant).tzinfo is UTC
        assert ceil_to_grid(instant).tzinfo is UTC

    def test_reaches_back_before_the_epoch(self) -> None:
        """Rounding down goes down, on either side of 1970."""
        instant = datetime(1969, 12, 31, 23, 59, tzinfo=UTC)

        assert floor_to_grid(instant) == datetime(1969, 12, 31, 23, 45, tzinfo=UTC)
        assert ceil_to_grid(instant) == datetime(1970, 1, 1, tzinfo=UTC)

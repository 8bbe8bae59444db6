"""Whether a thing can be had at a time; if not, what stands in the way, and when nearby it could be had. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.interval import GRID, Interval, floor_to_grid
from engine.loans.register import Availability, Busy
from engine.loans.rules import RuleBreach, find_breaches

SHIFT_MAX = timedelta(minutes=30)
"""How far from the time somebody wished another one is still worth offering."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What one thing says to a wish. `shifts` are the times nearby at which it can be had, the nearest first."""

    item: Availability
    clashes: tuple[Busy, ...]
    breaches: tuple[RuleBreach, ...]
    shifts: tuple[Interval, ...]

    @property
    def is_open(self) -> bool:
        return not self.clashes and not self.breaches


def widen(interval: Interval) -> Interval:
    """Return the stretch that must be known to judge *interval* and its shifts."""
    return Interval(interval.start - SHIFT_MAX, interval.end + SHIFT_MAX)


def find_openings(
    interval: Interval, known: Iterable[Availability], *, now: datetime, zone: tzinfo
) -> tuple[Opening, ...]:
    """
    Tell of each thing whether it can be had in *interval*.

    Args:
        interval: the wish, aware.
        known: what takes the things, over `widen(interval)`.
        now: aware; no shift begins before it.
        zone: that of opening hours, for things without one of their own.
    """
    nearby = _nearby(interval, now)
    return tuple(_judge(item, interval, nearby, now, _zone(item, zone)) for item in known)


def common_shifts(openings: Sequence[Opening]) -> tuple[Interval, ...]:
    """Return the times nearby at which all of them can be had, the nearest first."""
    if not openings:
        return ()
    first, *others = openings
    return tuple(shift for shift in first.shifts if all(shift in other.shifts for other in others))


def _judge(item: Availability, interval: Interval, nearby: Sequence[Interval], now: datetime, zone: tzinfo) -> Opening:
    return Opening(
        item,
        _clashes(item, interval),
        find_breaches(item.rules, interval, now=now, zone=zone),
        tuple(
            shift
            for shift in nearby
            if not _clashes(item, shift) and not find_breaches(item.rules, shift, now=now, zone=zone)
        ),
    )


def _clashes(item: Availability, interval: Interval) -> tuple[Busy, ...]:
    blocked = interval.blocked()
    return tuple(busy for busy in item.busy if busy.interval.overlaps(blocked))


def _nearby(interval: Interval, now: datetime) -> list[Interval]:
    """Return *interval* moved by each step of the grid up to SHIFT_MAX, the nearest first; of two, the earlier."""
    moves = [sign * step * GRID for step in range(1, SHIFT_MAX // GRID + 1) for sign in (-1, 1)]
    earliest = floor_to_grid(now)
    moved = [Interval(interval.start + move, interval.end + move) for move in moves]
    return [shift for shift in moved if shift.start >= earliest]


def _zone(item: Availability, fallback: tzinfo) -> tzinfo:
    try:
        return ZoneInfo(item.time_zone) if item.time_zone else fallback
    except (ZoneInfoNotFoundError, ValueError):
        return fallback

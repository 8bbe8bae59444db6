"""Stretches of time, and the 15-minute grid on which bookings block.

Exchange knows no grid: any minute is legal (Set-CalendarProcessing has a minimum duration for
workspaces only). So exact times are kept and shown, and only what *blocks* is rounded, outwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

GRID = timedelta(minutes=15)
"""The block in which availability is counted (Hector's guide: 15-minute blocks)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A stretch of time, half-open: `start` belongs to it, `end` does not. Both are UTC, in whatever zone they come.

    Within one zone Python compares and subtracts what the wall clock says, which is an hour off where clocks change.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            self._turn_into_utc()
        if self.end <= self.start:
            raise ValueError(f"an interval needs start < end, got {self.start} and {self.end}")

    def _turn_into_utc(self) -> None:
        if self.start.utcoffset() is None or self.end.utcoffset() is None:
            raise ValueError(f"an interval needs aware instants, got {self.start} and {self.end}")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        object.__setattr__(self, "end", self.end.astimezone(UTC))

    def overlaps(self, other: Interval) -> bool:
        """Tell whether the two share an instant; intervals that only touch do not."""
        return self.start < other.end and other.start < self.end

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def blocked(self) -> Interval:
        """Return what this stretch blocks: `[floor(start), ceil(end))` on the 15-minute grid, in UTC."""
        return Interval(floor_to_grid(self.start), ceil_to_grid(self.end))


def floor_to_grid(instant: datetime) -> datetime:
    """Return the last grid instant at or before *instant*, in UTC."""
    steps = (instant - _EPOCH) // GRID
    return _EPOCH + steps * GRID


def ceil_to_grid(instant: datetime) -> datetime:
    """Return the first grid instant at or after *instant*, in UTC."""
    steps = -((_EPOCH - instant) // GRID)
    return _EPOCH + steps * GRID


def is_on_grid(instant: datetime) -> bool:
    """Tell whether *instant* lies on the 15-minute grid."""
    return floor_to_grid(instant) == instant

"""A week of one calendar as values: which day, which minutes, and side by side where meetings overlap. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from engine.web.pages.occupancy.timeline import DAY_MINUTES, Span
from engine.web.pages.parts.outlook import OutlookEvent


@dataclass(frozen=True, slots=True)
class Block:
    """What one event takes of one day: minutes since midnight, and its lane among those that overlap there."""

    event: OutlookEvent
    start: int
    end: int
    lane: int
    lanes: int


@dataclass(frozen=True, slots=True)
class WeekDay:
    day: date
    blocks: tuple[Block, ...]


def lay_out(events: Sequence[OutlookEvent], span: Span) -> list[WeekDay]:
    """Return the days of *span* with what each shows of *events*."""
    days = []
    for number, day in enumerate(span.dates):
        first = number * DAY_MINUTES
        pieces = [
            (
                max(span.minute(event.interval.start) - first, 0),
                min(span.minute(event.interval.end) - first, DAY_MINUTES),
                event,
            )
            for event in events
        ]
        days.append(WeekDay(day, _side_by_side((s, e, event) for s, e, event in pieces if s < e)))
    return days


def _side_by_side(pieces: Iterable[tuple[int, int, OutlookEvent]]) -> tuple[Block, ...]:
    """Put what overlaps into lanes; a group of overlapping pieces shares its number of lanes."""
    blocks: list[Block] = []
    group: list[tuple[int, int, OutlookEvent, int]] = []
    ends: list[int] = []

    def close_group() -> None:
        blocks.extend(Block(event, start, end, lane, len(ends)) for start, end, event, lane in group)
        group.clear()
        ends.clear()

    for start, end, event in sorted(pieces, key=lambda piece: (piece[0], -piece[1], piece[2].id)):
        if ends and start >= max(ends):
            close_group()
        lane = next((lane for lane, until in enumerate(ends) if until <= start), len(ends))
        ends[lane : lane + 1] = [end]
        group.append((start, end, event, lane))
    close_group()
    return tuple(blocks)

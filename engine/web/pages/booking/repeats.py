"""How a booking form speaks of series: what repeats, until when, and what becomes of each date. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from engine.ids import BookableId
from engine.interval import Interval
from engine.loans.recurrence import DATES_MAX, EVERY_MAX, WEEKDAYS, Recurrence, Repeat, Weekday, recur
from engine.loans.register import ItemRef
from engine.reconcile.series.book import DateChoice, DateState, PlannedDate
from engine.rooms.room import Room
from engine.web.api.wire import WHOLE
from engine.web.pages.forms import Day, Sent

OUT = "out"
Choice = Annotated[
    str,
    Field(
        max_length=200, pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2}:(out|[0-9]{1,9}-[0-9]{1,9}(\+[0-9]{1,9}-[0-9]{1,9})*))?$"
    ),
]
"""`2026-12-01:out` leaves a date out, `2026-12-01:3-5` puts room 5 there in the place of room 3 (several are joined by
`+`); empty: as it is."""


STANDARD_RANGE = timedelta(weeks=12)
"""How long a series lasts where a last day is wanted and none is given."""


class Ending(StrEnum):
    TIMES = "times"
    DAY = "day"


class Repeated(Sent):
    """The fields of a form that make a series of a booking."""

    repeat: Repeat | None = None
    every: Annotated[int, Field(ge=1, le=EVERY_MAX), WHOLE] = 1
    weekday: list[Weekday] = Field(default=[], max_length=7)
    ending: Ending = Ending.TIMES
    count: Annotated[int, Field(ge=1, le=DATES_MAX), WHOLE] = 10
    last: Day | None = None
    seen_day: Day | None = None
    """The day on which it began when the form was shown."""
    choice: list[Choice] = Field(default=[], max_length=DATES_MAX)
    leave: Literal["out", "rooms"] | None = None
    """A button that settles every date that cannot be had: it is left out, or has another room where there is one."""

    def recurrence(self, first: Interval, zone: str) -> Recurrence:
        """Return what repeats. It may have faults, which the desk tells."""
        assert self.repeat is not None, "asked of a series only"
        day = first.start.astimezone(ZoneInfo(zone)).date()
        by_day = self.ending is Ending.DAY
        return recur(
            self.repeat,
            first.start,
            first.end,
            zone,
            every=self.every,
            weekdays=self.weekdays(day) if self.repeat is Repeat.WEEKLY else (),
            until=self.last_day(day) if by_day else None,
            count=None if by_day else self.count,
        )

    def weekdays(self, day: date) -> tuple[Weekday, ...]:
        """Return on which weekdays it repeats when it begins on *day*: where only the day it began on before is
        chosen, the new one takes its place."""
        if not self.weekday or (self.seen_day is not None and self.weekday == [WEEKDAYS[self.seen_day.weekday()]]):
            return (WEEKDAYS[day.weekday()],)
        return tuple(self.weekday)

    def last_day(self, day: date) -> date:
        """Return until when it repeats when it begins on *day*."""
        return self.last or day + STANDARD_RANGE

    def choices(self, items: Sequence[ItemRef], days: Iterable[date]) -> tuple[DateChoice, ...]:
        """Return what was chosen for those of *days* for which something was."""
        known = {day.isoformat(): day for day in days}
        made: dict[date, DateChoice] = {}
        for written in self.choice:
            day, _, what = written.partition(":")
            if day in known:
                made[known[day]] = DateChoice(known[day], _items_after(what, items))
        return tuple(made.values())


def _items_after(what: str, items: Sequence[ItemRef]) -> tuple[ItemRef, ...] | None:
    """Return what a date has after a choice; None when it is left out."""
    if what == OUT:
        return None
    swaps = dict(swap.split("-") for swap in what.split("+"))
    return tuple(ItemRef(ref.kind, BookableId(int(swaps.get(str(ref.id), ref.id)))) for ref in items)


def _write(day: date, items: Sequence[ItemRef], after: Sequence[ItemRef] | None) -> str:
    """Return the choice that makes *after* of *items* on *day*: what `choices` reads."""
    if after is None:
        return f"{day}:{OUT}"
    swaps = "+".join(f"{old.id}-{new.id}" for old, new in zip(items, after, strict=True) if old.id != new.id)
    return f"{day}:{swaps}" if swaps else ""


def settle_dates(
    planned: Sequence[PlannedDate], choices: Sequence[DateChoice], *, with_rooms: bool
) -> tuple[DateChoice, ...]:
    """Return *choices* with one more for each date that cannot be had: another room where there is one, or left out."""
    settled = {choice.day: choice for choice in choices}
    for each in planned:
        if each.state in (DateState.TAKEN, DateState.AGAINST_RULES):
            settled[each.day] = DateChoice(each.day, _with_stand_ins(each) if with_rooms else None)
    return tuple(settled.values())


def _with_stand_ins(planned: PlannedDate) -> tuple[ItemRef, ...] | None:
    """Return the date's items with the best stand-in for each that cannot be had; None when one has none."""
    best = {found.item_id: found.rooms[0].room.id for found in planned.stand_ins if found.rooms}
    if not _blocked(planned) <= best.keys() or len(set(best.values())) < len(best):
        return None
    return _exchange(planned.items, best)


def _blocked(planned: PlannedDate) -> set[int]:
    """Return the items of a date that cannot be had."""
    return {clash.item_id for clash in planned.clashes} | {breach.item_id for breach in planned.breaches}


def _exchange(items: Sequence[ItemRef], rooms: Mapping[BookableId, BookableId]) -> tuple[ItemRef, ...]:
    return tuple(ItemRef(ref.kind, rooms.get(ref.id, ref.id)) for ref in items)


@dataclass(frozen=True, slots=True)
class DateLine:
    """One date in the form. `options` are values and the rooms each means, none for leaving it out; `chosen` counts."""

    planned: PlannedDate
    options: tuple[tuple[str, str], ...]
    chosen: str

    @property
    def is_open(self) -> bool:
        return self.planned.state in (DateState.FREE, DateState.LEFT_OUT)


def list_dates(
    planned: Sequence[PlannedDate],
    items: Sequence[ItemRef],
    choices: Sequence[DateChoice],
    rooms: Mapping[BookableId, Room],
) -> tuple[DateLine, ...]:
    """Return every date with what can be chosen for it."""
    made = {choice.day: choice for choice in choices}
    return tuple(_line(each, items, made.get(each.day), rooms) for each in planned)


def _line(
    planned: PlannedDate, items: Sequence[ItemRef], choice: DateChoice | None, rooms: Mapping[BookableId, Room]
) -> DateLine:
    ways = _ways(planned)
    chosen = ""
    if choice is not None:
        chosen = _write(planned.day, items, choice.items)
        if choice.items is not None and choice.items not in ways:
            ways.insert(0, choice.items)
    options = [(_write(planned.day, items, way), _say_rooms(items, way, rooms)) for way in ways]
    return DateLine(planned, (*options, (f"{planned.day}:{OUT}", "")), chosen)


def _ways(planned: PlannedDate) -> list[tuple[ItemRef, ...]]:
    """Return what a date could have instead: each free room in the place of one, or the best in those of several."""
    if len(_blocked(planned)) == 1:
        return [
            _exchange(planned.items, {found.item_id: each.room.id})
            for found in planned.stand_ins
            for each in found.rooms
        ]
    best = _with_stand_ins(planned) if planned.stand_ins else None
    return [best] if best is not None else []


def _say_rooms(items: Sequence[ItemRef], way: Sequence[ItemRef], rooms: Mapping[BookableId, Room]) -> str:
    new = [rooms[ref.id].name for ref in way if ref not in items and ref.id in rooms]
    return ", ".join(new)

"""Makes a schedule that breaks a promise as short as it can be and still break it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from engine.prove.schedule import Schedule, Step

PartT = TypeVar("PartT")
IsBroken = Callable[[Schedule], bool]


class Shrinking:
    """
    Tries shorter schedules one after the other.

    Args:
        is_broken: lives through a schedule and tells whether it still breaks as it did.
        tries_max: how many to try at most.
    """

    def __init__(self, is_broken: IsBroken, tries_max: int = 400) -> None:
        self._is_broken = is_broken
        self.tries_left = tries_max

    def shrink(self, schedule: Schedule) -> Schedule:
        """Return the shortest found, going round until nothing more can be left out."""
        shorter = self._calmer(self._milder(self._shorter(schedule)))
        while shorter != schedule and self.tries_left:
            schedule, shorter = shorter, self._calmer(self._milder(self._shorter(shorter)))
        return shorter

    def _shorter(self, schedule: Schedule) -> Schedule:
        """Leave out steps, and what was done before them, but for one meeting: without any it is another world."""
        steps = self._fewer(schedule.steps, lambda kept: replace(schedule, steps=tuple(kept)))
        schedule = replace(schedule, steps=tuple(steps))
        first, others = schedule.before[:1], schedule.before[1:]
        before = self._fewer(others, lambda kept: replace(schedule, before=(*first, *kept)))
        return replace(schedule, before=(*first, *before))

    def _milder(self, schedule: Schedule) -> Schedule:
        """Leave out kinds of faults."""
        fronts = self._fewer(schedule.weather, lambda kept: _without_gusts(replace(schedule, weather=tuple(kept))))
        return _without_gusts(replace(schedule, weather=tuple(fronts)))

    def _try(self, schedule: Schedule) -> bool:
        if not self.tries_left:
            return False
        self.tries_left -= 1
        return self._is_broken(schedule)

    def _fewer(self, parts: Sequence[PartT], put_in: Callable[[Sequence[PartT]], Schedule]) -> Sequence[PartT]:
        """Leave out runs of *parts*, long ones first, as long as it still breaks (delta debugging, Zeller 2002)."""
        length = len(parts)
        while length >= 1:
            start = 0
            while start < len(parts):
                kept = [*parts[:start], *parts[start + length :]]
                if self._try(put_in(kept)):
                    parts = kept
                else:
                    start += length
            length //= 2
        return parts

    def _calmer(self, schedule: Schedule) -> Schedule:
        """Leave out gusts one by one."""
        for at, step in enumerate(schedule.steps):
            if step.gusts:
                tried = _with_step(schedule, at, replace(step, gusts=()))
                schedule = tried if self._try(tried) else schedule
        return schedule


def _with_step(schedule: Schedule, at: int, step: Step) -> Schedule:
    return replace(schedule, steps=(*schedule.steps[:at], step, *schedule.steps[at + 1 :]))


def _without_gusts(schedule: Schedule) -> Schedule:
    """Leave out the gusts of faults that are no longer in the weather."""
    names = {front.name for front in schedule.weather}
    steps = (replace(step, gusts=tuple(gust for gust in step.gusts if gust in names)) for step in schedule.steps)
    return replace(schedule, steps=tuple(steps))

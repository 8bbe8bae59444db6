"""Backfills as people order them: a plan with a number, carried out and taken back step by step.

`database/` implements `BackfillBook`. Every method is one transaction, and `advance` may be repeated, interrupted and
called by several processes at once: each step it takes is whole or did not happen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from engine.ids import BookableId, LoanNumber
from engine.interval import Interval
from engine.reconcile.backfill.proposal import Step


class BackfillState(StrEnum):
    """Where a backfill stands, told from its meetings."""

    PLANNING = "planning"
    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    UNDOING = "undoing"
    UNDONE = "undone"


class MeetingState(StrEnum):
    """What became of one meeting of a plan."""

    PLANNED = "planned"
    CHOSEN = "chosen"
    """Ordered, not yet done."""
    DONE = "done"
    FAILED = "failed"
    """Something changed since the plan was made; the outcome says what."""
    UNDOING = "undoing"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Backfill:
    """One backfill. `rooms` is empty when it is about all of them; `by_step` and `by_state` count its meetings."""

    number: int
    window: Interval
    rooms: tuple[BookableId, ...]
    is_planned: bool
    created_at: datetime
    created_by: str
    by_step: Mapping[Step, int] = field(default_factory=lambda: MappingProxyType({}))
    by_state: Mapping[MeetingState, int] = field(default_factory=lambda: MappingProxyType({}))
    rooms_unread: int = 0
    """Rooms of which a stretch that the mirror does not hold has still to be read."""
    left: int = 0
    """Meetings that undoing left as they are, because somebody changed them since."""

    @property
    def state(self) -> BackfillState:
        count = self.by_state.get
        if not self.is_planned:
            return BackfillState.PLANNING
        if count(MeetingState.UNDOING):
            return BackfillState.UNDOING
        if count(MeetingState.CHOSEN):
            return BackfillState.APPLYING
        if count(MeetingState.UNDONE):
            return BackfillState.UNDONE
        return BackfillState.APPLIED if count(MeetingState.DONE) else BackfillState.PLANNED

    @property
    def size(self) -> int:
        return sum(self.by_state.values())

    @property
    def remaining(self) -> int:
        """How many meetings are ordered and not yet dealt with."""
        return self.by_state.get(MeetingState.CHOSEN, 0) + self.by_state.get(MeetingState.UNDOING, 0)

    @property
    def is_at_work(self) -> bool:
        return not self.is_planned or self.remaining > 0


@dataclass(frozen=True, slots=True)
class BackfillMeeting:
    """One line of a plan. `key` is what the queue and the history call the meeting."""

    position: int
    key: str
    interval: Interval | None
    rooms: tuple[BookableId, ...]
    organizer: str
    step: Step
    code: str
    facts: Mapping[str, object]
    loan_number: LoanNumber | None
    state: MeetingState
    outcome: str | None = None
    outcome_facts: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which meetings of a plan to carry out; empty means all that can be."""

    rooms: tuple[BookableId, ...] = ()
    only: Step | None = None
    """CREATE or LINK."""
    without: tuple[str, ...] = ()
    """Keys to leave out."""


class BackfillBook(Protocol):
    def create(self, window: Interval, rooms: Sequence[BookableId], *, actor: str) -> Backfill:
        """Order a plan for *window*; no rooms: all that are followed. It is made by `advance`."""
        ...

    def find(self, number: int) -> Backfill:
        """Return one backfill. Raises NotFound."""
        ...

    def list_backfills(self) -> Sequence[Backfill]:
        """Return every backfill, the newest first."""
        ...

    def list_meetings(
        self, number: int, *, step: Step | None, state: MeetingState | None, after: int, limit: int
    ) -> Sequence[BackfillMeeting]:
        """Return lines of a plan in its order: those after position *after*, at most *limit*. Raises NotFound."""
        ...

    def order_apply(self, number: int, selection: Selection, *, actor: str) -> Backfill:
        """Order a plan, or part of it, to be carried out; what is done already is left alone.

        Raises NotFound, NotAllowed (being planned, being undone, or the mode is `shadow`), Invalid (an unknown key).
        """
        ...

    def order_undo(self, number: int, *, actor: str) -> Backfill:
        """Order everything a plan did to be taken back; what was ordered and not done yet is called off.

        Raises NotFound, NotAllowed (being planned, or the mode is `shadow`).
        """
        ...

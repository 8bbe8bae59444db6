"""What the engine is doing, as people see it: plain values, read by `database/reports/activity.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol


class KeyState(StrEnum):
    """Where a key of the queue stands."""

    PARKED = "parked"
    RUNNING = "running"
    DUE = "due"
    LATER = "later"
    """It waits for its time: after a failure, or because whoever marked it said so."""


@dataclass(frozen=True, slots=True)
class KeySeen:
    """A key of the queue that does not rest. `attempts` counts failures since the last success."""

    kind: str
    key: str
    state: KeyState
    since: datetime | None
    """Parked, or marked, since then."""
    ready_at: datetime | None
    attempts: int
    error: str | None


@dataclass(frozen=True, slots=True)
class PassDone:
    """A pass that ended well."""

    kind: str
    key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TimedJob:
    """A job of the clock; None where it never ran, or does not run."""

    name: str
    last_at: datetime | None
    last_result: str | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What the nightly comparisons found: in the last round, and ever."""

    rooms: int = 0
    last_at: datetime | None = None
    drifted: int = 0
    drifted_ever: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """A moment of the engine. `keys` are the parked ones, then what runs or waits in its order, some of them."""

    now: datetime
    due: int
    later: int
    running: int
    parked: int
    oldest_due_at: datetime | None
    keys: tuple[KeySeen, ...]
    passes: tuple[PassDone, ...]
    jobs: tuple[TimedJob, ...]
    compared: Compared

    @property
    def unfinished(self) -> int:
        """How many keys run or wait."""
        return self.due + self.later + self.running


@dataclass(frozen=True, slots=True)
class TrafficFault:
    """A request to Graph that failed: what was attempted, the family of the fault, and the fault's own words."""

    kind: str
    outcome: str
    message: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests to Graph since this process started, by what was attempted and what came of it (`ok`, or a fault).

    `expected` counts, by what was attempted, faults that were answers: they are no failures.
    """

    requests: Mapping[tuple[str, str], int] = field(default_factory=lambda: MappingProxyType({}))
    throttled: int = 0
    repeated: int = 0
    last_fault: TrafficFault | None = None
    expected: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def total(self) -> int:
        return sum(self.requests.values())

    @property
    def failed(self) -> int:
        return sum(ill for _, _, ill in self.by_kind())

    def by_kind(self) -> list[tuple[str, int, int]]:
        """Return what was attempted, how often that was answered, and how often it failed; the most frequent first."""
        counts: dict[str, tuple[int, int]] = {}
        for (kind, outcome), count in self.requests.items():
            well, ill = counts.get(kind, (0, 0))
            counts[kind] = (well + count, ill) if outcome == "ok" else (well, ill + count)
        for kind, answers in self.expected.items():
            well, ill = counts[kind]
            counts[kind] = (well + answers, ill - answers)
        return sorted(((kind, *both) for kind, both in counts.items()), key=lambda line: (-line[1] - line[2], line[0]))


class ActivityBoard(Protocol):
    """Where the engine's activity is read."""

    def read(self) -> Activity:
        """Return what goes on now."""
        ...

    def is_known(self, kind: str, key: str) -> bool:
        """Tell whether the queue has such a key: only those may be marked by hand."""
        ...

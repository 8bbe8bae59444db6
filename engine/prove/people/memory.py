"""What people remember of what they did."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from engine.interval import Interval
from engine.prove.people.series import PARIS


@dataclass(frozen=True, slots=True)
class Over:
    """A loan as it was when its time was over."""

    interval: Interval
    requester: str


@dataclass
class Remembered:
    """One booking as its people remember it: who made it, and the last value they gave each field."""

    side: str
    """Where it was made: app, outlook, outside (by nobody of ours), or room (straight into its calendar)."""
    number: int | None = None
    """The loan's, when born in the app."""
    ical_uid: str | None = None
    """The meeting's, when born in Outlook."""
    event_id: str | None = None
    person: int = 1
    interval: Interval | None = None
    cancelled: bool = False
    uncertain: bool = False
    """An edit of which its author never heard the outcome."""
    edits: int = 0
    things: frozenset[int] = frozenset()
    """What was lent beside rooms, by the numbers of the assets."""
    series: RememberedSeries | None = None
    """The series it is a date of."""
    over: Over | None = None
    """What its loan was when its time was over: only the desk may change that, of what somebody still has."""


@dataclass
class RememberedSeries:
    """A series as its people remember it."""

    person: int
    event_id: str
    first: date
    length: int
    """How many dates its pattern has."""
    kind: str = "daily"
    """How it repeats: daily, weekly, or by any other pattern."""
    zone: str = PARIS
    dates: list[Remembered] = field(default_factory=list)
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Contest:
    """Two values for one booking. The side where it was born wins, whichever was heard of first."""

    booking: Remembered
    number: int
    """Of the loan then. One that lost its room ends, and its meeting may become another as soon as the room is free."""
    winner: Interval
    loser: Interval

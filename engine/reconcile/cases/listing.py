"""Cases as people look through them: what they are about, which ones are wanted, and the shelf they lie on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from engine.ids import BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Case
from engine.reconcile.cases.ways import CaseView


class Topic(StrEnum):
    """What a case is about, roughly."""

    BOTH = "both"
    """Both sides want something else."""
    REJECTED = "rejected"
    """A meeting in Outlook that is no loan."""
    ROOM = "room"
    """A room said no, or nothing."""
    MASS = "mass"
    """Cancellations in masses."""
    RULES = "rules"
    """A booking rule is broken."""
    ENGINE = "engine"
    """The engine cannot do its work."""


TOPICS: Mapping[Topic, tuple[str, ...]] = MappingProxyType(
    {
        Topic.BOTH: ("both_changed", "organizer_cannot_change", "past_loan_frozen"),
        Topic.REJECTED: (
            "item_unavailable",
            "organizer_unknown",
            "no_synced_room",
            "all_rooms_declined",
            "dates_invalid",
            "zone_unknown",
            "zero_length",
            "series_too_long",
        ),
        Topic.ROOM: ("room_declined", "room_released", "room_does_not_answer"),
        Topic.MASS: ("mass_cancel_held",),
        Topic.RULES: ("outside_opening_hours", "beyond_booking_window", "longer_than_maximum"),
        Topic.ENGINE: (
            "key_parked",
            "write_refused",
            "event_missing",
            "write_withheld",
            "shadowed",
            "identity_refused",
            "room_suspended",
            "listing_empty",
            "place_twice",
            "message_parked",
        ),
    }
)
"""Topic -> kinds of cases."""

_TOPIC_OF: Mapping[str, Topic] = MappingProxyType({code: topic for topic, codes in TOPICS.items() for code in codes})


def topic_of(code: str) -> Topic:
    """Return what a kind of case is about."""
    return _TOPIC_OF.get(code, Topic.ENGINE)


class Shelf(StrEnum):
    """Where a case lies."""

    OPEN = "open"
    SETTLED = "settled"
    """By a person, or as a store has set."""
    GONE = "gone"
    """Its cause went away by itself."""


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases are wanted. The open ones come newest first, the others by when they were closed, the last first."""

    shelf: Shelf = Shelf.OPEN
    topic: Topic | None = None
    room_id: BookableId | None = None
    """Those that name it, or whose loan or meeting has it."""
    store_id: StoreId | None = None
    """Those of loans and rooms of this store."""
    before: int | None = None
    """The number of a case: only those that come after it in the list."""
    limit: int = 25


@dataclass(frozen=True, slots=True)
class MeetingSeen:
    """A meeting without a loan as rooms' calendars show it: when, and in which rooms (names)."""

    interval: Interval
    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a list. `key` is what the queue looks at for it; `meeting` is set where no loan tells when it is."""

    view: CaseView
    key: tuple[str, str] | None = None
    meeting: MeetingSeen | None = None


class CaseShelves(Protocol):
    """Where cases are looked through."""

    def list_cases(self, wanted: CaseFilter) -> Sequence[CaseLine]:
        """Return the cases *wanted*, each with its ways out."""
        ...

    def show(self, case_id: int) -> CaseLine:
        """Return one case. Raises NotFound."""
        ...

    def count(self, wanted: CaseFilter) -> Mapping[Topic, int]:
        """Return how many cases of each topic lie on the shelf *wanted*, whatever its topic and limit."""
        ...

    def open_of(self, number: LoanNumber) -> Sequence[Case]:
        """Return the open cases of one loan, the oldest first."""
        ...

    def newest(self) -> int:
        """Return the number of the case that was opened last; 0 when there never was one."""
        ...

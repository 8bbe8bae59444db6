"""What the planning board shows: one entry per room and loan, and per meeting of which no loan has the room."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Home
from engine.loans.status import ItemState, LoanStatus


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """One room of one loan. `interval` is exact; `holds`: nobody else gets the room on what it blocks; `state`: as
    people are told it."""

    room_id: BookableId
    number: LoanNumber
    version: int
    interval: Interval
    holds: bool
    state: ItemState
    status: LoanStatus
    home: Home
    title: str
    requester: str
    address: Address
    private: bool
    is_series: bool
    store_id: StoreId


@dataclass(frozen=True, slots=True)
class BoardMeeting:
    """A meeting in a room's calendar of which no loan has that room: all that is told is that the room is taken."""

    room_id: BookableId
    interval: Interval


@dataclass(frozen=True, slots=True)
class Changes:
    """Loans that something was decided about since the last look, and where the next look begins."""

    numbers: tuple[LoanNumber, ...]
    cursor: int


class BoardShelf(Protocol):
    """Where the board looks."""

    def entries(self, interval: Interval, numbers: Collection[LoanNumber] | None = None) -> Sequence[BoardEntry]:
        """Return every entry that overlaps *interval*, of loans that are neither cancelled nor refused."""
        ...

    def meetings(self, interval: Interval) -> Sequence[BoardMeeting]:
        """Return the meetings that overlap *interval* in a room that no loan of theirs has."""
        ...

    def newest(self) -> int:
        """Return the cursor of this moment: what is decided later lies behind it."""
        ...

    def changed_since(self, cursor: int) -> Sequence[LoanNumber]:
        """Return the loans something was decided about since *cursor*, and perhaps a few more."""
        ...

    def changes(self, cursor: int | None) -> Changes:
        """Return what happened since *cursor*; with None, nothing, and where to begin."""
        ...

"""Series made in the app: what may be asked for, what is shown before it is booked, and what there is afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

from engine.errors import Clash
from engine.ids import BookableId, LoanNumber
from engine.interval import Interval
from engine.loans.loan import Loan, Requester
from engine.loans.recurrence import Recurrence
from engine.loans.register import ItemRef, LoanChange
from engine.loans.rules import RuleBreach
from engine.rooms.ranking import RankedRoom


@dataclass(frozen=True, slots=True)
class DateChoice:
    """What is to become of one date: other items than the series has, or None: it is left out."""

    day: date
    items: tuple[ItemRef, ...] | None


@dataclass(frozen=True, slots=True)
class SeriesOrder:
    """A series somebody asks for. Its hours must lie on the 15-minute grid."""

    requester: Requester
    recurrence: Recurrence
    items: tuple[ItemRef, ...]
    title: str = ""
    notes: str = ""
    private: bool = False
    choices: tuple[DateChoice, ...] = ()


class DateState(StrEnum):
    FREE = "free"
    TAKEN = "taken"
    AGAINST_RULES = "against_rules"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class StandIns:
    """The rooms that could stand in for one that cannot be had, the best first."""

    item_id: BookableId
    rooms: tuple[RankedRoom, ...]


@dataclass(frozen=True, slots=True)
class Breach:
    """A booking rule that a date would break, and whose."""

    item_id: BookableId
    item_name: str
    rule: RuleBreach


@dataclass(frozen=True, slots=True)
class PlannedDate:
    """One date before it is booked. `day` is where the pattern puts it, `items` what it would hold."""

    day: date
    interval: Interval
    items: tuple[ItemRef, ...]
    state: DateState
    clashes: tuple[Clash, ...] = ()
    breaches: tuple[Breach, ...] = ()
    stand_ins: tuple[StandIns, ...] = ()


@dataclass(frozen=True, slots=True)
class AppSeries:
    """A series with its loans, by number. `recurrence` is None for one made in Outlook, which keeps the pattern."""

    id: int
    recurrence: Recurrence | None
    left_out: tuple[date, ...]
    loans: tuple[Loan, ...]


class Scope(StrEnum):
    """How much of a series a change is meant for."""

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"


class SeriesBook(Protocol):
    """The desk, for series. Raises DeskError and its kin; changes nothing when it raises."""

    def zone_of(self, items: Sequence[ItemRef]) -> str:
        """Return the zone (IANA) of the first room among *items*, or where the desk is."""
        ...

    def preview(self, order: SeriesOrder) -> Sequence[PlannedDate]:
        """Return every date with what stands in its way. Raises Invalid; books nothing."""
        ...

    def book(self, order: SeriesOrder, *, actor: str) -> AppSeries:
        """Book all dates that are not left out, or none. Raises Invalid, RuleBroken, Unavailable."""
        ...

    def change(self, number: LoanNumber, change: LoanChange, scope: Scope, *, actor: str) -> Loan:
        """
        Change a date and, by *scope*, the following ones or all to come; return the loan named.

        New times move every date by as many days, to the same hours. Raises as `LoanRegister.change` does, and
        NotAllowed for a loan that is no date of a series or has begun.
        """
        ...

    def cancel(self, number: LoanNumber, scope: Scope, *, actor: str, reason: str = "") -> Loan:
        """Cancel a date and, by *scope*, the following ones or all to come; return the loan named."""
        ...

    def find(self, series_id: int) -> AppSeries:
        """Return a series of either side. Raises NotFound."""
        ...

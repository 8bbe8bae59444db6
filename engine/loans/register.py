"""What the loan side can do: asked by the API, the command line and the engine; implemented by `database/`.

Each method is one transaction. Every edit writes its decision into the loan's history, bumps the
loan's `version` and marks the loan's key in the work queue within that same transaction, so an edit
that was answered is never forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from engine.ids import BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Asset, Case, CaseState, Decision, ItemKind, Loan, Requester, Store
from engine.loans.rules import BookingRules
from engine.loans.status import LoanAction, LoanStatus


@dataclass(frozen=True, slots=True)
class ItemRef:
    kind: ItemKind
    id: BookableId


@dataclass(frozen=True, slots=True)
class LoanOrder:
    """A booking somebody asks for. The interval must lie on the 15-minute grid (the app offers grid times only)."""

    requester: Requester
    interval: Interval
    items: tuple[ItemRef, ...]
    title: str = ""
    notes: str = ""
    private: bool = False


@dataclass(frozen=True, slots=True)
class LoanChange:
    """What to change; None leaves a field alone. `seen_version` is the version the caller looked at."""

    seen_version: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    requester: Requester | None = None
    items: tuple[ItemRef, ...] | None = None
    title: str | None = None
    notes: str | None = None
    private: bool | None = None
    """Only of a loan born in the app: of a meeting its organizer says so, in Outlook."""


@dataclass(frozen=True, slots=True)
class LoanFilter:
    """Which loans to list, by number ascending. `interval` keeps those that overlap it (exact times)."""

    starts_before: datetime | None = None
    ends_after: datetime | None = None
    item_id: BookableId | None = None
    statuses: tuple[LoanStatus, ...] = ()
    series: str | None = None
    after: LoanNumber | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Busy:
    """A stretch in which an item is taken, on the grid. `loan_number` is None for a meeting known only from Outlook."""

    item_id: BookableId
    interval: Interval
    loan_number: LoanNumber | None = None


@dataclass(frozen=True, slots=True)
class Availability:
    """One item over the stretch asked about. `rules` are merged over its store's; `time_zone` is the one they mean."""

    kind: ItemKind
    id: BookableId
    name: str
    capacity: int | None
    free: bool
    busy: tuple[Busy, ...]
    store_id: StoreId
    rules: BookingRules = BookingRules()
    time_zone: str | None = None
    approval: bool = False
    """Whether a booking of it waits until somebody approves it."""

    def without(self, number: LoanNumber) -> Availability:
        """Return the same with what one loan holds taken for free: that loan is about to be changed."""
        busy = tuple(each for each in self.busy if each.loan_number != number)
        return replace(self, free=not busy, busy=busy)


class LoanRegister(Protocol):
    """The desk. Raises DeskError and its kin; changes nothing when it raises."""

    def book(self, order: LoanOrder, *, actor: str) -> Loan:
        """Make a loan. Raises Invalid, NotFound, RuleBroken, Unavailable."""
        ...

    def change(self, number: LoanNumber, change: LoanChange, *, actor: str) -> Loan:
        """Change a loan. Raises NotFound, Outdated, Invalid, RuleBroken, Unavailable, NotAllowed."""
        ...

    def act(self, number: LoanNumber, action: LoanAction, *, actor: str, reason: str = "") -> Loan:
        """Take one step in a loan's life (approve, refuse, check-out ...). Raises NotFound, NotAllowed."""
        ...

    def find(self, number: LoanNumber) -> Loan:
        """Return the loan. Raises NotFound."""
        ...

    def list_loans(self, wanted: LoanFilter) -> Sequence[Loan]: ...

    def history(self, number: LoanNumber) -> Sequence[Decision]:
        """Return what was decided about a loan, oldest first. Raises NotFound."""
        ...

    def availability(self, interval: Interval, *, people: int | None = None) -> Sequence[Availability]: ...

    def list_assets(self) -> Sequence[Asset]: ...

    def add_asset(self, name: str, *, store: str | None, description: str, actor: str) -> Asset: ...

    def list_stores(self) -> Sequence[Store]: ...

    def set_rules(
        self, rules: BookingRules, *, store_id: StoreId | None, item_id: BookableId | None, actor: str
    ) -> None:
        """Set the rules of a store, or of one room or asset. Exactly one of the two is given."""
        ...

    def list_cases(self, *, state: CaseState | None, after: int | None, limit: int) -> Sequence[Case]: ...

    def settle_case(self, case_id: int, *, settlement: str, actor: str) -> Case:
        """Close a case by hand. Raises NotFound, NotAllowed."""
        ...

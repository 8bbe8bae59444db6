"""Loans, their items, and the people, stores and assets they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from engine.ids import Address, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.details import ContactDetails
from engine.loans.rules import BookingRules
from engine.loans.status import BLOCKING_STATES, BLOCKING_STATUSES, ItemState, LoanStatus, tell_requested


class Home(StrEnum):
    """The side where a booking was born; it wins when both sides changed the same field."""

    OUTLOOK = "outlook"
    APP = "app"


class ItemKind(StrEnum):
    ROOM = "room"
    ASSET = "asset"


class TextLevel(StrEnum):
    """How much of a loan the text of its event tells (R15, H52-H53)."""

    FULL = "full"
    NUMBER_ONLY = "number_only"
    LINK_ONLY = "link_only"


@dataclass(frozen=True, slots=True)
class Requester:
    """Who a loan is for. `details`: what is to be kept of them beside, where somebody gives it; never read back."""

    address: Address
    name: str
    details: ContactDetails | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class LoanItem:
    """A room or an asset in a loan, with its own state. `address` is the room's; None for assets."""

    kind: ItemKind
    id: BookableId
    name: str
    state: ItemState
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Loan:
    """A reservation as the register holds it. Times are exact and UTC; `interval.blocked()` is what it blocks."""

    number: LoanNumber
    status: LoanStatus
    home: Home
    requester: Requester
    interval: Interval
    items: tuple[LoanItem, ...]
    store_id: StoreId
    store: str
    version: int
    title: str = ""
    notes: str = ""
    private: bool = False
    series: str | None = None
    made_at: datetime | None = None
    """When it was booked or imported; None: it is not in the register yet."""
    changed_at: datetime | None = field(default=None, compare=False)
    """When it became its present version."""
    unasked: bool = field(default=False, compare=False)
    """Whether Outlook refused its event, so that no room heard of it. Known where loans are read to be told."""

    @property
    def blocks(self) -> bool:
        return self.status in BLOCKING_STATUSES

    @property
    def rooms(self) -> tuple[LoanItem, ...]:
        """Its rooms that are still part of it, declined and released ones included."""
        return tuple(
            item for item in self.items if item.kind is ItemKind.ROOM and item.state is not ItemState.CANCELLED
        )

    @property
    def assets(self) -> tuple[LoanItem, ...]:
        """The things that are part of it beside rooms, or were when it ended."""
        return tuple(item for item in self.items if item.kind is ItemKind.ASSET and item.state in BLOCKING_STATES)

    def told_state(self, item: LoanItem) -> ItemState:
        """Return the state of one of its items as people are told it (`tell_requested`)."""
        is_waiting = item.state is ItemState.REQUESTED
        return tell_requested(self.status, is_unasked=self.unasked) if is_waiting else item.state

    @property
    def told_states(self) -> tuple[ItemState, ...]:
        """The states of its items as people are told them, each once, in their order."""
        return tuple(dict.fromkeys(self.told_state(item) for item in self.items))

    @property
    def held_items(self) -> tuple[LoanItem, ...]:
        """The items it holds right now."""
        return tuple(item for item in self.items if self.blocks and item.state in BLOCKING_STATES)


@dataclass(frozen=True, slots=True)
class Store:
    """A loan store (magasin): owns rooms and assets, carries default rules."""

    id: StoreId
    name: str
    rules: BookingRules = BookingRules()
    approval: bool = False
    text_level: TextLevel | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A loanable thing that is not a room."""

    id: BookableId
    name: str
    store_id: StoreId
    store: str
    description: str = ""
    retired: bool = False
    rules: BookingRules = BookingRules()


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of a history: what was decided, by a code and the values that go into its text.

    `code` is a key of `reconcile.words.reasons`; `actor` is who or what decided: `outlook`, `app:<name>`, `engine`,
    `clock`.
    """

    at: datetime
    code: str
    facts: dict[str, object]
    actor: str = "engine"
    loan_number: LoanNumber | None = None
    ical_uid: str | None = None
    room_id: BookableId | None = None


class CaseState(StrEnum):
    OPEN = "open"
    IGNORED = "ignored"
    """Left as it is by a person, while its cause stands. It closes once that is gone, and opens anew if it differs."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Case:
    """An open disagreement or rejection that a person may look at and settle."""

    id: int
    code: str
    facts: dict[str, object]
    state: CaseState
    opened_at: datetime
    closed_at: datetime | None = None
    closed_by: str | None = None
    settlement: str | None = None
    loan_number: LoanNumber | None = None
    ical_uid: str | None = None
    room_id: BookableId | None = None
    room: str | None = None

"""Requesters from outside as contacts in an Outlook folder: what a card says, and what makes the folder agree. Pure."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from engine.loans.details import ContactDetails
from engine.reconcile.names import fold

NOTHING_KNOWN = ContactDetails()

CONTACTS = ("contacts", "all")
"""The key that has them exported."""


class Column(StrEnum):
    """
    What a card may say beside the mandatory columns: first name, last name, day of creation and day of change (G9).

    Those from `phone` to `town` say what somebody wrote of a requester when they booked, or later.
    """

    EMAIL = "email"
    PHONE = "phone"
    BIRTH_DATE = "birth_date"
    COMPANY = "company"
    JOB_TITLE = "job_title"
    STREET = "street"
    POSTCODE = "postcode"
    TOWN = "town"
    STORES = "stores"
    """The stores they borrowed from, as categories."""
    LOANS = "loans"
    """How many loans they had."""


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody loans were made for whose address is not of our domains. `key` stays when the address changes."""

    key: str
    name: str
    address: str
    created_at: datetime
    """When their first loan was made, UTC."""
    changed_at: datetime
    """When one of their loans, or what is known of them, was last changed, UTC."""
    loans: int
    stores: tuple[str, ...]
    last_end: datetime
    """When their last loan ends, or ended, UTC."""
    details: ContactDetails = NOTHING_KNOWN


@dataclass(frozen=True, slots=True)
class ContactView:
    """Which requesters from outside become contacts (G10); an empty set and 0 let everybody in."""

    stores: frozenset[str] = frozenset()
    """Names, folded; one that they ever borrowed from is enough."""
    kept_days: int = 0
    """How long after the end of their last loan they are kept."""

    def holds(self, outsider: Outsider, now: datetime) -> bool:
        is_of_stores = not self.stores or any(fold(name) in self.stores for name in outsider.stores)
        return is_of_stores and (not self.kept_days or outsider.last_end > now - timedelta(days=self.kept_days))


@dataclass(frozen=True, slots=True)
class Card:
    """What a contact says. `key` is the mark by which we know it again."""

    key: str
    given: str
    family: str
    display: str
    addresses: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    notes: str = ""
    details: ContactDetails = NOTHING_KNOWN
    """What is chosen and known of phone, birth date, company, job title and post."""


@dataclass(frozen=True, slots=True)
class FoundCard:
    """A contact as the folder shows it. A card without a key is somebody else's and is left alone."""

    id: str
    card: Card


class ContactBook(Protocol):
    """What is asked of a mailbox's contacts. Every method may raise what `RoomCalendar`'s may."""

    async def find_folder(self, mailbox: str, name: str) -> str | None:
        """Return the id of the folder of that name, whatever its capitals; None when there is none."""
        ...

    async def create_folder(self, mailbox: str, name: str) -> str:
        """Make a folder and return its id."""
        ...

    def fetch_contacts(self, mailbox: str, folder: str) -> AsyncIterator[tuple[FoundCard, ...]]:
        """Yield the contacts of a folder, page by page."""
        ...

    async def create_contact(self, mailbox: str, folder: str, card: Card) -> None:
        """Make a contact. Not to be repeated blindly: read the folder again when the answer was lost."""
        ...

    async def change_contact(self, mailbox: str, folder: str, contact_id: str, card: Card) -> None:
        """Make a contact say what *card* says; one that is gone meanwhile is fine."""
        ...

    async def delete_contact(self, mailbox: str, folder: str, contact_id: str) -> None:
        """Delete a contact; one that is gone already is fine."""
        ...


def card_of(outsider: Outsider, columns: frozenset[Column]) -> Card:
    """Return what the contact of somebody says. A name of one word is a last name."""
    given, _, family = " ".join(outsider.name.split()).rpartition(" ")
    lines = [f"Created: {outsider.created_at:%Y-%m-%d}", f"Changed: {outsider.changed_at:%Y-%m-%d}"]
    if Column.LOANS in columns:
        lines.append(f"Loans: {outsider.loans}")
    return Card(
        key=outsider.key,
        given=given,
        family=family,
        display=outsider.name,
        addresses=(outsider.address,) if Column.EMAIL in columns else (),
        categories=outsider.stores if Column.STORES in columns else (),
        notes="\n".join(lines),
        details=ContactDetails(**{name: text for name, text in outsider.details.known().items() if name in columns}),
    )


@dataclass(frozen=True, slots=True)
class ContactPlan:
    """What makes the folder agree. `others`: contacts that are not ours, which stay as they are."""

    create: tuple[Card, ...] = ()
    change: tuple[tuple[str, Card], ...] = ()
    remove: tuple[FoundCard, ...] = ()
    same: int = 0
    others: int = 0

    @property
    def steps(self) -> int:
        return len(self.create) + len(self.change) + len(self.remove)


def plan_contacts(wanted: Iterable[Card], found: Sequence[FoundCard]) -> ContactPlan:
    """
    Say what makes the folder hold exactly the *wanted* cards beside those that are not ours.

    Of several contacts with one key (an answer was lost once) the first stays. Carrying the plan out and planning again
    gives an empty one.
    """
    by_key: dict[str, FoundCard] = {}
    remove = []
    for each in found:
        if each.card.key and by_key.setdefault(each.card.key, each) is not each:
            remove.append(each)
    cards = {card.key: card for card in wanted}
    remove += [each for key, each in by_key.items() if key not in cards]
    pairs = [(by_key.get(key), card) for key, card in cards.items()]
    return ContactPlan(
        create=tuple(card for there, card in pairs if there is None),
        change=tuple((there.id, card) for there, card in pairs if there is not None and there.card != card),
        remove=tuple(remove),
        same=sum(there is not None and there.card == card for there, card in pairs),
        others=sum(not each.card.key for each in found),
    )


@dataclass(frozen=True, slots=True)
class ContactReport:
    """What an export did, or would do; `failed` names cards that Outlook refused, with what it said."""

    planned: ContactPlan = field(default_factory=ContactPlan)
    done: int = 0
    failed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    dry: bool = False

    @property
    def is_over(self) -> bool:
        return self.dry or self.done + len(self.failed) >= self.planned.steps

    @property
    def text(self) -> str:
        """The report in one line."""
        plan = self.planned
        changed = f"{len(plan.create)} created, {len(plan.change)} changed, {len(plan.remove)} removed"
        counts = f"{changed}, {plan.same} as they were"
        if self.dry:
            return f"would be: {counts}"
        if not self.is_over:
            return f"{self.done} of {plan.steps} done: {counts}"
        return f"{counts}, {len(self.failed)} refused" if self.failed else counts

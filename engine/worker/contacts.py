"""The pass over `contacts:all`: requesters from outside become contacts in one folder of one mailbox."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from engine.errors import MailboxClosed, Malformed, Refused
from engine.ids import Address
from engine.reconcile.contacts import (
    Column,
    ContactBook,
    ContactPlan,
    ContactReport,
    FoundCard,
    Outsider,
    card_of,
    plan_contacts,
)

TOLD_EVERY = 20
"""After how many steps progress is told."""

Tell = Callable[[ContactReport], None]


@dataclass(frozen=True, slots=True)
class ContactWish:
    """Where requesters from outside are exported to, and what their cards say. An empty mailbox: nowhere."""

    mailbox: Address
    folder: str
    columns: frozenset[Column]


class ContactsPass:
    """
    Exports contacts.

    Args:
        book: the contacts of mailboxes.
        outsiders: everybody loans were made for whose address is not of our domains. Raises Refused while nobody
            knows which those are.
        wish: where to and what, asked for in each export.
    """

    def __init__(
        self, book: ContactBook, *, outsiders: Callable[[], Sequence[Outsider]], wish: Callable[[], ContactWish]
    ) -> None:
        self._book = book
        self._outsiders = outsiders
        self._wish = wish

    async def export(self, *, dry: bool = False, tell: Tell = lambda report: None) -> ContactReport:
        """
        Make the folder agree with our requesters; with *dry* only say what that would take.

        What Outlook refuses of single cards is reported and does not stop the others. Raises Refused when no mailbox is
        named, and whatever reading the folder raises. May be repeated at any time: it begins with what is there.
        """
        wish = self._wish()
        if not wish.mailbox:
            raise Refused("no mailbox is named for contacts: set contacts.mailbox")
        cards = [card_of(each, wish.columns) for each in self._outsiders()]
        folder = await self._book.find_folder(wish.mailbox, wish.folder)
        found: list[FoundCard] = []
        if folder is not None:
            async for page in self._book.fetch_contacts(wish.mailbox, folder):
                found += page
        plan = plan_contacts(cards, found)
        report = ContactReport(plan, dry=dry)
        if dry or not plan.steps:
            return report
        folder = folder or await self._book.create_folder(wish.mailbox, wish.folder)
        return await self._carry_out(report, _Place(wish.mailbox, folder), tell)

    async def _carry_out(self, report: ContactReport, place: _Place, tell: Tell) -> ContactReport:
        for number, (name, step) in enumerate(_steps(report.planned, self._book, place), 1):
            try:
                await step()
                report = replace(report, done=report.done + 1)
            except (Refused, Malformed, MailboxClosed) as error:
                report = replace(report, failed=MappingProxyType({**report.failed, name: str(error)}))
            if number % TOLD_EVERY == 0:
                tell(report)
        return report


@dataclass(frozen=True, slots=True)
class _Place:
    mailbox: str
    folder: str


Step = tuple[str, Callable[[], Awaitable[None]]]


def _steps(plan: ContactPlan, book: ContactBook, place: _Place) -> Iterator[Step]:
    """Yield what is to be done, each with whose card it is about."""
    where = (place.mailbox, place.folder)
    for card in plan.create:
        yield card.display, partial(book.create_contact, *where, card)
    for contact_id, card in plan.change:
        yield card.display, partial(book.change_contact, *where, contact_id, card)
    for found in plan.remove:
        yield found.card.display, partial(book.delete_contact, *where, found.id)

"""
Own loans without rooms in a person's own Outlook calendar: what an entry says, and what makes the calendar agree. Pure.

One way, from here to Outlook. An entry says a number and a link and nothing of anybody (R15): who may know more opens
the link and signs in (R16). Loans with rooms have their meeting already, and get no second entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.ids import Address, EventId, LoanNumber
from engine.interval import Interval
from engine.loans.loan import Loan, TextLevel
from engine.loans.status import WITHDRAWN_STATUSES
from engine.reconcile.telling.texts import render_body, render_subject


class OwnCalendarState(StrEnum):
    CONNECTED = "connected"
    LEAVING = "leaving"
    """Disconnected; entries are still to be taken away."""
    BROKEN = "broken"
    """The directory no longer takes the token: the person has to connect again."""


@dataclass(frozen=True, slots=True)
class OwnCalendar:
    """Somebody's calendar that they let us write into. `account`: what they signed in as, whose mailbox it is."""

    address: Address
    account: str
    state: OwnCalendarState
    connected_at: datetime
    entries: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What an event says of a loan."""

    number: LoanNumber
    interval: Interval
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """An event we made. `told`: what we last wrote; `event_id` is None while its creation is not known to be done."""

    number: LoanNumber
    generation: int
    event_id: EventId | None
    told: Entry | None


@dataclass(frozen=True, slots=True)
class OwnCalendarPlan:
    create: tuple[Entry, ...] = ()
    change: tuple[tuple[KnownEntry, Entry], ...] = ()
    remove: tuple[KnownEntry, ...] = ()


def belongs_there(loan: Loan) -> bool:
    """Tell whether a loan has its place in its requester's own calendar: things alone, and not called off."""
    return not loan.rooms and bool(loan.items) and loan.status not in WITHDRAWN_STATUSES


def entry_of(loan: Loan, link_base: str) -> Entry:
    """Return what the event says, whatever the text level of the store: number and link."""
    link = f"{link_base}/loans/{loan.number}"
    subject = render_subject(loan, TextLevel.NUMBER_ONLY)
    return Entry(loan.number, loan.interval, subject, render_body(loan, TextLevel.LINK_ONLY, link))


def plan_entries(
    wanted: Iterable[Entry], known: Iterable[KnownEntry], *, state: OwnCalendarState, now: datetime
) -> OwnCalendarPlan:
    """
    Say what makes the calendar agree with the loans.

    A loan that is over gets no new entry, and the one it has stays; who disconnects has all of them taken away.
    """
    held: Mapping[LoanNumber, KnownEntry] = {each.number: each for each in known}
    if state is OwnCalendarState.LEAVING:
        return OwnCalendarPlan(remove=tuple(held.values()))
    entries = {each.number: each for each in wanted}
    return OwnCalendarPlan(
        create=tuple(
            entry
            for number, entry in entries.items()
            if entry.interval.end > now and (number not in held or held[number].event_id is None)
        ),
        change=tuple(
            (held[number], entry)
            for number, entry in entries.items()
            if number in held and held[number].event_id is not None and held[number].told != entry
        ),
        remove=tuple(each for number, each in held.items() if number not in entries),
    )

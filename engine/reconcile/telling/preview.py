"""What Outlook will be told of a booking that is not made yet, so that people see it before they save. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.ids import Address, BookableId, LoanNumber, StoreId, domain_of
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, LoanItem, Requester, TextLevel
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.dates import Outside
from engine.reconcile.ledger import SyncRules
from engine.reconcile.telling.texts import render_title


class Silence(StrEnum):
    """Why Outlook is told nothing."""

    NO_ROOM = "no_room"
    """Loans of things alone are none of Outlook's business (H35)."""
    LEFT_OUT = "left_out"
    """The settings leave bookings of its store, or of its status, out."""
    BEYOND = "beyond"
    """It is too far ahead: it is told once it is nearer."""
    READ_ONLY = "read_only"
    """The mode writes nothing to Outlook."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What the event will say. `silence` says why there will be none; `stands_in`: in the default user's calendar."""

    mailbox: Address
    stands_in: bool
    subject: str
    rooms: tuple[str, ...]
    listed: tuple[str, ...]
    """The names its text lists; empty where the text level keeps them back."""
    private: bool
    silence: Silence | None = None


def mailbox_for(requester: Address, rules: SyncRules) -> Address:
    """Return where a loan's event goes: the requester's mailbox when of our domains, else the default user's."""
    if domain_of(requester) in rules.domains or rules.default_user is None:
        return requester
    return rules.default_user


def is_shown_by_outlook(loan: Loan, rules: SyncRules, *, has_event: bool) -> bool:
    """
    Tell whether the requester has the loan in a calendar of their own in Outlook, sooner or later.

    So they have, with a mailbox here, of every meeting born there, and of every loan with a room that has its event or
    is to get one, whatever the mode is now.
    """
    if domain_of(loan.requester.address) not in rules.domains:
        return False
    return loan.home is Home.OUTLOOK or (bool(loan.rooms) and (has_event or rules.view.holds(loan)))


def foretell(
    requester: Requester,
    items: tuple[tuple[ItemKind, str], ...],
    interval: Interval,
    *,
    now: datetime,
    private: bool,
    level: TextLevel,
    rules: SyncRules,
    is_series: bool = False,
    title: str = "",
    store: str = "",
    has_event: bool = False,
) -> Telling:
    """
    Return what Outlook will be told.

    Args:
        items: kind and name of what is booked.
        interval: when; of a series its first date.
        level: how much the store, or the settings, let the event tell.
        rules: as they are now.
        is_series: whether it repeats: a series is one event for all its loans.
        title: what it is about, as far as that is known yet.
        store: the name of the store it will belong to.
        has_event: whether it is changed, and its event is there: that goes on being followed, whatever the view says.
    """
    mailbox = mailbox_for(requester.address, rules)
    rooms = tuple(name for kind, name in items if kind is ItemKind.ROOM)
    is_told = level is TextLevel.FULL and not private
    unborn = Loan(
        number=LoanNumber(0),
        status=LoanStatus.NEW,
        home=Home.APP,
        requester=requester,
        interval=interval,
        items=tuple(LoanItem(kind, BookableId(0), name, ItemState.REQUESTED) for kind, name in items),
        store_id=StoreId(0),
        store=store,
        version=0,
        title=title,
        private=private,
    )
    return Telling(
        mailbox=mailbox,
        stands_in=mailbox != requester.address,
        subject=render_title(unborn, "…-…" if is_series else "…", level, rules.fields),
        rooms=rooms,
        listed=tuple(name for _, name in items) if is_told else (),
        private=private,
        silence=_silence(unborn, rules, now, has_event=has_event),
    )


def _silence(unborn: Loan, rules: SyncRules, now: datetime, *, has_event: bool) -> Silence | None:
    if not unborn.rooms:
        return Silence.NO_ROOM
    if not has_event and not rules.view.holds(unborn):
        return Silence.LEFT_OUT
    if not has_event and rules.view.dates.outside(unborn.interval, now) is Outside.BEYOND:
        return Silence.BEYOND
    return Silence.READ_ONLY if rules.mode != "two_way" else None

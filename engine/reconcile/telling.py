"""What Outlook will be told of a booking that is not made yet, so that people see it before they save. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from engine.ids import Address, LoanNumber, StoreId, domain_of
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, Requester, TextLevel
from engine.loans.status import LoanStatus
from engine.reconcile.ledger import SyncRules
from engine.reconcile.texts import render_series_subject, render_subject

_ANY_TIME = Interval(datetime(2000, 1, 1, tzinfo=UTC), datetime(2000, 1, 2, tzinfo=UTC))
"""A subject tells no times."""


class Silence(StrEnum):
    """Why Outlook is told nothing."""

    NO_ROOM = "no_room"
    """Loans of things alone are none of Outlook's business (H35)."""
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


def foretell(
    requester: Requester,
    items: tuple[tuple[ItemKind, str], ...],
    *,
    private: bool,
    level: TextLevel,
    rules: SyncRules,
    is_series: bool = False,
) -> Telling:
    """
    Return what Outlook will be told.

    Args:
        items: kind and name of what is booked.
        level: how much the store, or the settings, let the event tell.
        rules: as they are now.
        is_series: whether it repeats: a series is one event for all its loans.
    """
    mailbox = mailbox_for(requester.address, rules)
    rooms = tuple(name for kind, name in items if kind is ItemKind.ROOM)
    is_told = level is TextLevel.FULL and not private
    return Telling(
        mailbox=mailbox,
        stands_in=mailbox != requester.address,
        subject=_subject(requester, private=private, level=level, is_series=is_series),
        rooms=rooms,
        listed=tuple(name for _, name in items) if is_told else (),
        private=private,
        silence=Silence.NO_ROOM if not rooms else Silence.READ_ONLY if rules.mode != "two_way" else None,
    )


def _subject(requester: Requester, *, private: bool, level: TextLevel, is_series: bool) -> str:
    """Return the subject as it will be, with an ellipsis in the place of each number that is not drawn yet."""
    unborn = Loan(
        number=LoanNumber(0),
        status=LoanStatus.NEW,
        home=Home.APP,
        requester=requester,
        interval=_ANY_TIME,
        items=(),
        store_id=StoreId(0),
        store="",
        version=0,
        private=private,
    )
    if is_series:
        return "#…-…" + render_series_subject(unborn, 0, 0, level).removeprefix("#0-0")
    return "#…" + render_subject(unborn, level).removeprefix("#0")

"""The booking form in its second use: changing a loan, and by its scope the following or all dates of its series."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from fastapi import HTTPException

from engine.errors import NotAllowed
from engine.ids import LoanNumber, fold_address
from engine.interval import Interval
from engine.loans.loan import Home, Loan
from engine.loans.register import ItemRef, LoanChange, LoanOrder
from engine.loans.status import ItemState, is_past_changing
from engine.reconcile.series.book import Scope
from engine.web.pages.page import Page


class Changed(StrEnum):
    """What a change touches. Title and notes are not told to Outlook."""

    TIMES = "times"
    ITEMS = "items"
    REQUESTER = "requester"
    TITLE = "title"
    NOTES = "notes"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Changing:
    """A loan in the form, and what the form would change about it."""

    loan: Loan
    scopes: tuple[Scope, ...]
    changed: frozenset[Changed]
    moved_on: bool = False
    """Whether somebody else changed it since the form was opened."""


def loan_in_form(page: Page, number: int) -> Loan:
    """Return a loan that the reader may both read and change, ended or not. Raises NotFound, and 403."""
    loan = page.parts.web.register.find(LoanNumber(number))
    user = page.user
    assert user is not None
    may_change = user.may_change(loan.requester.address, loan.store_id)
    if not may_change or not user.may_read(loan.requester.address, private=loan.private):
        raise HTTPException(403)
    return loan


def check_not_over(page: Page, loan: Loan) -> None:
    """Raise NotAllowed when nothing about *loan* can be changed any more."""
    if is_over(loan, now=page.now):
        raise NotAllowed(f"loan {loan.number} is over: it can no longer be changed")


def is_over(loan: Loan, *, now: datetime) -> bool:
    """Tell whether nothing is left to change: it ended, or its time did. What is still out can be kept for longer."""
    return is_past_changing(loan.status, loan.interval.end, now=now)


def may_change_here(page: Page, loan: Loan) -> bool:
    """Tell whether the form may be opened for a loan: it is not over, and the reader may both read and change it."""
    user = page.user
    return (
        user is not None
        and not is_over(loan, now=page.now)
        and user.may_change(loan.requester.address, loan.store_id)
        and user.may_read(loan.requester.address, private=loan.private)
    )


def fingerprint_of(loan: Loan) -> str:
    """Return what stands for all the form shows of *loan*. A room that answers changes its version, and not this."""
    items = sorted((item.kind, item.id) for item in items_of(loan))
    shown = (loan.interval, items, loan.requester, loan.title, loan.notes, loan.private)
    return sha256(repr(shown).encode()).hexdigest()[:16]


def version_seen(loan: Loan, *, known: Collection[str], version: int | None) -> int | None:
    """Return the version the form knows: *loan*'s, when it is as the form showed it, or said that it is now."""
    return loan.version if fingerprint_of(loan) in known else version


def may_say_private(loan: Loan) -> bool:
    """Tell whether it is for the app to say that *loan* is private: of a meeting its organizer says so, in Outlook."""
    return loan.home is Home.APP


def items_of(loan: Loan) -> tuple[ItemRef, ...]:
    """Return what a loan has, whatever the rooms answered."""
    return tuple(ItemRef(item.kind, item.id) for item in loan.items if item.state is not ItemState.CANCELLED)


def scopes_of(page: Page, loan: Loan) -> tuple[Scope, ...]:
    """Return how much of its series a change of *loan* may be meant for: nothing but itself once it has begun."""
    return tuple(Scope) if loan.series is not None and loan.interval.start > page.now else (Scope.THIS,)


def find_changes(loan: Loan, wanted: LoanOrder) -> frozenset[Changed]:
    """Return in what *wanted* differs from *loan*."""
    different = {
        Changed.TIMES: wanted.interval != _to_the_minute(loan.interval),
        Changed.ITEMS: {item.id for item in wanted.items} != {item.id for item in items_of(loan)},
        Changed.REQUESTER: fold_address(wanted.requester.address) != fold_address(loan.requester.address),
        Changed.TITLE: wanted.title != loan.title.strip(),
        Changed.NOTES: wanted.notes != loan.notes.strip(),
        Changed.PRIVATE: may_say_private(loan) and wanted.private is not loan.private,
    }
    return frozenset(field for field, is_different in different.items() if is_different)


def change_loan(page: Page, loan: Loan, wanted: LoanOrder, scope: Scope, *, version: int | None) -> None:
    """Change what differs. Raises as the desk does; 403 when dates of others are meant as well."""
    assert page.user is not None
    changed = find_changes(loan, wanted)
    is_told_more = wanted.requester.details is not None
    if not changed and not is_told_more:
        return
    before = _to_the_minute(loan.interval)
    change = LoanChange(
        seen_version=version,
        start=wanted.interval.start if wanted.interval.start != before.start else None,
        end=wanted.interval.end if wanted.interval.end != before.end else None,
        requester=wanted.requester if Changed.REQUESTER in changed or is_told_more else None,
        items=wanted.items if Changed.ITEMS in changed else None,
        title=wanted.title if Changed.TITLE in changed else None,
        notes=wanted.notes if Changed.NOTES in changed else None,
        private=wanted.private if Changed.PRIVATE in changed else None,
    )
    if scope is Scope.THIS:
        page.parts.web.register.change(loan.number, change, actor=page.user.actor)
        return
    check_dates(page, loan)
    page.parts.web.series.change(loan.number, change, scope, actor=page.user.actor)


def check_dates(page: Page, loan: Loan) -> None:
    """Refuse what is meant for a whole series with a date to come that the reader may not change. Raises 403."""
    assert page.user is not None
    dates = page.parts.web.series.find(int(loan.series)).loans if loan.series is not None else ()
    for each in dates:
        is_meant = each.blocks and each.interval.end > page.now
        if is_meant and not page.user.may_change(each.requester.address, each.store_id):
            raise HTTPException(403)


def _to_the_minute(interval: Interval) -> Interval:
    """Return *interval* as a form can say it: seconds, which Outlook may hold, are not shown and not changed."""
    start, end = (moment.replace(second=0, microsecond=0) for moment in (interval.start, interval.end))
    return Interval(start, end) if end > start else interval

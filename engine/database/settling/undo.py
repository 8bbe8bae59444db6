"""Undoing a settlement: what a loan was before and after, and what is in the way of its going back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.database.cases.rows import Filed
from engine.database.loans.occupancy import find_busy
from engine.database.sql.transaction import Transaction
from engine.ids import Address, BookableId
from engine.interval import Interval
from engine.loans.loan import CaseState, ItemKind, Loan, Requester
from engine.loans.register import ItemRef, LoanChange
from engine.loans.status import ItemState
from engine.reconcile.actions import Note
from engine.reconcile.cases.ways import Way


def snapshot_of(loan: Loan) -> dict[str, Any]:
    """Return what a settlement may change in a loan, as JSON."""
    return {
        "interval": [loan.interval.start.isoformat(), loan.interval.end.isoformat()],
        "requester": [loan.requester.address, loan.requester.name],
        "items": sorted([ref.kind.value, int(ref.id)] for ref in refs_of(loan)),
    }


def why_no_undo(transaction: Transaction, filed: Filed, loan: Loan | None) -> Note | None:
    """Say why a settlement cannot be undone; None when it can."""
    case = filed.case
    if case.state is CaseState.OPEN:
        return Note("no_undo_open")
    if case.code == "mass_cancel_held":
        return Note("no_undo_answered")
    if case.settlement not in tuple(Way):
        return Note("no_undo_nothing_changed")
    if filed.undo is None:
        return None
    if loan is None or not loan.blocks:
        return Note("no_undo_loan_over")
    now, after, before = snapshot_of(loan), filed.undo["after"], filed.undo["before"]
    if any(now[field] != after[field] for field in now if after[field] != before[field]):
        return Note("no_undo_changed_since", {"loan": loan.number})
    return _what_is_taken(transaction, filed.undo, loan)


def _what_is_taken(transaction: Transaction, undo: Mapping[str, Any], loan: Loan) -> Note | None:
    """Say who has taken what the loan would have again; None when nothing is in the way."""
    before = undo["before"]
    start, end = (datetime.fromisoformat(text) for text in before["interval"])
    moves = before["interval"] != undo["after"]["interval"]
    wanted = {BookableId(item) for _, item in before["items"]} - (set() if moves else {i.id for i in loan.held_items})
    interval = Interval(start, end) if moves else loan.interval
    busy = find_busy(transaction.connection, sorted(wanted), interval, apart=loan.number)
    if not busy:
        return None
    names = {item.id: item.name for item in loan.items}
    facts = {"item": names.get(busy[0].item_id, f"#{busy[0].item_id}"), "other": busy[0].loan_number}
    return Note("no_undo_taken" if busy[0].loan_number else "no_undo_taken_in_outlook", facts)


def way_back(undo: Mapping[str, Any], loan: Loan) -> LoanChange:
    """Return the change that takes back what a settlement changed, and nothing else."""
    before, after = undo["before"], undo["after"]
    differs = {field for field in before if before[field] != after[field]}
    start, end = (datetime.fromisoformat(text) for text in before["interval"])
    requester = Requester(Address(before["requester"][0]), before["requester"][1])
    items = tuple(ItemRef(ItemKind(kind), BookableId(item)) for kind, item in before["items"])
    return LoanChange(
        start=start if "interval" in differs else None,
        end=end if "interval" in differs else None,
        requester=requester if "requester" in differs else None,
        items=items if "items" in differs else None,
    )


def refs_of(loan: Loan, *, without: frozenset[BookableId] = frozenset()) -> tuple[ItemRef, ...]:
    """Return what a loan holds, as an order names it."""
    return tuple(
        ItemRef(item.kind, item.id)
        for item in loan.items
        if item.state is not ItemState.CANCELLED and item.id not in without
    )

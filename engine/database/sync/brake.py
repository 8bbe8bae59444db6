"""The brake: cancellations that come from Outlook in masses are held back until a person has answered (D4).

Bookings are compared one by one, so what is too much is counted here, in the very transaction that would cancel: the
loans of a room whose copy there is gone or in doubt, and those that were cancelled a short while ago. A loan that is
held back carries it on its link; the room has one case for all of them, which closes once none is left.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, or_, select

from engine.database.cases.records import close_case_of, name_loans, open_cases, write_decisions
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.ids import BookableId, LoanNumber
from engine.loans.loan import Case, ItemKind, Loan
from engine.reconcile.actions import Note
from engine.reconcile.brake import WINDOW, BrakeRule
from engine.reconcile.cases.ways import Way

HELD, CONFIRMED, REJECTED = "held", "confirmed", "rejected"
"""What `link.hold` says."""

_loan = metadata.tables["loan"]
_item = metadata.tables["loan_item"]
_link = metadata.tables["link"]
_copy = metadata.tables["room_copy"]
_now, _since = bindparam("now", type_=Instant()), bindparam("since", type_=Instant())

_COMING = Prepared(
    select(
        _loan.c.number,
        _loan.c.series,
        _link.c.id.label("link"),
        _link.c.hold,
        or_(_copy.c.doubt, ~_copy.c.live).label("going"),
    )
    .select_from(_item)
    .join(_loan, _loan.c.number == _item.c.loan_number)
    .join(_link, (_link.c.loan_number == _loan.c.number) & (_link.c.state == "linked"), isouter=True)
    .join(_copy, (_copy.c.ical_uid == _link.c.ical_uid) & (_copy.c.room_id == _item.c.bookable_id), isouter=True)
    .where(_item.c.bookable_id == bindparam("room"), _item.c.holds, _item.c.blocked_end > _now)
)
"""The coming loans of a room; once more for each copy that a meeting has had there."""

_RECENT = Prepared(
    select(_loan.c.number, _loan.c.series)
    .join(_link, _link.c.loan_number == _loan.c.number)
    .join(_item, _item.c.loan_number == _loan.c.number)
    .where(_link.c.cancelled_at > _since, _item.c.bookable_id == bindparam("room"))
)
_HELD_OF_ROOM = Prepared(
    select(_link.c.loan_number)
    .join(_item, _item.c.loan_number == _link.c.loan_number)
    .where(_link.c.hold == HELD, _item.c.bookable_id == bindparam("room"))
    .order_by(_link.c.loan_number)
)
_NOTE_CANCELLED = Prepared(
    _link.update()
    .where(_link.c.loan_number == bindparam("number"), _link.c.state == "linked")
    .values(cancelled_at=bindparam("now", type_=Instant()))
)
_SET_HOLD = Prepared(
    _link.update()
    .where(_link.c.loan_number == bindparam("number"), _link.c.state == "linked")
    .values(hold=bindparam("new_hold"))
)
_ANSWERED = _link.update().where(_link.c.loan_number.in_(bindparam("numbers", expanding=True)), _link.c.hold == HELD)
_ROOMS_OF = Prepared(
    select(_item.c.bookable_id)
    .where(_item.c.loan_number.in_(bindparam("numbers", expanding=True)), _item.c.kind == ItemKind.ROOM.value)
    .distinct()
)


def holds_back(transaction: Transaction, loan: Loan, hold: str | None, rule: BrakeRule) -> bool:
    """
    Tell whether the brake stops the cancellation of *loan*; with it goes all that is about to follow in that room.

    Args:
        transaction: the one that would cancel it.
        loan: as it was loaded, its items still held.
        hold: what its link says: one that was answered passes.
        rule: how much is too much.
    """
    if hold is not None:
        return hold == HELD
    for item in loan.held_items:
        if item.kind is not ItemKind.ROOM:
            continue
        going, total = _count(transaction, item.id, loan)
        if rule.stops(len(going), total):
            _hold(transaction, item.id, {number for numbers in going.values() for number in numbers}, total, rule)
            return True
    return False


def _count(transaction: Transaction, room_id: BookableId, loan: Loan) -> tuple[dict[str, set[int]], int]:
    """Return what is going, and how many bookings the room has: a series counts as one, and loans are by group."""
    now = transaction.now
    coming = _COMING.run(transaction.connection, {"room": room_id, "now": now}).all()
    standing = {row.number for row in coming if row.going is not None and not row.going}
    going: dict[str, set[int]] = {_group(loan.number, loan.series): {loan.number}}
    everything = {_group(row.number, row.series) for row in coming} | set(going)
    for row in coming:
        if row.going and row.number not in standing and row.hold != REJECTED:
            going.setdefault(_group(row.number, row.series), set()).add(row.number)
    recent = _RECENT.run(transaction.connection, {"room": room_id, "since": now - WINDOW})
    gone = {_group(row.number, row.series) for row in recent} - everything
    for group in gone:
        going.setdefault(group, set())
    return going, len(everything) + len(gone)


def _group(number: int, series: str | None) -> str:
    return f"series {series}" if series else f"loan {number}"


def _hold(transaction: Transaction, room_id: BookableId, numbers: set[int], total: int, rule: BrakeRule) -> None:
    for number in sorted(numbers):
        _SET_HOLD.run(transaction.connection, {"number": number, "new_hold": HELD})
        note = Note("cancellation_held", {"item_id": room_id}, actor="engine", room_id=room_id)
        write_decisions(transaction, [note], loan_number=number, ical_uid=None)
    _tell(transaction, room_id, total, rule)


def _tell(transaction: Transaction, room_id: BookableId, total: int, rule: BrakeRule) -> None:
    numbers = _held(transaction, room_id)
    facts = {
        "item_id": room_id, "count": len(numbers), "total": total, "limit": rule.loans, "percent": rule.percent,
        "loans": name_loans(numbers),
    }  # fmt: skip
    note = Note("mass_cancel_held", facts, actor="engine", room_id=room_id)
    open_cases(transaction, f"room:{room_id}", [note], standing=True)


def let_go(transaction: Transaction, loan: Loan) -> None:
    """Take the hold off a loan that need not be cancelled any more; a room's case closes with the last one."""
    _SET_HOLD.run(transaction.connection, {"number": loan.number, "new_hold": None})
    note = Note("cancellation_not_needed", actor="engine")
    write_decisions(transaction, [note], loan_number=loan.number, ical_uid=None)
    _close_empty(transaction, [loan.number])


def held_loans(transaction: Transaction, case: Case) -> tuple[LoanNumber, ...]:
    """Return the loans whose cancellation a room's case holds back."""
    return _held(transaction, case.room_id) if case.room_id is not None else ()


def answer_holds(transaction: Transaction, case: Case, way: Way) -> int:
    """Confirm or reject everything a room's case holds back, and have those loans looked at; returns how many."""
    numbers = held_loans(transaction, case)
    answer = CONFIRMED if way is Way.CONFIRM else REJECTED
    if numbers:
        transaction.connection.execute(_ANSWERED.values(hold=answer), {"numbers": list(numbers)})
    for number in numbers:
        transaction.mark("loan", str(number))
    _close_empty(transaction, numbers, apart=case.room_id)
    return len(numbers)


def note_cancelled(transaction: Transaction, loan: Loan, hold: str | None) -> None:
    """Count a cancellation that passes; one that a person confirmed does not count against others."""
    if hold is None:
        _NOTE_CANCELLED.run(transaction.connection, {"number": loan.number, "now": transaction.now})


def _held(transaction: Transaction, room_id: int) -> tuple[LoanNumber, ...]:
    found = _HELD_OF_ROOM.run(transaction.connection, {"room": room_id}).scalars()
    return tuple(LoanNumber(number) for number in found)


def _close_empty(transaction: Transaction, numbers: Any, *, apart: int | None = None) -> None:
    """Close the cases of rooms in which nothing is held back any more."""
    rooms = _ROOMS_OF.run(transaction.connection, {"numbers": list(numbers)}).scalars() if numbers else []
    for room_id in rooms:
        if room_id != apart and not _held(transaction, room_id):
            close_case_of(transaction, f"room:{room_id}", "mass_cancel_held")

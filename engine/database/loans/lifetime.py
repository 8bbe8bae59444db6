"""What the clock does to loans: automatic check-out at the start, automatic closing at the end, overdue (H57-H58)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Select, bindparam, or_, select

from engine.database.loans.edits import Entry, let_go, set_status, write_entries
from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.stores.catalogue import load_items
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.loans.loan import ItemKind
from engine.loans.rules import BookingRules
from engine.loans.status import BLOCKING_STATUSES, ItemState, LoanStatus

OVERDUE_AFTER = timedelta(minutes=15)
"""Hector's guide to loan statuses: overdue automatically 15 minutes after the end."""

BATCH = 200
"""Loans changed in one transaction: a few milliseconds during which nobody else writes."""

ACTOR = "clock"

_loan = metadata.tables["loan"]
_item = metadata.tables["loan_item"]
_now = bindparam("now", type_=Instant())
_DUE = Prepared(
    select(_loan.c.number, _loan.c.status, _loan.c.start_at, _loan.c.end_at)
    .where(
        or_(
            (_loan.c.status == LoanStatus.NEW.value) & (_loan.c.start_at <= _now),
            (_loan.c.status == LoanStatus.OUT.value) & (_loan.c.end_at <= _now),
        )
    )
    .order_by(_loan.c.number)
)
_AGAIN = (
    select(_loan.c.number, _loan.c.status, _loan.c.start_at, _loan.c.end_at)
    .where(_loan.c.number.in_(bindparam("numbers", expanding=True)))
    .order_by(_loan.c.number)
)
_AGAIN_ALONE = _AGAIN.with_for_update()
_ITEMS_OF = Prepared(
    select(_item.c.loan_number, _item.c.bookable_id, _item.c.kind)
    .where(_item.c.loan_number.in_(bindparam("numbers", expanding=True)), _item.c.state != ItemState.CANCELLED.value)
    .order_by(_item.c.loan_number)
)


@dataclass(frozen=True, slots=True)
class _Habits:
    """Whether a loan checks itself out and closes itself."""

    check_out: bool
    closing: bool


def advance_loans(database: Database) -> int:
    """Take every step that is due; return how many. A loan that waits for a person costs a look each time."""
    with database.read() as transaction:
        numbers = [row.number for row in _DUE.run(transaction.connection, {"now": transaction.now})]
        due = [number for chunk in _chunks(numbers) for number in _worth_it(transaction, chunk)]
    return sum(_advance(database, chunk) for chunk in _chunks(due))


def _worth_it(transaction: Transaction, numbers: Sequence[int]) -> list[int]:
    return [number for number, steps in _plan_all(transaction, numbers) if steps]


def _advance(database: Database, numbers: Sequence[int]) -> int:
    with database.write() as transaction:
        plans = [(number, steps) for number, steps in _plan_all(transaction, numbers, _AGAIN_ALONE) if steps]
        entries = [Entry(number, code, {}, ACTOR) for number, steps in plans for code, _ in steps]
        for status in LoanStatus:
            ending = [number for number, steps in plans if steps[-1][1] is status]
            if not ending:
                continue
            set_status(transaction, ending, status)
            if status not in BLOCKING_STATUSES:
                let_go(transaction, ending)
        write_entries(transaction, entries)
        for number, _ in plans:
            transaction.mark("loan", str(number), priority=Priority.SWEEP)  # nothing in Outlook waits for it
        return len(entries)


def _plan_all(
    transaction: Transaction, numbers: Sequence[int], statement: Select[Any] = _AGAIN
) -> Iterator[tuple[int, list[tuple[str, LoanStatus]]]]:
    habits = _load_habits(transaction, numbers)
    for row in transaction.connection.execute(statement, {"numbers": list(numbers)}).all():
        yield row.number, _steps(LoanStatus(row.status), row.start_at, row.end_at, habits[row.number], transaction.now)


def _steps(
    status: LoanStatus, start: datetime, end: datetime, habits: _Habits, now: datetime
) -> list[tuple[str, LoanStatus]]:
    """Return the decisions that are due, each with the status it leads to. A loan that ended closes by way of `out`."""
    steps: list[tuple[str, LoanStatus]] = []
    closes = habits.closing and end <= now
    if status is LoanStatus.NEW and start <= now and (habits.check_out or closes):
        steps.append(("checked_out", LoanStatus.OUT))
        status = LoanStatus.OUT
    if status is LoanStatus.OUT and closes:
        steps.append(("closed", LoanStatus.COMPLETED))
    elif status is LoanStatus.OUT and end + OVERDUE_AFTER <= now:
        steps.append(("became_overdue", LoanStatus.OVERDUE))
    return steps


def _load_habits(transaction: Transaction, numbers: Sequence[int]) -> dict[int, _Habits]:
    rows = _ITEMS_OF.run(transaction.connection, {"numbers": list(numbers)}).all()
    items = load_items(transaction.connection, {row.bookable_id for row in rows})
    habits = {number: _Habits(check_out=False, closing=False) for number in numbers}
    for number, group in groupby(rows, key=lambda row: row.loan_number):
        own = list(group)
        rules = [items[row.bookable_id].rules for row in own]
        has_rooms = any(row.kind == ItemKind.ROOM.value for row in own)
        habits[number] = _habits(rules, has_rooms=has_rooms)
    return habits


def _habits(rules: Sequence[BookingRules], *, has_rooms: bool) -> _Habits:
    return _Habits(
        check_out=is_automatic((rule.automatic_check_out for rule in rules), has_rooms=has_rooms),
        closing=is_automatic((rule.automatic_closing for rule in rules), has_rooms=has_rooms),
    )


def is_automatic(said: Iterable[bool | None], *, has_rooms: bool) -> bool:
    """
    Tell whether a loan takes a step by itself, from what the rules of its items say.

    One "no" makes it manual; one "yes" makes it automatic; where all are silent, loans with rooms are automatic
    (H57 recommends it) and loans of assets alone are not: somebody hands things over.
    """
    answers = set(said)
    if False in answers:
        return False
    return True in answers or has_rooms


def _chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), BATCH):
        yield numbers[start : start + BATCH]

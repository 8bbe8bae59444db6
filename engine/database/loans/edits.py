"""Writing loans: the steps the desk and the clock share. Each is a piece of the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, select

from engine.database.loans.details import keep_details
from engine.database.loans.rows import keep_person, known_name, write_items
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.stores.catalogue import Item
from engine.database.tables import metadata
from engine.ids import LoanNumber, StoreId, fold_address
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, Requester
from engine.loans.register import LoanChange, LoanOrder
from engine.loans.status import BLOCKING_STATES, ItemState, LoanStatus
from engine.outbox.changes import LOAN, Event

loan_table = metadata.tables["loan"]
item_table = metadata.tables["loan_item"]
decision_table = metadata.tables["decision"]

_LOCK = Prepared(select(loan_table.c.number).where(loan_table.c.number == bindparam("of_number")).with_for_update())
_ADD = Prepared(loan_table.insert().returning(loan_table.c.number))
_CHANGE = Prepared(loan_table.update().where(loan_table.c.number == bindparam("of_number")))
_numbers: ColumnElement[Any] = bindparam("numbers", expanding=True)
_SET_STATUS = Prepared(
    loan_table.update()
    .where(loan_table.c.number.in_(_numbers))
    .values(status=bindparam("new_status"), version=loan_table.c.version + 1, changed_at=bindparam("at"))
)
_LET_GO = Prepared(
    item_table.update()
    .where(item_table.c.loan_number.in_(_numbers), item_table.c.holds)
    .values(holds=False)
    .returning(item_table.c.bookable_id)
)
_ADD_DECISIONS = Prepared(decision_table.insert())


@dataclass(frozen=True, slots=True)
class Entry:
    """One line for a loan's history: a code of `reconcile.words.reasons`, and the values that go into its text."""

    number: int
    code: str
    facts: Mapping[str, object]
    actor: str


def lock_loan(connection: Connection, number: int) -> None:
    """Keep others from changing a loan until this transaction ends. Loans are locked before items, always. SQLite
    writers are alone already."""
    if connection.dialect.name == "postgresql":
        _LOCK.run(connection, {"of_number": number})


def add_loan(
    transaction: Transaction, order: LoanOrder, *, store_id: StoreId, status: LoanStatus, series: int | None = None
) -> LoanNumber:
    """Write a new loan with its items, a date of *series* where one is named; return its number."""
    connection = transaction.connection
    values = {
        "status": status.value,
        "home": Home.APP.value,
        "person_id": keep_requester(transaction, order.requester),
        "start_at": order.interval.start,
        "end_at": order.interval.end,
        "store_id": store_id,
        "title": order.title,
        "notes": order.notes,
        "private": order.private,
        "series": str(series) if series is not None else None,
        "version": 1,
        "created_at": transaction.now,
        "changed_at": transaction.now,
    }
    number = LoanNumber(_ADD.run(connection, values).scalar_one())
    after: dict[int, tuple[ItemKind, ItemState]] = {
        item.id: (item.kind, _first_state(item.kind)) for item in order.items
    }
    write_items(connection, number, order.interval, status, before={}, after=after, whole=True)
    transaction.changes.note(LOAN, number, Event.CREATED)
    return number


def keep_requester(transaction: Transaction, requester: Requester, *, renames: bool = False) -> int:
    """Return the person a loan is for, as `keep_person` does, with the details that somebody gives of them kept.

    Whoever books for somebody says who it is, not what they are called: a person keeps the name that is known.
    """
    person_id = keep_person(transaction.connection, requester, renames=renames)
    if requester.details is not None:
        keep_details(transaction.connection, person_id, requester.details, now=transaction.now)
    return person_id


def call_as_known(transaction: Transaction, loan: Loan, change: LoanChange) -> LoanChange:
    """Return *change* with another requester called as they are known, whatever name was given with the address."""
    if change.requester is None or not _is_other_person(loan, change.requester):
        return change
    name = known_name(transaction.connection, change.requester.address)
    return change if name is None else replace(change, requester=replace(change.requester, name=name))


def apply_change(
    transaction: Transaction, loan: Loan, change: LoanChange, interval: Interval, items: Mapping[int, Item]
) -> set[int]:
    """Write a change that was checked; *items* are those the loan will have. Return the items it no longer holds."""
    connection = transaction.connection
    asks_again = interval != loan.interval or _is_other_person(loan, change.requester)
    values: dict[str, Any] = {
        "start_at": interval.start,
        "end_at": interval.end,
        "version": loan.version + 1,
        "changed_at": transaction.now,
    }
    if change.requester is not None:
        is_other = _is_other_person(loan, change.requester)
        values["person_id"] = keep_requester(transaction, change.requester, renames=not is_other)
    if change.title is not None:
        values["title"] = change.title
    if change.notes is not None:
        values["notes"] = change.notes
    if change.private is not None:
        values["private"] = change.private
    _CHANGE.run(connection, {"of_number": loan.number, **values})
    transaction.changes.note(LOAN, loan.number, Event.UPDATED)
    before: dict[int, ItemState] = {item.id: item.state for item in loan.items}
    after: dict[int, tuple[ItemKind, ItemState]] = {
        item.id: (item.kind, ItemState.CANCELLED) for item in loan.items if item.id not in items
    }
    for number, item in items.items():
        after[number] = (item.kind, _next_state(item.kind, before.get(number), asks_again=asks_again))
    write_items(
        connection, loan.number, interval, loan.status, before=before, after=after, whole=interval != loan.interval
    )
    held: set[int] = {item.id for item in loan.held_items}
    return held if interval != loan.interval else held - items.keys()


def _first_state(kind: ItemKind) -> ItemState:
    """A room has to answer; an asset is ours to give."""
    return ItemState.REQUESTED if kind is ItemKind.ROOM else ItemState.ACCEPTED


def _next_state(kind: ItemKind, state: ItemState | None, *, asks_again: bool) -> ItemState:
    if state is None or state is ItemState.CANCELLED:
        return _first_state(kind)
    if asks_again and kind is ItemKind.ROOM and state in BLOCKING_STATES:
        return ItemState.REQUESTED
    return state


def _is_other_person(loan: Loan, requester: Requester | None) -> bool:
    return requester is not None and fold_address(requester.address) != fold_address(loan.requester.address)


def describe_change(
    loan: Loan, change: LoanChange, interval: Interval, items: Mapping[int, Item]
) -> dict[str, tuple[str, str]]:
    """Return old and new, as people read them, of each field that would differ; empty when nothing would."""
    present = {item.id: item.name for item in loan.items if item.state is not ItemState.CANCELLED}
    pairs = {
        "start": (f"{loan.interval.start:%Y-%m-%d %H:%M}", f"{interval.start:%Y-%m-%d %H:%M}"),
        "end": (f"{loan.interval.end:%Y-%m-%d %H:%M}", f"{interval.end:%Y-%m-%d %H:%M}"),
    }
    differs = {"start": loan.interval.start != interval.start, "end": loan.interval.end != interval.end}
    if change.requester is not None:
        pairs["requester"] = (_person(loan.requester), _person(change.requester))
        differs["requester"] = _is_other_person(loan, change.requester) or change.requester.name != loan.requester.name
    if change.items is not None:
        pairs["items"] = (", ".join(present.values()), ", ".join(item.name for item in items.values()))
        differs["items"] = present.keys() != items.keys()
    for field, old, new in (("title", loan.title, change.title), ("notes", loan.notes, change.notes)):
        if new is not None:
            pairs[field] = (old, new)
            differs[field] = old != new
    if change.private is not None:
        pairs["private"] = (_yes_or_no(loan.private), _yes_or_no(change.private))
        differs["private"] = loan.private is not change.private
    return {field: pairs[field] for field, is_other in differs.items() if is_other}


def _yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def _person(requester: Requester) -> str:
    return f"{requester.name} <{requester.address}>"


def set_status(transaction: Transaction, numbers: Sequence[int], status: LoanStatus) -> None:
    """Give loans another status, and a new version."""
    values = {"numbers": list(numbers), "new_status": status.value, "at": transaction.now}
    _SET_STATUS.run(transaction.connection, values)
    for number in numbers:
        transaction.changes.note(LOAN, number, Event.UPDATED)


def let_go(transaction: Transaction, numbers: Sequence[int]) -> set[int]:
    """Let loans hold nothing any more; return the items that this frees. Their states stay, for the record."""
    return set(_LET_GO.run(transaction.connection, {"numbers": list(numbers)}).scalars())


def write_entries(transaction: Transaction, entries: Sequence[Entry]) -> None:
    """Append to the histories of loans."""
    rows = [
        {
            "at": transaction.now,
            "code": entry.code,
            "facts": dict(entry.facts),
            "actor": entry.actor,
            "loan_number": entry.number,
        }
        for entry in entries
    ]
    if rows:
        _ADD_DECISIONS.run(transaction.connection, rows)
    for entry in entries:
        transaction.changes.explain(entry.number, entry.code, entry.actor)

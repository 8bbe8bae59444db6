"""Loans as rows, and back: loading whole loans, writing their items so that the occupancy guard sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.ids import Address, BookableId, LoanNumber, StoreId, fold_address
from engine.interval import Interval
from engine.loans.loan import Home, ItemKind, Loan, LoanItem, Requester
from engine.loans.status import BLOCKING_STATES, BLOCKING_STATUSES, ItemState, LoanStatus

loan_table = metadata.tables["loan"]
item_table = metadata.tables["loan_item"]
person_table = metadata.tables["person"]
alias_table = metadata.tables["person_alias"]
store_table = metadata.tables["store"]
room_table = metadata.tables["room"]
asset_table = metadata.tables["asset"]

_LOANS = Prepared(
    select(
        *(loan_table.c[name] for name in loan_table.c.keys()),  # noqa: SIM118
        person_table.c.address,
        person_table.c.name,
        store_table.c.name.label("store"),
    )
    .join(person_table, person_table.c.id == loan_table.c.person_id)
    .join(store_table, store_table.c.id == loan_table.c.store_id)
    .where(loan_table.c.number.in_(bindparam("numbers", expanding=True)))
    .order_by(loan_table.c.number)
)
_VERSION = Prepared(select(loan_table.c.version).where(loan_table.c.number == bindparam("number")))
_ITEMS = Prepared(
    select(
        item_table.c.loan_number,
        item_table.c.bookable_id,
        item_table.c.kind,
        item_table.c.state,
        room_table.c.name.label("room_name"),
        room_table.c.address,
        asset_table.c.name.label("asset_name"),
    )
    .join(room_table, room_table.c.id == item_table.c.bookable_id, isouter=True)
    .join(asset_table, asset_table.c.id == item_table.c.bookable_id, isouter=True)
    .where(item_table.c.loan_number.in_(bindparam("numbers", expanding=True)))
    .order_by(item_table.c.loan_number, item_table.c.id)
)


def load_loans(connection: Connection, numbers: Sequence[int]) -> tuple[Loan, ...]:
    """Return the loans of *numbers* that exist, whole, by number."""
    if not numbers:
        return ()
    items: dict[int, list[LoanItem]] = {}
    for row in _ITEMS.run(connection, {"numbers": list(numbers)}):
        items.setdefault(row.loan_number, []).append(_item(row))
    loans = _LOANS.run(connection, {"numbers": list(numbers)})
    return tuple(_loan(row, tuple(items.get(row.number, ()))) for row in loans)


def load_version(connection: Connection, number: int) -> int | None:
    """Return how often a loan was changed; None when there is no such loan any more."""
    found: int | None = _VERSION.run(connection, {"number": number}).scalar()
    return found


def load_loan(connection: Connection, number: int) -> Loan | None:
    """Return one loan, whole; None when there is none of that number."""
    found = load_loans(connection, (number,))
    return found[0] if found else None


def _item(row: Any) -> LoanItem:
    return LoanItem(
        kind=ItemKind(row.kind),
        id=BookableId(row.bookable_id),
        name=row.room_name or row.asset_name or "",
        state=ItemState(row.state),
        address=Address(row.address) if row.address else None,
    )


def _loan(row: Any, items: tuple[LoanItem, ...]) -> Loan:
    return Loan(
        number=LoanNumber(row.number),
        status=LoanStatus(row.status),
        home=Home(row.home),
        requester=Requester(Address(row.address), row.name),
        interval=Interval(row.start_at, row.end_at),
        items=items,
        store_id=StoreId(row.store_id),
        store=row.store,
        version=row.version,
        title=row.title,
        notes=row.notes,
        private=row.private,
        series=row.series,
        made_at=row.created_at,
        changed_at=row.changed_at,
    )


_FIND_PERSON = Prepared(
    select(person_table.c.id, person_table.c.name).where(person_table.c.address_folded == bindparam("folded"))
)
_FIND_ALIAS = Prepared(
    select(person_table.c.id, person_table.c.name)
    .join(alias_table, alias_table.c.person_id == person_table.c.id)
    .where(alias_table.c.address_folded == bindparam("folded"))
)
_NAME_PERSON = Prepared(person_table.update().where(person_table.c.id == bindparam("of_id")))
_ADD_PERSON = Prepared(person_table.insert().returning(person_table.c.id))


def find_person(connection: Connection, address: str) -> int | None:
    """Return the person of that address or alias."""
    row = _find(connection, address)
    return int(row.id) if row is not None else None


def known_name(connection: Connection, address: str) -> str | None:
    """Return what the person of that address or alias is called; None where nobody has it, or they have no name."""
    row = _find(connection, address)
    return str(row.name) if row is not None and fold_address(row.name) != fold_address(address) else None


def keep_person(connection: Connection, requester: Requester, *, renames: bool = True) -> int:
    """
    Return the person of that address or alias; a new one is added, and one that has no name yet gets this one.

    Args:
        renames: whether another name replaces the one they have, everywhere.
    """
    folded = fold_address(requester.address)
    row = _find(connection, requester.address)
    if row is not None:
        is_nameless = fold_address(row.name) == folded
        if requester.name and requester.name not in (row.name, requester.address) and (renames or is_nameless):
            _NAME_PERSON.run(connection, {"of_id": row.id, "name": requester.name})
        return int(row.id)
    values = {"address": requester.address, "address_folded": folded, "name": requester.name or requester.address}
    return int(_ADD_PERSON.run(connection, values).scalar_one())


def _find(connection: Connection, address: str) -> Any:
    folded = fold_address(address)
    found = (statement.run(connection, {"folded": folded}).first() for statement in (_FIND_PERSON, _FIND_ALIAS))
    return next((row for row in found if row is not None), None)


def holds(status: LoanStatus, state: ItemState) -> bool:
    """Tell whether an item in *state* of a loan in *status* is held: what the occupancy guard watches."""
    return status in BLOCKING_STATUSES and state in BLOCKING_STATES


def write_items(
    connection: Connection,
    number: int,
    interval: Interval,
    status: LoanStatus,
    *,
    before: Mapping[int, ItemState],
    after: Mapping[int, tuple[ItemKind, ItemState]],
    whole: bool,
) -> None:
    """
    Write the items that differ, or all of them when *whole* (times or status changed).

    Items that stop holding go first, so that what they free may be taken.

    Raises Occupied (translated by the transaction) when one of them is taken.
    """
    blocked = interval.blocked()
    rows: list[dict[str, Any]] = [
        {
            "loan_number": number,
            "bookable_id": item,
            "kind": kind.value,
            "state": state.value,
            "holds": holds(status, state),
            "blocked_start": blocked.start,
            "blocked_end": blocked.end,
        }
        for item, (kind, state) in after.items()
    ]
    changed = [row for row in rows if (state := before.get(row["bookable_id"])) and (whole or state != row["state"])]
    for row in sorted(changed, key=lambda row: bool(row["holds"])):
        _UPDATE_ITEM.run(connection, {f"new_{name}": value for name, value in row.items()})
    added = [row for row in rows if row["bookable_id"] not in before]
    if added:
        _ADD_ITEMS.run(connection, added)


_ADD_ITEMS = Prepared(item_table.insert())
_UPDATE_ITEM = Prepared(
    item_table.update()
    .where(
        item_table.c.loan_number == bindparam("new_loan_number"),
        item_table.c.bookable_id == bindparam("new_bookable_id"),
    )
    .values(
        state=bindparam("new_state"),
        holds=bindparam("new_holds"),
        blocked_start=bindparam("new_blocked_start"),
        blocked_end=bindparam("new_blocked_end"),
    )
)

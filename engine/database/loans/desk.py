"""The loan desk: the register of loans that people and the engine use.

Every edit is one transaction: the row, its items, its line in the history and its mark in the work queue. What an
edit frees wakes the meetings that were waiting for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import Table, bindparam, func, select

from engine.database.cases.ends import close_over
from engine.database.cases.records import write_decisions
from engine.database.cases.rows import check_open, close_filed, list_cases, load_case
from engine.database.loans.edits import (
    Entry,
    add_loan,
    apply_change,
    call_as_known,
    describe_change,
    keep_requester,
    let_go,
    lock_loan,
    set_status,
    write_entries,
)
from engine.database.loans.guards import lock_items
from engine.database.loans.lifetime import advance_loans
from engine.database.loans.listing import list_history, list_numbers
from engine.database.loans.occupancy import find_busy, find_clashes
from engine.database.loans.told import tell_loans
from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.stores.catalogue import (
    Item,
    find_item_faults,
    find_room_faults,
    load_all_items,
    load_assets,
    load_items,
    load_stores,
)
from engine.database.stores.names import ensure_store
from engine.database.stores.rules import describe_changes, parse_rules, render_rules
from engine.database.tables import metadata
from engine.database.work.wakes import wake_waiting
from engine.errors import Fault, Invalid, NotAllowed, NotFound, Occupied, Outdated, RuleBroken, Stale, Unavailable
from engine.ids import ID_MAX, BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import Asset, Case, CaseState, Decision, Home, ItemKind, Loan, Store
from engine.loans.register import Availability, Busy, LoanChange, LoanFilter, LoanOrder, LoanRegister
from engine.loans.rules import BookingRules, find_breaches
from engine.loans.status import BLOCKING_STATUSES, ItemState, LoanAction, LoanStatus, allowed_actions, next_status
from engine.loans.wishes import find_change_faults, find_name_faults, find_order_faults
from engine.reconcile.actions import Note
from engine.reconcile.words.reasons import explain

TRIES = 3
"""How often an edit looks again after somebody else was faster at the very same moment."""

CODES = {
    LoanAction.APPROVE: "approved",
    LoanAction.REFUSE: "refused",
    LoanAction.CHECK_OUT: "checked_out",
    LoanAction.CLOSE: "closed",
    LoanAction.CANCEL: "cancelled_in_app",
    LoanAction.BECOME_OVERDUE: "became_overdue",
    LoanAction.NO_SHOW: "no_show",
}

_bookable = metadata.tables["bookable"]
_asset = metadata.tables["asset"]
_room = metadata.tables["room"]
_store = metadata.tables["store"]
_ADD_BOOKABLE = Prepared(_bookable.insert().returning(_bookable.c.id))
_ADD_ASSET = Prepared(_asset.insert())
_ASSET_NAMED = Prepared(select(_asset.c.id).where(func.lower(_asset.c.name) == bindparam("folded"), ~_asset.c.retired))


Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """
    What the desk is told by the settings.

    `default_store` is the name of the store of assets for which none is named; `approval` makes every booking wait
    for approval; `time_zone` (IANA) is that of opening hours where a room has none of its own.
    """

    default_store: str = "Main desk"
    approval: bool = False
    time_zone: str = "UTC"


class Desk(LoanRegister):
    """
    The register of loans, in the database.

    Args:
        database: where everything lives, its clock included.
        options: called at each edit, so that a setting changed at run time counts at once.
        on_rules: told, in the transaction, that rules change: who keeps them at hand must read them again.
    """

    def __init__(
        self,
        database: Database,
        options: Callable[[], DeskOptions] | DeskOptions | None = None,
        *,
        on_rules: Callable[[Transaction], None] = lambda _: None,
    ) -> None:
        self._on_rules = on_rules
        self._database = database
        given = options if options is not None else DeskOptions()
        self._options: Callable[[], DeskOptions] = given if callable(given) else lambda: given

    # --- loans

    def book(self, order: LoanOrder, *, actor: str) -> Loan:
        """
        Make a loan. Rooms are `requested` until they answer in Outlook, assets are `accepted` at once.

        Raises Invalid, RuleBroken, Unavailable; an item that does not exist is a fault of the order (Invalid).
        """
        return self.edit(lambda transaction: self._book(transaction, order, actor))

    def change(self, number: LoanNumber, change: LoanChange, *, actor: str) -> Loan:
        """
        Change a loan; one that already is as wanted stays untouched, its version included.

        A new time or a new requester has to be accepted by the rooms again: those held go back to `requested`
        and stay held. A room that declined, or was released, stays so until it answers anew; one that is taken
        out becomes `cancelled`, and one that comes back after that is asked like a new one.
        """
        return self.edit(lambda transaction: self.change_within(transaction, number, change, actor=actor))

    def act(self, number: LoanNumber, action: LoanAction, *, actor: str, reason: str = "") -> Loan:
        """Take one step in a loan's life; a step to a status that does not block lets go of all items."""
        return self.edit(lambda transaction: self.act_within(transaction, number, action, actor=actor, reason=reason))

    def find(self, number: LoanNumber) -> Loan:
        with self._database.read() as transaction:
            return _loan(transaction, number)

    def list_loans(self, wanted: LoanFilter) -> Sequence[Loan]:
        """Return at most `wanted.limit` loans (1000 at most) with numbers above `wanted.after`."""
        with self._database.read() as transaction:
            return tell_loans(transaction.connection, list_numbers(transaction.connection, wanted))

    def history(self, number: LoanNumber) -> Sequence[Decision]:
        with self._database.read() as transaction:
            _loan(transaction, number)
            return list_history(transaction.connection, number)

    def availability(self, interval: Interval, *, people: int | None = None) -> Sequence[Availability]:
        """
        Return every room and asset with what takes it in *interval*, rooms first.

        With *people*, rooms known to be smaller are left out; a room of unknown size stays in.
        """
        with self._database.read() as transaction:
            items = [item for item in load_all_items(transaction.connection) if _seats(item, people)]
            taken: dict[int, list[Busy]] = {}
            for busy in find_busy(transaction.connection, [item.id for item in items], interval):
                taken.setdefault(busy.item_id, []).append(busy)
        waits = self._options().approval
        return [_availability(item, tuple(taken.get(item.id, ())), approval=waits or item.approval) for item in items]

    def run_clock(self) -> int:
        """
        Do what is due by the clock: check out, close, turn overdue; close the cases of bookings that are over.

        Return how many steps were taken.
        """
        return advance_loans(self._database) + close_over(self._database)

    # --- assets and stores

    def list_assets(self) -> Sequence[Asset]:
        with self._database.read() as transaction:
            return load_assets(transaction.connection)

    def add_asset(self, name: str, *, store: str | None, description: str, actor: str) -> Asset:
        """Add an asset to a store, which is made when there is none of that name. Raises Invalid."""
        faults = find_name_faults(name, description, store)
        if faults:
            raise Invalid(*faults)
        wanted = (store or "").strip() or self._options().default_store
        return self.edit(lambda transaction: _add_asset(transaction, name.strip(), wanted, description, actor))

    def list_stores(self) -> Sequence[Store]:
        with self._database.read() as transaction:
            return tuple(load_stores(transaction.connection).values())

    def set_rules(
        self, rules: BookingRules, *, store_id: StoreId | None, item_id: BookableId | None, actor: str
    ) -> None:
        """Set all rules of a store, a room or an asset. Raises NotFound, and Invalid unless just one is named."""
        if (store_id is None) == (item_id is None):
            raise Invalid(Fault("store_id", "one_of", "name either a store or an item"))
        tables = ((_store, store_id),) if store_id is not None else ((_room, item_id), (_asset, item_id))
        with self._database.write() as transaction:
            for table, number in tables:
                if number is not None and 0 < number <= ID_MAX and _set_rules(transaction, table, number, rules, actor):
                    self._on_rules(transaction)
                    return
        raise NotFound(f"there is no store {store_id}" if store_id is not None else f"there is no item {item_id}")

    # --- cases

    def list_cases(self, *, state: CaseState | None, after: int | None, limit: int) -> Sequence[Case]:
        with self._database.read() as transaction:
            return list_cases(transaction.connection, state=state, after=after, limit=limit)

    def settle_case(self, case_id: int, *, settlement: str, actor: str) -> Case:
        """Close a case by hand, and look at its subject again: a case whose cause is still there opens anew."""
        with self._database.write() as transaction:
            filed = load_case(transaction.connection, case_id, lock=True)
            check_open(filed.case)
            note = Note("settled_by_hand", {"case": case_id, "words": settlement}, actor=actor)
            write_decisions(transaction, [note], loan_number=filed.case.loan_number, ical_uid=filed.case.ical_uid)
            return close_filed(transaction, filed, settlement=settlement, actor=actor)

    # --- steps

    def edit(self, step: Callable[[Transaction], Written]) -> Written:
        """Run one edit; when somebody took an item or wrote the row at the same moment, look again."""
        for _ in range(TRIES):
            try:
                with self._database.write() as transaction:
                    return step(transaction)
            except (Occupied, Stale) as error:
                refusal = error
        if isinstance(refusal, Occupied):
            raise Unavailable() from refusal
        raise refusal

    def _book(self, transaction: Transaction, order: LoanOrder, actor: str) -> Loan:
        refuse(find_order_faults(order, now=transaction.now))
        refuse(find_room_faults(transaction.connection, order.requester.address))
        items = load_items(transaction.connection, (item.id for item in order.items))
        refuse(find_item_faults(order.items, items))
        self._check(transaction, items, order.interval)
        waits = self._options().approval or any(item.approval for item in items.values())
        number = add_loan(
            transaction,
            order,
            store_id=items[order.items[0].id].store_id,
            status=LoanStatus.PENDING_APPROVAL if waits else LoanStatus.NEW,
        )
        write_entries(transaction, [Entry(number, "booked_in_app", {}, actor)])
        transaction.mark("loan", str(number))
        return _loan(transaction, number)

    def change_within(
        self, transaction: Transaction, number: LoanNumber, change: LoanChange, *, actor: str, by_rules: bool = True
    ) -> Loan:
        """Change a loan within a transaction. Without *by_rules* it may be off the grid and break booking rules, as
        what comes from Outlook may; it never takes what is not free."""
        loan = lock_and_load(transaction, number)
        check_version(loan, change.seen_version)
        if not loan.blocks:
            raise NotAllowed(f"loan {number} is {loan.status}: it can no longer be changed")
        refuse(_privacy_faults(loan, change))
        start, end = change.start or loan.interval.start, change.end or loan.interval.end
        if by_rules:
            refuse(find_change_faults(change, start=start, end=end, now=transaction.now))
        if by_rules and change.requester is not None:
            refuse(find_room_faults(transaction.connection, change.requester.address))
        interval = Interval(start, end)
        present = {item.id: item.state for item in loan.items if item.state is not ItemState.CANCELLED}
        wanted = list(present) if change.items is None else [item.id for item in change.items]
        items = load_items(transaction.connection, wanted)
        refuse(find_item_faults(change.items or (), items, kept=present))
        change = call_as_known(transaction, loan, change)
        changes = describe_change(loan, change, interval, items)
        if change.requester is not None and change.requester.details is not None:
            keep_requester(transaction, change.requester)
        if not changes:
            return loan
        moved = interval != loan.interval
        self._check(transaction, _to_check(items, loan, moved=moved), interval, apart=number, by_rules=by_rules)
        freed = apply_change(transaction, loan, change, interval, items)
        facts = {"changes": "; ".join(f"{field}: {old} → {new}" for field, (old, new) in changes.items())}
        details = {field: {"old": old, "new": new} for field, (old, new) in changes.items()}
        write_entries(transaction, [Entry(number, "changed_in_app", {**facts, "fields": details}, actor)])
        wake_waiting(transaction, freed)
        transaction.mark("loan", str(number))
        return _loan(transaction, number)

    def act_within(
        self, transaction: Transaction, number: LoanNumber, action: LoanAction, *, actor: str, reason: str
    ) -> Loan:
        """Take one step in a loan's life within a transaction."""
        loan = lock_and_load(transaction, number)
        status = next_status(loan.status, action)
        if status is None:
            allowed = ", ".join(allowed_actions(loan.status))
            instead = f"{action} is not possible, only {allowed}" if allowed else "it can no longer be changed"
            raise NotAllowed(f"loan {number} is {loan.status}: {instead}")
        set_status(transaction, [number], status)
        if status not in BLOCKING_STATUSES:
            wake_waiting(transaction, let_go(transaction, [number]))
        write_entries(transaction, [Entry(number, CODES[action], {"reason": reason} if reason else {}, actor)])
        transaction.mark("loan", str(number))
        return _loan(transaction, number)

    def _check(
        self,
        transaction: Transaction,
        items: dict[int, Item],
        interval: Interval,
        *,
        apart: int | None = None,
        by_rules: bool = True,
    ) -> None:
        """Refuse what breaks a rule or is taken. From here on nobody else books these items until we are done."""
        lock_items(transaction.connection, items)
        for item in items.values() if by_rules else ():
            zone = zone_of(item, self._options().time_zone)
            for breach in find_breaches(item.rules, interval, now=transaction.now, zone=zone):
                facts = {"item_id": item.id, "item": item.name, **breach.facts}
                raise RuleBroken(breach.code, facts, f"{item.name}: {explain(breach.code, facts)}")
        clashes = find_clashes(transaction.connection, items, interval, apart=apart)
        if clashes:
            raise Unavailable(*clashes)


def _add_asset(transaction: Transaction, name: str, store: str, description: str, actor: str) -> Asset:
    connection = transaction.connection
    if _ASSET_NAMED.run(connection, {"folded": name.lower()}).first() is not None:
        raise Invalid(Fault("name", "taken", f"there is an asset called {name} already"))
    number = _ADD_BOOKABLE.run(connection, {"kind": ItemKind.ASSET.value}).scalar_one()
    values = {"id": number, "name": name, "store_id": ensure_store(transaction, store), "description": description}
    _ADD_ASSET.run(connection, {**values, "retired": False, "rules": {}})
    note = Note("asset_added", {"name": name}, actor=actor, room_id=BookableId(number))
    write_decisions(transaction, [note], loan_number=None, ical_uid=None)
    return next(asset for asset in load_assets(connection) if asset.id == number)


def _set_rules(transaction: Transaction, table: Table, number: int, rules: BookingRules, actor: str) -> bool:
    """Set the rules of one row, with a line of history when they are others now; False when there is no such row."""
    wanted = select(table.c.name, table.c.rules).where(table.c.id == number).with_for_update()
    row = transaction.connection.execute(wanted).one_or_none()
    if row is None:
        return False
    before, after = parse_rules(row.rules), rules
    if before != after:
        transaction.connection.execute(table.update().where(table.c.id == number).values(rules=render_rules(rules)))
        item_id = BookableId(number) if table is not _store else None
        facts: dict[str, object] = {"name": row.name, "changes": describe_changes(before, after)}
        note = Note("rules_changed", facts, actor=actor, room_id=item_id)
        write_decisions(transaction, [note], loan_number=None, ical_uid=None)
    return True


def _loan(transaction: Transaction, number: int) -> Loan:
    found = tell_loans(transaction.connection, [number]) if 0 < number <= ID_MAX else ()
    if not found:
        raise NotFound(f"there is no loan {number}")
    return found[0]


def lock_and_load(transaction: Transaction, number: LoanNumber) -> Loan:
    """Return a loan that nobody else changes until we are done."""
    if 0 < number <= ID_MAX:
        lock_loan(transaction.connection, number)
    return _loan(transaction, number)


def check_version(loan: Loan, seen: int | None) -> None:
    """Raise Outdated when somebody changed *loan* since version *seen*."""
    if seen is not None and seen != loan.version:
        raise Outdated(
            f"loan {loan.number} has changed since: you saw version {seen}, it is at {loan.version}", loan.version
        )


def _privacy_faults(loan: Loan, change: LoanChange) -> list[Fault]:
    """Return a fault when *change* says of a meeting what only its organizer may, in Outlook."""
    if loan.home is Home.APP or change.private in (None, loan.private):
        return []
    return [Fault("private", "said_in_outlook", "the organizer says in Outlook whether this meeting is private")]


def _to_check(items: dict[int, Item], loan: Loan, *, moved: bool) -> dict[int, Item]:
    """Return the items whose rules and availability matter: what will be held, and is new or moves."""
    held = {item.id for item in loan.held_items}
    known = {item.id for item in loan.items if item.state is not ItemState.CANCELLED}
    return {number: item for number, item in items.items() if number not in known or (moved and number in held)}


def zone_of(item: Item, fallback: str) -> tzinfo:
    """Return the zone in which *item*'s opening hours are meant."""
    try:
        return ZoneInfo(item.time_zone or fallback)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(fallback)


def refuse(faults: Sequence[Fault]) -> None:
    """Raise Invalid when there is any fault."""
    if faults:
        raise Invalid(*faults)


def _seats(item: Item, people: int | None) -> bool:
    return people is None or item.capacity is None or item.capacity >= people


def _availability(item: Item, busy: tuple[Busy, ...], *, approval: bool) -> Availability:
    return Availability(
        kind=item.kind,
        id=item.id,
        name=item.name,
        capacity=item.capacity,
        free=not busy,
        busy=busy,
        store_id=item.store_id,
        rules=item.rules,
        time_zone=item.time_zone,
        approval=approval,
    )

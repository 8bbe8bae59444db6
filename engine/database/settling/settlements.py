"""Settling cases: carrying out a way out, undoing it, and doing by itself what a store has set for a kind of case.

Everything happens in one transaction, with a line in the history that says who, when and which way. What it changes
in a loan reaches Outlook like any other edit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from engine.database.cases.records import write_decisions
from engine.database.cases.refused import refused_dates
from engine.database.cases.rows import Filed, check_open, close_filed, load_case, reopen_filed
from engine.database.loans.desk import Desk
from engine.database.loans.edits import lock_loan
from engine.database.loans.occupancy import find_busy
from engine.database.loans.rows import load_loan
from engine.database.rooms.book import read_room
from engine.database.settling.undo import refs_of, snapshot_of, way_back, why_no_undo
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.database.sync.brake import answer_holds, held_loans
from engine.database.tables import metadata
from engine.errors import DeskError, Fault, Invalid, NotAllowed, NotFound
from engine.ids import Address, BookableId, StoreId
from engine.loans.loan import Case, CaseState, ItemKind, Loan, Requester
from engine.loans.register import ItemRef, LoanChange
from engine.reconcile.actions import Note
from engine.reconcile.cases.ways import (
    WAYS,
    CaseView,
    Choice,
    Way,
    find_ways,
    loan_concerned,
    rooms_concerned,
    ways_of,
)
from engine.reconcile.words.reasons import explain
from engine.rooms.ranking import RankedRoom, rank_rooms, wish_like
from engine.rooms.room import Room

ROOMS_OFFERED = 5
"""How many rooms to move to are named with a case."""

_room = metadata.tables["room"]
_store = metadata.tables["store"]
_ROOMS = select(_room).order_by(_room.c.id)
_POLICY = select(_store.c.policy).where(_store.c.id == bindparam("store"))


class Settlements:
    """Everything that can be done about cases, over the same database as the desk."""

    def __init__(self, database: Database, desk: Desk) -> None:
        self._database = database
        self._desk = desk

    def find(self, case_id: int) -> CaseView:
        """Return a case with the ways out that are open now. Raises NotFound."""
        with self._database.read() as transaction:
            return view_case(transaction, load_case(transaction.connection, case_id))

    def settle(self, case_id: int, way: Way, *, room_id: BookableId | None, actor: str) -> CaseView:
        """
        Settle a case one way.

        Args:
            case_id: of an open case.
            way: one of those `find` names.
            room_id: for `move_room`: where to; None takes the best that is free.
            actor: who, as histories name them.

        Raises NotFound, Invalid (a room where none belongs), NotAllowed (settled already, or no such way now),
        Unavailable (no room is free, or not this one).
        """
        return self._desk.edit(lambda transaction: self._settle(transaction, case_id, way, room_id, actor))

    def undo(self, case_id: int, *, actor: str) -> CaseView:
        """Take a settlement back: the loan returns to what it was, and the case is open again. Raises NotAllowed."""
        return self._desk.edit(lambda transaction: self._undo(transaction, case_id, actor))

    def settle_by_policy(self, case_id: int) -> None:
        """Settle a case as its store has set; one that cannot be settled so stays open, and its history says why."""
        with self._database.read() as transaction:
            filed = load_case(transaction.connection, case_id)
            store_id = _store_of(transaction, filed.case)
            policy = _policy(transaction, store_id) if store_id is not None else {}
        if filed.case.state is not CaseState.OPEN or filed.case.code not in policy:
            return
        try:
            self.settle(case_id, policy[filed.case.code], room_id=None, actor="policy")
        except DeskError as error:
            note = Note("policy_failed", {"case": case_id, "error": str(error)}, actor="policy")
            with self._database.write() as transaction:
                _remember(transaction, filed.case, note)

    # --- policies

    def policy_of(self, store_id: StoreId) -> Mapping[str, Way]:
        """Return what a store settles by itself: kind of case -> way out."""
        with self._database.read() as transaction:
            return _policy(transaction, store_id)

    def set_policy(self, store_id: StoreId, policy: Mapping[str, Way], *, actor: str) -> None:
        """
        Set what a store settles by itself from now on; kinds that are left out wait for a person.

        Raises NotFound, Invalid: a kind that is none, a way that does not lead out of it. Cancellations in masses
        are never confirmed by a policy.
        """
        faults = [
            Fault(f"policy.{code}", "not_a_way", f"a case {code} is settled by {', '.join(_policy_ways(code))}")
            for code, way in policy.items()
            if way not in _policy_ways(code)
        ]
        if faults:
            raise Invalid(*faults)
        values = {code: way.value for code, way in policy.items()}
        with self._database.write() as transaction:
            statement = _store.update().where(_store.c.id == store_id).values(policy=values)
            if not transaction.connection.execute(statement).rowcount:
                raise NotFound(f"there is no store {store_id}")
            said = ", ".join(f"{code}: {way}" for code, way in values.items()) or None
            note = Note("policy_set", {"store": store_id, "policy": said}, actor=actor)
            write_decisions(transaction, [note], loan_number=None, ical_uid=None)

    # --- steps

    def _settle(
        self, transaction: Transaction, case_id: int, way: Way, room_id: BookableId | None, actor: str
    ) -> CaseView:
        filed = _take(transaction, case_id)
        check_open(filed.case)
        loan = _loan_of(transaction, filed.case)
        allowed = find_ways(filed.case, loan)
        if way not in allowed:
            raise NotAllowed(f"case {case_id} cannot be settled by {way} now, only by {', '.join(allowed)}")
        if room_id is not None and way is not Way.MOVE_ROOM:
            raise Invalid(Fault("room", "not_wanted", f"{way} takes no room"))
        state = CaseState.CLOSED
        undo: dict[str, Any] | None = None
        facts: dict[str, object] = {"case": case_id, "code": filed.case.code}
        if filed.case.code == "mass_cancel_held":
            facts["count"] = answer_holds(transaction, filed.case, way)
        elif way is Way.IGNORE:
            state = CaseState.IGNORED if filed.standing else CaseState.CLOSED
        else:
            assert loan is not None, "only a loan has other ways"
            change = _change(transaction, filed.case, loan, way, room_id)
            if change is not None:
                after = self._desk.change_within(transaction, loan.number, change, actor=actor, by_rules=False)
                undo = {"before": snapshot_of(loan), "after": snapshot_of(after)}
                facts |= {"old": _names(loan, filed.case), "new": _gained(loan, after)}
        _remember(transaction, filed.case, Note(f"settled_{way}", facts, actor=actor))
        close_filed(transaction, filed, settlement=way.value, actor=actor, undo=undo, state=state)
        return view_case(transaction, load_case(transaction.connection, case_id))

    def _undo(self, transaction: Transaction, case_id: int, actor: str) -> CaseView:
        filed = _take(transaction, case_id)
        loan = _loan_of(transaction, filed.case)
        refusal = why_no_undo(transaction, filed, loan)
        if refusal is not None:
            raise NotAllowed(f"case {case_id}: {explain(refusal.code, refusal.facts)}")
        if filed.undo is not None and loan is not None:
            change = way_back(filed.undo, loan)
            self._desk.change_within(transaction, loan.number, change, actor=actor, by_rules=False)
        reopen_filed(transaction, filed)
        _remember(transaction, filed.case, Note("settlement_undone", {"case": case_id}, actor=actor))
        return view_case(transaction, load_case(transaction.connection, case_id))


def _take(transaction: Transaction, case_id: int) -> Filed:
    """Return a case that nobody else settles meanwhile; its loan is locked before it, as everywhere."""
    case = load_case(transaction.connection, case_id).case
    number = loan_concerned(case)
    if number is not None:
        lock_loan(transaction.connection, number)
    return load_case(transaction.connection, case_id, lock=True)


def view_case(
    transaction: Transaction, filed: Filed, load_rooms: Callable[[Transaction], Sequence[Room]] | None = None
) -> CaseView:
    """Return a case with the ways out that are open now; *load_rooms* may remember them from case to case."""
    loan = _loan_of(transaction, filed.case)
    held = held_loans(transaction, filed.case) if filed.case.code == "mass_cancel_held" else ()
    dates = refused_dates(transaction.connection, filed.subject, filed.case.code)
    loans = held or dates or ((loan.number,) if loan is not None else ())
    if filed.case.state is not CaseState.OPEN:
        return CaseView(filed.case, no_undo=why_no_undo(transaction, filed, loan), loans=loans, loan=loan)
    choices = []
    for way in find_ways(filed.case, loan):
        rooms: tuple[RankedRoom, ...] = ()
        if way is Way.MOVE_ROOM and loan is not None:
            rooms = _offer(transaction, (load_rooms or read_rooms)(transaction), filed.case, loan)
        if rooms or way is not Way.MOVE_ROOM:
            choices.append(Choice(way, rooms[:ROOMS_OFFERED]))
    return CaseView(filed.case, tuple(choices), Note("no_undo_open"), loans, loan)


def _loan_of(transaction: Transaction, case: Case) -> Loan | None:
    number = loan_concerned(case)
    return load_loan(transaction.connection, number) if number is not None else None


def _remember(transaction: Transaction, case: Case, note: Note) -> None:
    write_decisions(transaction, [note], loan_number=loan_concerned(case), ical_uid=case.ical_uid)


# --- what a way does to the loan


def _change(
    transaction: Transaction, case: Case, loan: Loan, way: Way, room_id: BookableId | None
) -> LoanChange | None:
    """Return the change of the loan that a way asks for; None when it is as wanted already."""
    match way:
        case Way.KEEP_OUTLOOK | Way.KEEP_LOAN if case.code == "both_changed":
            winner = Way.KEEP_OUTLOOK if case.facts.get("winner") == "outlook" else Way.KEEP_LOAN
            return None if way is winner else _take_up(case, loan)
        case Way.KEEP_OUTLOOK:
            return LoanChange(items=(*refs_of(loan), *_room_refs(rooms_concerned(case))))
        case Way.DROP_ROOM:
            return LoanChange(items=refs_of(loan, without=rooms_concerned(case)))
        case Way.MOVE_ROOM:
            rooms = _replacements(transaction, case, loan, room_id)
            return LoanChange(items=(*refs_of(loan, without=rooms_concerned(case)), *_room_refs(rooms)))
    return None


def _take_up(case: Case, loan: Loan) -> LoanChange:
    """Return the change that gives the loan the value that had lost."""
    lost: Any = case.facts["lost_value"]
    match case.facts.get("field"):
        case "interval":
            return LoanChange(start=datetime.fromisoformat(lost[0]), end=datetime.fromisoformat(lost[1]))
        case "rooms":
            assets = tuple(ref for ref in refs_of(loan) if ref.kind is ItemKind.ASSET)
            return LoanChange(items=(*_room_refs(lost), *assets))
        case _:
            return LoanChange(requester=Requester(Address(lost[0]), lost[1]))


def _room_refs(rooms: Sequence[int] | frozenset[BookableId]) -> tuple[ItemRef, ...]:
    return tuple(ItemRef(ItemKind.ROOM, BookableId(room)) for room in sorted(rooms))


def _replacements(
    transaction: Transaction, case: Case, loan: Loan, room_id: BookableId | None
) -> tuple[BookableId, ...]:
    """Return rooms to take in the place of those the case names: the best for each, or the one chosen for them all."""
    if room_id is not None:
        return (room_id,)  # whether it is there, and free, is for the change to find out
    rooms = read_rooms(transaction)
    chosen: list[BookableId] = []
    for lost in sorted(rooms_concerned(case)):
        free = _rank(transaction, rooms, loan, lost, apart=frozenset(chosen))
        if not free:
            raise NotAllowed("no equivalent room is free at that time")
        chosen.append(free[0].room.id)
    return tuple(chosen)


def _offer(transaction: Transaction, rooms: Sequence[Room], case: Case, loan: Loan) -> tuple[RankedRoom, ...]:
    """Return the free rooms that can stand in for the first room the case names."""
    lost = min(rooms_concerned(case), default=None)
    return _rank(transaction, rooms, loan, lost) if lost is not None else ()


def read_rooms(transaction: Transaction) -> list[Room]:
    """Return every room."""
    return [read_room(row) for row in transaction.connection.execute(_ROOMS)]


def _rank(
    transaction: Transaction,
    rooms: Sequence[Room],
    loan: Loan,
    lost: BookableId,
    *,
    apart: frozenset[BookableId] = frozenset(),
) -> tuple[RankedRoom, ...]:
    gone = next((room for room in rooms if room.id == lost), None)
    free = [room for room in _free(transaction, rooms, loan) if room.id not in apart and room.id != lost]
    return rank_rooms(wish_like(gone), free) if gone is not None else ()


def _free(transaction: Transaction, rooms: Sequence[Room], loan: Loan) -> list[Room]:
    """Return the rooms that are free when the loan is, and not part of it."""
    mine = {item.id for item in loan.rooms}
    others = [room for room in rooms if room.id not in mine]
    busy = find_busy(transaction.connection, [room.id for room in others], loan.interval, apart=loan.number)
    taken = {stretch.item_id for stretch in busy}
    return [room for room in others if room.id not in taken]


def _names(loan: Loan, case: Case) -> str:
    concerned = rooms_concerned(case)
    return ", ".join(item.name for item in loan.items if item.id in concerned)


def _gained(before: Loan, after: Loan) -> str:
    had = {item.id for item in before.rooms}
    return ", ".join(item.name for item in after.rooms if item.id not in had)


# --- policies


def _policy(transaction: Transaction, store_id: StoreId) -> dict[str, Way]:
    stored = transaction.connection.execute(_POLICY, {"store": store_id}).scalar() or {}
    return {code: Way(way) for code, way in stored.items()}


def _store_of(transaction: Transaction, case: Case) -> StoreId | None:
    if case.loan_number is not None:
        loan = load_loan(transaction.connection, case.loan_number)
        return loan.store_id if loan is not None else None
    rooms = rooms_concerned(case) | ({case.room_id} if case.room_id is not None else set())
    return next((room.store_id for room in read_rooms(transaction) if room.id in rooms), None)


def _policy_ways(code: str) -> tuple[Way, ...]:
    return tuple(way for way in ways_of(code) if way is not Way.CONFIRM) if code in WAYS else (Way.IGNORE,)

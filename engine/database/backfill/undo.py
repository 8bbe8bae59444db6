"""Taking a backfill back: some meetings at a time, each time in one transaction. Outlook is never touched by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update

from engine.database.backfill.apply import change_loan
from engine.database.backfill.rows import Result, load_due, save_results
from engine.database.cases.records import write_decisions
from engine.database.links.bookings import NEWEST_LINKS, read_link
from engine.database.links.codec import parse_face
from engine.database.links.loan_side import edit_loan
from engine.database.loans.rows import load_loans, loan_table
from engine.database.mirror.mirror import Mirror, item_table, link_table
from engine.database.rooms.book import RoomCache
from engine.database.rooms.listed import relist
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.database.work.wakes import wake_waiting
from engine.errors import Occupied
from engine.ids import Address, BookableId, fold_address
from engine.interval import Interval
from engine.loans.loan import Loan, Requester
from engine.loans.status import WITHDRAWN_STATUSES, ItemState, LoanStatus
from engine.outbox.changes import BACKFILL, CASE, LOAN, Event
from engine.reconcile.actions import LoanEdit, Note
from engine.reconcile.backfill.book import MeetingState
from engine.reconcile.backfill.proposal import Since, Step, faces_now, why_left
from engine.reconcile.observe import Known, view_meeting
from engine.reconcile.views import RoomCopy

decision_table = metadata.tables["decision"]
case_table = metadata.tables["case"]
intent_table = metadata.tables["intent"]

OURS = ("backfilled", "backfill_linked", "backfill_undone")
"""What a backfill itself writes into histories."""

_TOUCHED = Prepared(
    select(decision_table.c.loan_number, func.max(decision_table.c.id))
    .where(
        decision_table.c.loan_number.in_(bindparam("numbers", expanding=True)),
        decision_table.c.actor.like("app:%"),
        decision_table.c.code.not_in(OURS),
    )
    .group_by(decision_table.c.loan_number)
)
_INTENDED = Prepared(
    select(intent_table.c.loan_number).where(intent_table.c.loan_number.in_(bindparam("numbers", expanding=True)))
)
_LOCK_LOANS = Prepared(
    select(loan_table.c.number)
    .where(loan_table.c.number.in_(bindparam("numbers", expanding=True)))
    .order_by(loan_table.c.number)
    .with_for_update()
)
_CLOSE_CASES = Prepared(
    update(case_table)
    .where(case_table.c.loan_number == bindparam("number"), case_table.c.state == "open")
    .values(state="closed", closed_at=bindparam("at", type_=Instant()), closed_by="engine", settlement="cause_gone")
    .returning(case_table.c.id)
)
_DELETE_LOAN = tuple(
    Prepared(delete(column.table).where(column == bindparam("number")))
    for column in (item_table.c.loan_number, link_table.c.loan_number, loan_table.c.number)
)
_DELETE_LINK = Prepared(delete(link_table).where(link_table.c.id == bindparam("link")))


class BackfillUndoer:
    """Takes backfills back within the transaction it is given."""

    def __init__(self, rooms: RoomCache, mirror: Mirror) -> None:
        self._rooms = rooms
        self._mirror = mirror

    def undo_some(self, transaction: Transaction, row: Any, limit: int) -> int:
        """Take back the next meetings; returns how many were dealt with."""
        connection = transaction.connection
        due = load_due(connection, row.number, MeetingState.UNDOING, limit)
        if not due:
            return 0
        numbers = [each.loan_number for each in due]
        _LOCK_LOANS.run(connection, {"numbers": numbers})
        loans = {int(loan.number): loan for loan in load_loans(connection, numbers)}
        links = {link.loan_number: link for link in NEWEST_LINKS.run(connection, {"numbers": numbers})}
        touched = {found[0]: found[1] for found in _TOUCHED.run(connection, {"numbers": numbers})}
        intended = set(_INTENDED.run(connection, {"numbers": numbers}).scalars())
        copies = self._mirror.load_copies_of(transaction, [each.key for each in due])
        results = []
        for each in due:
            number = each.loan_number
            by_people = touched.get(number, 0) > each.seen_decision or number in intended
            link = links.get(number)
            since = self._since(each, loans.get(number), link, copies.get(each.key, ()), by_people)
            results.append(self._undo(transaction, row, each, loans.get(number), link, since))
        undone = [result.line.key for result in results if result.state is MeetingState.UNDONE]
        relist(connection, undone, is_listed=True)
        save_results(connection, results)
        return len(due)

    def _undo(
        self, transaction: Transaction, row: Any, line: Any, loan: Loan | None, link: Any, since: Since
    ) -> Result:
        left = Result(line, MeetingState.DONE, line.loan_number, line.before, line.seen_decision)
        why = why_left(since)
        if why is not None:
            return replace(left, outcome=why)
        assert loan is not None, "what is gone is left"
        try:
            with transaction.attempt():
                if Step(line.step) is Step.CREATE:
                    self._take_away(transaction, loan)
                else:
                    self._unlink(transaction, loan, link, line.before)
        except Occupied:
            return replace(left, outcome="backfill_left_taken")
        note = Note("backfill_undone", {"backfill": row.number, "loan": loan.number}, actor=row.ordered_by)
        write_decisions(transaction, [note], loan_number=loan.number, ical_uid=line.key)
        back = line.loan_number if Step(line.step) is Step.LINK else None
        return Result(line, MeetingState.UNDONE, back)

    def _since(self, line: Any, loan: Loan | None, link: Any, copies: tuple[RoomCopy, ...], by_people: bool) -> Since:
        base = read_link(link).base if link is not None else None
        shown = view_meeting(Known(copies, base), self._rooms.book())
        ended = loan is not None and (loan.status in WITHDRAWN_STATUSES or loan.status is LoanStatus.SUSPENDED)
        return Since(
            exists=loan is not None,
            is_withdrawn=ended,
            touched=by_people,
            still_linked=link is not None and link.state == "linked" and link.ical_uid == line.key,
            expected=tuple(parse_face(face) for face in line.before.get("expected", ())),
            outlook=faces_now(base, shown) if base is not None else (),
        )

    def _take_away(self, transaction: Transaction, loan: Loan) -> None:
        """Remove a loan that nobody but the backfill ever made anything of. Its number is never given again."""
        connection, number = transaction.connection, loan.number
        wake_waiting(transaction, [item.id for item in loan.held_items])
        transaction.changes.note(LOAN, number, Event.DESTROYED, was=loan)
        for case_id in _CLOSE_CASES.run(connection, {"number": number, "at": transaction.now}).scalars():
            transaction.changes.note(CASE, case_id, Event.UPDATED, reason=BACKFILL)
        for statement in _DELETE_LOAN:
            statement.run(connection, {"number": number})

    def _unlink(self, transaction: Transaction, loan: Loan, link: Any, before: Mapping[str, Any]) -> None:
        """Let the loan be as it was before it was linked, and let go of its meeting."""
        _DELETE_LINK.run(transaction.connection, {"link": link.id})
        interval = Interval(datetime.fromisoformat(before["start"]), datetime.fromisoformat(before["end"]))
        address, name = before["requester"]
        was = {BookableId(room): ItemState(state) for room, state in before["rooms"]}
        states = {**{item.id: ItemState.CANCELLED for item in loan.rooms}, **was}
        now = {item.id: item.state for item in loan.rooms}
        edit = LoanEdit(
            interval=interval if interval != loan.interval else None,
            requester=Requester(Address(address), name) if _differs(loan, address) else None,
            states={room: state for room, state in states.items() if now.get(room) is not state},
        )
        edit_loan(transaction, loan, edit)
        values = {"home": before["home"], "title": before["title"], "private": before["private"]}
        change_loan(transaction, loan, values)


def _differs(loan: Loan, address: str) -> bool:
    return fold_address(loan.requester.address) != fold_address(address)

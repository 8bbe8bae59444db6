"""Carrying out the first step of a plan: the loan's side, the link with its base, the history, the intents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from engine.database.cases.records import keep_standing_cases, open_cases, write_decisions
from engine.database.cases.refused import drop_refusal
from engine.database.links.bookings import link_table
from engine.database.links.codec import render_base
from engine.database.links.loan_side import FIRST_LOOK_SECONDS, edit_loan, import_loan
from engine.database.loans.rows import load_loan, load_version
from engine.database.mirror.mirror import Mirror
from engine.database.rooms.book import RoomCache
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sync.brake import HELD, holds_back, let_go, note_cancelled
from engine.database.sync.intents import IntentWriter
from engine.database.tables import metadata
from engine.errors import Stale
from engine.ids import LoanNumber
from engine.loans.loan import Loan
from engine.loans.status import ItemState
from engine.reconcile.actions import DeleteEvent, LoanEdit, NewLoan, Note, Plan
from engine.reconcile.answers import SILENT
from engine.reconcile.brake import is_cancelled_by_outlook
from engine.reconcile.ledger import Booking, Intent, Link, SyncRules, Writing
from engine.reconcile.over import UNDONE
from engine.reconcile.plan import SAID_ONCE

case_table = metadata.tables["case"]
decision_table = metadata.tables["decision"]

_CHANGE_LINK = Prepared(
    update(link_table).where(
        link_table.c.loan_number == bindparam("of_number"),
        link_table.c.generation == bindparam("of_generation"),
        link_table.c.state == bindparam("of_state"),
    )
)
"""Changes a link, unless it was ended since it was loaded."""
_TOLD = Prepared(
    select(case_table.c.code, case_table.c.facts).where(
        case_table.c.subject == bindparam("of_subject"), case_table.c.state != "closed"
    )
)
_SAID = Prepared(
    select(decision_table.c.code, decision_table.c.facts).where(
        decision_table.c.ical_uid == bindparam("of_uid"), decision_table.c.loan_number.is_(None)
    )
)
_SAID_OF_LOAN = Prepared(
    select(decision_table.c.code).where(
        decision_table.c.loan_number == bindparam("of_number"), decision_table.c.code == bindparam("of_code")
    )
)


class Settler:
    """Writes plans within the transaction it is given."""

    def __init__(self, rooms: RoomCache, rules: Callable[[], SyncRules], mirror: Mirror, *, instance: str) -> None:
        self._rooms = rooms
        self._rules = rules
        self._mirror = mirror
        self._instance = instance

    def save(self, transaction: Transaction, booking: Booking, plan: Plan, writing: Writing) -> tuple[Intent, ...]:
        """
        Save the plan's first step.

        Returns the intents to carry out now. Raises Stale when the loan or its link changed since they were loaded,
        Occupied when the guard found an item taken: both mean "look again", and nothing was changed.
        """
        loan = booking.loan
        if loan is not None and self._brakes(transaction, booking, loan, plan):
            return ()
        if loan is not None and not isinstance(plan.loan, LoanEdit):
            _check_version(transaction, loan)
        number: LoanNumber | None
        match plan.loan:
            case NewLoan():
                number = import_loan(transaction, self._rooms, booking, plan.loan, plan, writing)
            case LoanEdit():
                assert loan is not None, "only a loan that exists is edited"
                edit_loan(transaction, loan, plan.loan)
                number = loan.number
            case None:
                number = loan.number if loan else None
        self._remember(transaction, booking, plan, number)
        if loan is None:
            self._look_again(transaction, booking, plan)
            return ()
        intents = self._save_link(transaction, booking, loan, plan, writing)
        self._look_again(transaction, booking, plan)
        return intents

    def _brakes(self, transaction: Transaction, booking: Booking, loan: Loan, plan: Plan) -> bool:
        """Tell whether the brake stops this plan; count what passes, and take off a hold that has lost its cause."""
        hold = booking.link.hold if booking.link is not None else None
        if is_cancelled_by_outlook(plan):
            if holds_back(transaction, loan, hold, self._rules().brake):
                return True
            note_cancelled(transaction, loan, hold)
        elif hold == HELD and not (plan.is_rest and plan.look_again_seconds is not None):
            let_go(transaction, loan)
        return False

    def _remember(self, transaction: Transaction, booking: Booking, plan: Plan, number: LoanNumber | None) -> None:
        uid = booking.key if booking.kind == "meeting" else (booking.link.ical_uid if booking.link else None)
        subject = f"loan:{number}" if number is not None else f"{booking.kind}:{booking.key}"
        notes = plan.notes
        if number is None and _is_told_already(transaction, subject, uid, plan):
            notes = ()
        if number is not None and len(notes) == 1 and notes[0].code in SAID_ONCE:
            is_said = list(_SAID_OF_LOAN.run(transaction.connection, {"of_number": number, "of_code": notes[0].code}))
            notes = () if is_said else notes
        write_decisions(transaction, notes, loan_number=number, ical_uid=uid)
        if plan.cases or not isinstance(plan.loan, NewLoan):  # a new loan has none to close
            passing = UNDONE if booking.has_ended else None
            opened = keep_standing_cases(
                transaction, subject, plan.cases, loan_number=number, ical_uid=uid, passing=passing
            )
            _look_into_silence(transaction, [case for case in plan.cases if case.code in opened])
        if booking.kind == "meeting" and number is not None:
            keep_standing_cases(transaction, f"meeting:{booking.key}", ())
        version = booking.loan.version if booking.loan else 0
        for note in plan.conflicts:
            about = note.facts.get("field", note.room_id)
            open_cases(
                transaction,
                f"{subject}:{about}:{version}",
                [note],
                standing=False,
                loan_number=number,
                ical_uid=uid,
            )

    def _save_link(
        self, transaction: Transaction, booking: Booking, loan: Loan, plan: Plan, writing: Writing
    ) -> tuple[Intent, ...]:
        link = booking.link
        if link is not None and link.state in ("linked", "pending"):
            self._update_link(transaction, booking, loan, link, plan, writing)
        if not plan.writes:
            return ()
        after = loan if plan.loan is None else load_loan(transaction.connection, loan.number)
        assert after is not None
        writer = IntentWriter(transaction, self._rooms, self._instance, booking, after, plan, writing)
        return tuple(writer.write(write) for write in plan.writes)

    def _update_link(
        self, transaction: Transaction, booking: Booking, loan: Loan, link: Link, plan: Plan, writing: Writing
    ) -> None:
        values: dict[str, Any] = {}
        if plan.base is not None:
            values["base"] = render_base(plan.base, read_at=transaction.now if writing.ahead else None)
        if plan.end_link:
            deleting = any(isinstance(write, DeleteEvent) for write in plan.writes)
            withdrawn = deleting or not (loan.blocks or plan.lets_go)
            values["state"] = "ended" if withdrawn else "left"
            if not withdrawn:
                self._pass_on_news(transaction, booking, link)
        if writing.event_id is not None and writing.event_id != link.event_id:
            values |= {"organizer_event_id": writing.event_id, "organizer_etag": writing.etag}
        if writing.organizer_mailbox and writing.organizer_mailbox != link.mailbox:
            values["organizer_mailbox"] = writing.organizer_mailbox
            if writing.event_id is None:
                values |= {"organizer_event_id": None, "organizer_etag": None}  # ids are a mailbox's own
        if writing.checked:
            values["checked_at"] = transaction.now
        waiting = _waits_for_answer(loan, plan, writing)
        if waiting and (link.asked_at is None or plan.asks_anew):
            values["asked_at"] = transaction.now
            if link.asked_at is not None:
                values.setdefault("checked_at", None)
            transaction.mark("loan", str(loan.number), delay=FIRST_LOOK_SECONDS)
        elif not waiting and link.asked_at is not None:
            values |= {"asked_at": None, "checked_at": None}
        if values:
            which = {"of_number": loan.number, "of_generation": link.generation, "of_state": link.state}
            if not _CHANGE_LINK.run(transaction.connection, {**which, **values}).rowcount:
                raise Stale(f"loan {loan.number} was tied to another event while it was being compared")
        if plan.end_link and link.refused:
            drop_refusal(transaction, loan.number)

    def _pass_on_news(self, transaction: Transaction, booking: Booking, link: Link) -> None:
        """Have the meeting looked at that its loan lets go of, when a room has told something of it since this pass
        began: that marked the loan, which asks about the meeting no more."""
        uid = link.ical_uid
        if uid is not None and self._mirror.load_copies(transaction, uid)[0] != booking.copies:
            transaction.mark("meeting", uid)

    def _look_again(self, transaction: Transaction, booking: Booking, plan: Plan) -> None:
        if plan.look_again_seconds is not None:
            transaction.mark(booking.kind, booking.key, delay=plan.look_again_seconds)


def _check_version(transaction: Transaction, loan: Loan) -> None:
    """Make sure that nobody else changed a loan whose side stays as it is; an edit finds that out by itself."""
    if load_version(transaction.connection, loan.number) != loan.version:
        raise Stale(f"loan {loan.number} changed while it was being compared")


def _look_into_silence(transaction: Transaction, opened: Sequence[Note]) -> None:
    """Have a room that does not answer read once: a mailbox that is closed to us is silent, and tells of nothing."""
    for case in opened:
        if case.code == SILENT and case.room_id is not None:
            transaction.mark("room", str(case.room_id))


def _is_told_already(transaction: Transaction, subject: str, uid: str | None, plan: Plan) -> bool:
    """Tell whether the same rejection is told already, by a case that stands or, of a meeting that is over, by its
    history: it is not told once more at each look."""
    if plan.cases:
        return all(is_told(transaction, subject, case) for case in plan.cases)
    rows = list(_SAID.run(transaction.connection, {"of_uid": uid})) if plan.notes else []
    return all(any(_says(row, note) for row in rows) for note in plan.notes)


def is_told(transaction: Transaction, subject: str, note: Note) -> bool:
    """Tell whether a case of *subject* stands that says what *note* says."""
    return any(_says(row, note) for row in _TOLD.run(transaction.connection, {"of_subject": subject}))


def _says(row: Any, note: Note) -> bool:
    return row.code == note.code and all(row.facts.get(key) == value for key, value in note.facts.items())


def _waits_for_answer(loan: Loan, plan: Plan, writing: Writing) -> bool:
    edit = plan.loan if isinstance(plan.loan, LoanEdit) else LoanEdit()
    states = {item.id: item.state for item in loan.rooms} | dict(edit.states)
    is_asked = ItemState.REQUESTED in states.values() or writing.unshown or writing.unsettled
    return loan.blocks and not plan.end_link and is_asked

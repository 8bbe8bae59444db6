"""The loan's side of a plan: the loan that a meeting becomes, what Outlook changes in one, the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, null, update

from engine.database.cases.records import open_cases, write_decisions
from engine.database.cases.refused import drop_refusal, keep_refusal
from engine.database.links.bookings import ADD_LINK, change_link, load_link
from engine.database.links.codec import render_base
from engine.database.loans.edits import lock_loan
from engine.database.loans.occupancy import find_held
from engine.database.loans.rows import keep_person, load_loan, loan_table, write_items
from engine.database.rooms.book import RoomCache
from engine.database.rooms.listed import take_in
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.work.wakes import wake_waiting
from engine.errors import Stale
from engine.ids import BookableId, LoanNumber
from engine.loans.loan import Home, ItemKind, Loan, Requester
from engine.loans.status import BLOCKING_STATUSES, ItemState, LoanAction, LoanStatus, next_status
from engine.outbox.changes import LOAN, Event
from engine.reconcile.actions import LoanEdit, NewLoan, Note, Plan
from engine.reconcile.ledger import Booking, Writing
from engine.reconcile.views import loan_face

link_table = metadata.tables["link"]

_FREE_UID = Prepared(
    update(link_table)
    .where(link_table.c.ical_uid == bindparam("uid"), link_table.c.state.in_(("left", "ended")))
    .values(ical_uid=null())
)
_ADD_LOAN = Prepared(loan_table.insert().returning(loan_table.c.number))
_NEXT_VERSION = Prepared(
    update(loan_table).where(
        loan_table.c.number == bindparam("of_number"), loan_table.c.version == bindparam("seen_version")
    )
)
_REFUSE = Prepared(
    update(link_table)
    .where(
        link_table.c.loan_number.in_(bindparam("numbers", expanding=True)),
        link_table.c.state == "pending",
        ~link_table.c.refused,
    )
    .values(refused=True)
    .returning(link_table.c.loan_number)
)
_END_REFUSAL = Prepared(
    update(link_table)
    .where(link_table.c.loan_number == bindparam("of_number"), link_table.c.refused, link_table.c.state != "pending")
    .values(refused=False)
)
_TELL_ANEW = Prepared(
    update(loan_table).where(loan_table.c.number == bindparam("of_number")).values(version=loan_table.c.version + 1)
)


def import_loan(
    transaction: Transaction, rooms: RoomCache, booking: Booking, new: NewLoan, plan: Plan, writing: Writing
) -> LoanNumber:
    """Write the loan of a meeting, with its items and its link; return its number. Raises Occupied."""
    number = _add_loan_of(transaction, new, _store_of(rooms, min(new.rooms)))
    items: dict[int, tuple[ItemKind, ItemState]] = dict.fromkeys(new.things, (ItemKind.ASSET, ItemState.ACCEPTED))
    items |= {room: (ItemKind.ROOM, state) for room, state in new.rooms.items()}
    connection = transaction.connection
    write_items(connection, number, new.interval, LoanStatus.NEW, before={}, after=items, whole=True)
    free_uid(transaction, booking.key)
    taken_in = take_in(connection, booking.key)  # of rooms that have not heard yet what made this a loan
    waits = writing.unshown or ItemState.REQUESTED in new.rooms.values()
    _link_to_meeting(transaction, number, booking, plan, writing, asked_at=transaction.now if waits else None)
    if waits:
        transaction.mark("loan", str(number), delay=FIRST_LOOK_SECONDS)
    if taken_in - {copy.room_id for copy in booking.copies}:  # a new room, read while this was being decided
        transaction.mark("loan", str(number))
    return number


def _add_loan_of(transaction: Transaction, new: NewLoan, store_id: int) -> LoanNumber:
    values = {
        "status": LoanStatus.NEW.value,
        "home": Home.OUTLOOK.value,
        "person_id": keep_person(transaction.connection, new.requester),
        "start_at": new.interval.start,
        "end_at": new.interval.end,
        "store_id": store_id,
        "title": "" if new.private else new.title,
        "notes": "",
        "private": new.private,
        "series": str(new.series) if new.series is not None else None,
        "version": 1,
        "created_at": transaction.now,
        "changed_at": transaction.now,
    }
    number = LoanNumber(_ADD_LOAN.run(transaction.connection, values).scalar_one())
    transaction.changes.note(LOAN, number, Event.CREATED)
    return number


def _link_to_meeting(
    transaction: Transaction,
    number: LoanNumber,
    booking: Booking,
    plan: Plan,
    writing: Writing,
    *,
    asked_at: datetime | None,
) -> None:
    """Tie a loan to the meeting it was made of. *asked_at*: since when an answer of a room is missing, if one is."""
    values = {
        "loan_number": number,
        "generation": 1,
        "state": "linked",
        "ical_uid": booking.key,
        "organizer_mailbox": writing.organizer_mailbox,
        "organizer_event_id": writing.event_id,
        "organizer_etag": writing.etag,
        "base": render_base(plan.base, read_at=transaction.now if writing.ahead else None),
        "asked_at": asked_at,
        "web_link": writing.web_link,
    }
    ADD_LINK.run(transaction.connection, values)


def _store_of(rooms: RoomCache, room_id: BookableId) -> int:
    room = rooms.book().by_id(room_id)
    assert room is not None, "rooms of a meeting come from the book"
    return room.store_id


def edit_loan(transaction: Transaction, loan: Loan, edit: LoanEdit) -> None:
    """Change the loan's rows, as its next version. Raises Stale when it changed since it was loaded, Occupied when an
    item is taken."""
    status = loan.status
    if edit.action is not None:
        status = _status_after(loan.status, edit.action)
    interval = edit.interval or loan.interval
    values: dict[str, Any] = {"version": loan.version + 1, "changed_at": transaction.now}
    if edit.interval is not None:
        values |= {"start_at": interval.start, "end_at": interval.end}
    if edit.requester is not None:
        lock_loan(transaction.connection, loan.number)  # before its person, as the desk does
        values["person_id"] = keep_person(transaction.connection, edit.requester)
    private = loan.private if edit.private is None else edit.private
    if private is not loan.private:
        values["private"] = private
    if edit.home is not None:
        values["home"] = edit.home.value
    if edit.title is not None:
        values["title"] = "" if private else edit.title
    if status is not loan.status:
        values["status"] = status.value
    seen = {"of_number": loan.number, "seen_version": loan.version}
    if not _NEXT_VERSION.run(transaction.connection, {**seen, **values}).rowcount:
        raise Stale(f"loan {loan.number} changed while it was being compared")
    _edit_items(transaction, loan, edit, status)
    transaction.changes.note(LOAN, loan.number, Event.UPDATED)
    if edit.interval is not None or status not in BLOCKING_STATUSES or edit.states:
        wake_waiting(transaction, [item.id for item in loan.held_items])


def _edit_items(transaction: Transaction, loan: Loan, edit: LoanEdit, status: LoanStatus) -> None:
    before = {int(item.id): item.state for item in loan.items}
    kinds = {item.id: item.kind for item in loan.items}
    after = {item.id: (item.kind, edit.states.get(item.id, item.state)) for item in loan.items}
    for room, state in edit.states.items():
        after[room] = (kinds.get(room, ItemKind.ROOM), state)
    write_items(
        transaction.connection,
        loan.number,
        edit.interval or loan.interval,
        status,
        before=before,
        after={int(item): value for item, value in after.items()},
        whole=edit.interval is not None or status is not loan.status,
    )


def tell_refusal(transaction: Transaction, number: LoanNumber, note: Note, *, ical_uid: str | None) -> None:
    """
    Tell that Outlook refused a change of an event: in the history of its loan, and in a case.

    The loan returns to what both sides agreed on. Where only words were refused, which are said again every hour, the
    history tells it once.
    """
    is_new = open_cases(transaction, f"loan:{number}", [note], standing=False, loan_number=number)
    if return_to_base(transaction, number) or is_new:
        write_decisions(transaction, [note], loan_number=number, ical_uid=ical_uid)


def leave_unmade(transaction: Transaction, numbers: Sequence[LoanNumber], note: Note) -> None:
    """Leave loans without an event, which Outlook refused: a later edit tries it anew, of each by itself. Their
    histories tell it, and a case: one for all dates of a series."""
    fresh = _REFUSE.run(transaction.connection, {"numbers": list(numbers)}).scalars()
    for number in numbers:
        write_decisions(transaction, [note], loan_number=number, ical_uid=None)
    keep_refusal(transaction, numbers[0], note)
    for number in fresh:
        tell_whether_asked(transaction, LoanNumber(number))


def end_refusal(transaction: Transaction, number: LoanNumber) -> None:
    """End what was told of a loan whose event was refused, where it was: it is made after all."""
    if _END_REFUSAL.run(transaction.connection, {"of_number": number}).rowcount:
        tell_whether_asked(transaction, number)
        drop_refusal(transaction, number)


def tell_whether_asked(transaction: Transaction, number: LoanNumber) -> None:
    """Give a loan its next version, for whoever is told it: its rooms are asked now, or are not."""
    _TELL_ANEW.run(transaction.connection, {"of_number": number})
    transaction.changes.note(LOAN, number, Event.UPDATED)


def return_to_base(transaction: Transaction, number: LoanNumber) -> bool:
    """
    Let the loan return to what both sides agreed on, after a change that Outlook refused for good.

    Where somebody else has taken its rooms or times meanwhile, it follows those that Outlook shows, as if its organizer
    had changed them: then the rules for what is taken hold. Its requester, whom nobody can take, returns all the same.

    Returns whether there was anything to take back. Where only the words of its event were refused, those are said
    again later, or with the next change.
    """
    loan = load_loan(transaction.connection, number)
    found = load_link(transaction.connection, "loan", str(number))
    if loan is None or not loan.blocks or found is None or found[1].base is None:
        return False
    base = found[1].base
    face = base.loan
    if loan_face(loan) == face:
        transaction.mark("loan", str(number), delay=WORDS_AGAIN_SECONDS)
        return False
    requester = None
    if face.requester != loan.requester.address.casefold():
        requester = Requester(face.requester, face.requester)
    wanted = {item.id for item in loan.held_items if item.kind is not ItemKind.ROOM} | face.rooms
    if find_held(transaction.connection, sorted(wanted), face.interval, apart=number):
        if requester is not None:
            edit_loan(transaction, loan, LoanEdit(requester=requester))
        refused = replace(loan_face(loan), requester=face.requester)
        shown = replace(refused, requester=base.outlook.requester)
        document = render_base(replace(base, outlook=shown, loan=refused))
        change_link(transaction, number, found[1].generation, base=document)
        transaction.mark("loan", str(number))
        return True
    states = {item.id: ItemState.CANCELLED for item in loan.rooms if item.id not in face.rooms}
    states |= {room: ItemState.REQUESTED for room in face.rooms if room not in {i.id for i in loan.rooms}}
    edit = LoanEdit(
        interval=face.interval if face.interval != loan.interval else None,
        requester=requester,
        states=states,
    )
    edit_loan(transaction, loan, edit)
    transaction.mark("loan", str(loan.number))
    return True


def free_uid(transaction: Transaction, ical_uid: str) -> None:
    """Let go of a meeting that had left its former loan: its organizer brought a room of ours back, or the date."""
    _FREE_UID.run(transaction.connection, {"uid": ical_uid})


def _status_after(status: LoanStatus, action: LoanAction) -> LoanStatus:
    """Return the status after *action*; where the table knows no way, a cancellation still ends the loan."""
    after = next_status(status, action)
    if after is not None:
        return after
    return LoanStatus.CANCELLED if action in (LoanAction.CANCEL, LoanAction.REFUSE) else status


WORDS_AGAIN_SECONDS = 3600.0
"""When to say the words of an event again that Outlook refused: nobody's booking waits for them."""

FIRST_LOOK_SECONDS = 10.5
"""When to look for answers that did not come by themselves (see reconcile.answers)."""

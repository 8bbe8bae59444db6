"""Carrying out the first step of a plan: the loan's side, the link with its base, the history, the intents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import bindparam, null, select, update

from engine.database.bookings import load_link
from engine.database.brake import HELD, holds_back, let_go, note_cancelled
from engine.database.codec import render_base, render_draft
from engine.database.connection import Transaction
from engine.database.loans import keep_person, load_loan, loan_table, wake_waiting, write_items
from engine.database.mirror import Mirror
from engine.database.occupancy import find_held
from engine.database.prepared import Prepared
from engine.database.records import keep_standing_cases, open_cases, write_decisions
from engine.database.roombook import RoomCache
from engine.database.tables import metadata
from engine.errors import Stale
from engine.ids import BookableId, EventId, LoanNumber, fold_address
from engine.loans.loan import Home, ItemKind, Loan, Requester
from engine.loans.status import BLOCKING_STATUSES, ItemState, LoanAction, LoanStatus, next_status
from engine.outbox.changes import LOAN, Event
from engine.reconcile.actions import ChangeEvent, CreateEvent, DeleteEvent, LoanEdit, NewLoan, Note, OutlookWrite, Plan
from engine.reconcile.brake import is_cancelled_by_outlook
from engine.reconcile.field_map import changed_fields
from engine.reconcile.ledger import Booking, Draft, Intent, IntentKind, Link, RoomRef, SyncRules, Writing
from engine.reconcile.markers import make_marker
from engine.reconcile.plan import SAID_ONCE
from engine.reconcile.texts import without_link
from engine.reconcile.told import tell_write
from engine.reconcile.views import Base, loan_face
from engine.rooms.calendar import EventFields

link_table = metadata.tables["link"]
intent_table = metadata.tables["intent"]
room_table = metadata.tables["room"]
case_table = metadata.tables["case"]
decision_table = metadata.tables["decision"]

_VERSION = Prepared(select(loan_table.c.version).where(loan_table.c.number == bindparam("number")))
_FREE_UID = Prepared(
    update(link_table)
    .where(link_table.c.ical_uid == bindparam("uid"), link_table.c.state.in_(("left", "ended")))
    .values(ical_uid=null())
)
_ADD_LOAN = Prepared(loan_table.insert().returning(loan_table.c.number))
_ADD_INTENT = Prepared(intent_table.insert().returning(intent_table.c.id))

_ADD_LINK = Prepared(link_table.insert())
_CHANGE_LOAN = Prepared(update(loan_table).where(loan_table.c.number == bindparam("of_number")))
_TAKE_VERSION = Prepared(
    update(loan_table).where(
        loan_table.c.number == bindparam("of_number"), loan_table.c.version == bindparam("seen_version")
    )
)
_CHANGE_LINK = Prepared(
    update(link_table).where(
        link_table.c.loan_number == bindparam("of_number"), link_table.c.generation == bindparam("of_generation")
    )
)
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

        Returns the intents to carry out now. Raises Stale when the loan changed since it was loaded, Occupied
        when the guard found an item taken: both mean "look again", and nothing was changed.
        """
        loan = booking.loan
        if loan is not None and self._brakes(transaction, booking, loan, plan):
            return ()
        if loan is not None:
            self._claim_version(transaction, loan, plan)
        number: LoanNumber | None
        match plan.loan:
            case NewLoan():
                number = self._add_loan(transaction, booking, plan.loan, plan, writing)
            case LoanEdit():
                assert loan is not None, "only a loan that exists is edited"
                self.edit_loan(transaction, loan, plan.loan)
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

    def _claim_version(self, transaction: Transaction, loan: Loan, plan: Plan) -> None:
        """Take the loan's next version if its side changes; in any case make sure nobody else changed it."""
        changes = isinstance(plan.loan, LoanEdit)
        if not changes:
            found = _VERSION.run(transaction.connection, {"number": loan.number}).scalar()  # None: taken back
            if found != loan.version:
                raise Stale(f"loan {loan.number} changed while it was being compared")
            return
        values = {"version": loan.version + 1, "changed_at": transaction.now}
        seen = {"of_number": loan.number, "seen_version": loan.version}
        changed = _TAKE_VERSION.run(transaction.connection, {**seen, **values})
        if not changed.rowcount:
            raise Stale(f"loan {loan.number} changed while it was being compared")

    # --- the loan's side

    def _add_loan(
        self, transaction: Transaction, booking: Booking, new: NewLoan, plan: Plan, writing: Writing
    ) -> LoanNumber:
        connection = transaction.connection
        store_id = self._store_of(min(new.rooms))
        values = {
            "status": LoanStatus.NEW.value,
            "home": Home.OUTLOOK.value,
            "person_id": keep_person(connection, new.requester),
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
        number = LoanNumber(_ADD_LOAN.run(connection, values).scalar_one())
        transaction.changes.note(LOAN, number, Event.CREATED)
        write_items(
            connection,
            number,
            new.interval,
            LoanStatus.NEW,
            before={},
            after={room: (ItemKind.ROOM, state) for room, state in new.rooms.items()},
            whole=True,
        )
        free_uid(transaction, booking.key)
        waiting = writing.unshown or ItemState.REQUESTED in new.rooms.values()
        _ADD_LINK.run(
            connection,
            {
                "loan_number": number,
                "generation": 1,
                "state": "linked",
                "ical_uid": booking.key,
                "organizer_mailbox": writing.organizer_mailbox,
                "organizer_event_id": writing.event_id,
                "organizer_etag": writing.etag,
                "base": render_base(plan.base),
                "asked_at": transaction.now if waiting else None,
                "web_link": writing.web_link,
            },
        )
        if waiting:
            transaction.mark("loan", str(number), delay=FIRST_LOOK_SECONDS)
        return number

    def _store_of(self, room_id: BookableId) -> int:
        room = self._rooms.book().by_id(room_id)
        assert room is not None, "rooms of a meeting come from the book"
        return room.store_id

    def edit_loan(self, transaction: Transaction, loan: Loan, edit: LoanEdit) -> None:
        """Change the loan's rows, without its version. Raises Occupied when an item is taken."""
        status = loan.status
        if edit.action is not None:
            status = _status_after(loan.status, edit.action)
        interval = edit.interval or loan.interval
        values: dict[str, Any] = {}
        if edit.interval is not None:
            values |= {"start_at": interval.start, "end_at": interval.end}
        if edit.requester is not None:
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
        if values:
            _CHANGE_LOAN.run(transaction.connection, {"of_number": loan.number, **values})
        self._edit_items(transaction, loan, edit, status)
        transaction.changes.note(LOAN, loan.number, Event.UPDATED)
        if edit.interval is not None or status not in BLOCKING_STATUSES or edit.states:
            wake_waiting(transaction, [item.id for item in loan.held_items])

    def _edit_items(self, transaction: Transaction, loan: Loan, edit: LoanEdit, status: LoanStatus) -> None:
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

    # --- history and cases

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
            keep_standing_cases(transaction, subject, plan.cases, loan_number=number, ical_uid=uid)
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

    # --- the link and the writes

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
        writer = _IntentWriter(transaction, self._rooms, self._instance, booking, after, plan, writing)
        return tuple(writer.write(write) for write in plan.writes)

    def _update_link(
        self, transaction: Transaction, booking: Booking, loan: Loan, link: Link, plan: Plan, writing: Writing
    ) -> None:
        values: dict[str, Any] = {}
        if plan.base is not None:
            values["base"] = render_base(plan.base)
        if plan.end_link:
            deleting = any(isinstance(write, DeleteEvent) for write in plan.writes)
            may_come_back = booking.series is not None  # moving a whole series brings back its cancelled dates
            withdrawn = deleting or not loan.blocks or (loan.home is Home.APP and not may_come_back)
            values["state"] = "ended" if withdrawn else "left"
        if writing.event_id is not None and writing.event_id != link.event_id:
            values |= {"organizer_event_id": writing.event_id, "organizer_etag": writing.etag}
        if writing.organizer_mailbox and writing.organizer_mailbox != link.mailbox:
            values["organizer_mailbox"] = writing.organizer_mailbox
            if writing.event_id is None:
                values |= {"organizer_event_id": None, "organizer_etag": None}  # ids are a mailbox's own
        if writing.checked:
            values["checked_at"] = transaction.now
        waiting = _waits_for_answer(loan, plan, writing)
        if waiting and link.asked_at is None:
            values["asked_at"] = transaction.now
            transaction.mark("loan", str(loan.number), delay=FIRST_LOOK_SECONDS)
        elif not waiting and link.asked_at is not None:
            values |= {"asked_at": None, "checked_at": None}
        if values:
            which = {"of_number": loan.number, "of_generation": link.generation}
            _CHANGE_LINK.run(transaction.connection, {**which, **values})

    def _look_again(self, transaction: Transaction, booking: Booking, plan: Plan) -> None:
        if plan.look_again_seconds is not None:
            transaction.mark(booking.kind, booking.key, delay=plan.look_again_seconds)

    def return_to_base(self, transaction: Transaction, number: LoanNumber) -> None:
        """
        Let the loan return to what both sides agreed on, after a change that Outlook refused for good.

        Where somebody else has taken that meanwhile, the loan follows what Outlook shows, as if its organizer had
        changed it: then the rules for what is taken hold.
        """
        loan = load_loan(transaction.connection, number)
        found = load_link(transaction.connection, "loan", str(number))
        if loan is None or not loan.blocks or found is None or found[1].base is None:
            return
        base = found[1].base
        face = base.loan
        wanted = {item.id for item in loan.held_items if item.kind is not ItemKind.ROOM} | face.rooms
        if find_held(transaction.connection, sorted(wanted), face.interval, apart=number):
            refused = loan_face(loan)
            shown = replace(refused, requester=base.outlook.requester)
            which = {"of_number": number, "of_generation": found[1].generation}
            document = render_base(replace(base, outlook=shown, loan=refused))
            _CHANGE_LINK.run(transaction.connection, {**which, "base": document})
            transaction.mark("loan", str(number))
            return
        states = {item.id: ItemState.CANCELLED for item in loan.rooms if item.id not in face.rooms}
        states |= {room: ItemState.REQUESTED for room in face.rooms if room not in {i.id for i in loan.rooms}}
        edit = LoanEdit(
            interval=face.interval if face.interval != loan.interval else None,
            requester=Requester(face.requester, face.requester)
            if face.requester != loan.requester.address.casefold()
            else None,
            states=states,
        )
        values = {"version": loan.version + 1, "changed_at": transaction.now}
        _CHANGE_LOAN.run(transaction.connection, {"of_number": loan.number, **values})
        self.edit_loan(transaction, loan, edit)
        transaction.mark("loan", str(loan.number))


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


def free_uid(transaction: Transaction, ical_uid: str) -> None:
    """Let go of a meeting that had left its former loan: its organizer brought a room of ours back, or the date."""
    _FREE_UID.run(transaction.connection, {"uid": ical_uid})


def _status_after(status: LoanStatus, action: LoanAction) -> LoanStatus:
    """Return the status after *action*; where the table knows no way, a cancellation still ends the loan."""
    after = next_status(status, action)
    if after is not None:
        return after
    return LoanStatus.CANCELLED if action in (LoanAction.CANCEL, LoanAction.REFUSE) else status


def _waits_for_answer(loan: Loan, plan: Plan, writing: Writing) -> bool:
    edit = plan.loan if isinstance(plan.loan, LoanEdit) else LoanEdit()
    states = {item.id: item.state for item in loan.rooms} | dict(edit.states)
    return loan.blocks and not plan.end_link and (writing.unshown or ItemState.REQUESTED in states.values())


_KINDS = {CreateEvent: IntentKind.CREATE, ChangeEvent: IntentKind.CHANGE, DeleteEvent: IntentKind.DELETE}


class _IntentWriter:
    """Freezes the writes of one plan as intents."""

    def __init__(
        self,
        transaction: Transaction,
        rooms: RoomCache,
        instance: str,
        booking: Booking,
        loan: Loan,
        plan: Plan,
        writing: Writing,
    ) -> None:
        self._transaction = transaction
        self._rooms = rooms
        self._instance = instance
        self._booking = booking
        self._loan = loan
        self._plan = plan
        self._writing = writing

    def write(self, write: OutlookWrite) -> Intent:
        match write:
            case CreateEvent():
                return self._create(write)
            case ChangeEvent():
                return self._change(write)
            case DeleteEvent():
                return self._delete(write)

    def _create(self, write: CreateEvent) -> Intent:
        writing, loan, link = self._writing, self._loan, self._booking.link
        assert writing.mailbox is not None, "the pass chose a mailbox"
        generation = link.generation + 1 if link is not None else 1
        self._end_former(link)
        base = self._base_after(is_text=True)
        base = replace(base, outlook=replace(base.outlook, requester=fold_address(writing.mailbox)))
        _ADD_LINK.run(
            self._transaction.connection,
            {
                "loan_number": loan.number,
                "generation": generation,
                "state": "pending",
                "organizer_mailbox": writing.mailbox,
                "base": {},
            },
        )
        draft = Draft(
            interval=loan.interval,
            subject=writing.subject,
            body=writing.body,
            rooms=self._refs(frozenset(item.id for item in loan.rooms)),
            private=loan.private,
            marker=make_marker(self._instance, loan.number, generation, self._transaction.draw(4)),
            fields=writing.fields,
        )
        return self._save(write, generation, writing.mailbox, None, None, draft, base)

    def _end_former(self, link: Link | None) -> None:
        if link is not None and link.state in ("linked", "pending"):
            which = {"of_number": self._loan.number, "of_generation": link.generation}
            _CHANGE_LINK.run(self._transaction.connection, {**which, "state": "ended"})

    def _change(self, write: ChangeEvent) -> Intent:
        writing, link = self._writing, self._booking.link
        assert link is not None, "only a linked event is changed"
        assert writing.event_id is not None, "the organizer's copy was read before"
        draft = Draft(
            interval=write.interval,
            subject=writing.subject if write.text and writing.subject != self._written_subject() else None,
            body=writing.body if write.text and self._is_new_body(link.base) else None,
            rooms=self._refs(write.add_rooms),
            drop_rooms=tuple(ref.address for ref in self._refs(write.drop_rooms)),
            private=self._loan.private if write.text and self._written_private() is not self._loan.private else None,
            fields=self._changed_fields(link.base, write),
        )
        mailbox = writing.organizer_mailbox or link.mailbox
        assert mailbox is not None
        base = self._base_after(is_text=write.text)
        return self._save(write, link.generation, mailbox, writing.event_id, writing.etag, draft, base)

    def _is_new_body(self, base: Base | None) -> bool:
        return base is None or without_link(self._writing.body) != without_link(base.body)

    def _changed_fields(self, base: Base | None, write: ChangeEvent) -> EventFields | None:
        """Return which of the fields beside are to be written. A location of its own goes along with new rooms, which
        would take its place (`render_patch`)."""
        wanted = self._writing.fields
        changed = changed_fields(base.fields, wanted) if write.text and base is not None else None
        if wanted.location and (write.add_rooms or write.drop_rooms):
            return replace(changed or EventFields(None, None, None), location=wanted.location)
        return changed

    def _written_subject(self) -> str | None:
        link = self._booking.link
        return link.base.subject if link is not None and link.base is not None else None

    def _written_private(self) -> bool | None:
        link = self._booking.link
        return link.base.private if link is not None and link.base is not None else None

    def _delete(self, write: DeleteEvent) -> Intent:
        writing, link = self._writing, self._booking.link
        assert link is not None, "only a linked event is deleted"
        read_in = writing.organizer_mailbox if writing.event_id is not None else None  # ids are a mailbox's own
        mailbox = read_in or link.mailbox or writing.organizer_mailbox or ""
        event_id = writing.event_id or link.event_id
        return self._save(write, link.generation, mailbox, event_id, writing.etag, writing.shown, None)

    def _base_after(self, *, is_text: bool) -> Base:
        assert self._plan.base_after is not None, "a plan that writes says what both agree on after it"
        base = self._plan.base_after
        private = self._loan.private if is_text else base.private
        fields = self._writing.fields if is_text else base.fields
        return replace(base, subject=self._writing.subject, body=self._writing.body, fields=fields, private=private)

    def _refs(self, rooms: frozenset[BookableId]) -> tuple[RoomRef, ...]:
        book = self._rooms.book()
        found = [book.by_id(room) for room in sorted(rooms)]
        return tuple(RoomRef(room.address, room.name) for room in found if room is not None)

    def _save(
        self,
        write: OutlookWrite,
        generation: int,
        mailbox: str,
        event_id: EventId | None,
        etag: str | None,
        draft: Draft,
        base: Base | None,
    ) -> Intent:
        kind, told = _KINDS[type(write)], tell_write(write, self._plan.writes)
        row = {
            "loan_number": self._loan.number,
            "generation": generation,
            "kind": kind.value,
            "mailbox": mailbox,
            "event_id": event_id,
            "etag": etag,
            "payload": render_draft(draft),
            "base": render_base(base),
            "told": told,
            "loan_version": self._loan.version,
            "attempts": 0,
            "created_at": self._transaction.now,
        }
        intent_id = int(_ADD_INTENT.run(self._transaction.connection, row).scalar_one())
        uid = self._booking.link.ical_uid if self._booking.link else None
        return Intent(
            intent_id, kind, self._loan.number, generation, mailbox, event_id, etag, draft, base, told, ical_uid=uid
        )


FIRST_LOOK_SECONDS = 10.5
"""When to look for answers that did not come by themselves (see reconcile.answers)."""

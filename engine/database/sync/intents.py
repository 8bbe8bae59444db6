"""The writes of a plan, frozen as intents: what each says, where it goes, what both sides agree on once it is done."""

from __future__ import annotations

from dataclasses import replace

from engine.database.links.bookings import ADD_LINK, change_link
from engine.database.links.codec import render_base, render_draft
from engine.database.rooms.book import RoomCache
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import EventId, fold_address
from engine.loans.loan import Loan
from engine.reconcile.actions import ChangeEvent, CreateEvent, DeleteEvent, OutlookWrite, Plan
from engine.reconcile.field_map import changed_fields
from engine.reconcile.freeing import replaces_another
from engine.reconcile.ledger import Booking, Draft, Intent, IntentKind, Link, Writing
from engine.reconcile.markers import make_marker, name_birth
from engine.reconcile.telling.texts import without_link
from engine.reconcile.told import tell_write
from engine.reconcile.views import Base
from engine.rooms.calendar import EventFields

intent_table = metadata.tables["intent"]

_ADD_INTENT = Prepared(intent_table.insert().returning(intent_table.c.id))

_KINDS = {CreateEvent: IntentKind.CREATE, ChangeEvent: IntentKind.CHANGE, DeleteEvent: IntentKind.DELETE}


class IntentWriter:
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
        assert loan.made_at is not None, "it comes from the register"
        generation = link.generation + 1 if link is not None else 1
        self._end_former(link)
        base = self._base_after(is_text=True)
        base = replace(base, outlook=replace(base.outlook, requester=fold_address(writing.mailbox)))
        ADD_LINK.run(
            self._transaction.connection,
            {
                "loan_number": loan.number,
                "generation": generation,
                "state": "pending",
                "organizer_mailbox": writing.mailbox,
                "base": {},
                "refused": link is not None and link.state == "pending" and link.refused,
            },
        )
        draft = Draft(
            interval=loan.interval,
            subject=writing.subject,
            body=writing.body,
            rooms=self._rooms.book().mailboxes_of(item.id for item in loan.rooms),
            private=loan.private,
            marker=make_marker(
                self._instance, loan.number, generation, name_birth(loan.made_at), self._transaction.draw(4)
            ),
            fields=writing.fields,
        )
        return self._save(write, generation, writing.mailbox, None, None, draft, base)

    def _end_former(self, link: Link | None) -> None:
        if link is not None and link.state in ("linked", "pending"):
            change_link(self._transaction, self._loan.number, link.generation, state="ended")

    def _change(self, write: ChangeEvent) -> Intent:
        writing, link, book = self._writing, self._booking.link, self._rooms.book()
        assert link is not None, "only a linked event is changed"
        assert writing.event_id is not None, "the organizer's copy was read before"
        draft = Draft(
            interval=write.interval,
            subject=writing.subject if write.text and writing.subject != self._written_subject() else None,
            body=writing.body if write.text and self._is_new_body(link.base) else None,
            rooms=book.mailboxes_of(write.add_rooms),
            drop_rooms=book.addresses_of(write.drop_rooms),
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
        may_wait = kind is IntentKind.CREATE and replaces_another(generation)
        unsent_since = self._transaction.now if may_wait else None
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
            "created_at": self._transaction.now,
            "unsent_since": unsent_since,
        }
        intent_id = int(_ADD_INTENT.run(self._transaction.connection, row).scalar_one())
        uid = self._booking.link.ical_uid if self._booking.link else None
        return Intent(
            intent_id, kind, self._loan.number, generation, mailbox, event_id, etag, draft, base, told,
            ical_uid=uid, loan_version=self._loan.version, unsent_since=unsent_since,
        )  # fmt: skip

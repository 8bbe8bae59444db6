"""What becomes of decided writes: done, found again, overtaken, sent elsewhere, refused. Each is told once."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import and_, bindparam, delete, select, update

from engine.database.cases.records import write_decisions
from engine.database.links.bookings import change_link, finish_change, load_intents
from engine.database.links.codec import render_base
from engine.database.links.freeing import await_rooms
from engine.database.links.loan_side import FIRST_LOOK_SECONDS, end_refusal, leave_unmade, tell_refusal
from engine.database.loans.rows import load_version
from engine.database.mirror.mirror import copy_table, link_table
from engine.database.series.dates import touch_series
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sync.ledger_base import LedgerBase
from engine.database.sync.successors import find_outdated, seconds_until_heard, tie_successor
from engine.database.tables import metadata
from engine.ids import LoanNumber, fold_address
from engine.interval import Interval
from engine.reconcile.actions import Note
from engine.reconcile.freeing import LOOK_SECONDS, Readiness, judge_create, replaces_another
from engine.reconcile.ledger import Booking, Intent, IntentKind, Link
from engine.reconcile.markers import Marker
from engine.reconcile.series.writes import SeriesWriteKind
from engine.reconcile.told import FOUND_AGAIN, tell_done
from engine.rooms.event import EventCopy

intent_table = metadata.tables["intent"]

series_write_table = metadata.tables["series_write"]


class IntentLedger(LedgerBase):
    """The part of the ledger about writes to Outlook."""

    def adopt(self, booking: Booking, marker: Marker, copy: EventCopy) -> bool:
        with self._write() as transaction:
            intents = load_intents(transaction.connection, LoanNumber(marker.number))
            ours = [each for each in intents if each.generation == marker.generation and each.kind is IntentKind.CREATE]
            intent = next((each for each in ours if each.draft.marker == copy.transaction_id), None)
            if intent is None:
                return False
            if copy.organizer is not None:  # it may have been sent elsewhere since, and that is not answered yet
                intent = _in_mailbox(intent, copy.organizer.address)
            self._finish(transaction, intent, copy, told=FOUND_AGAIN)
        return True

    def find_outdated(self, marker: Marker) -> Link | None:
        with self._read() as transaction:
            return find_outdated(transaction.connection, marker)

    def tie_successor(self, marker: Marker, copy: EventCopy) -> bool:
        with self._write() as transaction:
            return tie_successor(transaction, marker, copy)

    def seconds_until_heard(self, booking: Booking) -> float:
        with self._write() as transaction:
            return seconds_until_heard(transaction, booking, self._began_at)

    def is_own_create_under_way(self, mailbox: str, interval: Interval) -> bool:
        start = interval.start.isoformat()
        with self._read() as transaction:
            rows = _CREATES.run(transaction.connection, {"mailbox": mailbox}).all()
            series = _SERIES_CREATES.run(transaction.connection, {"mailbox": mailbox}).all()
        dates = (each["start"] for row in series for each in row.payload["dates"])
        return any(row.payload.get("start") == start for row in rows) or start in dates

    def finish_intent(self, intent: Intent, copy: EventCopy | None, *, told: str | None = None) -> None:
        with self._write() as transaction:
            self._finish(transaction, intent, copy, told=told or intent.told)

    def _finish(self, transaction: Transaction, intent: Intent, copy: EventCopy | None, *, told: str) -> None:
        """Store the outcome of a write, once: an answer may come after its event was seen in a calendar already."""
        if not _drop(transaction, intent):
            return
        _tell(transaction, intent, told, copy)
        match intent.kind:
            case IntentKind.CREATE | IntentKind.CHANGE:
                assert copy is not None, "a create and a change leave a copy"
                finish_change(transaction, intent, copy)
                touch_series(transaction, intent.ical_uid)
                transaction.mark("loan", str(intent.loan_number), delay=FIRST_LOOK_SECONDS)
                if intent.kind is IntentKind.CREATE:
                    self._mark_if_changed_since(transaction, intent)
                    end_refusal(transaction, intent.loan_number)
            case IntentKind.DELETE:
                change_link(transaction, intent.loan_number, intent.generation, written_at=transaction.now)

    def _mark_if_changed_since(self, transaction: Transaction, intent: Intent) -> None:
        """Look at once when the room's copy came in before its answer to us did: nobody will mark it again."""
        known = _COPY_OF.run(transaction.connection, {"number": intent.loan_number}).first()
        if known is not None:
            transaction.mark("loan", str(intent.loan_number))

    def note_freeing(self, intent: Intent) -> None:
        with self._write() as transaction:
            change_link(transaction, intent.loan_number, intent.generation, freed=True)

    def prepare_create(self, intent: Intent) -> Readiness:
        if not replaces_another(intent.generation) or intent.base is None:
            return Readiness.SEND
        number = intent.loan_number
        with self._write() as transaction:
            readiness = judge_create(
                is_freeing=await_rooms(transaction, [number], intent.base.outlook.rooms),
                is_changed=load_version(transaction.connection, number) != intent.loan_version,
                unsent_since=intent.unsent_since,
                now=transaction.now,
            )
            match readiness:
                case Readiness.SEND:
                    _GOES_OUT.run(transaction.connection, {"intent": intent.id})
                case Readiness.WAIT:
                    transaction.mark("loan", str(number), delay=LOOK_SECONDS)
                case Readiness.OVERTAKEN:
                    _drop(transaction, intent)
                    transaction.mark("loan", str(number))
        return readiness

    def drop_intent(self, intent: Intent, *, told: str | None = None) -> None:
        with self._write() as transaction:
            if _drop(transaction, intent) and told is not None:
                _tell(transaction, intent, told, None)
            transaction.mark("loan", str(intent.loan_number))

    def redirect_intent(self, intent: Intent, mailbox: str, note: Note) -> Intent | None:
        sent = _in_mailbox(intent, mailbox)
        with self._write() as transaction:
            values = {"mailbox": sent.mailbox, "base": render_base(sent.base)}
            if not _REDIRECT.run(transaction.connection, {**_key_of(sent), **values}).rowcount:
                return None
            change_link(transaction, sent.loan_number, sent.generation, organizer_mailbox=sent.mailbox)
            write_decisions(transaction, [note], loan_number=sent.loan_number, ical_uid=None)
        return sent

    def fail_intent(self, intent: Intent, note: Note) -> None:
        with self._write() as transaction:
            if not _drop(transaction, intent):
                return
            if intent.kind is IntentKind.CREATE:
                leave_unmade(transaction, [intent.loan_number], note)
            else:
                tell_refusal(transaction, intent.loan_number, note, ical_uid=intent.ical_uid)


def _in_mailbox(intent: Intent, mailbox: str) -> Intent:
    """Return a create as one of an event in *mailbox*."""
    assert intent.base is not None, "a create says what both sides agree on after it"
    outlook = replace(intent.base.outlook, requester=fold_address(mailbox))
    return replace(intent, mailbox=mailbox, base=replace(intent.base, outlook=outlook))


def _drop(transaction: Transaction, intent: Intent) -> bool:
    """Forget an intent that is over; tell whether it was still there."""
    return _DROP_INTENT.run(transaction.connection, _key_of(intent)).rowcount > 0


def _key_of(intent: Intent) -> dict[str, object]:
    """Return what names an intent in the database for good, see `_THIS_INTENT`."""
    kind = intent.kind.value
    return {"of_id": intent.id, "of_number": intent.loan_number, "of_generation": intent.generation, "of_kind": kind}


def _tell(transaction: Transaction, intent: Intent, code: str, copy: EventCopy | None) -> None:
    """Tell the history what became of a write. One decided by an earlier version may have been told then: ""."""
    if code:
        uid = intent.ical_uid or (copy.ical_uid if copy is not None else None)
        write_decisions(transaction, [tell_done(code)], loan_number=intent.loan_number, ical_uid=uid)


_THIS_INTENT = and_(
    intent_table.c.id == bindparam("of_id"),  # a store that was restored gives numbers again
    intent_table.c.loan_number == bindparam("of_number"),
    intent_table.c.generation == bindparam("of_generation"),
    intent_table.c.kind == bindparam("of_kind"),
)

_DROP_INTENT = Prepared(delete(intent_table).where(_THIS_INTENT))

_REDIRECT = Prepared(update(intent_table).where(_THIS_INTENT))

_GOES_OUT = Prepared(update(intent_table).where(intent_table.c.id == bindparam("intent")).values(unsent_since=None))

_COPY_OF = Prepared(
    select(copy_table.c.event_id)
    .join(link_table, link_table.c.ical_uid == copy_table.c.ical_uid)
    .where(link_table.c.loan_number == bindparam("number"))
    .limit(1)
)

_CREATES = Prepared(
    select(intent_table.c.payload).where(
        and_(intent_table.c.kind == IntentKind.CREATE.value, intent_table.c.mailbox == bindparam("mailbox"))
    )
)

_SERIES_CREATES = Prepared(
    select(series_write_table.c.payload).where(
        series_write_table.c.kind == SeriesWriteKind.CREATE.value, series_write_table.c.mailbox == bindparam("mailbox")
    )
)

"""Taking people out of loans that are over: who it was for, title, notes, history, cases, and what was sent of it.

What a loan was of rooms and times stays, so that figures of use stay right. It is done in small transactions: people
book meanwhile. `loan.person_id` tells what was done: such loans belong to nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, String, and_, case, cast, delete, exists, select, update

from engine.database.cases.records import write_decisions
from engine.database.loans.rows import keep_person
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import Address
from engine.loans.loan import Requester
from engine.loans.status import BLOCKING_STATUSES
from engine.outbox.changes import LOAN, RETENTION, Event
from engine.outbox.message import MessageState
from engine.reconcile.actions import Note

NOBODY = Requester(Address("nobody@anonymous.invalid"), "Anonymous")
"""Who loans belong to whose people were taken out; `.invalid` is no domain (RFC 2606)."""

NO_ACTOR = "app:anonymous"

AT_ONCE = 200
"""Loans per transaction."""

COPIES_KEPT = timedelta(days=400)
"""Copies of meetings are kept for longer than any room's calendar is read back: they would come again."""

_loan = metadata.tables["loan"]
_link = metadata.tables["link"]
_series = metadata.tables["series"]
_person = metadata.tables["person"]
_alias = metadata.tables["person_alias"]
_details = metadata.tables["person_details"]
_decision = metadata.tables["decision"]
_case = metadata.tables["case"]
_invitation = metadata.tables["invitation"]
_own_entry = metadata.tables["own_calendar_entry"]
_outbox = metadata.tables["outbox"]
_try = metadata.tables["outbox_try"]
_copy = metadata.tables["room_copy"]
_line = metadata.tables["backfill_meeting"]

_HOLDING = tuple(status.value for status in BLOCKING_STATUSES)


class Retention:
    """Removes personal data that is old enough."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, before: datetime, *, at_once: int = AT_ONCE) -> int:
        """Anonymise the loans that ended before *before*, and forget what else is older; return how many loans.

        *at_once*: loans per transaction.
        A loan that still holds its things is not over, however old: somebody has them.
        """
        done = 0
        while True:
            with self._database.write() as transaction:
                numbers = _old_loans(transaction, before, at_once)
                anonymise_loans(transaction, numbers, reason=RETENTION, note=Note("anonymised", actor="clock"))
            done += len(numbers)
            if len(numbers) < at_once:
                break
        with self._database.write() as transaction:
            _forget_old(transaction.connection, before, copies_before=min(before, transaction.now - COPIES_KEPT))
        return done


def nobody(transaction: Transaction) -> int:
    """Return the person that stands for nobody."""
    return keep_person(transaction.connection, NOBODY)


def anonymise_loans(transaction: Transaction, numbers: Sequence[int], *, reason: str, note: Note) -> None:
    """Take the people out of loans that are over; *note* is the one line of history each keeps."""
    if not numbers:
        return
    connection = transaction.connection
    mine = _loan.c.number.in_(numbers)
    rows = connection.execute(select(_loan.c.person_id, _loan.c.series).where(mine)).all()
    of_nobody = nobody(transaction)
    connection.execute(
        update(_loan)
        .where(mine)
        .values(
            person_id=of_nobody,
            title="",
            notes="",
            private=False,
            version=_loan.c.version + 1,
            changed_at=transaction.now,
        )
    )
    connection.execute(
        update(_link)
        .where(_link.c.loan_number.in_(numbers))
        .values(state="ended", base={}, organizer_mailbox=None, organizer_event_id=None, web_link=None, hold=None)
    )
    for table in (_decision, _case, _invitation, _own_entry):
        connection.execute(delete(table).where(table.c.loan_number.in_(numbers)))
    connection.execute(update(_line).where(_line.c.loan_number.in_(numbers)).values(organizer="", facts={}, before={}))
    forget_messages(transaction, _outbox.c.loan_number.in_(numbers))
    _forget_series(connection, {int(row.series) for row in rows if row.series is not None}, of_nobody)
    forget_people(connection, {row.person_id for row in rows} - {of_nobody})
    for number in numbers:
        transaction.changes.note(LOAN, number, Event.UPDATED, reason=reason)
        write_decisions(transaction, [note], loan_number=number, ical_uid=None)


def forget_messages(transaction: Transaction, which: ColumnElement[bool]) -> None:
    """Forget messages of the outbox with their tries; one that may be on its way is emptied and never sent again."""
    connection, waiting = transaction.connection, _outbox.c.state == MessageState.WAITING.value
    gone = and_(which, ~waiting, _outbox.c.body != "")
    connection.execute(delete(_try).where(_try.c.outbox_id.in_(select(_outbox.c.id).where(gone))))
    connection.execute(delete(_outbox).where(gone))
    connection.execute(
        update(_outbox)
        .where(which, waiting)
        .values(
            state=MessageState.DROPPED.value,
            body="",
            receiver=case((_outbox.c.channel == "mail", NOBODY.address), else_=_outbox.c.receiver),
            due_at=None,
            ended_at=transaction.now,
        )
    )


def forget_people(connection: Connection, people: Collection[int]) -> None:
    """Forget those of *people* that no loan is for any more."""
    if not people:
        return
    idle = and_(_person.c.id.in_(people), ~exists().where(_loan.c.person_id == _person.c.id))
    for table in (_alias, _details):
        connection.execute(delete(table).where(table.c.person_id.in_(select(_person.c.id).where(idle))))
    connection.execute(delete(_person).where(idle))


def _old_loans(transaction: Transaction, before: datetime, most: int) -> list[int]:
    old = and_(
        _loan.c.end_at < before,
        _loan.c.status.not_in(_HOLDING),
        _loan.c.person_id.not_in(select(_person.c.id).where(_person.c.address_folded == NOBODY.address)),
    )
    statement = select(_loan.c.number).where(old).order_by(_loan.c.number).limit(most)
    return list(transaction.connection.execute(statement).scalars())


def _forget_series(connection: Connection, series: Collection[int], nobody_id: int) -> None:
    """Forget what series are about that have no loan left of anybody."""
    if not series:
        return
    named = exists().where(_loan.c.series == cast(_series.c.id, String), _loan.c.person_id != nobody_id)
    connection.execute(
        update(_series)
        .where(_series.c.id.in_(series), ~named)
        .values(title="", organizer_mailbox=None, organizer_event_id=None, web_link=None)
    )


def _forget_old(connection: Connection, before: datetime, *, copies_before: datetime) -> None:
    """Forget old copies of meetings, what was decided about them, settled cases, details of people whose loans went to
    others, and who did what."""
    connection.execute(delete(_copy).where(_copy.c.end_at < copies_before))
    connection.execute(
        delete(_decision).where(
            _decision.c.at < before, _decision.c.loan_number.is_(None), _decision.c.ical_uid.is_not(None)
        )
    )
    connection.execute(delete(_case).where(_case.c.state == "closed", _case.c.closed_at < before))
    without_loan = ~exists().where(_loan.c.person_id == _details.c.person_id)
    connection.execute(delete(_details).where(_details.c.changed_at < before, without_loan))
    connection.execute(
        update(_decision)
        .where(_decision.c.at < before, _decision.c.actor.like("app:%"), _decision.c.actor != NO_ACTOR)
        .values(actor=NO_ACTOR)
    )
    connection.execute(update(_line).where(_line.c.end_at < before).values(organizer="", facts={}, before={}))

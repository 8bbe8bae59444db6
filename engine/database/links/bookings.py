"""Links and intents as rows, and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, case, select, update

from engine.database.links.codec import parse_base, parse_draft, render_base
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import EventId, ICalUid, LoanNumber
from engine.reconcile.ledger import Intent, IntentKind, Link
from engine.rooms.event import EventCopy

link_table = metadata.tables["link"]
intent_table = metadata.tables["intent"]
copy_table = metadata.tables["room_copy"]

_LINK_OF_MEETING = Prepared(select(link_table).where(link_table.c.ical_uid == bindparam("key")))
_LINK_OF_LOAN = Prepared(
    select(link_table)
    .where(link_table.c.loan_number == bindparam("key"))
    .order_by(link_table.c.generation.desc())
    .limit(1)
)
NEWEST_LINKS = Prepared(
    select(link_table)
    .where(link_table.c.loan_number.in_(bindparam("numbers", expanding=True)))
    .order_by(link_table.c.generation)
)
"""All links of loans, the newest of each last."""
ADD_LINK = Prepared(link_table.insert())
_CHANGE_LINK = Prepared(
    update(link_table).where(
        link_table.c.loan_number == bindparam("of_number"), link_table.c.generation == bindparam("of_generation")
    )
)

_INTENTS = Prepared(
    select(intent_table, link_table.c.ical_uid)
    .join(
        link_table,
        (link_table.c.loan_number == intent_table.c.loan_number)
        & (link_table.c.generation == intent_table.c.generation),
    )
    .where(intent_table.c.loan_number == bindparam("number"))
    .order_by(intent_table.c.id)
)


def load_link(connection: Connection, kind: str, key: str) -> tuple[int, Link] | None:
    """Return loan number and link: of the newest generation for a loan key, of that very meeting for a meeting key."""
    if kind == "meeting":
        row = _LINK_OF_MEETING.run(connection, {"key": key}).first()
    else:
        row = _LINK_OF_LOAN.run(connection, {"key": int(key)}).first()
    return (row.loan_number, read_link(row)) if row is not None else None


def read_link(row: Any) -> Link:
    return Link(
        generation=row.generation,
        state=row.state,
        base=parse_base(row.base),
        ical_uid=ICalUid(row.ical_uid) if row.ical_uid else None,
        mailbox=row.organizer_mailbox,
        event_id=EventId(row.organizer_event_id) if row.organizer_event_id else None,
        etag=row.organizer_etag,
        written_at=row.written_at,
        asked_at=row.asked_at,
        checked_at=row.checked_at,
        hold=row.hold,
        refused=row.refused,
        freed=row.freed,
    )


def change_link(transaction: Transaction, number: LoanNumber, generation: int, **values: object) -> None:
    """Set *values*, by the names of their columns, in what links one generation of a loan to its event."""
    which = {"of_number": number, "of_generation": generation}
    _CHANGE_LINK.run(transaction.connection, {**which, **values})


def load_intents(connection: Connection, number: LoanNumber) -> tuple[Intent, ...]:
    """Return the open writes of a loan, in the order they were decided."""
    return tuple(read_intent(row) for row in _INTENTS.run(connection, {"number": number}))


def read_intent(row: Any) -> Intent:
    return Intent(
        id=row.id,
        kind=IntentKind(row.kind),
        loan_number=LoanNumber(row.loan_number),
        generation=row.generation,
        mailbox=row.mailbox,
        event_id=EventId(row.event_id) if row.event_id else None,
        etag=row.etag,
        draft=parse_draft(row.payload),
        base=parse_base(row.base),
        told=row.told,
        ical_uid=ICalUid(row.ical_uid) if row.ical_uid else None,
        loan_version=row.loan_version,
        unsent_since=row.unsent_since,
    )


def finish_change(transaction: Transaction, intent: Intent, copy: EventCopy) -> None:
    """Store the outcome of a create or change. The base is what we sent, never what came back."""
    values = {
        "of_number": intent.loan_number,
        "of_generation": intent.generation,
        "uid": copy.ical_uid if intent.kind is IntentKind.CREATE else intent.ical_uid,
        "mailbox": intent.mailbox,
        "event": copy.event_id,
        "new_etag": copy.etag,
        "new_base": render_base(intent.base),
        "now": transaction.now,
        "link": copy.web_link,
    }
    _FINISHED.run(transaction.connection, values)


def _after_write(state: Any) -> Any:
    """Return the state after a write: an ended link stays ended, whatever still comes in for it."""
    return case((state == "pending", "linked"), else_=state)


_c = link_table.c
_FINISHED = Prepared(
    update(link_table)
    .where(_c.loan_number == bindparam("of_number"), _c.generation == bindparam("of_generation"))
    .values(
        state=_after_write(_c.state),
        ical_uid=bindparam("uid"),
        organizer_mailbox=bindparam("mailbox"),
        organizer_event_id=bindparam("event"),
        organizer_etag=bindparam("new_etag"),
        base=bindparam("new_base", type_=_c.base.type),
        written_at=bindparam("now", type_=_c.written_at.type),
        asked_at=bindparam("now", type_=_c.asked_at.type),
        checked_at=None,
        web_link=bindparam("link"),
    )
)

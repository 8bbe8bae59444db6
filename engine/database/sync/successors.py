"""Events of ours of which the store knows only what was there before: it is a backup that was restored.

Whoever was given a loan since, or whatever else had its event made anew, left another event in its place, with a marker
that names the loan. What became of the one we know is no end of the loan then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, or_, select

from engine.database.cases.records import write_decisions
from engine.database.links.bookings import ADD_LINK, change_link, load_intents, load_link
from engine.database.links.codec import render_base
from engine.database.loans.rows import load_loan
from engine.database.mirror.mirror import copy_table
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.database.work.wakes import ask_organizers
from engine.ids import BookableId, LoanNumber, fold_address
from engine.reconcile.ledger import Booking, Link
from engine.reconcile.markers import Marker, name_birth
from engine.reconcile.told import FOUND_AGAIN, tell_done
from engine.rooms.event import EventCopy
from engine.rooms.room import RoomState

room_table = metadata.tables["room"]
work_table = metadata.tables["work"]

HEARING = timedelta(minutes=2)
"""How long after the start an end is doubted: by then every room was read that can be."""
LAG = timedelta(seconds=30)
"""How long a calendar may not list yet what happened in it (Graph docs: delta-query-overview, processing delays)."""
LOOK_SECONDS = 1.0

_UNREAD = Prepared(
    select(room_table.c.id).where(
        room_table.c.id.in_(bindparam("rooms", expanding=True)),
        room_table.c.state == RoomState.ACTIVE.value,
        or_(room_table.c.read_at.is_(None), room_table.c.read_at < bindparam("since", type_=Instant())),
    )
)
_NEWS = Prepared(
    select(copy_table.c.ical_uid)
    .join(work_table, (work_table.c.kind == "meeting") & (work_table.c.key == copy_table.c.ical_uid))
    .where(
        copy_table.c.room_id.in_(bindparam("rooms", expanding=True)),
        copy_table.c.live,
        or_(work_table.c.ready_at.is_not(None), work_table.c.lease_owner.is_not(None)),
    )
    .limit(1)
)
_CHANGED = Prepared(
    select(copy_table.c.ical_uid)
    .where(copy_table.c.ical_uid == bindparam("uid"), copy_table.c.modified_at >= bindparam("since", type_=Instant()))
    .limit(1)
)


def find_outdated(connection: Connection, marker: Marker) -> Link | None:
    """Return what a loan that lives is tied to, where the marker is of a later event of this very loan."""
    loan, found = load_loan(connection, marker.number), load_link(connection, "loan", str(marker.number))
    if loan is None or loan.made_at is None or not loan.blocks or found is None:
        return None
    link = found[1]
    is_later = marker.birth == name_birth(loan.made_at) and marker.generation > link.generation
    return link if is_later and link.state == "linked" and not load_intents(connection, loan.number) else None


def tie_successor(transaction: Transaction, marker: Marker, copy: EventCopy) -> bool:
    """Tie a loan to a later event of its own than we know; tell whether there still is such a loan."""
    connection = transaction.connection
    link = find_outdated(connection, marker)
    if link is None or copy.organizer is None:
        return False
    number = LoanNumber(marker.number)
    change_link(transaction, number, link.generation, state="ended")
    ADD_LINK.run(
        connection,
        {
            "loan_number": number,
            "generation": marker.generation,
            "state": "linked",
            "ical_uid": copy.ical_uid,
            "organizer_mailbox": fold_address(copy.organizer.address),
            "organizer_event_id": copy.event_id,
            "organizer_etag": copy.etag,
            "base": render_base(link.base),
            "written_at": transaction.now,
            "web_link": copy.web_link,
        },
    )
    write_decisions(transaction, [tell_done(FOUND_AGAIN)], loan_number=number, ical_uid=copy.ical_uid)
    transaction.mark("loan", str(number))
    return True


def seconds_until_heard(transaction: Transaction, booking: Booking, began_at: datetime) -> float:
    """Return how long to wait until the rooms of a booking were read since *began_at*, and what they brought was looked
    at; rooms that were not are marked. The organizer's copy is asked for again then, whatever they brought. Unless its
    event was there after the start, another may have had its place just before: rooms are read once none can lag."""
    link, loan = booking.link, booking.loan
    if loan is None or link is None or link.base is None:
        return 0.0
    if not began_at <= transaction.now <= began_at + HEARING:
        return 0.0  # before it, too: a clock that was set back would have everything wait for as long
    since = began_at if _was_there(transaction, link, began_at) else began_at + LAG
    seconds = (since - transaction.now).total_seconds()
    if seconds <= 0 and not _has_news(transaction, sorted(link.base.outlook.rooms), since=since):
        return 0.0
    ask_organizers(transaction, [loan.number])
    return max(seconds, LOOK_SECONDS)


def _was_there(transaction: Transaction, link: Link, at: datetime) -> bool:
    """Tell whether an event was written then or later, or a room tells that it was changed."""
    if link.written_at is not None and link.written_at >= at:
        return True
    return _CHANGED.run(transaction.connection, {"uid": link.ical_uid, "since": at}).first() is not None


def _has_news(transaction: Transaction, rooms: list[BookableId], *, since: datetime) -> bool:
    """Tell whether *rooms* are still to be read, which marks them, or what they brought is still to be looked at."""
    unread = list(_UNREAD.run(transaction.connection, {"rooms": rooms, "since": since}).scalars())
    for room in unread:
        transaction.mark("room", str(room))
    return bool(unread) or _NEWS.run(transaction.connection, {"rooms": rooms}).first() is not None

"""Rooms that still show an event which another is to take the place of: asked before they let go of it, they decline.

The end of an event and the request for its successor are two mails: nothing says which of them a room deals with first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import bindparam, select

from engine.database.rooms.mirror import copy_table, link_table
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables.types import Instant
from engine.ids import BookableId, LoanNumber

FREEING = timedelta(seconds=30)
"""How long after its end an event is waited for to leave its rooms: they take seconds. One of which no more was heard
by then is asked all the same."""
LOOK_SECONDS = 0.5

_SHOWN = Prepared(
    select(copy_table.c.event_id)
    .join(link_table, link_table.c.ical_uid == copy_table.c.ical_uid)
    .where(
        link_table.c.loan_number.in_(bindparam("numbers", expanding=True)),
        link_table.c.state == "ended",
        link_table.c.written_at > bindparam("since", type_=Instant()),
        link_table.c.written_at <= bindparam("now", type_=Instant()),
        copy_table.c.room_id.in_(bindparam("rooms", expanding=True)),
        copy_table.c.live,
        ~copy_table.c.doubt,
    )
    .limit(1)
)


def are_being_freed(transaction: Transaction, numbers: Iterable[LoanNumber], rooms: Iterable[BookableId]) -> bool:
    """Tell whether any of *rooms* still shows an event of one of these loans that we have just ended."""
    now = transaction.now
    values = {"numbers": sorted(numbers), "rooms": sorted(rooms), "since": now - FREEING, "now": now}
    return _SHOWN.run(transaction.connection, values).first() is not None

"""What rooms have of events of ours that have ended: `reconcile/freeing.py` says what that means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from typing import Any

from sqlalchemy import and_, bindparam, select

from engine.database.links.codec import parse_base
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.ids import BookableId, ICalUid, LoanNumber
from engine.reconcile.freeing import FREEING, Former, judge_rooms
from engine.rooms.series import split_key

copy_table = metadata.tables["room_copy"]
link_table = metadata.tables["link"]
room_table = metadata.tables["room"]

_FORMER = Prepared(
    select(
        link_table.c.ical_uid,
        link_table.c.base,
        link_table.c.written_at,
        copy_table.c.room_id,
        and_(copy_table.c.live, ~copy_table.c.doubt).label("is_showing"),
    )
    .join(copy_table, copy_table.c.ical_uid == link_table.c.ical_uid, isouter=True)
    .where(
        link_table.c.loan_number.in_(bindparam("numbers", expanding=True)),
        link_table.c.state == "ended",
        link_table.c.ical_uid.is_not(None),
        link_table.c.written_at > bindparam("since", type_=Instant()),
    )
)


_READ_AT = Prepared(
    select(room_table.c.id, room_table.c.read_at).where(
        room_table.c.id.in_(bindparam("rooms", expanding=True)), room_table.c.read_at.is_not(None)
    )
)


def await_rooms(transaction: Transaction, numbers: Iterable[LoanNumber], rooms: Set[BookableId]) -> bool:
    """Tell whether *rooms* are waited for, which are asked for these loans anew; those that are to be read are
    marked."""
    former, now = _load_former(transaction, numbers), transaction.now
    if not former:
        return False
    rows = _READ_AT.run(transaction.connection, {"rooms": sorted(rooms)})
    found = judge_rooms(rooms, former, {BookableId(row.id): row.read_at for row in rows}, now=now)
    for room, at in found.to_read.items():
        transaction.mark("room", str(room), delay=(at - now).total_seconds())
    return found.is_awaited


def _load_former(transaction: Transaction, numbers: Iterable[LoanNumber]) -> list[Former]:
    """Return the former events of these loans that ended a moment ago."""
    values = {"numbers": sorted(numbers), "since": transaction.now - FREEING}
    events = defaultdict(list)
    for row in _FORMER.run(transaction.connection, values):
        events[row.ical_uid].append(row)
    return [_read(key, rows) for key, rows in events.items()]


def _read(key: str, rows: Sequence[Any]) -> Former:
    """Return the former event that *key* names; a row for each copy of it that a room has shown, or one without."""
    base, date_of = parse_base(rows[0].base), split_key(key)
    return Former(
        uid=date_of[0] if date_of is not None else ICalUid(key),
        ended_at=rows[0].written_at,
        asked=base.outlook.rooms if base is not None else frozenset(),
        heard=frozenset(BookableId(row.room_id) for row in rows if row.room_id is not None),
        showing=frozenset(BookableId(row.room_id) for row in rows if row.is_showing),
    )

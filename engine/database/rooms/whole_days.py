"""Whole days float: when a room is given another zone, its all-day copies begin and end at other instants."""

from __future__ import annotations

from datetime import tzinfo

from sqlalchemy import bindparam, select, update

from engine.database.rooms.copies import decode_copy
from engine.database.sql.marks import Priority
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.work.meeting_marks import MeetingMarks
from engine.ids import BookableId
from engine.reconcile.observe import resolve_interval

copy_table = metadata.tables["room_copy"]

_SHIFT = (
    update(copy_table)
    .where(copy_table.c.room_id == bindparam("of_room"), copy_table.c.event_id == bindparam("of_event"))
    .values(start_at=bindparam("start"), end_at=bindparam("end"))
)


def shift_whole_days(transaction: Transaction, room_id: BookableId, zone: tzinfo) -> int:
    """Move a room's all-day copies to the midnights of *zone* and mark their bookings; returns how many moved."""
    columns = copy_table.c.event_id, copy_table.c.payload, copy_table.c.ical_uid, copy_table.c.listed
    held = transaction.connection.execute(
        select(*columns).where(copy_table.c.room_id == room_id, copy_table.c.start_at.is_not(None), ~copy_table.c.gone)
    ).all()
    moved, uids = [], set()
    for row in held:
        copy = decode_copy(row.payload) if row.payload else None
        interval = resolve_interval(copy, zone) if copy is not None and copy.all_day is not None else None
        if interval is not None:
            moved.append({"of_room": room_id, "of_event": row.event_id, "start": interval.start, "end": interval.end})
            uids.update([row.ical_uid] if row.ical_uid and not row.listed else [])
    if moved:
        transaction.connection.execute(_SHIFT, moved)
    MeetingMarks(transaction, priority=Priority.LIVE).mark(uids)
    return len(moved)

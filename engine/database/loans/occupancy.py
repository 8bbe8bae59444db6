"""What holds an item at a time: our loans, and meetings of which no loan has that room.

Looking is a courtesy, for the sake of a good answer: the guard has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, exists, or_, select

from engine.database.sql.prepared import Prepared
from engine.database.stores.catalogue import Item
from engine.database.tables import metadata
from engine.errors import Clash
from engine.ids import BookableId, LoanNumber
from engine.interval import Interval
from engine.loans.register import Busy

item_table = metadata.tables["loan_item"]
copy_table = metadata.tables["room_copy"]
link_table = metadata.tables["link"]

_ids: ColumnElement[Any] = bindparam("ids", expanding=True)
_start, _end = (
    bindparam("start", type_=item_table.c.blocked_end.type),
    bindparam("end", type_=item_table.c.blocked_end.type),
)
_apart: ColumnElement[Any] = bindparam("apart")

_LOANS = Prepared(
    select(item_table.c.bookable_id, item_table.c.blocked_start, item_table.c.blocked_end, item_table.c.loan_number)
    .where(
        item_table.c.bookable_id.in_(_ids),
        item_table.c.holds,
        item_table.c.blocked_end > _start,
        item_table.c.blocked_start < _end,
        item_table.c.loan_number != _apart,
    )
    .order_by(item_table.c.blocked_start, item_table.c.bookable_id)
)


def is_in_its_loan(*, apart: ColumnElement[Any] | None = None) -> ColumnElement[bool]:
    """
    Return whether a room's copy is one of a loan that has that room, whatever became of the room there: the desk may
    have taken it out or moved it, and Outlook not heard yet. A copy that is not so takes its room by itself.

    Args:
        apart: a loan whose meeting counts as in it wherever it shows.
    """
    has_room = (
        exists()
        .where(item_table.c.loan_number == link_table.c.loan_number)
        .where(item_table.c.bookable_id == copy_table.c.room_id)
        .correlate(link_table, copy_table)
    )
    is_meant = has_room if apart is None else or_(link_table.c.loan_number == apart, has_room)
    return exists().where(link_table.c.ical_uid == copy_table.c.ical_uid).where(is_meant)


_MEETINGS = Prepared(
    select(copy_table.c.room_id, copy_table.c.start_at, copy_table.c.end_at)
    .where(
        copy_table.c.room_id.in_(_ids),
        copy_table.c.live,
        copy_table.c.end_at > _start,
        copy_table.c.start_at < _end,
        copy_table.c.start_at < copy_table.c.end_at,
        ~is_in_its_loan(apart=_apart),
    )
    .order_by(copy_table.c.start_at, copy_table.c.room_id)
)


def find_busy(
    connection: Connection, item_ids: Sequence[int], interval: Interval, *, apart: int | None = None
) -> list[Busy]:
    """
    Return every stretch on the grid in which one of the items is taken within *interval*: by a loan, by a meeting that
    only Outlook knows, or by one of a loan that its organizer just gave this room, too.

    Args:
        item_ids: rooms and assets.
        interval: exact or blocked; what it blocks is looked at.
        apart: the loan whose own items and meeting do not count.
    """
    busy = find_held(connection, item_ids, interval, apart=apart)
    if item_ids:
        meetings = _MEETINGS.run(connection, {**_within(item_ids, interval), "apart": apart or 0})
        busy += [Busy(BookableId(row[0]), Interval(row[1], row[2]).blocked()) for row in meetings]
    return busy


def find_held(
    connection: Connection, item_ids: Sequence[int], interval: Interval, *, apart: int | None = None
) -> list[Busy]:
    """Return what loans hold of the items: as `find_busy`, without the meetings."""
    if not item_ids:
        return []
    loans = _LOANS.run(connection, {**_within(item_ids, interval), "apart": apart or 0})
    return [Busy(BookableId(row[0]), Interval(row[1], row[2]), LoanNumber(row[3])) for row in loans]


def _within(item_ids: Sequence[int], interval: Interval) -> dict[str, Any]:
    blocked = interval.blocked()
    return {"ids": list(item_ids), "start": blocked.start, "end": blocked.end}


def find_clashes(
    connection: Connection, items: Mapping[int, Item], interval: Interval, *, apart: int | None = None
) -> list[Clash]:
    """Return what stands in the way of booking *items* over *interval*, as the errors tell it."""
    return [
        Clash(busy.item_id, items[busy.item_id].name, busy.interval.start, busy.interval.end, busy.loan_number)
        for busy in find_busy(connection, sorted(items), interval, apart=apart)
    ]

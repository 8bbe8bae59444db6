"""What the nightly comparison asks of the mirror and the loans, and what it found, room by room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.database.cases.records import close_case_of, open_cases, write_decisions
from engine.database.loans.rows import item_table, loan_table
from engine.database.mirror.mirror import copy_table, link_table
from engine.database.series.dates import series_table
from engine.database.sql.connection import Database
from engine.database.sql.lists import is_any_of
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sync.ledger import SyncLedger
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.database.work.wakes import ask_organizers
from engine.ids import BookableId
from engine.interval import Interval
from engine.loans.status import BLOCKING_STATUSES, ItemState
from engine.reconcile.actions import Note
from engine.rooms.calendar import ChangesPage
from engine.rooms.event import EventCopy, EventRemoved, read_change

comparison_table = metadata.tables["comparison"]
work_table = metadata.tables["work"]

_now = bindparam("now", type_=Instant())
_ETAGS = Prepared(
    select(copy_table.c.event_id, copy_table.c.etag).where(
        copy_table.c.room_id == bindparam("room"), is_any_of(copy_table.c.event_id, "ids")
    )
)
_UNSEEN = (
    select(func.count())
    .select_from(copy_table)
    .where(
        copy_table.c.room_id == bindparam("room"),
        copy_table.c.live,
        copy_table.c.doubt,
        copy_table.c.reading < bindparam("reading"),
        copy_table.c.end_at > _now,
    )
)
_WAITS = select(func.count()).where(
    work_table.c.kind == bindparam("of_kind"),
    work_table.c.key == bindparam("of_key"),
    work_table.c.ready_at.is_not(None),
)  # fmt: skip
_other = item_table.alias("other_item")
_said_no = exists().where(_other.c.loan_number == link_table.c.loan_number, _other.c.state == ItemState.DECLINED.value)
_TO_CHECK = (
    select(link_table.c.loan_number, loan_table.c.series)
    .join(loan_table, loan_table.c.number == link_table.c.loan_number)
    .join(item_table, item_table.c.loan_number == link_table.c.loan_number)
    .where(
        item_table.c.bookable_id == bindparam("room"),
        item_table.c.state != ItemState.CANCELLED.value,
        link_table.c.state == "linked",
        loan_table.c.status.in_([status.value for status in sorted(BLOCKING_STATUSES)]),
        loan_table.c.end_at > _now,
    )
    .order_by(
        case((_said_no, 0), else_=1),
        link_table.c.checked_at.asc().nulls_first(),
        loan_table.c.start_at,
        link_table.c.loan_number,
    )
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the last comparison of a room found, and all of them together."""

    compared_at: datetime
    copies: int
    bookings: int
    copies_total: int
    bookings_total: int


class ComparisonStore:
    """Each method is one short transaction."""

    def __init__(self, database: Database, ledger: SyncLedger) -> None:
        self._database = database
        self.bookings_of = ledger.bookings_of

    def is_waiting(self, kind: str, key: str) -> bool:
        """Tell whether a key is marked, running or backing off: what it needs is on its way."""
        with self._database.read() as transaction:
            values = {"of_kind": kind, "of_key": key}
            return bool(transaction.connection.execute(_WAITS, values).scalar_one())

    def count_news(self, room_id: BookableId, page: ChangesPage, *, window: Interval, before: datetime) -> int:
        """
        Return how many items of *page* are not as the mirror holds them.

        Args:
            window: what was followed until now; what only comes into sight is no drift.
            before: what was changed since then is being announced at this moment.
        """
        shown = {each.event_id: each for each in page.changes if not isinstance(each, EventRemoved)}
        if not shown:
            return 0
        with self._database.read() as transaction:
            rows = _ETAGS.run(transaction.connection, {"room": room_id, "ids": list(shown)})
            held = {row.event_id: row.etag for row in rows}
        others = [read_change(each) for event_id, each in shown.items() if held.get(event_id) != each.etag]
        return sum(
            change.event_id in held or (change.interval is not None and change.interval.overlaps(window))
            for change in others
            if not isinstance(change, EventRemoved) and not _is_fresh(change, before)
        )

    def count_unseen(self, room_id: BookableId, *, reading: int) -> int:
        """Return how many copies to come the *reading* did not show, although nothing had said that they are gone."""
        with self._database.read() as transaction:
            values = {"room": room_id, "reading": reading, "now": transaction.now}
            return int(transaction.connection.execute(_UNSEEN, values).scalar_one())

    def mark(self, kind: str, key: str, *, priority: int) -> None:
        with self._database.write() as transaction:
            transaction.mark(kind, key, priority=Priority(priority))

    def order_checks(self, room_id: BookableId, *, most: int, priority: int) -> int:
        """
        Let the organizers' copies of some bookings of a room be read; returns how many.

        Those with a room that said no come first, since nobody hears when it is uninvited; then those that were not
        asked for the longest time, for titles and privacy, of which rooms' copies say nothing.
        """
        with self._database.write() as transaction:
            values = {"room": room_id, "most": most, "now": transaction.now}
            rows = transaction.connection.execute(_TO_CHECK, values).all()
            numbers = [row.loan_number for row in rows]
            ask_organizers(transaction, numbers)
            transaction.mark_all("loan", map(str, numbers), priority=Priority(priority))
            series = sorted({int(row.series) for row in rows if row.series})
            if series:
                shared = update(series_table).where(series_table.c.id.in_(series))
                transaction.connection.execute(shared.values(read_version=None))
        return len(rows)

    def save(self, room_id: BookableId, *, copies: int, bookings: int, tells: bool) -> None:
        """Keep what a comparison found. *tells*: anything at all opens a case, which closes when nothing is found."""
        with self._database.write() as transaction:
            self._count(transaction, room_id, copies, bookings)
            subject = f"compare:{room_id}"
            if not copies and not bookings:
                close_case_of(transaction, subject, "drift_found")
                return
            facts = {"item_id": room_id, "copies": copies, "bookings": bookings}
            note = Note("drift_found", facts, actor="engine", room_id=room_id)
            write_decisions(transaction, [note], loan_number=None, ical_uid=None)
            if tells:
                open_cases(transaction, subject, [note], standing=True)

    def _count(self, transaction: Transaction, room_id: BookableId, copies: int, bookings: int) -> None:
        insert = (postgresql if self._database.dialect == "postgresql" else sqlite).insert(comparison_table)
        found = {"compared_at": transaction.now, "copies": copies, "bookings": bookings}
        kept = comparison_table.c
        statement = insert.on_conflict_do_update(
            index_elements=["room_id"],
            set_={
                **{name: insert.excluded[name] for name in found},
                "copies_total": kept.copies_total + insert.excluded.copies,
                "bookings_total": kept.bookings_total + insert.excluded.bookings,
            },
        )
        totals = {"copies_total": copies, "bookings_total": bookings}
        transaction.connection.execute(statement, {"room_id": room_id, **found, **totals})

    def load_all(self) -> Mapping[int, Comparison]:
        """Return what was found, by room; rooms that were never compared are absent."""
        with self._database.read() as transaction:
            rows: Sequence[Any] = transaction.connection.execute(select(comparison_table)).all()
        return {
            row.room_id: Comparison(row.compared_at, row.copies, row.bookings, row.copies_total, row.bookings_total)
            for row in rows
        }

    def mark_rooms(self, rooms: Sequence[BookableId], *, spread_seconds: float) -> int:
        """Mark rooms to be compared, evenly over *spread_seconds*; returns how many."""
        with self._database.write() as transaction:
            for position, room_id in enumerate(rooms):
                delay = spread_seconds * position / len(rooms)
                transaction.mark("compare", str(room_id), priority=Priority.SWEEP, delay=delay)
        return len(rooms)


def _is_fresh(change: Any, before: datetime) -> bool:
    return isinstance(change, EventCopy) and change.modified_at is not None and change.modified_at >= before

"""What the judges look at again and again: the tables themselves, in few statements that are compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import (
    Boolean,
    Integer,
    Text,
    bindparam,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.interval import Interval
from engine.loans.status import BLOCKING_STATES, BLOCKING_STATUSES, ItemState
from engine.reconcile.freeing import FREEING
from engine.reconcile.series.writes import LED

_loan, _item, _link = metadata.tables["loan"], metadata.tables["loan_item"], metadata.tables["link"]
_work, _case = metadata.tables["work"], metadata.tables["case"]

_LOANS = Prepared(select(_loan.c.number, _loan.c.status.in_(sorted(BLOCKING_STATUSES)).label("blocks")))
_HELD = Prepared(
    select(_item.c.bookable_id, _loan.c.number, _loan.c.start_at, _loan.c.end_at)
    .join(_loan, _loan.c.number == _item.c.loan_number)
    .where(_loan.c.status.in_(sorted(BLOCKING_STATUSES)), _item.c.state.in_(sorted(BLOCKING_STATES)))
    .order_by(_item.c.bookable_id, _loan.c.start_at, _loan.c.number)
)
_DOUBLY_LINKED = Prepared(
    select(_link.c.ical_uid)
    .where(_link.c.state == "linked", _link.c.ical_uid.is_not(None), _link.c.ical_uid != "")
    .group_by(_link.c.ical_uid)
    .having(func.count() > 1)
)
_LINKS = Prepared(select(_link.c.loan_number, _link.c.ical_uid).order_by(_link.c.loan_number, _link.c.generation))
_LOAN_OF = Prepared(
    select(_link.c.loan_number).where(_link.c.ical_uid == bindparam("uid"), _link.c.state == "linked").limit(1)
)
_DUE = Prepared(
    select(_work.c.key)
    .where(
        _work.c.ready_at.is_not(None),
        or_(_work.c.lease_owner.is_not(None), _work.c.ready_at <= bindparam("now", type_=Instant())),
    )
    .limit(1)
)
_LAST_LOOK = Prepared(
    select(func.max(_work.c.ready_at))
    .select_from(_work)
    .join(_item, cast(_item.c.loan_number, Text) == _work.c.key)
    .where(_work.c.kind == "loan", _work.c.parked_at.is_(None), _item.c.state == ItemState.REQUESTED.value)
)
_former = _link.alias("former")
_AWAITING = Prepared(
    select(_link.c.loan_number)
    .join(_former, _former.c.loan_number == _link.c.loan_number)
    .where(_link.c.state.in_(("pending", LED)), _former.c.state == "ended")
    .where(_former.c.written_at > bindparam("since", type_=Instant()))
    .limit(1)
)
_CODES = Prepared(select(_case.c.code).where(_case.c.loan_number == bindparam("of_number")))


_NO_TEXT = (Boolean, Instant, Integer)


@dataclass(frozen=True, slots=True)
class Glance:
    """The loans at one instant."""

    blocks: Mapping[int, bool]
    """Of each loan, by number, whether its status still holds its items."""
    held: tuple[tuple[int, int, Interval], ...]
    """What is held: an item, the loan that holds it, and the time it blocks; by item and start."""
    doubly_linked: tuple[str, ...]
    """Meetings that have two loans."""

    def find_overlap(self) -> tuple[int, int, int] | None:
        """Return an item that two loans hold at once, and these; None where there is none."""
        at, until, holder = None, None, 0
        for item, loan, interval in self.held:
            if item != at or until is None:
                at, until, holder = item, interval.end, loan
            elif interval.start < until:
                return item, holder, loan
            elif interval.end > until:
                until, holder = interval.end, loan
        return None


def look(database: Database) -> Glance:
    """Look at every loan."""
    with database.read() as transaction:
        connection = transaction.connection
        return Glance(
            {row.number: bool(row.blocks) for row in _LOANS.run(connection)},
            tuple(
                (row.bookable_id, row.number, Interval(row.start_at, row.end_at).blocked())
                for row in _HELD.run(connection)
            ),
            tuple(_DOUBLY_LINKED.run(connection).scalars()),
        )


def meetings_of_loans(database: Database) -> dict[int, str | None]:
    """Return the meeting of each loan: of its newest generation."""
    with database.read() as transaction:
        return {row.loan_number: row.ical_uid for row in _LINKS.run(transaction.connection)}


def loan_of(database: Database, ical_uid: str) -> int | None:
    """Return the loan that a meeting is linked to."""
    with database.read() as transaction:
        found = _LOAN_OF.run(transaction.connection, {"uid": ical_uid}).scalar()
    return None if found is None else int(found)


def is_work_due(database: Database) -> bool:
    """Tell whether a key waits for a pass right now, or is in one."""
    with database.read() as transaction:
        return _DUE.run(transaction.connection, {"now": transaction.now}).first() is not None


def seconds_to_last_look(database: Database) -> float:
    """Return in how long every loan that waits for a room, which may never answer, has been looked at once more."""
    with database.read() as transaction:
        last: datetime | None = _LAST_LOOK.run(transaction.connection).scalar()
        return 0.0 if last is None else max(0.0, (last - transaction.now).total_seconds())


def are_rooms_awaited(database: Database) -> bool:
    """Tell whether an event is still to be made that waits for its rooms to let go of the one it takes the place of."""
    with database.read() as transaction:
        return _AWAITING.run(transaction.connection, {"since": transaction.now - FREEING}).first() is not None


def codes_of(database: Database, number: int) -> set[str]:
    """Return of what kinds the cases of a loan are, closed ones included."""
    with database.read() as transaction:
        return set(_CODES.run(transaction.connection, {"of_number": number}).scalars())


def find_text(database: Database, wanted: str) -> list[str]:
    """Return the columns of the database in which *wanted* stands somewhere."""
    found: set[str] = set()
    with database.read() as transaction:
        tables = _tables_with(database.dialect).run(transaction.connection, {"wanted": wanted}).scalars()
        for name in tables:
            for row in transaction.connection.execute(select(metadata.tables[name])).mappings():
                found |= {f"{name}.{column}" for column, value in row.items() if wanted in str(value)}
    return sorted(found)


@cache
def _tables_with(dialect: str) -> Prepared:
    """Return what names the tables in which a text stands somewhere."""
    place_in = func.strpos if dialect == "postgresql" else func.instr
    wanted = bindparam("wanted", type_=Text())
    texts = {
        table: [each for each in table.c if not isinstance(each.type, _NO_TEXT)] for table in metadata.sorted_tables
    }
    return Prepared(
        union_all(
            *(
                select(literal(table.name).label("name")).where(
                    exists()
                    .select_from(table)
                    .where(or_(*(place_in(cast(each, Text), wanted) > 0 for each in columns)))
                )
                for table, columns in texts.items()
                if columns
            )
        )
    )

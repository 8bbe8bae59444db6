"""Brings in what was too far ahead for the view's dates, once time, or another setting, has them reach it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, select, true

from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.database.tables import metadata
from engine.loans.status import BLOCKING_STATUSES
from engine.reconcile.dates import Dates, Outside

_loan, _link, _copy = metadata.tables["loan"], metadata.tables["link"], metadata.tables["room_copy"]
_decision, _case = metadata.tables["decision"], metadata.tables["case"]


def mark_reached(database: Database, dates: Dates) -> int:
    """Mark every booking that was told to be beyond the view's dates, and is not any more; return how many."""
    with database.read() as transaction:
        reach = dates.reach(transaction.now)
        found = [
            *(("loan", str(number)) for number in _loans(transaction.connection, transaction.now, reach)),
            *(("meeting", uid) for uid in _meetings(transaction.connection, transaction.now, reach)),
        ]
    if found:
        with database.write() as transaction:
            for kind, key in found:
                transaction.mark(kind, key, priority=Priority.SWEEP)
    return len(found)


def _loans(connection: Connection, now: datetime, reach: datetime | None) -> Iterator[int]:
    told = exists().where(_decision.c.loan_number == _loan.c.number, _decision.c.code == Outside.BEYOND.value)
    yield from connection.execute(
        select(_loan.c.number).where(
            _loan.c.status.in_([status.value for status in BLOCKING_STATUSES]),
            _loan.c.end_at > now,
            _is_before(_loan.c.start_at, reach),
            ~exists().where(_link.c.loan_number == _loan.c.number),
            told,
        )
    ).scalars()


def _meetings(connection: Connection, now: datetime, reach: datetime | None) -> Iterator[str]:
    """Yield meetings without a loan that were told to be too far ahead. An open case says that they cannot come in."""
    rows = connection.execute(
        select(_copy.c.ical_uid, _decision.c.facts)
        .join(_decision, _decision.c.ical_uid == _copy.c.ical_uid)
        .where(
            _decision.c.loan_number.is_(None),
            _decision.c.code == "not_synced",
            _copy.c.live,
            ~_copy.c.listed,
            _copy.c.end_at > now,
            _is_before(_copy.c.start_at, reach),
            ~exists().where(_link.c.ical_uid == _copy.c.ical_uid),
            ~exists().where(_case.c.ical_uid == _copy.c.ical_uid, _case.c.state != "closed"),
        )
    )
    yield from sorted({row.ical_uid for row in rows if row.facts.get("reason") == Outside.BEYOND.value})


def _is_before(start: ColumnElement[datetime], reach: datetime | None) -> ColumnElement[bool]:
    return start < reach if reach is not None else true()

"""Series made in the app as rows: their dates, what links these to Outlook, and the writes about them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import bindparam, null, select, update

from engine.database.links.bookings import ADD_LINK, NEWEST_LINKS
from engine.database.links.codec import parse_base, render_recurrence
from engine.database.loans.rows import load_loans
from engine.database.series.codec import render_series_draft
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import ICalUid, LoanNumber
from engine.loans.recurrence import Recurrence
from engine.reconcile.series.writes import LED, LedDate, SeriesDraft, SeriesWrite, SeriesWriteKind
from engine.reconcile.views import Base
from engine.rooms.series import day_key, day_of

_series = metadata.tables["series"]
_write = metadata.tables["series_write"]
_link = metadata.tables["link"]
_loan = metadata.tables["loan"]

ONE_SERIES = Prepared(select(_series).where(_series.c.id == bindparam("of_id")))
_DATES = (
    select(_link)
    .join(_loan, _loan.c.number == _link.c.loan_number)
    .where(_loan.c.series == bindparam("of_series"))
    .order_by(_link.c.loan_number)
)
_LED_DATES = Prepared(_DATES.where(_link.c.state == LED))
LINKED_DATES = Prepared(_DATES.where(_link.c.state == "linked"))
"""The links of the dates that are tied to their series' event."""
_CHANGE = Prepared(update(_series).where(_series.c.id == bindparam("of_id")))
_ADD_WRITE = Prepared(_write.insert().returning(_write.c.id))
_FORGET = Prepared(
    _write.delete().where(_write.c.id == bindparam("of_id"), _write.c.series_id == bindparam("of_series"))
)
_of_numbers = _link.c.loan_number.in_(bindparam("numbers", expanding=True))
_LET_GO = Prepared(_link.delete().where(_of_numbers, _link.c.state == LED, _link.c.generation == 1))
_LET_GO_AGAIN = Prepared(update(_link).where(_of_numbers, _link.c.state == LED).values(state="ended", ical_uid=null()))
DATES_OF = Prepared(select(_loan.c.number).where(_loan.c.series == bindparam("series")).order_by(_loan.c.number))
"""The numbers of the loans that are the dates of a series."""
_VERSIONS = Prepared(
    select(_loan.c.number, _loan.c.version).where(_loan.c.number.in_(bindparam("numbers", expanding=True)))
)


def provisional_key(series_id: int, day: date) -> ICalUid:
    """Return what names a date until its series has an event, and so a uid."""
    return day_key(f"series-{series_id}", day)


def lead_dates(transaction: Transaction, series_id: int, dates: Iterable[tuple[LoanNumber, int, date]]) -> None:
    """Let the event of each date (loan, generation, day) come with its series."""
    rows = [
        {
            "loan_number": number,
            "generation": generation,
            "state": LED,
            "ical_uid": provisional_key(series_id, day),
            "base": {},
        }
        for number, generation, day in dates
    ]
    if rows:
        ADD_LINK.run(transaction.connection, rows)
        transaction.mark("series", str(series_id))


def load_led(transaction: Transaction, series_id: int) -> tuple[LedDate, ...]:
    """Return the dates whose event is to come with their series, with their loans."""
    rows = _LED_DATES.run(transaction.connection, {"of_series": str(series_id)}).all()
    loans = {loan.number: loan for loan in load_loans(transaction.connection, [row.loan_number for row in rows])}
    return tuple(
        LedDate(day, row.generation, loans[row.loan_number])
        for row in rows
        if (day := day_of(row.ical_uid)) is not None
    )


def let_go(transaction: Transaction, numbers: list[LoanNumber]) -> None:
    """Let each loan have an event of its own, or none."""
    if numbers:
        _LET_GO.run(transaction.connection, {"numbers": numbers})
        _LET_GO_AGAIN.run(transaction.connection, {"numbers": numbers})
    for number in numbers:
        transaction.mark("loan", str(number))


def load_versions(transaction: Transaction, numbers: list[LoanNumber]) -> dict[Any, int]:
    """Return the version that each loan has now."""
    rows = _VERSIONS.run(transaction.connection, {"numbers": numbers})
    return {row.number: row.version for row in rows}


def load_bases(transaction: Transaction, write: SeriesWrite) -> dict[date, Base]:
    """Return what both sides agreed on about each date of *write*."""
    wanted = {(each.number, each.generation): each.day for each in write.draft.dates}
    rows = NEWEST_LINKS.run(transaction.connection, {"numbers": [number for number, _ in wanted]})
    bases = {wanted.get((row.loan_number, row.generation)): parse_base(row.base) for row in rows}
    return {day: base for day, base in bases.items() if day is not None and base is not None}


def set_recurrence(transaction: Transaction, series_id: int, recurrence: Recurrence) -> None:
    """Let the series repeat by another pattern."""
    _CHANGE.run(transaction.connection, {"of_id": series_id, "recurrence": render_recurrence(recurrence)})


def add_write(
    transaction: Transaction,
    series_id: int,
    kind: SeriesWriteKind,
    *,
    mailbox: str,
    event_id: str | None,
    draft: SeriesDraft,
) -> int:
    """Keep a write about a series; return its number."""
    values = {
        "series_id": series_id,
        "kind": kind.value,
        "mailbox": mailbox,
        "event_id": event_id,
        "payload": render_series_draft(draft),
        "created_at": transaction.now,
    }
    return int(_ADD_WRITE.run(transaction.connection, values).scalar_one())


def forget_write(transaction: Transaction, write: SeriesWrite) -> bool:
    """Forget a write that is over; tell whether it was still there: what became of it is told once."""
    which = {"of_id": write.id, "of_series": write.series_id}  # a restored store gives numbers again
    return _FORGET.run(transaction.connection, which).rowcount > 0

"""
Cases of events that Outlook refused to make: one for a loan by itself, one for all such dates of a series.

Which loans a case is about is told by their links (`link.refused`), so that each date comes and goes by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, and_, bindparam, cast, func, literal, or_, select

from engine.database.cases.records import LOANS_LEFT_OUT, close_case_of, facts_of, name_loans, open_cases
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import LoanNumber
from engine.loans.status import BLOCKING_STATUSES
from engine.reconcile.actions import Note

REFUSED = "write_refused"

_case = metadata.tables["case"]
_link = metadata.tables["link"]
_loan = metadata.tables["loan"]

IS_UNMADE = and_(_link.c.state == "pending", _link.c.refused)
"""Of a link: Outlook refused its event, which is not there."""

_subject_of_series = literal("series:") + _loan.c.series
_UNMADE = (
    select(_loan.c.number)
    .join(_link, _link.c.loan_number == _loan.c.number)
    .where(IS_UNMADE, _loan.c.status.in_([status.value for status in BLOCKING_STATUSES]))
)
"""The loans whose event Outlook refused, and which go on."""

_IS_OF_DATES = and_(_case.c.code == REFUSED, _case.c.subject == _subject_of_series)
"""Of a case and a loan: it is about the refused dates of the loan's series."""

_named = func.replace(_case.c.facts["loans"].as_string(), LOANS_LEFT_OUT, "")
_IS_NAMED = (literal(", ") + _named + ",").contains(literal(", ") + cast(_loan.c.number, String) + ",")
"""Of a case and a loan: its sentence names it, also once the date was made or the case settled."""

_SERIES_OF = Prepared(select(_loan.c.series).where(_loan.c.number == bindparam("number")))
_DATES = Prepared(_UNMADE.where(_subject_of_series == bindparam("subject")).order_by(_loan.c.number))


def is_about(number: Any) -> ColumnElement[bool]:
    """Of a case: it is about the loan *number*, or about its series, of which this is a refused date."""
    return or_(_case.c.loan_number == number, has_unmade_date(_loan.c.number == number))


def has_unmade_date(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of a case: it is about the refused dates of a series, and *condition* holds for the loan of one that is still to
    be made."""
    return _UNMADE.where(_IS_OF_DATES, condition).exists()


def has_date(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The same of any date that it is about, made meanwhile or not."""
    is_named = select(_loan.c.number).where(_IS_OF_DATES, _IS_NAMED, condition).exists()
    return or_(is_named, has_unmade_date(condition))


def refused_dates(connection: Connection, subject: str, code: str) -> tuple[LoanNumber, ...]:
    """Return the loans that the case of a refused series is about, by number; none where it is another case."""
    if code != REFUSED or not subject.startswith("series:"):
        return ()
    return tuple(map(LoanNumber, _DATES.run(connection, {"subject": subject}).scalars()))


def keep_refusal(transaction: Transaction, number: LoanNumber, note: Note) -> None:
    """Open the case of a loan whose event was refused, or of its series; one that stands gets what is new."""
    subject = _subject(transaction, number)
    _tell(transaction, subject, note, refused_dates(transaction.connection, subject, REFUSED) or (number,))


def drop_refusal(transaction: Transaction, number: LoanNumber) -> None:
    """Take a loan out of the case of its refusal; the case closes with the last."""
    subject = _subject(transaction, number)
    stays = refused_dates(transaction.connection, subject, REFUSED)
    if not stays:
        close_case_of(transaction, subject, REFUSED)
        return
    facts = facts_of(transaction, subject, REFUSED)
    if facts is not None:
        _tell(transaction, subject, Note(REFUSED, {"error": facts.get("error")}, actor="engine"), stays)


def _subject(transaction: Transaction, number: LoanNumber) -> str:
    series = _SERIES_OF.run(transaction.connection, {"number": number}).scalar()
    return f"series:{series}" if series is not None else f"loan:{number}"


def _tell(transaction: Transaction, subject: str, note: Note, numbers: Sequence[LoanNumber]) -> None:
    """
    Keep the case, under the first loan that it is about; where there are several, it names them.

    One that says so already is left alone: refused again, hour after hour, nothing has changed for anybody.
    """
    named = {"loans": name_loans(numbers)} if len(numbers) > 1 else {}
    note = Note(note.code, {**note.facts, **named}, actor=note.actor)
    if facts_of(transaction, subject, note.code) != note.facts:
        open_cases(transaction, subject, [note], standing=False, loan_number=numbers[0])

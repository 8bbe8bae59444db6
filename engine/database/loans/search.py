"""Looking through everybody's loans. Implements `SearchShelf`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select, union_all

from engine.database.loans.told import tell_loans
from engine.database.sql.connection import Database
from engine.database.sql.limits import LIMIT_MAX
from engine.database.sql.patterns import containing
from engine.database.tables import metadata
from engine.ids import ID_MAX, fold_address
from engine.loans.loan import Loan
from engine.loans.search import WORDS_MAX, LoanSearch, SearchShelf
from engine.loans.status import KEPT_STATUSES, ItemState, LoanStatus

_loan = metadata.tables["loan"]
_person = metadata.tables["person"]
_item = metadata.tables["loan_item"]
_things = (metadata.tables["room"], metadata.tables["asset"])


class LoanFinder(SearchShelf):
    """Reads them in two statements. SQLite makes small letters of ASCII ones only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, wanted: LoanSearch, *, now: datetime, limit: int, beyond: int = 0) -> Sequence[Loan]:
        order = (_loan.c.start_at.desc(), _loan.c.number.desc()) if wanted.over else (_loan.c.start_at, _loan.c.number)
        statement = _narrow(select(_loan.c.number), wanted, now).order_by(*order)
        if wanted.status is not None:
            statement = statement.where(_loan.c.status == wanted.status.value)
        statement = statement.limit(max(0, min(limit, LIMIT_MAX))).offset(max(0, min(beyond, ID_MAX)))
        with self._database.read() as transaction:
            numbers = list(transaction.connection.execute(statement).scalars())
            loans = {loan.number: loan for loan in tell_loans(transaction.connection, numbers)}
        return [loans[number] for number in numbers]

    def count(self, wanted: LoanSearch, *, now: datetime) -> Mapping[LoanStatus, int]:
        statement = _narrow(select(_loan.c.status, func.count()), wanted, now).group_by(_loan.c.status)
        with self._database.read() as transaction:
            return {LoanStatus(status): count for status, count in transaction.connection.execute(statement)}


def _narrow(statement: Select[Any], wanted: LoanSearch, now: datetime) -> Select[Any]:
    goes_on = or_(_loan.c.end_at > now, _loan.c.status.in_([status.value for status in KEPT_STATUSES]))
    statement = statement.join(_person, _person.c.id == _loan.c.person_id)
    statement = statement.where(not_(goes_on) if wanted.over else goes_on)
    is_told = or_(_loan.c.private == false(), _person.c.address_folded == fold_address(wanted.reader))
    for word in wanted.words.split()[:WORDS_MAX]:
        names = or_(_holds(_loan.c.title, word), _holds(_person.c.name, word), _holds(_person.c.address, word))
        statement = statement.where(or_(_is_number(word), and_(is_told, names), _has_item(word)))
    return statement


def _holds(text: ColumnElement[str], word: str) -> ColumnElement[bool]:
    """Tell whether *text* contains a word, in small letters, as it is typed, or as a text begins with it."""
    folded = func.lower(text).like(containing(word.casefold()), escape="\\")
    return or_(folded, *(text.like(containing(each), escape="\\") for each in (word, word.capitalize())))


def _is_number(word: str) -> ColumnElement[bool]:
    digits = word.removeprefix("#")
    is_one = digits.isascii() and digits.isdigit() and int(digits[:20]) <= ID_MAX
    return _loan.c.number == int(digits) if is_one else false()


def _has_item(word: str) -> ColumnElement[bool]:
    named = union_all(*(select(thing.c.id).where(_holds(thing.c.name, word)) for thing in _things))
    return (
        select(_item.c.loan_number)
        .where(
            _item.c.loan_number == _loan.c.number,
            _item.c.state != ItemState.CANCELLED.value,
            _item.c.bookable_id.in_(named),
        )
        .exists()
    )

"""Looking through everybody's loans. Implements `SearchShelf`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, not_, or_, select, union_all

from engine.database.loans.told import tell_loans
from engine.database.sql.connection import Database
from engine.database.sql.limits import LIMIT_MAX
from engine.database.sql.patterns import holds_word
from engine.database.tables import metadata
from engine.ids import ID_MAX, fold_address
from engine.loans.loan import Loan
from engine.loans.search import WORDS_MAX, LoanCounts, LoanSearch, SearchShelf
from engine.loans.status import KEPT_STATUSES, ItemState, LoanStatus

_loan = metadata.tables["loan"]
_person = metadata.tables["person"]
_item = metadata.tables["loan_item"]
_things = (metadata.tables["room"], metadata.tables["asset"])


class LoanFinder(SearchShelf):
    """Reads them in two statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, wanted: LoanSearch, *, now: datetime, limit: int, beyond: int = 0) -> Sequence[Loan]:
        order = (_loan.c.start_at.desc(), _loan.c.number.desc()) if wanted.over else (_loan.c.start_at, _loan.c.number)
        goes_on = _goes_on(now)
        statement = select(_loan.c.number).where(*_fits(wanted), not_(goes_on) if wanted.over else goes_on)
        if wanted.status is not None:
            statement = statement.where(_loan.c.status == wanted.status.value)
        statement = statement.order_by(*order).limit(max(0, min(limit, LIMIT_MAX))).offset(max(0, min(beyond, ID_MAX)))
        with self._database.read() as transaction:
            numbers = list(transaction.connection.execute(statement).scalars())
            loans = {loan.number: loan for loan in tell_loans(transaction.connection, numbers)}
        return [loans[number] for number in numbers]

    def count(self, wanted: LoanSearch, *, now: datetime) -> LoanCounts:
        going_on = func.count(case((_goes_on(now), 1)))
        statement = select(_loan.c.status, func.count(), going_on).where(*_fits(wanted)).group_by(_loan.c.status)
        with self._database.read() as transaction:
            counts = [(LoanStatus(row[0]), row[1], row[2]) for row in transaction.connection.execute(statement)]
        to_come = {status: going_on for status, _, going_on in counts if going_on}
        return LoanCounts(to_come, {status: count - now for status, count, now in counts if count > now})


def _goes_on(now: datetime) -> ColumnElement[bool]:
    return or_(_loan.c.end_at > now, _loan.c.status.in_([status.value for status in KEPT_STATUSES]))


def _fits(wanted: LoanSearch) -> Iterator[ColumnElement[bool]]:
    """Yield what holds of a loan that the words fit, word by word; what is looked for elsewhere is found once each."""
    mine = select(_person.c.id).where(_person.c.address_folded == fold_address(wanted.reader))
    is_told = or_(_loan.c.private == false(), _loan.c.person_id.in_(mine))
    for word in wanted.words.split()[:WORDS_MAX]:
        people = select(_person.c.id).where(or_(holds_word(_person.c.name, word), holds_word(_person.c.address, word)))
        names = or_(holds_word(_loan.c.title, word), _loan.c.person_id.in_(people))
        yield or_(_is_number(word), and_(is_told, names), _loan.c.number.in_(_having(word)))
    if wanted.item is not None:
        yield _loan.c.number.in_(select(_item.c.loan_number).where(_item.c.holds, _item.c.bookable_id == wanted.item))


def _is_number(word: str) -> ColumnElement[bool]:
    digits = word.removeprefix("#")
    is_one = digits.isascii() and digits.isdigit() and int(digits[:20]) <= ID_MAX
    return _loan.c.number == int(digits) if is_one else false()


def _having(word: str) -> Select[Any]:
    """Return the loans that have an item called so."""
    named = union_all(*(select(thing.c.id).where(holds_word(thing.c.name, word)) for thing in _things))
    is_part = _item.c.state != ItemState.CANCELLED.value
    return select(_item.c.loan_number).where(is_part, _item.c.bookable_id.in_(named))

"""The loans of one person, by when they are: what is to come, and what is over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select

from engine.database.loans.told import tell_loans
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.ids import Address, fold_address
from engine.loans.loan import Loan
from engine.loans.own import OwnShelf

_loan = metadata.tables["loan"]
_person = metadata.tables["person"]
_now: ColumnElement[Any] = bindparam("now", type_=_loan.c.end_at.type)
_OWN = (
    select(_loan.c.number)
    .join(_person, _person.c.id == _loan.c.person_id)
    .where(_person.c.address_folded == bindparam("folded"))
    .limit(bindparam("most"))
    .offset(bindparam("beyond"))
)
_TO_COME = _OWN.where(_loan.c.end_at > _now).order_by(_loan.c.start_at, _loan.c.number)
_OVER = _OWN.where(_loan.c.end_at <= _now).order_by(_loan.c.start_at.desc(), _loan.c.number.desc())


class OwnLoans(OwnShelf):
    """Reads them in two statements, however many loans there are of others."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def to_come(self, address: Address, *, now: datetime, limit: int, beyond: int = 0) -> Sequence[Loan]:
        return self._load(_TO_COME, address, now=now, limit=limit, beyond=beyond)

    def over(self, address: Address, *, now: datetime, limit: int, beyond: int = 0) -> Sequence[Loan]:
        return self._load(_OVER, address, now=now, limit=limit, beyond=beyond)

    def _load(self, statement: Any, address: Address, *, now: datetime, limit: int, beyond: int) -> Sequence[Loan]:
        values = {"folded": fold_address(address), "now": now, "most": limit, "beyond": beyond}
        with self._database.read() as transaction:
            numbers = list(transaction.connection.execute(statement, values).scalars())
            loans = {loan.number: loan for loan in tell_loans(transaction.connection, numbers)}
        return [loans[number] for number in numbers]

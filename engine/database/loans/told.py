"""Loans as others are told them: with what became of the event of those whose rooms have not answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import Connection, bindparam, exists, select

from engine.database.cases.refused import IS_UNMADE
from engine.database.loans.rows import load_loans
from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.ids import LoanNumber
from engine.loans.loan import Loan
from engine.loans.status import ItemState

_link = metadata.tables["link"]
_intent = metadata.tables["intent"]

IS_WRITING = exists().where(_intent.c.loan_number == _link.c.loan_number)
"""Of a link: a write to its event is under way."""

_UNASKED = Prepared(
    select(_link.c.loan_number).where(
        _link.c.loan_number.in_(bindparam("numbers", expanding=True)), IS_UNMADE, ~IS_WRITING
    )
)


def tell_loans(connection: Connection, numbers: Sequence[int]) -> tuple[Loan, ...]:
    """Return the loans of *numbers* that exist, whole, by number, as others are told them."""
    loans = load_loans(connection, numbers)
    waiting = [loan.number for loan in loans if loan.blocks and ItemState.REQUESTED in loan.told_states]
    unasked = find_unasked(connection, waiting)
    return tuple(replace(loan, unasked=True) if loan.number in unasked else loan for loan in loans)


def find_unasked(connection: Connection, numbers: Collection[int]) -> frozenset[LoanNumber]:
    """Return those of *numbers* whose event Outlook refused (`Standing.REFUSED`): no room heard of them."""
    if not numbers:
        return frozenset()
    found = _UNASKED.run(connection, {"numbers": list(numbers)})
    return frozenset(LoanNumber(row.loan_number) for row in found)

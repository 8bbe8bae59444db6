"""The loans of one person, as they look them up themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from engine.ids import Address
from engine.loans.loan import Loan


class OwnShelf(Protocol):
    """Where somebody finds their own loans, whatever became of them. *limit* of them, after the first *beyond*."""

    def to_come(self, address: Address, *, now: datetime, limit: int, beyond: int = 0) -> Sequence[Loan]:
        """Return what ends after *now*, the next first."""
        ...

    def over(self, address: Address, *, now: datetime, limit: int, beyond: int = 0) -> Sequence[Loan]:
        """Return what has ended by *now*, the latest first."""
        ...

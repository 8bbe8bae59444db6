"""Looking through everybody's loans, as the people at the desk do: by a few words, by status, by when they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.ids import Address, BookableId
from engine.loans.loan import Loan
from engine.loans.status import LoanStatus

WORDS_MAX = 8
"""So many words are looked for; what is typed beyond them finds nothing more."""


@dataclass(frozen=True, slots=True)
class LoanSearch:
    """Which loans are wanted. Of a private loan only *reader*, whom it is for, finds title and requester."""

    reader: Address
    words: str = ""
    """Each has to be the number, or a part of the title, of the requester's name or address, or of an item's name."""
    over: bool = False
    """Whether their time has passed; else it has not, or somebody still has the items."""
    status: LoanStatus | None = None
    item: BookableId | None = None
    """The room or thing that they hold: nobody else gets it then."""


@dataclass(frozen=True, slots=True)
class LoanCounts:
    """How many loans there are in each status, of those to come and of those over."""

    to_come: Mapping[LoanStatus, int]
    over: Mapping[LoanStatus, int]


class SearchShelf(Protocol):
    """Where loans are looked for."""

    def find(self, wanted: LoanSearch, *, now: datetime, limit: int, beyond: int = 0) -> Sequence[Loan]:
        """Return *limit* of the loans wanted, after the first *beyond*: the next first, of those over the latest."""
        ...

    def count(self, wanted: LoanSearch, *, now: datetime) -> LoanCounts:
        """Return how many there are that its words fit."""
        ...

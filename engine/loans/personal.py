"""What is known of one person, and what erasing it would do: values and the protocol of who does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.ids import LoanNumber


@dataclass(frozen=True, slots=True)
class Erasure:
    """
    What is, or would be, erased of a person.

    `loans` are over and become nobody's; `in_the_way` are not over, or still being written to Outlook: nothing is
    erased while there are any. `rows` counts what is forgotten besides, by the name of its table.
    """

    address: str
    loans: tuple[LoanNumber, ...]
    in_the_way: tuple[LoanNumber, ...]
    rows: Mapping[str, int]


class PersonalBook(Protocol):
    """What is known of people."""

    def export(self, address: str) -> Mapping[str, Sequence[Mapping[str, object]]]:
        """Return everything that is kept of a person, rows by the name of their table. Raises NotFound."""
        ...

    def plan_erasure(self, address: str) -> Erasure:
        """Say what erasing a person would do. Raises NotFound."""
        ...

    def erase(self, address: str, *, actor: str) -> Erasure:
        """Erase a person. Raises NotFound, and NotAllowed while a loan of theirs is in the way."""
        ...

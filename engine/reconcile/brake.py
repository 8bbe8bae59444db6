"""When cancellations that come from Outlook are too many at once to be believed (D4).

They are counted in `database/brake.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from engine.loans.status import LoanAction
from engine.reconcile.actions import LoanEdit, Plan

WINDOW = timedelta(hours=1)
"""How long a cancellation that was carried out counts."""

PERCENT_FROM = 5
"""Fewer than this are never too large a share: in a room with three loans, one is a third already."""

CANCELLED_BY_OUTLOOK = frozenset(
    {"cancelled_in_outlook", "all_rooms_declined", "all_rooms_removed", "all_rooms_released"}
)
"""Notes of the plans that end a loan because of what became of its meeting."""


@dataclass(frozen=True, slots=True)
class BrakeRule:
    """More than `loans` cancellations, or more than `percent` of a room's coming loans, wait for a person."""

    loans: int = 25
    percent: int = 30

    def stops(self, going: int, total: int) -> bool:
        """Tell whether *going* of *total* coming loans are too many. A series counts once."""
        if going > self.loans:
            return True
        return going >= PERCENT_FROM and going * 100 > self.percent * total


def is_cancelled_by_outlook(plan: Plan) -> bool:
    """Tell whether *plan* ends a loan because of Outlook."""
    if not isinstance(plan.loan, LoanEdit) or plan.loan.action not in (LoanAction.CANCEL, LoanAction.REFUSE):
        return False
    return any(note.code in CANCELLED_BY_OUTLOOK for note in plan.notes)

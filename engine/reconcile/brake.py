"""When cancellations that come from Outlook are too many at once to be believed (D4).

They are counted in `database/sync/brake.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from engine.loans.loan import Home, Loan
from engine.loans.status import ItemState, LoanAction
from engine.reconcile.actions import CreateEvent, DeleteEvent, LoanEdit, Note, OutlookWrite, Plan, Situation
from engine.reconcile.notes import answer_cases
from engine.reconcile.views import Base, loan_face

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


def plan_kept(situation: Situation, loan: Loan, *, gone: bool) -> Plan:
    """
    Plan for a loan whose cancellation a person rejected.

    Its event is made anew, and is ours from then on. A meeting that a person still has, only without our rooms, is
    left to them: the loan holds its rooms here, and a case says so for as long as that lasts.
    """
    note = Note("kept_against_outlook", actor="engine")
    if not gone and loan.home is Home.OUTLOOK:
        return Plan(cases=(*answer_cases(situation.meeting), note))
    face = loan_face(loan)
    asked = MappingProxyType({item.id: ItemState.REQUESTED for item in loan.rooms})
    writes: tuple[OutlookWrite, ...] = (CreateEvent(),) if gone else (DeleteEvent(), CreateEvent())
    return Plan(
        loan=LoanEdit(states=asked, home=Home.APP),
        writes=writes,
        base_after=Base(outlook=face, loan=face),
        notes=(note,),
    )

"""The mode `shadow`: what would be done is told in a case, and nothing is done to either side."""

from __future__ import annotations

from dataclasses import replace

from engine.reconcile.actions import LoanEdit, NewLoan, Note, Plan
from engine.reconcile.plan import WITHHELD_SECONDS


def cast_shadow(made: Plan) -> Plan:
    """Return what *made* becomes where nothing may be changed: its cases, and one that says what is withheld."""
    does = [*_loan_steps(made), *(type(write).__name__ for write in made.writes)]
    if not does:
        return replace(made, base=None, base_after=None, end_link=False)
    return Plan(
        cases=(*made.cases, Note("shadowed", {"steps": ", ".join(does)}, actor="engine")),
        look_again_seconds=WITHHELD_SECONDS,
    )


def _loan_steps(made: Plan) -> list[str]:
    match made.loan:
        case NewLoan():
            return ["NewLoan"]
        case LoanEdit(action=action):
            return ["LoanEdit" if action is None else f"LoanEdit ({action})"]
        case None:
            return []

"""What a mode that does not write keeps from being done: told in a case, in the words the history would have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.ids import BookableId
from engine.reconcile.actions import LoanEdit, NewLoan, Note, Plan
from engine.reconcile.over import UNDONE
from engine.reconcile.told import tell_writes
from engine.reconcile.words.reasons import name_items

WITHHELD_SECONDS = 300.0
"""When to look again at what the mode withholds: the mode may have changed."""


def withhold_writes(made: Plan) -> Plan:
    """Return what *made* becomes in the mode `read_only`: the loan's side alone, and a case that says what waits."""
    if not made.writes:
        return made
    would = tell(tell_writes(made.writes), str)
    return replace(
        made,
        writes=(),
        base_after=None,
        cases=(*made.cases, Note("write_withheld", {"would": would}, actor="engine")),
        end_link=False,
        look_again_seconds=WITHHELD_SECONDS,
    )


def is_withheld(made: Plan) -> bool:
    """Tell whether the mode kept anything of *made* from being done."""
    return any(case.code in UNDONE for case in made.cases)


def cast_shadow(made: Plan, name_of: Callable[[BookableId], str]) -> Plan:
    """
    Return what *made* becomes in the mode `shadow`, where nothing may be changed on either side.

    Its cases stay, and one says what would have been done: the decisions that would have gone into the history, with
    the rooms they speak of named by *name_of*.
    """
    if made.loan is None and not made.writes:
        return replace(made, base=None, base_after=None, end_link=False)
    notes = [*made.notes, *tell_writes(made.writes), *made.conflicts]
    first = None
    match made.loan:
        case NewLoan(rooms=rooms):
            first = min(rooms)
            notes.append(Note("of_rooms", {"rooms": ", ".join(map(name_of, sorted(rooms)))}))
        case LoanEdit() if not notes:
            notes.append(Note("loan_follows"))
    return Plan(
        cases=(*made.cases, Note("shadowed", {"would": tell(notes, name_of)}, actor="engine", room_id=first)),
        look_again_seconds=WITHHELD_SECONDS,
    )


def tell(notes: Sequence[Note], name_of: Callable[[BookableId], str]) -> list[object]:
    """Return *notes* as the facts of a case, from which `reasons.explain` makes sentences: code and values of each."""
    return [[note.code, name_items(note.facts, name_of)] for note in notes]

"""A plan as lines that people can read before it is carried out, in English and French."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from engine.ids import BookableId
from engine.interval import Interval
from engine.reconcile.actions import ChangeEvent, CreateEvent, DeleteEvent, LoanEdit, NewLoan, Note, Plan
from engine.reconcile.brake import is_cancelled_by_outlook
from engine.reconcile.ledger import Booking
from engine.reconcile.told import tell_writes
from engine.reconcile.words.local import Times, say_here
from engine.reconcile.words.reasons import LANGUAGES, explain, name_items

ADDS, CHANGES, TAKES, LEAVES = "+", "~", "-", "!"
"""The signs of lines; what is left as it is waits for a person, or for its cause to go."""

_SIGNS = {CreateEvent: ADDS, ChangeEvent: CHANGES, DeleteEvent: TAKES}
_WORDS = {
    "loan": ("loan {name}", "prêt {name}"),
    "new": ("new loan {name}", "nouveau prêt {name}"),
    "event": ("event of loan {name}", "événement du prêt {name}"),
    "meeting": ("meeting {name}", "réunion {name}"),
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One thing that was, or would be, done: `sign` is one of those above, `what` it touches, `why` in sentences."""

    sign: str
    what: str
    why: str


def say_plan(
    booking: Booking, plan: Plan, name_of: Callable[[BookableId], str], times: Times, language: str = "en"
) -> list[PlanLine]:
    """
    Return what *plan* does as lines: the loan's side first, then Outlook's, then what is left as it is.

    Args:
        booking: that it is the plan of.
        plan: not yet carried out.
        name_of: names an item.
        times: how times are shown; the zone is not said.
        language: `en` or `fr`.
    """

    def why(*notes: Note) -> str:
        named = [(note.code, name_items(note.facts, name_of)) for note in notes]
        return " ".join(say_here(explain, code, facts, language, times) for code, facts in named)

    def what(word: str, name: object) -> str:
        return _WORDS[word][LANGUAGES.index(language) if language in LANGUAGES else 0].format(name=name)

    reasons = why(*plan.notes, *tell_writes(plan.writes), *plan.conflicts)
    number = booking.loan.number if booking.loan is not None else None
    held = booking.link is not None and booking.link.hold == "held" and is_cancelled_by_outlook(plan)
    if held:
        return [PlanLine(LEAVES, what("loan", number), why(Note("cancellation_held"), *plan.notes))]
    lines = []
    match plan.loan:
        case NewLoan(interval=interval):
            lines.append(PlanLine(ADDS, what("new", times.stretch(interval.start, interval.end)), reasons))
        case LoanEdit(action=action):
            lines.append(PlanLine(TAKES if action is not None else CHANGES, what("loan", number), reasons))
        case None:
            pass
    lines += [PlanLine(_SIGNS[type(write)], what("event", number), reasons) for write in plan.writes]
    if not lines and booking.loan is None:
        found = _interval_shown(booking)
        when = times.stretch(found.start, found.end) if found is not None else "?"
        lines += [PlanLine(LEAVES, what("meeting", when), why(case)) for case in plan.cases]
    return lines


def say_closed(room: str, language: str = "en") -> PlanLine:
    """Return the line of a room whose mailbox is closed to us: its bookings are compared by what it showed last."""
    return PlanLine(LEAVES, room, explain("why_room_suspended", {"item": room}, language))


def begins_at(booking: Booking) -> datetime | None:
    """Return when a booking begins: its loan, else the meeting as a room shows it; None where neither says."""
    found = booking.loan.interval if booking.loan is not None else _interval_shown(booking)
    return found.start if found is not None else None


def _interval_shown(booking: Booking) -> Interval | None:
    return next((copy.interval for copy in booking.copies if copy.interval is not None), None)

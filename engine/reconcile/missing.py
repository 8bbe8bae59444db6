"""A change whose event is gone from its organizer's calendar while a room still shows it.

Mostly an end is on its way: the room hears of it a moment later, and the booking ends. A room whose mailbox processes
no meeting messages (Exchange docs: Set-CalendarProcessing, AutomateProcessing None), or that was told of no end, keeps
the event for good. Then nothing can be written, and nobody but a person can say which side is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from engine.loans.loan import Loan
from engine.reconcile.actions import Note, Plan
from engine.reconcile.views import RoomCopy

MISSING = "event_missing"
"""The case of a change that is kept waiting for longer than any end is on its way."""

TOLD_AFTER = timedelta(hours=1)

FIRST_LOOK = timedelta(seconds=5)
LOOK_MAX = timedelta(hours=1)
"""A room that drops the event at last says so by itself."""


def await_end(loan: Loan, copies: Iterable[RoomCopy], cases: Sequence[Note], now: datetime) -> Plan:
    """
    Return when to look again at a loan whose change waits, less and less often, and what cases there are until then.

    Args:
        loan: as the desk has it.
        copies: what its rooms show.
        cases: those it has for other reasons.
        now: aware.
    """
    waited = now - loan.changed_at if loan.changed_at is not None else timedelta(0)
    wait = min(max(FIRST_LOOK, waited), LOOK_MAX)
    if waited < TOLD_AFTER:
        return Plan(cases=tuple(cases), look_again_seconds=min(wait, TOLD_AFTER - waited).total_seconds())
    rooms = sorted({copy.room_id for copy in copies if copy.live})
    missing = tuple(Note(MISSING, {"item_id": room}, actor="engine", room_id=room) for room in rooms)
    return Plan(cases=(*cases, *missing), look_again_seconds=wait.total_seconds())

"""Why a room is booked, or is not, at a certain time: facts in, sentences out (D2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.ids import LoanNumber
from engine.interval import Interval
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.actions import Note
from engine.reconcile.words.reasons import say_instant
from engine.rooms.room import Room, RoomState

ENDINGS = frozenset({
    "cancelled_in_app", "cancelled_in_outlook", "refused", "no_show", "closed", "no_room_left", "all_rooms_declined",
    "all_rooms_removed", "all_rooms_released", "room_declined", "room_released", "item_dropped",
    "room_removed_in_outlook", "changed_in_app",
})  # fmt: skip
"""Decisions by which a loan, or a room in it, comes to no longer be booked."""


@dataclass(frozen=True, slots=True)
class Said:
    """A case that is open, or was until its booking was over; or a decision that was made."""

    code: str
    facts: Mapping[str, object]
    at: datetime
    actor: str = "engine"


@dataclass(frozen=True, slots=True)
class LoanThen:
    """A loan that has, or had, the room at that time. `interval` is exact; `state` is as people are told it; `last` is
    how it came to an end."""

    number: LoanNumber
    status: LoanStatus
    state: ItemState
    holds: bool
    interval: Interval
    cases: tuple[Said, ...] = ()
    last: Said | None = None
    unwritten: Said | None = None
    """Why Outlook has not been told of it, where it has not."""


@dataclass(frozen=True, slots=True)
class MeetingThen:
    """A meeting in the room's calendar at that time of which no loan has it. Its title is nobody's business here."""

    interval: Interval
    live: bool
    listed: bool = False
    cases: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of one room and one instant."""

    room: Room
    at: datetime
    now: datetime
    loans: tuple[LoanThen, ...] = ()
    meetings: tuple[MeetingThen, ...] = ()
    window: Interval | None = None
    contacted_at: datetime | None = None
    read_at: datetime | None = None
    signalled_at: datetime | None = None
    subscribed_until: datetime | None = None
    room_said: Said | None = None
    """What was decided last about the room itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a room is booked, or is not, at an instant: notes to be explained, what matters most first."""

    room: Room
    at: datetime
    notes: tuple[Note, ...]


def say_why(known: Known) -> tuple[Note, ...]:
    """Return the answer, what matters most first; the last line says how fresh the knowledge is."""
    found = [*_loans(known), *_meetings(known)]
    holds = any(loan.holds for loan in known.loans)
    if not holds:
        found += _room(known)
    if not found:
        found.append(Note("why_nothing_known", {"item": known.room.name, "at": say_instant(known.at)}))
    return (*found, _freshness(known))


def _loans(known: Known) -> Iterator[Note]:
    for loan in sorted(known.loans, key=lambda loan: (not loan.holds, -loan.number)):
        times = {"start": say_instant(loan.interval.start), "end": say_instant(loan.interval.end)}
        if loan.holds:
            facts = {"item": known.room.name, "loan": loan.number, **times, "state": loan.state.value}
            is_unasked = loan.unwritten is not None or loan.state is ItemState.NOT_ASKED
            yield Note("why_held_unasked" if is_unasked else f"why_held_{loan.state}", facts)
        elif loan.status in (LoanStatus.CANCELLED, LoanStatus.REFUSED, LoanStatus.SUSPENDED, LoanStatus.COMPLETED):
            yield Note(f"why_{loan.status}", {"item": known.room.name, "loan": loan.number, **times})
        else:
            yield Note(f"why_item_{loan.state}", {"item": known.room.name, "loan": loan.number, **times})
        if loan.last is not None and not loan.holds:
            told = {"at": say_instant(loan.last.at), "actor": loan.last.actor}
            yield Note("why_decided", told)
            yield Note(loan.last.code, loan.last.facts, actor=loan.last.actor)
        if loan.unwritten is not None and loan.holds:
            yield Note(loan.unwritten.code, loan.unwritten.facts)
        yield from (Note(case.code, case.facts) for case in loan.cases)


def _meetings(known: Known) -> Iterator[Note]:
    for meeting in known.meetings:
        times = {"start": say_instant(meeting.interval.start), "end": say_instant(meeting.interval.end)}
        if not meeting.live:
            yield Note("why_meeting_gone", {"item": known.room.name, **times})
        elif meeting.cases:
            yield Note("why_meeting_rejected", {"item": known.room.name, **times})
            yield from (Note(case.code, case.facts) for case in meeting.cases)
        elif meeting.listed:
            yield Note("why_meeting_listed", {"item": known.room.name, **times})
        else:
            yield Note("why_meeting_waits", {"item": known.room.name, **times})


_STATES = {
    RoomState.EXCLUDED: "why_room_excluded",
    RoomState.SUSPENDED: "why_room_suspended",
    RoomState.MISSING: "why_room_missing",
}


def _room(known: Known) -> Iterator[Note]:
    """Say what keeps a room from being seen at all."""
    code = _STATES.get(known.room.state)
    if code is not None:
        yield Note(code, {"item": known.room.name})
        if known.room_said is not None:
            yield Note(known.room_said.code, known.room_said.facts, actor=known.room_said.actor)
    elif known.contacted_at is None:
        yield Note("why_room_not_read", {"item": known.room.name})
    if known.window is not None and known.at >= known.window.end:
        yield Note("why_beyond_horizon", {"end": say_instant(known.window.end)})
    elif known.window is not None and known.at < known.window.start:
        yield Note("why_before_window", {"start": say_instant(known.window.start)})


def _freshness(known: Known) -> Note:
    if known.read_at is None:
        return Note("why_never_read", {"item": known.room.name})
    subscribed = known.subscribed_until is not None and known.subscribed_until > known.now
    facts = {"item": known.room.name, "read": say_instant(known.read_at)}
    if not subscribed:
        return Note("why_read_unsubscribed", facts)
    if known.signalled_at is None:
        return Note("why_read_quiet", facts)
    return Note("why_read_subscribed", {**facts, "signalled": say_instant(known.signalled_at)})

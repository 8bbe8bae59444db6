"""What people are told of a booking on both sides: values that lost, answers of rooms, and that none is left."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.ids import BookableId
from engine.interval import Interval
from engine.loans.status import ItemState
from engine.reconcile.actions import Note
from engine.reconcile.views import MeetingView
from engine.reconcile.words.reasons import say_interval

Value = tuple[str | None, object]
"""A value in words, and as it can be taken up again. Rooms are named when it is written down: None."""


def note_conflict(field: str, winner: str, *, kept: Value, lost: Value) -> Note:
    """Return the conflict of one field that both sides changed otherwise."""
    facts: dict[str, object] = {"field": field, "winner": winner, "lost_value": lost[1]}
    said = {"kept": kept[0], "lost": lost[0]} if kept[0] is not None else {"kept_items": kept[1], "lost_items": lost[1]}
    return Note("both_changed", facts | said)


def note_lost_interval(winner: str, *, kept: Interval, lost: Interval) -> Note:
    """Return the conflict of times of which the other side's are written already."""
    return note_conflict("interval", winner, kept=say_times(kept), lost=say_times(lost))


def note_lost_rooms(winner: str, *, kept: frozenset[BookableId], lost: frozenset[BookableId]) -> Note:
    """Return the conflict of rooms of which the other side's are written already."""
    return note_conflict("rooms", winner, kept=(None, sorted(kept)), lost=(None, sorted(lost)))


def say_times(interval: Interval) -> Value:
    """Return times as a conflict keeps them."""
    return say_interval(interval), [interval.start.isoformat(), interval.end.isoformat()]


_ANSWER_NOTES: Mapping[ItemState, str] = MappingProxyType(
    {
        ItemState.ACCEPTED: "room_accepted",
        ItemState.TENTATIVE: "room_tentative",
        ItemState.DECLINED: "room_declined",
        ItemState.RELEASED: "room_released",
    }
)


def note_answer(item: BookableId, before: ItemState | None, now: ItemState) -> tuple[Note, ...]:
    """Return what is told of a room that has answered; of one that is new to the loan, nothing."""
    code = _ANSWER_NOTES.get(now)
    if code is None or before is None:
        return ()
    return (Note(code, {"item_id": item}, room_id=item),)


def answer_cases(meeting: MeetingView) -> tuple[Note, ...]:
    """Return the cases that stand as long as a room says no while the booking lives."""
    said_no = {ItemState.DECLINED: "room_declined", ItemState.RELEASED: "room_released"}
    return tuple(
        Note(said_no[state], {"item_id": room}, room_id=room)
        for room, state in sorted(meeting.answers.items())
        if state in said_no
    )


def roomless_code(meeting: MeetingView) -> str:
    """Return why a booking ends whose meeting holds no room any more."""
    if not meeting.answers:
        return "all_rooms_removed"
    released = all(state is ItemState.RELEASED for state in meeting.answers.values())
    return "all_rooms_released" if released else "all_rooms_declined"

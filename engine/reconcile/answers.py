"""When to ask a room's answer of the organizer's copy, and when to say that a room does not answer.

A room's own calendar shows an acceptance by itself; a decline may leave no trace there (Graph docs:
user-post-events: the service creates the room's event only if it accepts). So the organizer's copy
is asked, less and less often.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.ids import BookableId
from engine.loans.status import ItemState
from engine.reconcile.views import RoomCopy

FIRST_CHECK = timedelta(seconds=10)
"""Rooms answer within seconds (observed by developers); asking earlier would cost a request per booking."""

CHECK_GAP_MAX = timedelta(hours=1)

ASKING = timedelta(seconds=2)
"""By how much a look may come before its time: that the organizer's copy was asked is noted after it has answered, and
when to look again is reckoned from before."""

AFTER_LEAVING = timedelta(seconds=30)
"""When to look once more at a room that has left its calendar. One that declines does so first, and the organizer hears
of it a moment after that: until then a refusal looks like a release, or like no answer yet."""

LATE = timedelta(minutes=1)
"""For longer no room takes that has heard of a request."""

SILENT = "room_does_not_answer"
"""The case of a room that owes its answer for longer than the set time."""

DUE_NOW = datetime(1970, 1, 1, tzinfo=UTC)
"""As `checked_at`: the organizer's copy is to be read at the next look, whatever the rooms' copies say."""

_UNTOLD = (ItemState.REQUESTED, ItemState.RELEASED)


@dataclass(frozen=True, slots=True)
class AnswerCheck:
    due: bool
    """Whether the organizer's copy should be read now for missing answers."""
    next_at: datetime
    """When to look again if the answer stays out."""
    overdue: bool
    """Whether the room has been silent for longer than the set time."""
    silent_minutes: int


def check_answers(
    *, asked_at: datetime, checked_at: datetime | None, now: datetime, answer_timeout: timedelta
) -> AnswerCheck:
    """
    Say whether missing answers are due to be asked for.

    Args:
        asked_at: since when at least one room owes an answer.
        checked_at: when the organizer's copy was last asked, None when never.
        now: aware.
        answer_timeout: silence after which a case says "room does not answer".
    """
    silent = now - asked_at
    ends_at = asked_at + answer_timeout
    if checked_at is None or checked_at < asked_at:
        due_at = asked_at + FIRST_CHECK if checked_at is None else asked_at
    else:
        due_at = checked_at + gap_of(asked_at, checked_at) - ASKING
    if checked_at is None or checked_at < ends_at:
        due_at = min(due_at, ends_at)  # nobody is told of a silence that was not looked into
    due = now >= due_at
    last = now if due else (checked_at or asked_at)
    gap = gap_of(asked_at, last)
    return AnswerCheck(
        due=due,
        next_at=_before_the_end(now + gap, now, ends_at) if due else due_at,
        overdue=silent >= answer_timeout,
        silent_minutes=int(silent.total_seconds() // 60),
    )


def begin_waiting(now: datetime) -> AnswerCheck:
    """Say what there is to do for answers that are missing since *now*: nothing, for a while."""
    return AnswerCheck(due=False, next_at=now + FIRST_CHECK, overdue=False, silent_minutes=0)


def second_look_at(copies: Iterable[RoomCopy], answers: Mapping[BookableId, ItemState]) -> datetime | None:
    """
    Return when to look once more since a room has left its calendar, and by its *answers* has not declined.

    However long was waited for its answer before: that it left tells that there is one by now.
    """
    left = (copy.seen_at for copy in copies if not copy.live and answers.get(copy.room_id) in _UNTOLD)
    last = max((at for at in left if at is not None), default=None)
    return last + AFTER_LEAVING if last is not None else None


def gap_of(asked_at: datetime | None, looked_at: datetime) -> timedelta:
    """Return how long to wait between two looks at a room that was asked *asked_at* and is silent *looked_at*."""
    return min(max(FIRST_CHECK, looked_at - asked_at), CHECK_GAP_MAX) if asked_at is not None else FIRST_CHECK


def _before_the_end(wanted: datetime, now: datetime, ends_at: datetime) -> datetime:
    """Look no later than when the set time is over: that is when people are told."""
    return min(wanted, ends_at) if now < ends_at else wanted

"""When an event of ours that takes the place of a former one may be asked for.

The end of an event and the request for its successor are two mails, and nothing says which of them a room deals with
first: one that still shows the former declines the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engine.ids import BookableId

FREEING = timedelta(seconds=30)
"""How long after its end an event is waited for to leave its rooms: they take seconds. One of which no more was heard
by then is asked all the same."""

LOOK_SECONDS = 0.5
"""When to look again at a create that waits, if no room tells anything before."""

KNOWN_FOR = timedelta(minutes=5)
"""How long what we kept of a create that waits tells for certain that it was never sent. Later it may come from a
backup that was restored."""


class Readiness(StrEnum):
    """What becomes of a create that was decided."""

    SEND = "send"
    WAIT = "wait"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Shown:
    """An event of ours that has ended and that a room still shows."""

    room_id: BookableId
    ended_at: datetime | None
    """When Outlook was told; aware. None: it is not known to have been."""


def replaces_another(generation: int) -> bool:
    """Tell whether an event takes the place of a former one of its loan, which had *generation* - 1 of them before."""
    return generation > 1


def are_being_freed(rooms: Set[BookableId], shown: Iterable[Shown], *, now: datetime) -> bool:
    """Tell whether any of *rooms* still shows what has ended a moment ago. What ended ahead of the clock was not: that
    has been set back."""
    return any(
        each.room_id in rooms and each.ended_at is not None and now - FREEING < each.ended_at <= now for each in shown
    )


def judge_create(*, is_freeing: bool, is_changed: bool, unsent_since: datetime | None, now: datetime) -> Readiness:
    """
    Say what becomes of a create that takes the place of a former event.

    Args:
        is_freeing: whether its rooms still show that one.
        is_changed: whether its loan was changed since it was decided.
        unsent_since: since when it has waited to be sent for the first time; None: it may have been sent.
        now: aware.

    Returns:
        OVERTAKEN only where no room can have heard of it: what the loan is by now is decided anew.
    """
    is_unsent = unsent_since is not None and unsent_since <= now < unsent_since + KNOWN_FOR
    if is_unsent and is_changed:
        return Readiness.OVERTAKEN
    return Readiness.WAIT if is_freeing else Readiness.SEND

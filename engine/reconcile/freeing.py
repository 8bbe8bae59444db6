"""When an event of ours that takes the place of a former one may be asked for.

The end of an event and the request for its successor are two mails, and nothing says which of them a room deals with
first: one that still has the former declines the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engine.ids import BookableId, ICalUid

FREEING = timedelta(seconds=30)
"""How long after its end an event is waited for to leave its rooms: they take seconds. One of which no more was heard
by then is asked all the same."""

SILENCE = timedelta(seconds=3)
"""How long after the end of an event a room that has shown nothing of it is read: by then it has dealt with what it was
asked before, or has heard of the end as well."""

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
class Former:
    """An event of ours that has ended, and what its rooms were heard to have of it."""

    uid: ICalUid
    """Its own; of a date, that of its series."""
    ended_at: datetime | None
    """When Outlook was told; aware. None: it is not known to have been."""
    asked: frozenset[BookableId] = frozenset()
    heard: frozenset[BookableId] = frozenset()
    """Those that have shown it."""
    showing: frozenset[BookableId] = frozenset()
    """Those that still do, beyond doubt."""


def replaces_another(generation: int) -> bool:
    """Tell whether an event takes the place of a former one of its loan, which had *generation* - 1 of them before."""
    return generation > 1


@dataclass(frozen=True, slots=True)
class Freeing:
    """Whether rooms are waited for, and which of them are to be read at what time: nothing else may tell of those."""

    is_awaited: bool
    to_read: Mapping[BookableId, datetime]


def judge_rooms(
    rooms: Set[BookableId], former: Collection[Former], read_at: Mapping[BookableId, datetime], *, now: datetime
) -> Freeing:
    """
    Tell whether any of *rooms* may still have what has ended a moment ago.

    One that shows it has it. One that was asked for it and was never heard to show it may have taken it meanwhile,
    until it is read. When that time has come, nothing is to be read any more: it was said before. Of a series one date
    that was heard of is enough: those further on are not read yet.

    Args:
        former: what ended ahead of the clock is not waited for: that has been set back.
        read_at: when each room was read last; aware.
        now: aware.
    """
    heard = {(each.uid, room) for each in former for room in each.heard}
    is_shown = False
    silent_until: dict[BookableId, datetime] = {}
    for each in former:
        if each.ended_at is None or not now - FREEING < each.ended_at <= now:
            continue
        is_shown = is_shown or bool(each.showing & rooms)
        known_at = each.ended_at + SILENCE
        for room in each.asked & rooms:
            if (each.uid, room) not in heard and not (room in read_at and read_at[room] >= known_at):
                silent_until[room] = max(known_at, silent_until.get(room, known_at))
    to_read = {room: known_at for room, known_at in silent_until.items() if known_at > now}
    return Freeing(is_shown or bool(silent_until), to_read)


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

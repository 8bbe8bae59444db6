"""How a meeting's organizer is asked for its copy, and what the answer adds to what is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from engine.reconcile.observe import Known
from engine.reconcile.views import RoomCopy
from engine.rooms.event import EventCopy

_NEVER_SEEN = datetime.min.replace(tzinfo=UTC)


class Way(StrEnum):
    """How an organizer's copy is found."""

    SHARED = "shared"
    """Not this date's copy, but what all dates of its series share: read once for all of them."""
    DATE = "date"
    """The date, in a list of its series' dates that is kept until something of the series changes."""
    DATE_NOW = "date_now"
    """The date, in such a list made for this very question."""
    EVENT = "event"
    """By the id that its event had in the organizer's mailbox."""
    MEETING = "meeting"
    """By the uid that the meeting has in all mailboxes."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What decides how the organizer of a meeting is asked."""

    is_date: bool = False
    """It is a date of a series."""
    is_listed: bool = True
    """Dates of that day are listed: where none is found, there is none."""
    is_near: bool = False
    """It was agreed on for times that are listed, wherever its day lies: a date of next year that was moved."""
    is_agreed: bool = False
    """Both sides agreed on it once."""
    is_over: bool = False
    """Rooms have shown it, and none of them holds it any more."""
    is_handed_over: bool = False
    """Its rooms show another organizer than was agreed on."""
    is_id_known: bool = False
    """The id of the organizer's event is known."""
    is_uid_known: bool = False
    """The uid of the meeting is known."""
    is_ordered: bool = False
    """Its organizer's copy was ordered to be read, once, for what only that shows."""
    is_apart: bool = False
    """What all dates share does not tell about this one (`observe.needs_own_date`)."""
    is_for_write: bool = False
    """It is to be changed: nothing but how it is right now will do."""


def choose_way(asking: Asking) -> Way | None:
    """Say how the organizer's copy is to be found; None: it is not asked for, since the answer would tell nothing."""
    if asking.is_date and not asking.is_listed and not _is_worth_asking_far_ahead(asking):
        return None
    if asking.is_date and not (asking.is_for_write and asking.is_id_known):
        return _choose_way_to_date(asking)
    if asking.is_id_known and not asking.is_handed_over:
        return Way.EVENT
    return Way.MEETING if asking.is_uid_known else None


def _is_worth_asking_far_ahead(asking: Asking) -> bool:
    """Tell whether a date beyond those that are listed is asked for all the same: to change it, for its end, or since
    it was moved to where it would be found."""
    return asking.is_for_write or asking.is_near or (asking.is_over and asking.is_agreed)


def _choose_way_to_date(asking: Asking) -> Way:
    is_first = not asking.is_agreed or (asking.is_ordered and not asking.is_id_known)
    if is_first and not asking.is_apart and not asking.is_for_write:
        return Way.SHARED
    return Way.DATE_NOW if asking.is_for_write or not asking.is_listed else Way.DATE


def order_by_news(copies: Iterable[RoomCopy]) -> Sequence[RoomCopy]:
    """
    Return *copies* in the order in which rooms are believed about who organizes a meeting.

    One that has left it may name a former organizer: those that hold it come first, then those that show its end; what
    is gone, or in doubt, names whom it named before that. Of equal ones that which was seen last comes first.
    """
    return sorted(copies, key=_news_of, reverse=True)


def _news_of(copy: RoomCopy) -> tuple[bool, bool, datetime]:
    return copy.live, not (copy.gone or copy.doubt), copy.seen_at or _NEVER_SEEN


def is_moved(copy: EventCopy | None, known: Known) -> bool:
    """Tell whether an event that its mailbox has no more under its id may have another one there: a meeting that was
    given away and back. Its rooms hold it still."""
    return copy is None and any(each.live for each in known.copies)


def is_returned(copy: EventCopy | None, asking: Asking) -> bool:
    """Tell whether a meeting that whoever took it over does not have may be with whom it was agreed on with: it was
    given back, and has ended since."""
    return copy is None and asking.is_handed_over and asking.is_over


def learn(known: Known, copy: EventCopy | None, asking: Asking) -> Known:
    """Return *known* with what the organizer's mailbox answered: its *copy*, or None where it has none. The times of
    the copy as instants are the caller's to add."""
    if copy is None:
        if asking.is_date and not asking.is_listed and not (asking.is_over or asking.is_near):
            return known  # it may have moved: nothing tells where to, so far ahead
        if not asking.is_agreed or asking.is_handed_over:
            # Not found under an organizer who may have it elsewhere: the room copies must do.
            return replace(known, organizer_lost=asking.is_handed_over and asking.is_over)
    elif any(each.event.event_id == copy.event_id for each in known.copies):
        # A room's own copy, by an address of the room that nobody has told: it has no organizer who could be asked.
        return replace(known, organizer_closed=True)
    elif not copy.attendees and any(each.live for each in known.copies):
        # Nobody invited, while a room still shows the meeting: a list on its way, or one that came through garbled.
        return replace(known, organizer_read=True)
    return replace(known, organizer_read=True, organizer_copy=copy)

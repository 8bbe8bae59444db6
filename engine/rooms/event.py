"""One copy of an event in one mailbox, in our words.

A meeting has one copy per mailbox: the organizer's, and one per room. Ids differ per copy, the
`ical_uid` is shared (Graph docs: event). Room copies are rewritten by the booking attendant
(Set-CalendarProcessing), so a room copy's subject says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from engine.ids import Address, EventId, ICalUid
from engine.interval import Interval


class Answer(StrEnum):
    """What a room (or a person) said to an invitation (Graph docs: responseStatus).

    `none` (seen by the organizer) and `notResponded` (seen by the attendee) mean the same: NONE.
    """

    NONE = "none"
    TENTATIVE = "tentative"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    ORGANIZER = "organizer"
    """The mailbox is itself the organizer: nothing was asked, no conflict was checked."""


class EventType(StrEnum):
    SINGLE = "singleInstance"
    OCCURRENCE = "occurrence"
    EXCEPTION = "exception"
    MASTER = "seriesMaster"


class Privacy(StrEnum):
    """`sensitivity` of an event; everything but NORMAL is treated as private."""

    NORMAL = "normal"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name and an address, as a recipient or attendee shows them."""

    address: Address
    name: str


@dataclass(frozen=True, slots=True)
class Attendee:
    """One attendee of an event, in the list's order. `type` is Graph's word (`required`, `optional`, `resource`)."""

    address: Address
    name: str
    type: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class TimeFault:
    """Why start and end could not be read: a reason code (`dates_invalid`, `zone_unknown`) and the offending text."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class EventCopy:
    """One copy of one event, as last read.

    `interval` is UTC and exact; None for zero-length events, all-day ones (see `all_day`) and unreadable
    ones (see `time_fault`). `all_day` holds first day and the day after the last: floating dates.
    `instant` is start == end of a zero-length event.
    """

    event_id: EventId
    etag: str
    ical_uid: ICalUid
    type: EventType
    organizer: Mailbox | None
    interval: Interval | None
    all_day: tuple[date, date] | None = None
    time_fault: TimeFault | None = None
    instant: datetime | None = None
    subject: str = ""
    privacy: Privacy = Privacy.NORMAL
    attendees: tuple[Attendee, ...] = ()
    answer: Answer = Answer.NONE
    """The owner's own answer: on a room copy, the room's."""
    is_cancelled: bool = False
    is_draft: bool = False
    is_organizer: bool = False
    show_as: str = "busy"
    series_master_id: EventId | None = None
    original_start: datetime | None = None
    transaction_id: str | None = None
    web_link: str | None = None
    created_at: datetime | None = field(default=None, compare=False)
    """When this very copy came into its mailbox; each copy has a time of its own (Graph docs: event)."""
    modified_at: datetime | None = field(default=None, compare=False)
    """When it was changed last, by anybody. Like the etag it says nothing of the meeting."""
    body_preview: str = ""
    """The first 255 characters of the body as text (Graph docs: event)."""
    zone: str = ""
    """On a master: the IANA name of the zone its dates are laid out in; "" when nobody knows that zone."""

    def was_last_changed_before(self, instant: datetime) -> bool:
        """Tell whether it was made, and changed last, before *instant*; False when it does not say."""
        if self.created_at is None or self.modified_at is None:
            return False
        return max(self.created_at, self.modified_at) < instant


@dataclass(frozen=True, slots=True)
class EventStub:
    """An occurrence as delta shows it: ids and times only; the rest comes from the master (`series.hydrate`)."""

    event_id: EventId
    etag: str
    series_master_id: EventId
    interval: Interval | None
    instant: datetime | None = None
    time_fault: TimeFault | None = None


@dataclass(frozen=True, slots=True)
class EventRemoved:
    """Delta's `@removed`: deleted, or merely outside the window. Never by itself a deletion."""

    event_id: EventId


Change = EventCopy | EventStub | EventRemoved


@dataclass(frozen=True, slots=True)
class EventShown:
    """An event without a series as a page shows it, of which only the version was read so far: most are known just so,
    and then nobody asks for the rest."""

    event_id: EventId
    etag: str
    read: Callable[[], EventCopy] = field(compare=False)
    """Returns the copy."""


Shown = Change | EventShown


def read_change(shown: Shown) -> Change:
    """Return all that *shown* says."""
    return shown.read() if isinstance(shown, EventShown) else shown

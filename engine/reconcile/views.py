"""The three views of one booking: the meeting, the loan, and the base on which both agreed last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from engine.ids import Address, BookableId, EventId, ICalUid, fold_address
from engine.interval import Interval
from engine.loans.loan import Loan
from engine.loans.status import ItemState
from engine.rooms.calendar import PLAIN, EventFields
from engine.rooms.event import EventCopy, EventType, Mailbox, TimeFault


@dataclass(frozen=True, slots=True)
class Face:
    """What one side says about a booking, in the fields that are compared."""

    interval: Interval
    requester: Address
    """Folded. On the Outlook face the organizer, on the loan face the requester."""
    rooms: frozenset[BookableId]


@dataclass(frozen=True, slots=True)
class Base:
    """What both sides agreed on last. Two faces, because they may agree on different values.

    An organizer from outside is the default user on the loan face; a room dropped because it was
    taken is on the Outlook face only. Each side is compared with its own face.
    """

    outlook: Face
    loan: Face
    subject: str = ""
    """The title we last wrote, "" when a person wrote it."""
    body: str = ""
    """The text we last wrote into the body, "" when a person wrote it."""
    fields: EventFields = PLAIN
    """What we last wrote beside. What people do to it in Outlook is theirs: it is compared with nothing there."""
    private: bool | None = None
    """Whether we last marked it as private; None when we did not write that, or do not know."""
    read_at: datetime | None = field(default=None, compare=False)
    """When the organizer's copy said so before a room did: what rooms told until then is older. None: it never was so.
    """


class Presence(StrEnum):
    NOT_YET = "not_yet"
    """We have not created it yet."""
    LIVE = "live"
    GONE = "gone"
    """Positive evidence: cancelled, or 404 by id, never silence."""


@dataclass(frozen=True, slots=True)
class RoomCopy:
    """A room's copy as the mirror holds it."""

    room_id: BookableId
    event: EventCopy
    interval: Interval | None
    """Its times as instants: an all-day event resolved in the room's zone."""
    live: bool
    """Neither cancelled, declined nor gone: it blocks the room."""
    gone: bool = False
    doubt: bool = False
    """Delta said `@removed`, or a full reading missed it: it must be asked for by id."""
    listed: bool = False
    """Was there before first contact and has not changed since."""
    seen_at: datetime | None = field(default=None, compare=False)
    """When its room last told of it."""


@dataclass(frozen=True, slots=True)
class MeetingView:
    """The meeting as all its known copies show it together."""

    presence: Presence
    ical_uid: ICalUid | None = None
    interval: Interval | None = None
    time_fault: TimeFault | None = None
    zero_length: bool = False
    organizer: Mailbox | None = None
    answers: Mapping[BookableId, ItemState] = field(default_factory=lambda: MappingProxyType({}))
    """Every synced room the meeting invites, and what it said. A room no longer invited is absent."""
    type: EventType = EventType.SINGLE
    is_draft: bool = False
    private: bool = False
    subject: str | None = None
    """The organizer's title; None while only room copies are known (they are rewritten)."""
    organizer_event_id: EventId | None = None
    organizer_etag: str | None = None
    transaction_id: str | None = None
    web_link: str | None = None
    ahead: bool = False
    """Whether the organizer's copy was read, and a room shows something else: it has not heard of that yet."""

    @property
    def holding(self) -> frozenset[BookableId]:
        """Rooms that have not declined and were not released (H38)."""
        return rooms_holding(self.answers)

    @property
    def unanswered(self) -> bool:
        """Whether not one room has said anything yet."""
        return bool(self.answers) and all(state is ItemState.REQUESTED for state in self.answers.values())


def rooms_holding(answers: Mapping[BookableId, ItemState]) -> frozenset[BookableId]:
    """Return the rooms that have not declined and were not released."""
    return frozenset(room for room, state in answers.items() if state not in (ItemState.DECLINED, ItemState.RELEASED))


def loan_face(loan: Loan) -> Face:
    """Return what the loan says, in the fields that are compared."""
    return Face(
        interval=loan.interval,
        requester=fold_address(loan.requester.address),
        rooms=frozenset(item.id for item in loan.rooms),
    )

"""What the engine asks of the calendar side: implemented by `graph/`, exercised by the contract tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.ids import Address, EventId, ICalUid
from engine.interval import Interval
from engine.rooms.event import EventCopy, EventRemoved, Mailbox, Shown
from engine.rooms.room import Place


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """One page of a room's changes. Exactly one of `next_link` and `delta_link` is set.

    `unreadable` counts items of the page that could not be understood at all (no id).
    """

    changes: tuple[Shown, ...]
    next_link: str | None
    delta_link: str | None
    unreadable: int = 0

    @property
    def shown(self) -> list[EventId]:
        """The events that it shows: those it says are removed are none, and the last word on an event counts."""
        last = {change.event_id: change for change in self.changes}
        return [event_id for event_id, change in last.items() if not isinstance(change, EventRemoved)]


@dataclass(frozen=True, slots=True)
class EventFields:
    """
    What an event says beside title, body, times and rooms. In a patch None leaves a field alone.

    Args:
        categories: names, in the order in which Outlook shows them; the master list of colours is the mailbox's own.
        show_as: Graph's word: `busy`, `tentative` or `oof`.
        location: what stands there instead of the rooms; "" for the rooms.
        custom: single-value extended properties of ours, by name (Graph docs: singlevaluelegacyextendedproperty).
    """

    categories: tuple[str, ...] | None = ()
    show_as: str | None = "busy"
    location: str | None = ""
    custom: tuple[tuple[str, str], ...] = ()


PLAIN = EventFields()
"""What Outlook says by itself."""


@dataclass(frozen=True, slots=True)
class EventDraft:
    """A new event for a loan, rooms as `resource` attendees (H49-H54). `transaction_id` names the logical booking."""

    subject: str
    body_html: str
    interval: Interval
    rooms: tuple[Mailbox, ...]
    transaction_id: str
    loan_ref: str
    """`<number>:g<generation>`: the marker kept on the copy we own."""
    private: bool = False
    fields: EventFields = PLAIN


@dataclass(frozen=True, slots=True)
class EventPatch:
    """The fields to change; None leaves a field alone. Attendees are the whole new list (Graph replaces it)."""

    interval: Interval | None = None
    subject: str | None = None
    body_html: str | None = None
    attendees: tuple[Mailbox, ...] | None = None
    """Rooms to be attendees beside all the people already there; see `RoomCalendar.change_event`."""
    fields: EventFields | None = None
    drop_rooms: tuple[Address, ...] = ()
    """Every address by which the rooms to take out may be invited: an old event names a room by a former one."""
    private: bool | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """For whom Graph encrypts what notifications bring of events. `text`: X.509, DER, base64."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class RemoteSubscription:
    """A subscription as Graph lists it. `client_state` is None in lists (Graph docs: subscription)."""

    id: str
    resource: str
    notification_url: str
    lifecycle_url: str | None
    expires_at: datetime


class RoomCalendar(Protocol):
    """Everything the engine does on the calendar side.

    Every method may raise Throttled, Unreachable, OutcomeUnknown (writes only), MailboxClosed,
    Refused, Malformed and CredentialsRevoked; others are named per method.
    """

    def fetch_places(self) -> AsyncIterator[tuple[Place, ...]]:
        """Yield the directory's rooms, page by page."""
        ...

    async def fetch_changes(
        self, room: str, *, link: str | None, window: Interval | None, page_size: int = 200
    ) -> ChangesPage:
        """Read one page of changes of *room* (directory id or address): from *link*, or opening *window*.

        Raises ResyncRequired when the link's token is no longer known.
        """
        ...

    async def fetch_event(self, mailbox: str, event_id: EventId) -> EventCopy | None:
        """Read one copy; None when the item is not there (404 on the item, not on the mailbox)."""
        ...

    async def fetch_dates(self, mailbox: str, master_id: EventId, window: Interval) -> tuple[EventCopy, ...] | None:
        """Read the dates of a series that touch *window*, exceptions included; None when the series is not there."""
        ...

    async def find_event(self, mailbox: str, ical_uid: ICalUid) -> EventCopy | None:
        """Find the copy of one meeting in *mailbox*; None when it has none.

        Raises Malformed when the answer is about other events: then nobody knows.
        """
        ...

    async def find_marked_event(self, mailbox: str, loan_ref: str) -> EventCopy | None:
        """Find the event that carries our marker *loan_ref* in *mailbox*; None when there is none.

        Raises Malformed as `find_event` does.
        """
        ...

    async def create_event(self, mailbox: str, draft: EventDraft) -> EventCopy:
        """Create the event in *mailbox*; repeating it with the same transaction id gives the first one back.

        Raises OutcomeUnknown when the answer was lost.
        """
        ...

    async def change_event(self, mailbox: str, copy: EventCopy, patch: EventPatch) -> EventCopy:
        """Change only what *patch* names, if *copy*'s etag is still the newest.

        The attendee list sent is *copy*'s own list, less `drop_rooms`, plus the new rooms: people are never
        dropped. Raises Stale (412) and Unmatched (404).
        """
        ...

    async def delete_event(self, mailbox: str, event_id: EventId, *, etag: str = "") -> bool:
        """Delete the organizer's copy, which cancels the meeting for everybody. False when it was gone already. Raises
        Stale where *etag* is given and not the newest."""
        ...

    async def decline_event(self, mailbox: str, event_id: EventId, comment: str) -> bool:
        """Decline on behalf of *mailbox* (a room) and tell the organizer. False when the copy was gone already."""
        ...

    async def create_subscription(
        self,
        room: str,
        *,
        notification_url: str,
        lifecycle_url: str,
        client_state: str,
        expires_at: datetime,
        has_other_name: bool = False,
        certificate: Certificate | None = None,
    ) -> RemoteSubscription:
        """Subscribe to *room*'s events. The receiver must be answering: Graph calls it before it answers. With a
        *certificate*, notifications bring their event, encrypted for it."""
        ...

    async def renew_subscription(self, subscription_id: str, *, expires_at: datetime) -> RemoteSubscription | None:
        """Prolong; None when it no longer exists (404: create a new one)."""
        ...

    async def delete_subscription(self, subscription_id: str) -> None:
        """Delete; already gone is fine."""
        ...

    async def fetch_subscriptions(self) -> Sequence[RemoteSubscription]:
        """List all subscriptions of this application."""
        ...

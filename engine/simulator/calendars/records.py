"""
What the simulated tenant remembers: plain mutable records, one JSON document each when a state file is given.

Instants are aware UTC datetimes. An all-day event stores the instants of its two midnights in `start_zone`; it is shown
as midnight to midnight in any zone that is asked for (Graph docs: event; observed by developers, php-calendar issue 9).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
from msgspec import field

from engine.simulator.calendars.recurrence import Recurrence

NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""The sentinel Graph shows for "no time": 0001-01-01T00:00:00Z (Graph docs: responseStatus)."""


class Attendee(msgspec.Struct):
    """One invited address on one copy of a meeting, with the answer that this copy knows of."""

    address: str
    name: str
    type: str = "required"
    response: str = "none"
    responded_at: datetime = NEVER


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """
    Where all occurrences of a series stand. `start` and `end` are those of the first, counted out in `zone`.

    A former shape was in force up to the version `until`: from it delta knows what a caller saw that is gone.
    """

    start: datetime
    end: datetime
    zone: str
    recurrence: Recurrence
    cancelled: tuple[date, ...] = ()
    moved: tuple[tuple[date, datetime, datetime], ...] = ()
    until: int = 0


class Event(msgspec.Struct, kw_only=True):
    """One copy of an event in one mailbox. `key` is the part both id formats share; `version` feeds the change key."""

    key: str
    mailbox: str
    ical_uid: str
    number: int
    version: int = 0
    created_at: datetime
    modified_at: datetime
    subject: str = ""
    body: str = ""
    body_type: str = "html"
    start: datetime
    end: datetime
    start_zone: str = "UTC"
    end_zone: str = "UTC"
    is_all_day: bool = False
    is_organizer: bool = True
    is_cancelled: bool = False
    is_draft: bool = False
    organizer_name: str = ""
    organizer_address: str = ""
    organizer_mailbox: str = ""
    attendees: list[Attendee] = field(default_factory=list)
    response: str = "none"
    responded_at: datetime = NEVER
    show_as: str = "busy"
    intended_show_as: str = "busy"
    sensitivity: str = "normal"
    location: dict[str, Any] = field(default_factory=dict)
    locations: list[dict[str, Any]] = field(default_factory=list)
    hide_attendees: bool = False
    has_attachments: bool = False
    transaction_id: str | None = None
    fingerprint: str = ""
    sequence: int = 0
    """Grows when the organizer changes time; answers to an older sequence are stale (iCalendar, RFC 5545 3.8.7.4)."""
    pending_reason: str = ""
    """Why the copy waits for a delegate; empty when it does not."""
    type: str = "singleInstance"
    recurrence: Recurrence | None = None
    """Set on a series master; its own times are those of the first occurrence."""
    cancelled_dates: list[date] = field(default_factory=list)
    """On a master: the dates whose occurrences are gone from this copy."""
    former: list[Shape] = field(default_factory=list)
    """On a master: how the series stood before, oldest first."""
    series: str = ""
    """On an occurrence or exception: the key of its master."""
    slot: date | None = None
    """On an occurrence or exception: the date the pattern put it on, in the series' zone."""
    original_start: datetime | None = None
    """On an occurrence or exception: the instant the pattern put it on."""
    properties: dict[str, str] = field(default_factory=dict)
    """Single-value extended properties by id."""
    extras: dict[str, Any] = field(default_factory=dict)
    """Plain pass-through properties: categories, importance, reminder, ..."""


class Tombstone(msgspec.Struct):
    """What delta needs to remember of an event that is gone."""

    key: str
    mailbox: str
    version: int
    former: list[Shape] = field(default_factory=list)
    """How a series stood, up to its end."""


class Mailbox(msgspec.Struct, kw_only=True):
    """A directory object with a calendar. `kind`: user, room, equipment or external (an address outside the tenant)."""

    id: str
    number: int
    address: str
    display_name: str
    kind: str = "user"
    aliases: list[str] = field(default_factory=list)
    state: str = "active"
    """active, disabled (404 MailboxNotEnabledForRESTAPI), removed (404 ErrorInvalidUser) or denied (403)."""
    zone: str = "UTC"
    work_start: str = "08:00:00.0000000"
    work_end: str = "17:00:00.0000000"
    work_days: list[str] = field(default_factory=lambda: ["monday", "tuesday", "wednesday", "thursday", "friday"])
    custom_zone: bool = False
    """Its settings show a zone made up by an old client instead of `zone` (Graph docs: customTimeZone)."""
    processing: dict[str, Any] = field(default_factory=dict)
    delta_epoch: int = 0


class Place(msgspec.Struct, kw_only=True):
    """A room or room list in Places; its address is that of its mailbox. `attributes` uses Graph's own names."""

    id: str
    place_id: str
    number: int
    mailbox: str = ""
    address: str = ""
    display_name: str = ""
    kind: str = "room"
    hidden: bool = False
    members: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


class Step(msgspec.Struct):
    """Something that happens later inside the tenant; kept until done so that a restart forgets nothing."""

    number: int
    kind: str
    due: datetime
    arguments: dict[str, Any]


class Subscription(msgspec.Struct, kw_only=True):
    """A change-notification subscription (Graph docs: subscription)."""

    id: str
    number: int
    resource: str
    mailbox: str
    change_types: list[str]
    raw_change_type: str
    notification_url: str
    lifecycle_url: str | None
    client_state: str | None
    expires_at: datetime
    application_id: str
    immutable_ids: bool = False
    tls: str = "v1_2"
    dead: bool = False
    """Renewed but deaf: calls succeed, nothing is delivered (observed by developers, onedrive-api-docs issue 1252)."""
    paused: bool = False
    """Its authorisation lapsed: notices wait for a renewal (Graph docs: change-notifications-lifecycle-events)."""
    certificate: str | None = None
    """Notices bring their event, encrypted for this certificate; None: they bring none."""
    certificate_id: str | None = None
    fields: list[str] = field(default_factory=list)
    """What they bring of it, in lower case."""


class Notice(msgspec.Struct, kw_only=True):
    """One item of a notification body that still has to reach its receiver."""

    number: int
    url: str
    subscription: str
    mailbox: str
    body: dict[str, Any]
    first_tried_at: datetime | None = None
    attempts: int = 0
    lifecycle: bool = False
    not_before: datetime | None = None
    """When it may go out at the earliest; None: at once."""

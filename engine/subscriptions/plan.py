"""What our subscriptions need: one per room that is followed, none for anything else.

Sources: Graph docs, subscription (lifetime, one resource), subscription-update (404 means gone: create anew),
subscription-list (no client state in lists), change-notifications-delivery-webhooks (duplicates). Forgotten
duplicates multiply every notification (microsoft-graph-docs issue 8498, msgraph-sdk-php issue 221).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from engine.ids import BookableId
from engine.rooms.calendar import RemoteSubscription

LIFETIME = timedelta(days=3)
"""What we ask for. Graph allows just under 7 days for events (older pages: 4,230 minutes, a little less than 3 days),
and may grant less than asked: what counts is the expiry it answers."""


CONTENT_LIFETIME = timedelta(hours=23, minutes=50)
"""What we ask for where notifications bring their event: a day at most (Graph docs: subscription, 1,440 minutes)."""


REFUSAL_HOLDS = timedelta(days=7)
"""How long a refusal to bring events is taken at its word, before the service is asked for them again."""


DOUBT_HOLDS = timedelta(hours=6)
"""The same where its words are of something else: what was in the way need not have to do with events."""


_SPEAKS_OF_CONTENT = re.compile(
    r": 403\b|resource ?data|rich notification|encrypt|certificate|\bselect\b|expiration", re.IGNORECASE
)
"""What a refusal says that is about bringing events: it names one of the properties that only such a subscription has
(`includeResourceData`, `encryptionCertificate`, `$select`), their kind, how long it may live, or forbids it (observed:
microsoft-graph-docs-contrib issue 4898, java-spring-webhooks-sample issue 235, msgraph-sdk-javascript issue 1630)."""


class Delivery(StrEnum):
    PUSH = "push"
    POLL = "poll"
    """No public URL: the same engine, by delta alone."""


class Reason(StrEnum):
    """Why a subscription is replaced."""

    EXPIRED = "expired"
    GONE = "gone"
    """We hold its id, the service does not list it."""
    OTHER_URL = "other_url"
    OTHER_ROOM = "other_room"
    """It watches a mailbox id that the room no longer has."""
    OTHER_CONTENT = "other_content"
    """It brings events although none are wanted, or none, or encrypts them for another certificate."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A room whose calendar is followed. `suspended`: its mailbox refuses us, so nothing new is created for now.
    `missing`: it is listed no more, and what another room has of its mailbox is that one's."""

    room_id: BookableId
    directory_id: str
    suspended: bool = False
    missing: bool = False
    address: str = ""
    """The other name of its mailbox, for directories whose place ids are no mailbox ids (Graph docs: place)."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names under which its mailbox may be watched, the preferred one first."""
        return tuple(name for name in (self.directory_id, self.address) if name)


@dataclass(frozen=True, slots=True)
class Held:
    """A subscription as we stored it.

    `remote_id` is None while it is being created. `has_secret` tells that a client state was saved for a creation
    whose answer is still owed: a matching remote one can only be ours. `confirmed_at` is when the service last
    answered for it (creation or renewal); instants are aware UTC.
    """

    room_id: BookableId
    remote_id: str | None
    expires_at: datetime | None
    confirmed_at: datetime | None
    has_secret: bool = True
    certificate: str = ""
    """The id of the certificate for which it encrypts the events it brings; "": it brings none."""
    content_refused_at: datetime | None = None
    """When the service last refused to bring this room's events; aware UTC."""
    content_refusal: str = ""
    """In what words."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Graph calls us."""

    notification_url: str
    lifecycle_url: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What the service listed, and when that reading began."""

    subscriptions: tuple[RemoteSubscription, ...]
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Create:
    room_id: BookableId
    directory_id: str


@dataclass(frozen=True, slots=True)
class Renew:
    room_id: BookableId
    remote_id: str
    brings_events: bool = False


@dataclass(frozen=True, slots=True)
class Replace:
    """Delete the old one (already gone is fine), then create anew."""

    room_id: BookableId
    directory_id: str
    remote_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Adopt:
    """The answer to our creation was lost, but the service lists its result: keep it."""

    room_id: BookableId
    remote_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Delete:
    """A leaked one: it calls our URL and nothing of ours knows it."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop what we hold for a room that needs none; delete it remotely when it has an id."""

    room_id: BookableId
    remote_id: str | None


Action = Create | Renew | Replace | Adopt | Delete | Forget


def plan_subscriptions(
    wanted: Sequence[Wanted],
    held: Sequence[Held],
    listing: Listing | None,
    *,
    endpoint: Endpoint,
    delivery: Delivery,
    now: datetime,
    certificate: str = "",
) -> tuple[Action, ...]:
    """Say what makes the subscriptions right: at most one action per room, then the deletions of strangers.

    Args:
        wanted: the rooms that are followed.
        held: what we stored, read *after* the listing, so that one just created is never taken for a stranger.
        listing: everything the service holds for this application; None: it was not asked, nothing is adopted,
            deleted or found gone.
        endpoint: where Graph calls us; a subscription that calls elsewhere is none of our business.
        delivery: POLL wants no subscription at all.
        now: aware.
        certificate: the id of the certificate for which events are to be encrypted; "": none are to be brought.

    Returns:
        Actions that may each be run twice. Never raises.
    """
    rooms = {} if delivery is Delivery.POLL else {room.room_id: room for room in wanted}
    stored = {row.room_id: row for row in held}
    needs = [_one(room, stored.get(room_id), listing, endpoint, now, certificate) for room_id, room in rooms.items()]
    actions: list[Action] = [action for action in needs if action is not None]
    actions += [Forget(row.room_id, row.remote_id) for room_id, row in stored.items() if room_id not in rooms]
    return (*actions, *_strangers(held, actions, listing, endpoint))


def is_renewal_due(held: Held, *, now: datetime) -> bool:
    """Tell whether less than half of the granted life remains; True as well when its dates are not known."""
    if held.expires_at is None:
        return True
    life = LIFETIME if held.confirmed_at is None else min(LIFETIME, held.expires_at - held.confirmed_at)
    return held.expires_at - now < life / 2


def wanted_certificate(held: Held | None, certificate: str, *, now: datetime) -> str:
    """Return *certificate*, or "" (bring no events) for a room whose events the service refused to bring of late."""
    asked_again_at = content_asked_again_at(held.content_refused_at, held.content_refusal) if held is not None else None
    return "" if asked_again_at is not None and now < asked_again_at else certificate


def content_asked_again_at(refused_at: datetime | None, refusal: str) -> datetime | None:
    """
    Return when the service is asked again to bring events that it refused to; None when it did not refuse.

    Args:
        refused_at: aware UTC.
        refusal: in what words; "" where those were not kept: then it counts as meant.
    """
    if refused_at is None:
        return None
    is_meant = not refusal or _SPEAKS_OF_CONTENT.search(refusal) is not None
    return refused_at + (REFUSAL_HOLDS if is_meant else DOUBT_HOLDS)


def watches(remote: RemoteSubscription, room: Wanted) -> bool:
    """Tell whether *remote* watches the events of that room's mailbox.

    The spelling of the literal parts varies (Graph docs: changenotification), so the whole is compared folded.
    """
    path = remote.resource.partition("?")[0]
    return path.strip("/").casefold() in {f"users/{name}/events".casefold() for name in room.names}


def find_in_the_way(
    room_id: BookableId,
    wanted: Sequence[Wanted],
    held: Sequence[Held],
    listed: Sequence[RemoteSubscription],
    *,
    endpoint: Endpoint,
) -> tuple[str, ...]:
    """
    Return the ids of those that call us and may watch the mailbox of a room, so that it cannot have its own: one is all
    that the service allows (Graph docs: change-notifications-delivery-webhooks).

    That is what watches the room by a name of now; whatever no other room holds and none goes by, since the room may
    have had another address, of which we know no more; and, unless it is missing itself, what watches rooms that are:
    it may be one of them under another name.
    """
    missing = {room.room_id for room in wanted if room.missing}
    of_others = {row.remote_id for row in held if row.room_id != room_id}
    found = []
    for remote in listed:
        watched = {room.room_id for room in wanted if watches(remote, room)}
        is_stray = not watched and remote.id not in of_others
        is_of_missing = room_id not in missing and bool(watched) and watched <= missing
        calls_us = remote.notification_url == endpoint.notification_url
        if calls_us and (room_id in watched or is_stray or is_of_missing):
            found.append(remote.id)
    return tuple(sorted(found))


def _one(
    room: Wanted, held: Held | None, listing: Listing | None, endpoint: Endpoint, now: datetime, certificate: str
) -> Action | None:
    certificate = wanted_certificate(held, certificate, now=now)
    if held is None or held.remote_id is None:
        is_other = held is not None and held.certificate != certificate
        return _without_id(room, None if is_other else held, listing, endpoint, now)
    reason = _fault(room, held, listing, endpoint, now, certificate)
    if reason is not None:
        return None if room.suspended else Replace(room.room_id, room.directory_id, held.remote_id, reason)
    return Renew(room.room_id, held.remote_id, bool(held.certificate)) if is_renewal_due(held, now=now) else None


def _without_id(
    room: Wanted, held: Held | None, listing: Listing | None, endpoint: Endpoint, now: datetime
) -> Action | None:
    """Adopt the one that our unanswered creation made (the longest-lived, should there be two), else create."""
    if held is not None and held.has_secret and listing is not None:
        mine = [
            remote
            for remote in listing.subscriptions
            if watches(remote, room)
            and _calls(remote, endpoint)
            and remote.expires_at > now
            and ("?" in remote.resource) == bool(held.certificate)
        ]
        if mine:
            best = max(mine, key=lambda remote: (remote.expires_at, remote.id))
            return Adopt(room.room_id, best.id, best.expires_at)
    return None if room.suspended else Create(room.room_id, room.directory_id)


def _fault(
    room: Wanted, held: Held, listing: Listing | None, endpoint: Endpoint, now: datetime, certificate: str
) -> Reason | None:
    """Say what is wrong with a subscription whose id we hold."""
    if held.expires_at is not None and held.expires_at <= now:
        return Reason.EXPIRED
    if held.certificate != certificate:
        return Reason.OTHER_CONTENT
    if listing is None:
        return None
    remote = next((each for each in listing.subscriptions if each.id == held.remote_id), None)
    if remote is None:
        is_newer = held.confirmed_at is not None and held.confirmed_at >= listing.read_at
        return None if is_newer else Reason.GONE
    if not _calls(remote, endpoint):
        return Reason.OTHER_URL
    return None if watches(remote, room) else Reason.OTHER_ROOM


def _calls(remote: RemoteSubscription, endpoint: Endpoint) -> bool:
    """Both URLs: the lifecycle URL cannot be added later (Graph docs: change-notifications-lifecycle-events)."""
    return (remote.notification_url, remote.lifecycle_url) == (endpoint.notification_url, endpoint.lifecycle_url)


def _strangers(
    held: Sequence[Held], actions: Sequence[Action], listing: Listing | None, endpoint: Endpoint
) -> tuple[Delete, ...]:
    """Name those that call our notification URL although neither a row nor an action of this plan knows them."""
    if listing is None:
        return ()
    known = {row.remote_id for row in held} | {action.remote_id for action in actions if isinstance(action, Adopt)}
    return tuple(
        Delete(remote.id)
        for remote in listing.subscriptions
        if remote.notification_url == endpoint.notification_url and remote.id not in known
    )

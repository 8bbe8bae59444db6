"""How well rooms are followed, as people see it: a light and the reason for it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from engine.rooms.listing import ListingWarning
from engine.rooms.room import RoomState


class Light(StrEnum):
    """From "all is well" to "somebody must do something"; OFF is for rooms that are left alone on purpose."""

    GOOD = "good"
    WAIT = "wait"
    WARN = "warn"
    BAD = "bad"
    OFF = "off"


class HealthCode(StrEnum):
    """Why a room's light is as it is."""

    FOLLOWED = "followed"
    EXCLUDED = "excluded"
    SUSPENDED = "suspended"
    UNREAD = "unread"
    MISSING = "missing"
    DEAF = "deaf"
    UNSUBSCRIBED = "unsubscribed"
    STALE = "stale"


LIGHTS: Mapping[HealthCode, Light] = {
    HealthCode.FOLLOWED: Light.GOOD,
    HealthCode.EXCLUDED: Light.OFF,
    HealthCode.SUSPENDED: Light.BAD,
    HealthCode.UNREAD: Light.WAIT,
    HealthCode.MISSING: Light.WARN,
    HealthCode.DEAF: Light.BAD,
    HealthCode.UNSUBSCRIBED: Light.WARN,
    HealthCode.STALE: Light.WARN,
}


@dataclass(frozen=True, slots=True)
class RoomHealth:
    """One room: its subscription, and when it was heard of and read last. Instants are UTC."""

    room_id: int
    name: str
    state: str
    state_since: datetime
    state_detail: str | None
    """Why: the ignored tag, or the mailbox's error."""
    subscribed: bool
    expires_at: datetime | None
    renewed_at: datetime | None
    notified_at: datetime | None
    signalled_at: datetime | None
    """When a notification last led to it, whatever became of the subscription since."""
    read_at: datetime | None
    contacted: bool
    changed_unsignalled: int
    deaf: bool
    brings_events: bool = False
    """Whether its notifications bring the event they tell of (decision 0029)."""
    content_refused_at: datetime | None = None
    """When Graph last refused to have them do so."""
    content_refusal: str = ""
    """In what words."""

    @property
    def content(self) -> str:
        """Whether its notifications bring their event: yes, no, or refused (by Graph)."""
        if self.brings_events:
            return "yes"
        return "refused" if self.content_refused_at is not None else "no"


@dataclass(frozen=True, slots=True)
class FollowRule:
    """How rooms are followed: whether Graph calls us, and how old a reading may be before somebody should look."""

    push: bool = True
    stale_after: timedelta = timedelta(hours=12)


def judge(health: RoomHealth, rule: FollowRule, *, now: datetime) -> HealthCode:
    """Return the worst that can be said of a room; *now* is the caller's clock."""
    match RoomState(health.state):
        case RoomState.EXCLUDED:
            return HealthCode.EXCLUDED
        case RoomState.SUSPENDED:
            return HealthCode.SUSPENDED
        case RoomState.MISSING:
            return HealthCode.MISSING
        case RoomState.ACTIVE:
            return _judge_followed(health, rule, now)


def _judge_followed(health: RoomHealth, rule: FollowRule, now: datetime) -> HealthCode:
    if not health.contacted:
        return HealthCode.UNREAD
    if rule.push and health.deaf:
        return HealthCode.DEAF
    if rule.push and not health.subscribed:
        return HealthCode.UNSUBSCRIBED
    if health.read_at is None or now - health.read_at > rule.stale_after:
        return HealthCode.STALE
    return HealthCode.FOLLOWED


# --- the import ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A room of the directory that never became one of ours, and the ignored tag that it carries."""

    name: str
    address: str
    tag: str


@dataclass(frozen=True, slots=True)
class ImportState:
    """The last import of rooms, and the one that is asked for or under way."""

    last_at: datetime | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    """What the last one did: `added`, `changed`, `excluded`, `included`, `missing`, `found`; those above 0."""
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[ListingWarning, ...] = ()
    asked_at: datetime | None = None
    running: bool = False
    error: str | None = None
    """Why the one under way has not succeeded yet."""
    parked: bool = False
    """Given up until somebody asks again."""

    @property
    def is_under_way(self) -> bool:
        return self.running or self.asked_at is not None

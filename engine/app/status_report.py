"""What an office says of itself: to `status`, the API and the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from engine.app.content_choice import why_without_content
from engine.app.rules import Rules
from engine.database.loans.desk import Desk
from engine.database.outbox.messages import Outbox
from engine.database.reports.status import StatusBoard, render_health
from engine.database.rooms.book import RoomCache
from engine.database.sync.comparisons import Comparison, ComparisonStore
from engine.database.work.queue import WorkQueue
from engine.ids import BookableId
from engine.reconcile.names import UnknownName, find_unknown
from engine.rooms.connection import Connection, Expiry, expiry_of
from engine.rooms.health import RoomHealth
from engine.settings import Settings


class Described(Protocol):
    """What of an office is told of."""

    settings: Settings
    now: Callable[[], datetime]
    instance: str
    connection: Connection
    rules: Rules
    cache: RoomCache
    desk: Desk
    status: StatusBoard
    queue: WorkQueue
    comparisons: ComparisonStore
    outbox: Outbox


def describe(office: Described) -> Mapping[str, object]:
    """Return what `status` and `GET /api/status` show: what is stale, what waits, what failed, since when."""
    depth, health = office.queue.depth(), office.status.rooms()
    names = {room.room_id: room.name for room in health}
    parked = [key for key in office.queue.waiting(50) if key.parked_at is not None]
    return {
        "instance": office.instance,
        "mode": office.rules.sync().mode,
        "unknown_names": [each.text for each in list_unknown_names(office)],
        **_say_expiry(expiry_of(office.connection, office.now().date())),
        "delivery": office.settings.sync.delivery,
        "rooms": office.status.rooms_by_state(),
        "rooms_not_yet_read": [room.name for room in health if not room.contacted],
        "subscriptions": sum(room.subscribed for room in health),
        "content": _say_content(office, health),
        "deaf_subscriptions": [room.name for room in health if room.deaf],
        "queue": {
            "waiting": depth.waiting,
            "due": depth.due,
            "running": depth.running,
            "parked": depth.parked,
            "oldest_waiting_at": {name.name.lower(): at for name, at in depth.oldest_waiting_at.items()},
        },
        "parked": [{"key": f"{key.kind}:{key.key}", "since": key.parked_at, "error": key.last_error} for key in parked],
        "loans": office.status.loans_by_status(),
        "open_cases": office.status.open_cases(),
        "drift": {
            names.get(room, str(room)): _say_drift(comparison)
            for room, comparison in office.comparisons.load_all().items()
            if comparison.copies or comparison.bookings
        },
        "meetings_from_before": office.status.listed_meetings(),
        "outbox": _say_outbox(office),
        "jobs": office.status.jobs(),
    }


def describe_subscriptions(office: Described) -> Sequence[Mapping[str, object]]:
    """Return one mapping per followed room, ready to be shown."""
    found = office.comparisons.load_all()
    return [{**render_health(health), **_say_drift(found.get(health.room_id))} for health in office.status.rooms()]


def describe_drift(office: Described) -> Mapping[str, int]:
    """Return what only nightly comparisons ever found, by the room's name; rooms without any are absent."""
    found = office.comparisons.load_all().items()
    totals = {office.cache.name_of(BookableId(room)): each.copies_total + each.bookings_total for room, each in found}
    return {name: total for name, total in totals.items() if total}


def list_unknown_names(office: Described) -> Sequence[UnknownName]:
    """Return the names in the settings that no store, room or tag has; none while no room is known at all."""
    view, contacts, ignored = office.settings.view, office.settings.contacts, office.rules.ignored_tags
    rooms = office.cache.book().rooms
    if not rooms:
        return ()
    stores = [store.name for store in office.desk.list_stores()]
    found = [
        *find_unknown("view.rooms", view.rooms, (room.name for room in rooms)),
        *find_unknown("view.stores", view.stores, stores),
        *find_unknown("contacts.stores", contacts.stores, stores),
        *find_unknown("loans.default_store", [office.rules.default_store], stores),
    ]
    if ignored:  # one that no room has is no mistake by itself: it may be there for rooms to come
        tags = [tag for room in rooms for tag in room.tags]
        tags += [one.tag for one in office.status.last_import().left_out]
        found += find_unknown("rooms.ignored_tags", sorted(ignored), tags, only_with_near=True)
    return found


def _say_content(office: Described, health: Sequence[RoomHealth]) -> Mapping[str, object]:
    """Return of how many rooms notifications bring their event, of which Graph refused it, or why of none."""
    why = why_without_content(office.settings)
    if why:
        return {"rooms": 0, "off": why}
    return {
        "rooms": sum(room.brings_events for room in health),
        "refused": [room.name for room in health if room.content == "refused"],
    }


def _say_outbox(office: Described) -> dict[str, int]:
    """Return how many messages there are in each state, and how many receivers take none."""
    counts = {state.value: count for state, count in office.outbox.counts().items()}
    return {**counts, "receivers_failing": office.outbox.failing()}


def _say_expiry(found: Expiry | None) -> dict[str, object]:
    """Return how long secret or certificate still holds; nothing where that is unknown."""
    if found is None:
        return {}
    return {"credential": {"expires_on": found.on.isoformat(), "days_left": found.days, "warn": found.step is not None}}


def _say_drift(found: Comparison | None) -> dict[str, object]:
    """Return what the last nightly comparison of a room found."""
    if found is None:
        return {"compared_at": None, "drift_copies": 0, "drift_bookings": 0}
    return {"compared_at": found.compared_at, "drift_copies": found.copies, "drift_bookings": found.bookings}

"""What the engine says of itself: what is stale, what waits, what failed, since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from engine.database.rooms.book import IMPORT_JOB
from engine.database.rooms.directory import PLACES_KEY
from engine.database.sql.connection import Database
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.loans.loan import Decision
from engine.rooms.health import ImportState, LeftOut, RoomHealth
from engine.rooms.listing import ListingWarning, WarningCode
from engine.rooms.room import RoomState

room_table = metadata.tables["room"]
subscription_table = metadata.tables["subscription"]
loan_table = metadata.tables["loan"]
case_table = metadata.tables["case"]
copy_table = metadata.tables["room_copy"]
job_table = metadata.tables["job"]
work_table = metadata.tables["work"]
decision_table = metadata.tables["decision"]

DEAF_AFTER = timedelta(minutes=10)
"""A subscription is called deaf when reading alone found changes and it has been silent for this long."""


ADMIN_CODES = (
    "setting_changed", "rules_changed", "store_added", "store_changed", "asset_added", "asset_changed",
    "asset_retired", "asset_revived", "room_moved_to_store",
)  # fmt: skip


class StatusBoard:
    """Reads what status pages, health checks and metrics show. Each method is one reading transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rooms(self) -> tuple[RoomHealth, ...]:
        """Return every followed room, by id."""
        return tuple(room for room in self.all_rooms() if room.state != RoomState.EXCLUDED)

    def all_rooms(self) -> tuple[RoomHealth, ...]:
        """Return every room, the excluded ones too, by id."""
        with self._database.read() as transaction:
            rows = transaction.connection.execute(_ROOMS).all()
            return tuple(_health(row, transaction.now) for row in rows)

    def unread_rooms(self, at_most: int) -> tuple[str, ...]:
        """Return the names of active rooms whose calendar was never read, the first ones by id."""
        with self._database.read() as transaction:
            return _names(transaction, room_table.c.contacted_at.is_(None), at_most)

    def unsubscribed_rooms(self, at_most: int) -> tuple[str, ...]:
        """Return the names of active rooms of whose changes nobody notifies us, the first ones by id."""
        remote_id, expires_at = subscription_table.c.remote_id, subscription_table.c.expires_at
        with self._database.read() as transaction:
            is_none = or_(remote_id.is_(None), expires_at.is_(None), expires_at <= transaction.now)
            return _names(transaction, is_none, at_most)

    def deaf_rooms(self) -> int:
        """Return how many followed rooms have a deaf subscription."""
        suspected = _ROOMS.where(room_table.c.state != RoomState.EXCLUDED, room_table.c.changed_unsignalled > 0)
        with self._database.read() as transaction:
            rows = transaction.connection.execute(suspected)
            return sum(_health(row, transaction.now).deaf for row in rows)

    def last_import(self) -> ImportState:
        """Return what the last import of rooms did, and whether another is asked for."""
        with self._database.read() as transaction:
            job = transaction.connection.execute(select(job_table).where(job_table.c.name == IMPORT_JOB)).one_or_none()
            kind, key = PLACES_KEY
            wanted = select(work_table).where(work_table.c.kind == kind, work_table.c.key == key)
            return _import_state(job, transaction.connection.execute(wanted).one_or_none())

    def room_history(self, room_id: int, limit: int = 50) -> tuple[Decision, ...]:
        """Return what was decided about a room itself, its bookings apart, the newest first."""
        about = decision_table.c.room_id == room_id
        is_own = decision_table.c.loan_number.is_(None) & decision_table.c.ical_uid.is_(None)
        wanted = select(decision_table).where(about, is_own).order_by(decision_table.c.id.desc()).limit(limit)
        with self._database.read() as transaction:
            return tuple(
                Decision(row.at, row.code, row.facts, row.actor) for row in transaction.connection.execute(wanted)
            )

    def loans_by_status(self) -> dict[str, int]:
        return self._count(select(loan_table.c.status, func.count()).group_by(loan_table.c.status))

    def rooms_by_state(self) -> dict[str, int]:
        return self._count(select(room_table.c.state, func.count()).group_by(room_table.c.state))

    def open_cases(self) -> dict[str, int]:
        """Return how many cases of each code are open."""
        wanted = select(case_table.c.code, func.count()).where(case_table.c.state == "open").group_by(case_table.c.code)
        return self._count(wanted)

    def listed_meetings(self) -> int:
        """Return how many meetings were there before first contact and wait to be imported."""
        with self._database.read() as transaction:
            meetings = func.count(func.distinct(copy_table.c.ical_uid))
            wanted = select(meetings).where(copy_table.c.listed, copy_table.c.live)
            return int(transaction.connection.execute(wanted).scalar_one())

    def jobs(self) -> dict[str, dict[str, object]]:
        """Return when each timed job ran last, what came of it, and when it runs next."""
        with self._database.read() as transaction:
            rows = transaction.connection.execute(select(job_table).order_by(job_table.c.name)).all()
        return {
            row.name: {"last_at": row.last_at, "last_result": row.last_result, "next_at": row.next_at} for row in rows
        }

    def admin_history(self, limit: int = 50) -> tuple[Decision, ...]:
        """Return what administrators changed, the newest first: settings, rules, stores, assets."""
        is_theirs = decision_table.c.code.in_(ADMIN_CODES) & decision_table.c.actor.startswith("app:")
        wanted = select(decision_table).where(is_theirs).order_by(decision_table.c.id.desc()).limit(limit)
        with self._database.read() as transaction:
            return tuple(
                Decision(row.at, row.code, row.facts, row.actor) for row in transaction.connection.execute(wanted)
            )

    def _count(self, wanted: Any) -> dict[str, int]:
        with self._database.read() as transaction:
            return {str(row[0]): int(row[1]) for row in transaction.connection.execute(wanted)}

    def is_there(self) -> bool:
        """Tell whether the database answers; raises what it says when it does not."""
        with self._database.read() as transaction:
            return _answers(transaction)


def _answers(transaction: Transaction) -> bool:
    return bool(transaction.connection.execute(select(1)).scalar_one())


def _names(transaction: Transaction, what: ColumnElement[bool], at_most: int) -> tuple[str, ...]:
    active = select(room_table.c.name).select_from(_WITH_SUBSCRIPTION).where(room_table.c.state == RoomState.ACTIVE)
    return tuple(transaction.connection.execute(active.where(what).order_by(room_table.c.id).limit(at_most)).scalars())


_WITH_SUBSCRIPTION = room_table.outerjoin(subscription_table, subscription_table.c.room_id == room_table.c.id)

_ROOMS = (
    select(
        room_table.c.id,
        room_table.c.name,
        room_table.c.state,
        room_table.c.state_since,
        room_table.c.state_detail,
        room_table.c.read_at,
        room_table.c.contacted_at,
        room_table.c.signalled_at,
        room_table.c.changed_unsignalled,
        subscription_table.c.remote_id,
        subscription_table.c.expires_at,
        subscription_table.c.renewed_at,
        subscription_table.c.notified_at,
        subscription_table.c.created_at,
        subscription_table.c.certificate,
        subscription_table.c.content_refused_at,
        subscription_table.c.content_refusal,
    )
    .select_from(_WITH_SUBSCRIPTION)
    .order_by(room_table.c.id)
)


def _import_state(job: Any, work: Any) -> ImportState:
    report: Mapping[str, Any] = (job.report if job is not None else None) or {}
    return ImportState(
        last_at=job.last_at if job is not None else None,
        counts=report.get("counts", {}),
        left_out=tuple(LeftOut(**one) for one in report.get("left_out", ())),
        warnings=tuple(
            ListingWarning(WarningCode(one["code"]), one["name"], one["address"]) for one in report.get("warnings", ())
        ),
        asked_at=work.marked_at if work is not None and work.ready_at is not None else None,
        running=work is not None and work.lease_owner is not None,
        error=work.last_error if work is not None else None,
        parked=work is not None and work.parked_at is not None,
    )


def _health(row: Any, now: datetime) -> RoomHealth:
    subscribed = row.remote_id is not None and row.expires_at is not None and row.expires_at > now
    last_heard = max((at for at in (row.signalled_at, row.created_at) if at is not None), default=now)
    return RoomHealth(
        room_id=row.id,
        name=row.name,
        state=row.state,
        state_since=row.state_since,
        state_detail=row.state_detail,
        subscribed=subscribed,
        expires_at=row.expires_at,
        renewed_at=row.renewed_at,
        notified_at=row.notified_at,
        signalled_at=row.signalled_at,
        read_at=row.read_at,
        contacted=row.contacted_at is not None,
        changed_unsignalled=row.changed_unsignalled,
        deaf=subscribed and row.changed_unsignalled > 0 and now - last_heard > DEAF_AFTER,
        brings_events=subscribed and bool(row.certificate),
        content_refused_at=row.content_refused_at,
        content_refusal=row.content_refusal or "",
    )


def render_health(health: RoomHealth) -> Mapping[str, object]:
    """Return one room's health as a mapping, ready to be shown."""
    return {
        "room": health.name,
        "state": health.state,
        "subscribed": health.subscribed,
        "expires_at": health.expires_at,
        "renewed_at": health.renewed_at,
        "notified_at": health.notified_at,
        "read_at": health.read_at,
        "deaf": health.deaf,
        "content": health.content,
    }

"""What the engine says of itself: what is stale, what waits, what failed, since when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from engine.database.connection import Database, Transaction
from engine.database.tables import metadata
from engine.rooms.room import RoomState

room_table = metadata.tables["room"]
subscription_table = metadata.tables["subscription"]
loan_table = metadata.tables["loan"]
case_table = metadata.tables["case"]
copy_table = metadata.tables["room_copy"]
job_table = metadata.tables["job"]

DEAF_AFTER = timedelta(minutes=10)
"""A subscription is called deaf when reading alone found changes and it has been silent for this long."""


@dataclass(frozen=True, slots=True)
class RoomHealth:
    """One followed room: its subscription, and when it was read last."""

    room_id: int
    name: str
    state: str
    subscribed: bool
    expires_at: datetime | None
    renewed_at: datetime | None
    notified_at: datetime | None
    read_at: datetime | None
    contacted: bool
    changed_unsignalled: int
    deaf: bool


class StatusBoard:
    """Reads what status pages, health checks and metrics show. Each method is one reading transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rooms(self) -> tuple[RoomHealth, ...]:
        """Return every followed room, by id."""
        with self._database.read() as transaction:
            rows = transaction.connection.execute(_ROOMS).all()
            return tuple(_health(row, transaction.now) for row in rows)

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

    def _count(self, wanted: Any) -> dict[str, int]:
        with self._database.read() as transaction:
            return {str(row[0]): int(row[1]) for row in transaction.connection.execute(wanted)}

    def is_there(self) -> bool:
        """Tell whether the database answers; raises what it says when it does not."""
        with self._database.read() as transaction:
            return _answers(transaction)


def _answers(transaction: Transaction) -> bool:
    return bool(transaction.connection.execute(select(1)).scalar_one())


_ROOMS = (
    select(
        room_table.c.id,
        room_table.c.name,
        room_table.c.state,
        room_table.c.read_at,
        room_table.c.contacted_at,
        room_table.c.signalled_at,
        room_table.c.changed_unsignalled,
        subscription_table.c.remote_id,
        subscription_table.c.expires_at,
        subscription_table.c.renewed_at,
        subscription_table.c.notified_at,
        subscription_table.c.created_at,
    )
    .join(subscription_table, subscription_table.c.room_id == room_table.c.id, isouter=True)
    .where(room_table.c.state != RoomState.EXCLUDED.value)
    .order_by(room_table.c.id)
)


def _health(row: Any, now: datetime) -> RoomHealth:
    subscribed = row.remote_id is not None and row.expires_at is not None and row.expires_at > now
    last_heard = max((at for at in (row.signalled_at, row.created_at) if at is not None), default=now)
    return RoomHealth(
        room_id=row.id,
        name=row.name,
        state=row.state,
        subscribed=subscribed,
        expires_at=row.expires_at,
        renewed_at=row.renewed_at,
        notified_at=row.notified_at,
        read_at=row.read_at,
        contacted=row.contacted_at is not None,
        changed_unsignalled=row.changed_unsignalled,
        deaf=subscribed and row.changed_unsignalled > 0 and now - last_heard > DEAF_AFTER,
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
    }

"""Our change subscriptions as rows: one per room, its secret saved before the request that will carry it.

Graph calls the receiver before it answers the creation, and the first notifications may overtake that answer
(Graph docs: change-notifications-delivery-webhooks). So the client state is committed first, and a notification can
be recognised by it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.ids import BookableId
from engine.rooms.room import RoomState
from engine.subscriptions.plan import Held, Wanted, is_renewal_due, wanted_certificate

subscription_table = metadata.tables["subscription"]
room_table = metadata.tables["room"]

_of_room = subscription_table.c.room_id == bindparam("of_room")
_select_wanted = (
    select(room_table.c.id, room_table.c.directory_id, room_table.c.address, room_table.c.state)
    .where(room_table.c.state != RoomState.EXCLUDED.value)
    .order_by(room_table.c.id)
)
_ALL_WANTED = Prepared(_select_wanted)
_WANTED = Prepared(_select_wanted.where(room_table.c.id == bindparam("of_room")))
_ALL_HELD = Prepared(select(subscription_table).order_by(subscription_table.c.room_id))
_HELD = Prepared(select(subscription_table).where(_of_room))
_LOCK_HELD = Prepared(select(subscription_table).where(_of_room).with_for_update())
_ADD = Prepared(subscription_table.insert())
_CHANGE = Prepared(subscription_table.update().where(_of_room))
_CHANGE_SAME = Prepared(
    subscription_table.update().where(_of_room, subscription_table.c.remote_id == bindparam("of_remote"))
)

SECRET_BYTES = 32
"""64 characters as text; Graph allows 128 (Graph docs: subscription)."""

REFUSAL_MAX = 500
"""Characters kept of the words of a refusal."""

NO_SECRET = ""
"""As a client state: none is held, and no notification matches it."""


class SubscriptionStore:
    """The table `subscription`. Each method is one transaction."""

    def __init__(self, database: Database, *, make_secret: Callable[[], str] | None = None) -> None:
        self._database = database
        self._make_secret = make_secret or (lambda: database.draw(SECRET_BYTES))
        self.certificate: Callable[[], str] | None = None
        """Tells the id of the certificate that subscriptions are to use; None: nobody here can tell."""

    def load_held(self) -> tuple[Held, ...]:
        """Return every stored subscription, by room."""
        with self._database.read() as transaction:
            return tuple(_held(row) for row in _ALL_HELD.run(transaction.connection))

    def find_held(self, room_id: BookableId) -> Held | None:
        """Return one room's subscription."""
        with self._database.read() as transaction:
            row = _HELD.run(transaction.connection, {"of_room": room_id}).one_or_none()
        return None if row is None else _held(row)

    def find_wanted(self, room_id: BookableId) -> Wanted | None:
        """Return the room as one to subscribe to; None when it is unknown or excluded."""
        return next(iter(self._load_wanted(_WANTED, {"of_room": room_id})), None)

    def load_wanted(self) -> tuple[Wanted, ...]:
        """Return every room that is followed."""
        return self._load_wanted(_ALL_WANTED)

    def _load_wanted(self, statement: Prepared, values: dict[str, Any] | None = None) -> tuple[Wanted, ...]:
        with self._database.read() as transaction:
            rows = statement.run(transaction.connection, values)
        return tuple(
            Wanted(
                BookableId(row.id),
                row.directory_id,
                suspended=row.state == RoomState.SUSPENDED.value,
                missing=row.state == RoomState.MISSING.value,
                address=row.address,
            )
            for row in rows
        )

    def begin_creation(self, room_id: BookableId, *, certificate: str = "") -> str:
        """
        Return the client state to create with, committed before anybody sends it.

        A creation whose answer never came is repeated with the same one: whichever of the two the service made is
        then ours, unless it is to bring events in another way now. Any id stored before is forgotten.
        """
        with self._database.write() as transaction:
            connection = transaction.connection
            row = _LOCK_HELD.run(connection, {"of_room": room_id}).one_or_none()
            is_begun = row is not None and row.remote_id is None and row.client_state != NO_SECRET
            if is_begun and row.certificate == certificate:
                return str(row.client_state)
            secret = self._make_secret()
            values = {"remote_id": None, "client_state": secret, "expires_at": None, "created_at": transaction.now}
            values |= {"renewed_at": None, "notified_at": None, "certificate": certificate}
            if row is None:
                _ADD.run(connection, {"room_id": room_id, **values, "content_refusal": ""})
            else:
                _CHANGE.run(connection, {"of_room": room_id, **values})
        return secret

    def finish_creation(
        self, room_id: BookableId, *, remote_id: str, expires_at: datetime, content_refusal: str = ""
    ) -> None:
        """Store the service's answer to a creation, or one that was adopted; the room is marked to be read.

        *content_refusal*: in what words the service would not make one that brings events, so that this brings none.
        """
        with self._database.write() as transaction:
            self._confirm(transaction, room_id, remote_id=remote_id, expires_at=expires_at)
            if content_refusal:
                refusal = {"content_refused_at": transaction.now, "content_refusal": content_refusal[:REFUSAL_MAX]}
                _CHANGE.run(transaction.connection, {"of_room": room_id, **refusal})
            transaction.mark("room", str(room_id))

    def finish_renewal(self, room_id: BookableId, *, remote_id: str, expires_at: datetime) -> None:
        """Store a new expiry, unless the subscription has been replaced meanwhile."""
        with self._database.write() as transaction:
            values = {"expires_at": expires_at, "renewed_at": transaction.now}
            _CHANGE_SAME.run(transaction.connection, {"of_room": room_id, "of_remote": remote_id, **values})

    def _confirm(self, transaction: Transaction, room_id: BookableId, *, remote_id: str, expires_at: datetime) -> None:
        values = {"remote_id": remote_id, "expires_at": expires_at, "renewed_at": transaction.now}
        _CHANGE.run(transaction.connection, {"of_room": room_id, **values})

    def clear(self, room_id: BookableId, *, remote_id: str) -> None:
        """Forget the id and the secret of a subscription that is gone, unless another has taken its place.

        Whatever happened since its end went unheard, so the room is marked to be read.
        """
        with self._database.write() as transaction:
            clear_subscription(transaction, room_id, remote_id=remote_id)
            transaction.mark("room", str(room_id))

    def drop(self, room_id: BookableId) -> None:
        """Forget a room's subscription altogether."""
        with self._database.write() as transaction:
            transaction.connection.execute(delete(subscription_table).where(subscription_table.c.room_id == room_id))

    def mark_rooms(self, room_ids: tuple[BookableId, ...]) -> None:
        """Have the subscriptions of these rooms looked at."""
        if room_ids:
            with self._database.write() as transaction:
                for room_id in room_ids:
                    transaction.mark("subscription", str(room_id))

    def mark_due(self) -> int:
        """Mark every room whose subscription wants something by the clock; returns how many.

        Those are: due for renewal, with another certificate than is wanted, lacking although followed, and kept
        although excluded.
        """
        wanted, held = self.load_wanted(), {row.room_id: row for row in self.load_held()}
        certificate = self.certificate() if self.certificate is not None else None
        followed = {room.room_id for room in wanted}
        with self._database.write() as transaction:
            due = {row.room_id for row in held.values() if row.remote_id and is_renewal_due(row, now=transaction.now)}
            if certificate is not None:
                due |= {
                    room_id
                    for room_id, row in held.items()
                    if row.certificate != wanted_certificate(row, certificate, now=transaction.now)
                }
            lacking = {room.room_id for room in wanted if _lacks(room, held.get(room.room_id))}
            marked = due | lacking | (held.keys() - followed)
            for room_id in marked:
                transaction.mark("subscription", str(room_id), priority=Priority.SWEEP)
        return len(marked)


def _lacks(room: Wanted, held: Held | None) -> bool:
    """Tell whether *room* is to get a subscription. One that is missing and has none does without: see `Wanted`."""
    return not room.suspended and (not room.missing if held is None else held.remote_id is None)


def clear_subscription(transaction: Transaction, room_id: int, *, remote_id: str) -> None:
    """Forget id and secret of the subscription *remote_id*, if the room still has that one."""
    values = {"remote_id": None, "client_state": NO_SECRET, "expires_at": None}
    _CHANGE_SAME.run(transaction.connection, {"of_room": room_id, "of_remote": remote_id, **values})


def _held(row: Any) -> Held:
    return Held(
        room_id=BookableId(row.room_id),
        remote_id=row.remote_id,
        expires_at=row.expires_at,
        confirmed_at=row.renewed_at if row.remote_id is not None else None,
        has_secret=row.client_state != NO_SECRET,
        certificate=row.certificate,
        content_refused_at=row.content_refused_at,
        content_refusal=row.content_refusal,
    )

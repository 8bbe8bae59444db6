"""Sessions of people in the app. The browser holds a secret, the database its SHA-256: reading it opens nothing."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select

from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.errors import NotFound
from engine.ids import Address, fold_address
from engine.loans.loan import Requester

SECRET_BYTES = 32

IDLE = timedelta(hours=12)
"""A session nobody used for this long is over: a working day."""

LIFETIME = timedelta(days=1)
"""However busy it is, a session ends after this long: the provider is asked anew who somebody is, and in which role."""

KEPT = timedelta(days=30)
"""How long a session that ended stays in the table."""

USE_NOTED_EVERY = timedelta(minutes=5)
"""A write per request would be too dear."""

AGENT_CHARACTERS_MAX = 200

_session = metadata.tables["session"]
_BY_DIGEST = select(_session).where(_session.c.digest == bindparam("of_digest"), _session.c.revoked_at.is_(None))
_NOTE_USE = _session.update().where(_session.c.id == bindparam("of_id")).values(seen_at=bindparam("at"))
_LIVE = (
    select(_session)
    .where(
        _session.c.revoked_at.is_(None),
        _session.c.seen_at > bindparam("idle_since", type_=_session.c.seen_at.type),
        _session.c.created_at > bindparam("born_since", type_=_session.c.seen_at.type),
    )
    .order_by(_session.c.id.desc())
)
_LIVE_OF_ONE = _LIVE.where(_session.c.address_folded == bindparam("folded"))
_REVOKE = (
    _session.update()
    .where(_session.c.id == bindparam("of_id"), _session.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)
_REVOKE_OF_ONE = _REVOKE.where(_session.c.address_folded == bindparam("folded"))


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """One session, without its secret."""

    id: int
    name: str
    address: Address
    role: str
    provider: str
    agent: str
    created_at: datetime
    seen_at: datetime


class SessionStore:
    """Who is signed in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, person: Requester, role: str, *, provider: str, agent: str) -> str:
        """Sign *person* in and return the secret for their browser, this once. Clears away old sessions."""
        plain = secrets.token_urlsafe(SECRET_BYTES)
        with self._database.write() as transaction:
            transaction.connection.execute(
                _session.delete().where(_session.c.created_at < transaction.now - LIFETIME - KEPT)
            )
            values = {
                "digest": _digest(plain),
                "name": person.name,
                "address": person.address,
                "address_folded": fold_address(person.address),
                "role": role,
                "provider": provider,
                "agent": agent[:AGENT_CHARACTERS_MAX],
                "created_at": transaction.now,
                "seen_at": transaction.now,
            }
            transaction.connection.execute(_session.insert(), values)
        return plain

    def find(self, plain: str) -> SessionInfo | None:
        """Return whose session this secret opens; None when it is unknown, revoked or over."""
        with self._database.read() as transaction:
            row = transaction.connection.execute(_BY_DIGEST, {"of_digest": _digest(plain)}).first()
            now = transaction.now
        if row is None or now - row.seen_at >= IDLE or now - row.created_at >= LIFETIME:
            return None
        if now - row.seen_at >= USE_NOTED_EVERY:
            with self._database.write() as transaction:
                transaction.connection.execute(_NOTE_USE, {"of_id": row.id, "at": now})
        return _info(row)

    def list_of(self, address: str) -> Sequence[SessionInfo]:
        """Return the live sessions of one person, the newest first."""
        with self._database.read() as transaction:
            values = {"folded": fold_address(address), **_bounds(transaction.now)}
            return [_info(row) for row in transaction.connection.execute(_LIVE_OF_ONE, values)]

    def list_all(self, *, limit: int) -> Sequence[SessionInfo]:
        """Return at most *limit* live sessions of everybody, the newest first."""
        with self._database.read() as transaction:
            return [_info(row) for row in transaction.connection.execute(_LIVE.limit(limit), _bounds(transaction.now))]

    def revoke(self, session_id: int, *, address: str | None) -> None:
        """End one session for good: of the person of *address*, or with None of anybody. Raises NotFound."""
        with self._database.write() as transaction:
            values: dict[str, Any] = {"of_id": session_id, "at": transaction.now}
            if address is not None:
                values["folded"] = fold_address(address)
            statement = _REVOKE if address is None else _REVOKE_OF_ONE
            if not transaction.connection.execute(statement, values).rowcount:
                raise NotFound(f"there is no live session {session_id}")


def _bounds(now: datetime) -> dict[str, datetime]:
    """Return before which instants a session has been idle, or has lived, too long."""
    return {"idle_since": now - IDLE, "born_since": now - LIFETIME}


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _info(row: Any) -> SessionInfo:
    return SessionInfo(
        row.id, row.name, Address(row.address), row.role, row.provider, row.agent, row.created_at, row.seen_at
    )

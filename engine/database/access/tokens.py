"""Bearer tokens for machines. Only their SHA-256 is kept: what is read from the database opens nothing."""

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
from engine.errors import Fault, Invalid, NotFound, Stale
from engine.loans.wishes import NAME_CHARACTERS_MAX

PREFIX = "acc_"
"""Lets people, and scanners for leaked secrets, recognise one."""

SECRET_BYTES = 32

ROLES = ("viewer", "staff", "admin")

USE_NOTED_EVERY = timedelta(minutes=5)
"""A write per request would be too dear for a column that people look at once a month."""

_token = metadata.tables["token"]
_BY_DIGEST = select(_token).where(_token.c.digest == bindparam("of_digest"), _token.c.revoked_at.is_(None))
_NOTE_USE = _token.update().where(_token.c.id == bindparam("of_id")).values(used_at=bindparam("at"))
_REVOKE = (
    _token.update()
    .where(_token.c.id == bindparam("of_id"), _token.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


@dataclass(frozen=True, slots=True)
class TokenIdentity:
    """Who a token speaks for, and what it may do."""

    id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """A token as a list shows it."""

    id: int
    name: str
    role: str
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class TokenStore:
    """All bearer tokens but the bootstrap one, which lives in the environment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: str) -> str:
        """Make a token and return it, this once. Raises Invalid."""
        faults = _find_faults(name, role)
        if faults:
            raise Invalid(*faults)
        plain = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        try:
            with self._database.write() as transaction:
                values = {"name": name.strip(), "role": role, "digest": _digest(plain), "created_at": transaction.now}
                transaction.connection.execute(_token.insert(), values)
        except Stale as error:
            raise Invalid(Fault("name", "taken", f"there is, or was, a token called {name.strip()}")) from error
        return plain

    def authenticate(self, plain: str) -> TokenIdentity | None:
        """
        Return who *plain* belongs to; None when it is unknown or revoked.

        Found by its digest, so how long the look-up takes tells nothing about the token.
        """
        if not plain.startswith(PREFIX):
            return None
        with self._database.read() as transaction:
            row = transaction.connection.execute(_BY_DIGEST, {"of_digest": _digest(plain)}).first()
            now = transaction.now
        if row is None:
            return None
        if row.used_at is None or now - row.used_at >= USE_NOTED_EVERY:
            with self._database.write() as transaction:
                transaction.connection.execute(_NOTE_USE, {"of_id": row.id, "at": now})
        return TokenIdentity(row.id, row.name, row.role)

    def revoke(self, token_id: int) -> None:
        """Make a token useless, for good. Raises NotFound."""
        with self._database.write() as transaction:
            values = {"of_id": token_id, "at": transaction.now}
            if not transaction.connection.execute(_REVOKE, values).rowcount:
                raise NotFound(f"there is no live token {token_id}")

    def list_tokens(self) -> Sequence[TokenInfo]:
        """Return all tokens, revoked ones included, oldest first."""
        with self._database.read() as transaction:
            return [_info(row) for row in transaction.connection.execute(select(_token).order_by(_token.c.id))]


def _digest(plain: str) -> str:
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


def _find_faults(name: str, role: str) -> list[Fault]:
    faults = []
    if not name.strip() or len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
        faults.append(Fault("name", "implausible", f"a token needs a name of at most {NAME_CHARACTERS_MAX} characters"))
    if role not in ROLES:
        faults.append(Fault("role", "unknown", f"one of {', '.join(ROLES)}"))
    return faults


def _info(row: Any) -> TokenInfo:
    return TokenInfo(row.id, row.name, row.role, row.created_at, row.used_at, row.revoked_at)

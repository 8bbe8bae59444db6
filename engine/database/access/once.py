"""Requests with an idempotency key, kept for a day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.loans.once import AT_WORK, KEPT, Answer, Begun, OnceBook

_once = metadata.tables["once"]
_c = _once.c


class OnceStore(OnceBook):
    """What was asked with a key, and answered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, digest: str, fingerprint: str) -> tuple[Begun, Answer | None]:
        with self._database.write() as transaction:
            connection, now = transaction.connection, transaction.now
            old = bindparam("before", now - KEPT, type_=Instant())
            connection.execute(delete(_once).where(_c.digest == digest, _c.created_at < old))
            dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
            row = {"digest": digest, "fingerprint": fingerprint, "created_at": now, "headers": {}, "body": ""}
            insert = dialect.insert(_once).values(row).on_conflict_do_nothing().returning(_c.digest)
            if connection.execute(insert).first() is not None:
                return Begun.FIRST, None
            found = connection.execute(select(_once).where(_c.digest == digest)).one()
            return _compare(found, fingerprint, now)

    def finish(self, digest: str, answer: Answer) -> None:
        values = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
        with self._database.write() as transaction:
            transaction.connection.execute(update(_once).where(_c.digest == digest).values(values))

    def forget(self, digest: str) -> None:
        with self._database.write() as transaction:
            transaction.connection.execute(delete(_once).where(_c.digest == digest))

    def prune(self, before: datetime) -> int:
        """Forget what was asked before *before*; return how many requests."""
        with self._database.write() as transaction:
            old = bindparam("before", before, type_=Instant())
            return transaction.connection.execute(delete(_once).where(_c.created_at < old)).rowcount


def _compare(row: Any, fingerprint: str, now: datetime) -> tuple[Begun, Answer | None]:
    if row.fingerprint != fingerprint:
        return Begun.OTHER, None
    if row.status is not None:
        return Begun.ANSWERED, Answer(row.status, row.headers, row.body)
    return (Begun.AT_WORK if now - row.created_at < AT_WORK else Begun.CUT_OFF), None

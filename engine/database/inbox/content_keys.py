"""The keys with which notifications that bring their event are opened: the newest, and those still used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select

from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.rooms.calendar import Certificate

key_table = metadata.tables["content_key"]
subscription_table = metadata.tables["subscription"]

LIFE = timedelta(days=365)
RENEW_BEFORE = timedelta(days=30)
"""How long before a certificate ends another one takes its place: subscriptions follow within a day."""

_NEWEST = Prepared(
    select(key_table.c.id, key_table.c.certificate, key_table.c.ends_at)
    .order_by(key_table.c.ends_at.desc(), key_table.c.id)
    .limit(1)
)
_PRIVATE = Prepared(select(key_table.c.private_key).where(key_table.c.id == bindparam("of_id")))

MakeCertificate = Callable[[datetime, timedelta], tuple[str, str]]
"""Makes a certificate (DER, base64) and its key (PEM), good from an instant on for so long."""


class ContentKeys:
    """The table `content_key`; all processes share it."""

    def __init__(self, database: Database, *, make: MakeCertificate) -> None:
        self._database = database
        self._make = make
        self._newest: Any = None

    def current(self) -> Certificate:
        """Return the certificate to subscribe with; one is made where there is none, or none for long."""
        now = self._now()
        if self._newest is None or self._newest.ends_at - now < RENEW_BEFORE:
            self._newest = self._find_newest(now) or self._add(now)
        return Certificate(self._newest.id, self._newest.certificate)

    def find_private(self, key_id: str) -> str | None:
        """Return the key of a certificate as PEM; None when it is unknown."""
        with self._database.read() as transaction:
            found = _PRIVATE.run(transaction.connection, {"of_id": key_id}).one_or_none()
        return None if found is None else str(found.private_key)

    def _now(self) -> datetime:
        with self._database.read() as transaction:
            return transaction.now

    def _find_newest(self, now: datetime) -> Any:
        with self._database.read() as transaction:
            row = _NEWEST.run(transaction.connection).one_or_none()
        return row if row is not None and row.ends_at - now >= RENEW_BEFORE else None

    def _add(self, now: datetime) -> Any:
        """Make a new one, and forget those that no subscription uses any more."""
        begins_at = now.replace(microsecond=0) - timedelta(hours=1)  # clocks differ
        certificate, private_key = self._make(begins_at, LIFE)
        used = select(subscription_table.c.certificate)
        values = {"certificate": certificate, "private_key": private_key, "made_at": now, "ends_at": begins_at + LIFE}
        with self._database.write() as transaction:
            transaction.connection.execute(delete(key_table).where(key_table.c.id.not_in(used)))
            transaction.connection.execute(key_table.insert(), {"id": self._database.draw(16), **values})
        return self._find_newest(now)

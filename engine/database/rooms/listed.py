"""Copies of meetings that were there before us: none becomes a loan by itself."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, update

from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata

copy_table = metadata.tables["room_copy"]

_RELIST = Prepared(
    update(copy_table)
    .where(copy_table.c.ical_uid.in_(bindparam("keys", expanding=True)))
    .values(listed=bindparam("is_listed"))
)

_TAKE_IN = Prepared(
    update(copy_table)
    .where(copy_table.c.ical_uid == bindparam("key"), copy_table.c.listed)
    .values(listed=False)
    .returning(copy_table.c.room_id)
)


def take_in(connection: Connection, key: str) -> set[int]:
    """Let a meeting that has become a loan count as there before us no longer; return the rooms in which it did."""
    return {int(row.room_id) for row in _TAKE_IN.run(connection, {"key": key})}


def relist(connection: Connection, keys: Sequence[str], *, is_listed: bool) -> None:
    """Let meetings count as there before us, or no longer."""
    if keys:
        _RELIST.run(connection, {"keys": list(keys), "is_listed": is_listed})

"""A backup of the store, and its coming back: the store goes back in time, and the tenant does not (F19)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from engine.prove.world.losses import Backup, Loss
from engine.prove.world.rows import put_rows

if TYPE_CHECKING:
    from engine.prove.world.world import World

_TOUCHED = """
    SELECT loan_number FROM decision WHERE at >= :since AND actor LIKE 'app:%' AND loan_number IS NOT NULL
    UNION SELECT loan_number FROM "case" WHERE opened_at >= :since AND loan_number IS NOT NULL
    UNION SELECT loan.number FROM loan JOIN loan AS told ON loan.series = told.series
    JOIN "case" ON "case".loan_number = told.number WHERE opened_at >= :since
"""
"""Loans of which something stands in the store alone: what the desk did, and what a case keeps. A series that was
refused whole has one case for all its dates."""

_UNWRITTEN = """
    SELECT loan_number FROM intent UNION SELECT number FROM loan WHERE status = 'new' AND NOT EXISTS
    (SELECT 1 FROM link WHERE link.loan_number = loan.number AND link.state = 'linked')
"""
"""Loans of which the tenant may know more than the store."""


_HALF_REPLACED = "SELECT loan_number FROM link WHERE state IN ('pending', 'led') AND generation > 1"
"""Loans whose event was being replaced by another when the store was lost: the first is deleted, of the second the
tenant knows nothing, and an older store takes that for a cancellation by somebody."""

_TIED_IN_SERIES = """
    SELECT link.loan_number, max(link.generation) FROM link JOIN loan ON loan.number = link.loan_number
    WHERE loan.series IS NOT NULL GROUP BY link.loan_number
"""
"""Dates of series, and of which generation their event is. One event stands for many loans and names none of them: what
replaced it after the backup cannot be told from somebody's own series."""


def back_up(world: World) -> Backup | None:
    """Take a backup while the engine goes on; None where the store is not SQLite."""
    driver = _driver(world)
    if not isinstance(driver, sqlite3.Connection):
        return None
    with closing(sqlite3.connect(":memory:")) as copy:
        driver.backup(copy)
        return Backup(world.loop.now(), copy.serialize())


def restore(world: World, backup: Backup) -> None:
    """Put *backup* in place of the store, while no engine lives; whoever remembers anything is told what is lost."""
    assert not world.lives, "an engine is at work on this store"
    with closing(sqlite3.connect(":memory:")) as image:
        image.deserialize(backup.image)
        loss = _find_loss(world, backup.at, image)
        for tell in world.on_loss:
            tell(loss)
        with world.database.write() as transaction:
            put_rows(transaction.connection.connection.dbapi_connection, image)


def _find_loss(world: World, at: datetime, image: sqlite3.Connection) -> Loss:
    driver, since = _driver(world), {"since": at.isoformat(timespec="microseconds")}
    kept = _numbers(image, "SELECT number FROM loan")
    touched = _numbers(driver, _TOUCHED, since) | _numbers(driver, _HALF_REPLACED)
    touched |= _numbers(image, _UNWRITTEN)
    tied = dict(image.execute(_TIED_IN_SERIES).fetchall())
    touched |= {number for number, last in driver.execute(_TIED_IN_SERIES).fetchall() if last > tied.get(number, last)}
    return Loss(_numbers(driver, "SELECT number FROM loan") - kept, touched)


def _driver(world: World) -> Any:
    with world.database.write() as transaction:
        return transaction.connection.connection.dbapi_connection


def _numbers(store: sqlite3.Connection, statement: str, values: Mapping[str, str] = MappingProxyType({})) -> set[int]:
    return {int(number) for (number,) in store.execute(statement, dict(values)).fetchall()}

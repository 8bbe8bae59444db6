"""Showing other processes on one PostgreSQL database that this one lives, and ending the leases of those that died.

A worker holds a lock of its session under its name (PostgreSQL docs: explicit locking), which ends with it: at once
where it is killed, and not while it only sleeps, for whom its lease is waited for. Whoever could take no such lock, or
speaks to an older version, has a name that says so, and nothing is concluded about it.
"""

from __future__ import annotations

import logging
from typing import Any

import psycopg

from engine.database.work.queue import WorkQueue

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
"""How often to look whether others live. They are dead who are missed twice in a row: a server that was started again
has lost all sessions, and takes a moment to be connected to by everybody."""

SHOWN = "shown:"
"""How the names of those begin who hold a lock while they live."""

_SHOW = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
_MISSED = f"""
    SELECT DISTINCT lease_owner FROM work
    WHERE ready_at IS NOT NULL AND starts_with(lease_owner, '{SHOWN}') AND lease_owner <> %s AND NOT EXISTS (
        SELECT 1 FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (classid::bigint << 32) | objid::bigint = hashtextextended(lease_owner, 0)
    )
"""


class Presence:
    """
    One worker's presence.

    Args:
        queue: its view of the queue, in which it has claimed nothing yet.
    """

    def __init__(self, queue: WorkQueue) -> None:
        self._queue = queue
        self._is_shown = False
        self._is_held = False
        self._missed: frozenset[str] = frozenset()

    def begin(self, session: psycopg.Connection[Any]) -> None:
        """Show from now on that we live, under a name that says so. To be called before anything is claimed."""
        name = f"{SHOWN}{self._queue.owner}"
        self._is_shown = self._is_held = _hold(session, name)
        if self._is_shown:
            self._queue.owner = name

    def go_on(self, session: psycopg.Connection[Any]) -> None:
        """Show it in another session: the one before was lost, and our lock with it, or as soon as the server knows."""
        self._is_held = self._is_shown and _hold(session, self._queue.owner)

    def look(self, session: psycopg.Connection[Any]) -> None:
        """End the leases of all that are missed, and were when we looked before. Raises EngineError, psycopg.Error."""
        if not self._is_held:
            self.go_on(session)
        missed = frozenset(str(owner) for (owner,) in session.execute(_MISSED, (self._queue.owner,)))
        for owner in sorted(missed & self._missed):
            log.warning("a worker has died: its keys are taken over", extra={"owner": owner})
            self._queue.end_leases(owner)
        self._missed = missed


def _hold(session: psycopg.Connection[Any], name: str) -> bool:
    row = session.execute(_SHOW, (name,)).fetchone()
    return bool(row and row[0])

"""Since when each room gathers notifications, and what they have told: the memory behind `reconcile.gathering`.

When a gathering began stands in the queue, so it ends in time whichever process takes the notifications in. What it has
told so far is in memory: a process that does not know it all only has the room read a moment later.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select

from engine.database.sql.marks import Priority, work
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.reconcile.gathering import Gathering, GatherRule, Told

GATHER = GatherRule(quiet=timedelta(milliseconds=250), longest=timedelta(milliseconds=750))
"""Soon enough that a loan shows within a second of its room's answer, whenever in a gathering that is notified."""

_WAITING = Prepared(
    select(work.c.ready_at, work.c.due_at, work.c.lease_owner, work.c.marked_at).where(
        work.c.kind == "room",
        work.c.key == bindparam("room"),
        work.c.priority == int(Priority.LIVE),
        work.c.attempts == 0,
    )
)


class Gatherings:
    """The gatherings of all rooms. Safe to use from several threads."""

    def __init__(self, rule: GatherRule) -> None:
        self._rule = rule
        self._lock = threading.Lock()
        self._open: dict[int, Gathering] = {}
        self._ends: dict[int, datetime] = {}

    def mark(self, transaction: Transaction, room: int, told: Iterable[Told]) -> None:
        """Mark *room*, of which more is told, for when it is to be read."""
        now = transaction.now
        began_at = _waits_since(transaction, room) or now
        due_at = self.read_at(room, told, began_at=began_at, now=now)
        transaction.mark("room", str(room), delay=(due_at - now).total_seconds(), postpones=True)

    def due_at(self, room: int, told: Iterable[Told], *, now: datetime) -> datetime:
        """Return until when to wait for what else is told of *room*, of which more is told *now*, as far as this
        process has heard."""
        with self._lock:
            held = self._open.get(room)
            began_at = now if held is None or self._ends.get(room, now) <= now else held.began_at
        self._ends[room] = due_at = self.read_at(room, told, began_at=began_at, now=now)
        return due_at

    def read_at(self, room: int, told: Iterable[Told], *, began_at: datetime, now: datetime) -> datetime:
        """Return when to read *room*, whose gathering began at *began_at* and of which more is told *now*."""
        with self._lock:
            held = self._open.get(room)
            if held is None or held.began_at != began_at:
                held = Gathering(began_at)
            self._open[room] = held = held.with_more(told)
        return held.read_at(self._rule, now)


def _waits_since(transaction: Transaction, room: int) -> datetime | None:
    """Return since when *room* waits for further notifications; None: it does not, or is about to be read."""
    row = _WAITING.run(transaction.connection, {"room": str(room)}).first()
    if row is None:
        return None
    due_at: datetime | None = row.ready_at if row.lease_owner is None else row.due_at
    marked_at: datetime | None = row.marked_at
    return marked_at if due_at is not None and due_at > transaction.now else None

"""Reading what the engine is doing: the queue, the last passes, the clock's jobs, the comparisons."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, func, select

from engine.database.sql.connection import Database
from engine.database.sql.marks import work
from engine.database.sync.comparisons import ComparisonStore
from engine.database.work.jobs import JobBook
from engine.database.work.queue import WaitingKey, WorkQueue
from engine.reconcile.telling.activity import Activity, Compared, KeySeen, KeyState, PassDone, TimedJob

KEYS_SHOWN = 50
PASSES_SHOWN = 12

_PASSES = (
    select(work.c.kind, work.c.key, work.c.last_done_at)
    .where(work.c.last_done_at.is_not(None))
    .order_by(work.c.last_done_at.desc(), work.c.kind, work.c.key)
    .limit(PASSES_SHOWN)
)
_KNOWN = select(func.count()).select_from(work).where(work.c.kind == bindparam("kind"), work.c.key == bindparam("key"))


class ActivityReader:
    """Implements `ActivityBoard`."""

    def __init__(self, database: Database, queue: WorkQueue, comparisons: ComparisonStore) -> None:
        self._database = database
        self._queue = queue
        self._jobs = JobBook(database)
        self._comparisons = comparisons

    def read(self) -> Activity:
        """Return what goes on now."""
        with self._database.read() as transaction:
            now = transaction.now
            passes = [PassDone(*row) for row in transaction.connection.execute(_PASSES)]
        depth = self._queue.depth()
        return Activity(
            now=now,
            due=depth.due,
            later=depth.waiting - depth.due,
            running=depth.running,
            parked=depth.parked,
            oldest_due_at=min(depth.oldest_waiting_at.values(), default=None),
            keys=tuple(_seen(key, now) for key in self._queue.waiting(KEYS_SHOWN)),
            passes=tuple(passes),
            jobs=tuple(TimedJob(j.name, j.last_at, j.last_result, j.next_at) for j in self._jobs.load_jobs()),
            compared=self._compared(),
        )

    def is_known(self, kind: str, key: str) -> bool:
        """Tell whether the queue has such a key."""
        with self._database.read() as transaction:
            return bool(transaction.connection.execute(_KNOWN, {"kind": kind, "key": key}).scalar_one())

    def _compared(self) -> Compared:
        found = self._comparisons.load_all().values()
        return Compared(
            rooms=len(found),
            last_at=max((each.compared_at for each in found), default=None),
            drifted=sum(each.copies + each.bookings for each in found),
            drifted_ever=sum(each.copies_total + each.bookings_total for each in found),
        )


def _seen(key: WaitingKey, now: datetime) -> KeySeen:
    if key.parked_at is not None:
        state = KeyState.PARKED
    elif key.running:
        state = KeyState.RUNNING
    else:
        state = KeyState.DUE if key.ready_at is not None and key.ready_at <= now else KeyState.LATER
    since = key.parked_at or key.marked_at
    return KeySeen(key.kind, key.key, state, since, key.ready_at, key.attempts, key.last_error)

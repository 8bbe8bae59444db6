"""The work queue: one row per key, with a lease while somebody looks at it.

    mark ──► waits ──claim──► runs ──done──► rests
               ▲                │ ├─retry──► waits (later)
               └── lease ends ──┘ └─park───► parked, until marked again

- A key that waits and is marked again waits once. A key that runs and is marked again runs once more.
- One worker per key: a claim takes a lease and a fence number that only grows. `done` with an older number
  is refused, so a worker that was asleep past its lease cannot spoil what its successor did.
- Rows are never deleted: a fresh row would start its fence anew.
- Times come from `Transaction.now`: the database's clock, unless the database was given another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Row, bindparam, case, func, null, select, update
from sqlalchemy.sql.dml import Update

from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority, work
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables.types import Instant
from engine.errors import Stale

__all__ = ["Claim", "FenceLost", "Priority", "QueueDepth", "WaitingKey", "WorkQueue", "mark"]

LEASE_SECONDS = 60.0
"""Longer than a pass normally takes; a longer pass renews."""

ERROR_CHARACTERS_MAX = 2000


class FenceLost(Stale):
    """The lease ended and somebody else took the key: what this pass found out must be dropped."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that is ours until the lease ends. `attempts` counts failures since the last success."""

    kind: str
    key: str
    fence: int
    version: int
    attempts: int
    priority: Priority
    marked_at: datetime


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How much waits. `waiting` includes what is not due yet, `oldest_waiting_at` (since when the key has been due that
    waits longest) does not; `running` includes leases that have ended."""

    waiting: int
    due: int
    running: int
    parked: int
    oldest_waiting_at: Mapping[Priority, datetime]


@dataclass(frozen=True, slots=True)
class WaitingKey:
    """A row for a status page. Exactly one of `ready_at` and `parked_at` is set."""

    kind: str
    key: str
    priority: Priority
    marked_at: datetime | None
    ready_at: datetime | None
    running: bool
    attempts: int
    parked_at: datetime | None
    last_error: str | None


def mark(transaction: Transaction, kind: str, key: str, *, priority: int = Priority.LIVE, delay: float = 0.0) -> None:
    """Mark a key in *transaction*; see `Transaction.mark`."""
    transaction.mark(kind, key, priority=priority, delay=delay)


_c = work.c
_now = bindparam("now", type_=Instant())
_again = _c.version != bindparam("seen_version")
_free = {"lease_owner": null(), "lease_until": null(), "due_at": null()}


def _fenced() -> Update:
    """An update of the row a claim holds, and of no other."""
    return update(work).where(
        _c.kind == bindparam("of_kind"),
        _c.key == bindparam("of_key"),
        _c.fence == bindparam("of_fence"),
        _c.lease_owner == bindparam("owner"),
    )


_FIRST_DUE = Prepared(
    select(
        *(
            select(func.min(_c.ready_at))
            .where(_c.priority == int(priority), _c.ready_at.is_not(None))
            .scalar_subquery()
            for priority in Priority
        )
    )
)


def _claim_in(*order: Column[Any]) -> Prepared:
    picked = (
        select(_c.kind, _c.key)
        .where(_c.priority == bindparam("of_priority"), _c.ready_at <= _now, _c.ready_at.is_not(None))
        .order_by(*order)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        .cte("picked")
    )
    return Prepared(
        update(work)
        .where(_c.kind == picked.c.kind, _c.key == picked.c.key)
        .values(
            attempts=_c.attempts + case((_c.lease_owner.is_not(None), 1), else_=0),  # a lease that ended is a failure
            lease_owner=bindparam("owner"),
            lease_until=bindparam("until", type_=Instant()),
            ready_at=bindparam("until", type_=Instant()),
            fence=_c.fence + 1,
            due_at=null(),
        )
        .returning(_c.kind, _c.key, _c.fence, _c.version, _c.attempts, _c.priority, _c.marked_at)
    )


_CLAIM = {"sqlite": _claim_in(_c.ready_at), "postgresql": _claim_in(_c.ready_at, _c.kind, _c.key)}
"""On PostgreSQL equals come, and are returned, in any order unless one is asked for."""
_DONE = Prepared(
    _fenced()
    .values(
        **_free,
        ready_at=case((_again, func.coalesce(_c.due_at, _now)), else_=null()),
        attempts=0,
        parked_at=null(),
        last_error=null(),
        last_done_at=_now,
    )
    .returning(_c.ready_at)
)
_retry_at = bindparam("retry_at", type_=Instant())
_RETRY = Prepared(
    _fenced()
    .values(
        **_free,
        ready_at=case(((_c.priority == int(Priority.LIVE)) & (_c.due_at < _retry_at), _c.due_at), else_=_retry_at),
        attempts=_c.attempts + 1,
        marked_at=bindparam("marked", type_=Instant()),
        last_error=bindparam("error"),
    )
    .returning(_c.ready_at)
)
_PARK = Prepared(
    _fenced().values(
        **_free,
        ready_at=case((_again, func.coalesce(_c.due_at, _now)), else_=null()),
        parked_at=case((_again, null()), else_=_now),
        attempts=_c.attempts + 1,
        last_error=bindparam("error"),
    )
)
_until = bindparam("until", type_=Instant())
_RENEW = Prepared(_fenced().values(lease_until=_until, ready_at=_until))
_RELEASE = Prepared(update(work).where(_c.lease_owner == bindparam("owner")).values(**_free, ready_at=_now))
_END_LEASES = Prepared(update(work).where(_c.lease_owner == bindparam("owner")).values(lease_until=_now, ready_at=_now))
_RELEASE_OTHERS = Prepared(update(work).where(_c.lease_owner != bindparam("owner")).values(**_free, ready_at=_now))
_LISTED = select(_c.kind, _c.key, _c.priority, _c.marked_at, _c.ready_at, _c.lease_owner).add_columns(
    _c.attempts, _c.parked_at, _c.last_error
)
_LIST_PARKED = Prepared(
    _LISTED.where(_c.parked_at.is_not(None)).order_by(_c.parked_at, _c.kind, _c.key).limit(bindparam("most"))
)
_LIST_READY = Prepared(
    _LISTED.where(_c.ready_at.is_not(None)).order_by(_c.priority, _c.ready_at, _c.kind, _c.key).limit(bindparam("most"))
)
_runs = _c.lease_owner.is_not(None)
_due_since = case((_c.ready_at > _c.marked_at, _c.ready_at), else_=_c.marked_at)
_waits_since = case((_runs, null()), (_c.attempts > 0, _c.marked_at), (_c.ready_at <= _now, _due_since))
"""A key that failed waits for its next try; one whose time has not come waits for nothing."""

_DEPTH = Prepared(
    select(
        _c.priority,
        func.sum(case((_runs, 0), else_=1)),
        func.sum(case((_runs, 0), (_c.ready_at <= _now, 1), else_=0)),
        func.sum(case((_runs, 1), else_=0)),
        func.min(_waits_since),
    )
    .where(_c.ready_at.is_not(None))
    .group_by(_c.priority)
)
_PARKED = Prepared(select(func.count()).select_from(work).where(_c.parked_at.is_not(None)))


class WorkQueue:
    """
    The queue as one worker process sees it. Every method is one transaction and may raise `Unreachable`.

    Args:
        database: where the queue lives.
        owner: who holds the leases; unlike that of any other process, and new with each start.
        lease_seconds: after this long without `renew`, a claimed key may be claimed by somebody else.
    """

    def __init__(self, database: Database, *, owner: str, lease_seconds: float = LEASE_SECONDS) -> None:
        self._database = database
        self.owner = owner
        self._lease = timedelta(seconds=lease_seconds)
        self._seen_version = database.data_version()

    def turn(self, ended: Sequence[Claim], limit: int, *, is_due: bool = False) -> tuple[list[Claim], datetime | None]:
        """
        End passes well, and take up to *limit* keys that are due: live ones first, the longest due first among equals.
        With *is_due* one is for certain: else what only reads looks first, where there is one write lock.

        One transaction, so that the end of one pass and the beginning of the next cost one commit. Of what lost its
        lease meanwhile nothing is written. Also returns when the next key becomes due or a lease ends, maybe in the
        past; None: nothing waits.
        """
        first: dict[Priority, datetime] | None = None
        if not ended and not is_due and self._database.dialect == "sqlite":
            with self._database.read() as transaction:
                first = _first_due(transaction)
                if limit <= 0 or not _due(first, transaction.now):
                    return [], min(first.values(), default=None)
        claims: list[Claim] = []
        with self._database.write(durable=False) as transaction:  # after a power cut a key is looked at once more
            for claim in sorted(ended, key=lambda claim: (claim.kind, claim.key)):
                self._end(claim, transaction)
            if first is None:
                first = _first_due(transaction)
            for priority in _due(first, transaction.now):
                if len(claims) < limit:
                    claims += self._claim_some(transaction, priority, limit - len(claims))
            if claims:
                first = _first_due(transaction)
        return claims, min(first.values(), default=None)

    def claim(self, limit: int) -> list[Claim]:
        """Take keys that are due; see `turn`."""
        return self.turn((), limit)[0]

    def _claim_some(self, transaction: Transaction, priority: Priority, limit: int) -> list[Claim]:
        values = {
            "of_priority": int(priority),
            "most": limit,
            "owner": self.owner,
            "now": transaction.now,
            "until": transaction.now + self._lease,
        }
        rows = _CLAIM[self._database.dialect].run(transaction.connection, values)
        claims = [_claim_from(row) for row in rows]
        if self._database.dialect == "postgresql":
            claims.sort(key=lambda claim: (claim.kind, claim.key))
        return sorted(claims, key=lambda claim: claim.marked_at)

    def done(self, claim: Claim, transaction: Transaction | None = None) -> bool:
        """
        End a pass well. A key that was marked while it ran waits again.

        Within *transaction* the row is written just before the commit, and `FenceLost` is raised there when the
        lease was lost, so that everything the pass wrote is rolled back. Without, False says the same.
        """
        if transaction is not None:
            transaction.finish_key(claim.kind, claim.key, lambda at_end: self._write_done(claim, at_end))
            return True
        try:
            with self._database.write() as own:
                self._write_done(claim, own)
        except FenceLost:
            return False
        return True

    def _write_done(self, claim: Claim, transaction: Transaction) -> None:
        ready_at, is_ours = self._end(claim, transaction)
        if not is_ours:
            raise FenceLost(f"{claim.kind}:{claim.key} was taken over (fence {claim.fence}): its result is dropped")
        if ready_at is not None:
            transaction.after_commit(self._database.announce_marks)

    def _end(self, claim: Claim, transaction: Transaction) -> tuple[datetime | None, bool]:
        """End a pass well if the lease is still ours. Returns when the key is due again, and whether it was ours."""
        values = {**self._held(claim), "seen_version": claim.version, "now": transaction.now}
        row = _DONE.run(transaction.connection, values).one_or_none()
        return (None, False) if row is None else (row[0], True)

    def retry(self, claim: Claim, *, delay: float, error: str) -> None:
        """
        End a failed pass: the key is due again in *delay* seconds, with one attempt more on its account.

        A live mark made while the pass ran makes it due at that mark's time, if earlier: somebody acted, and the
        failure may be over. A sweep or a backfill never shortens a back-off. Nothing happens when the lease was lost.
        """
        with self._database.write() as transaction:
            values = {
                **self._held(claim),
                "retry_at": transaction.now + timedelta(seconds=delay),
                "marked": claim.marked_at,
                "error": error[:ERROR_CHARACTERS_MAX],
            }
            row = _RETRY.run(transaction.connection, values).one_or_none()
            if row is not None:
                wait = (row.ready_at - transaction.now).total_seconds()
                transaction.after_commit(lambda: self._database.announce_marks(wait))

    def park(self, claim: Claim, *, error: str) -> None:
        """End a pass that cannot succeed: the key rests, with its error, until marked. Marked meanwhile, it waits."""
        with self._database.write() as transaction:
            values = {
                **self._held(claim),
                "seen_version": claim.version,
                "now": transaction.now,
                "error": error[:ERROR_CHARACTERS_MAX],
            }
            _PARK.run(transaction.connection, values)
            transaction.after_commit(self._database.announce_marks)

    def renew(self, claims: Iterable[Claim]) -> list[Claim]:
        """Prolong leases to their full length from now; return the claims that are still ours."""
        kept = []
        with self._database.write() as transaction:
            until = transaction.now + self._lease
            for claim in sorted(claims, key=lambda claim: (claim.kind, claim.key)):
                if _RENEW.run(transaction.connection, {**self._held(claim), "until": until}).rowcount:
                    kept.append(claim)
        return kept

    def release(self, owner: str | None = None) -> None:
        """End the leases of *owner* (ours) at once: a clean stop leaves nothing to wait for. Counts no failure."""
        with self._database.write() as transaction:
            values = {"owner": owner or self.owner, "now": transaction.now}
            _RELEASE.run(transaction.connection, values)
            transaction.after_commit(self._database.announce_marks)

    def end_leases(self, owner: str) -> None:
        """Let the leases of *owner*, who is known to have died, end now. As when they end by themselves, that counts as
        a failure: what killed it may do so again."""
        with self._database.write() as transaction:
            _END_LEASES.run(transaction.connection, {"owner": owner, "now": transaction.now})
            transaction.after_commit(self._database.announce_marks)

    def release_others(self) -> None:
        """End everybody else's leases: only for a process certain to be the only worker (see `processes/sole.py`)."""
        with self._database.write() as transaction:
            _RELEASE_OTHERS.run(transaction.connection, {"owner": self.owner, "now": transaction.now})
            transaction.after_commit(self._database.announce_marks)

    def depth(self) -> QueueDepth:
        """Count what waits, for status pages and metrics."""
        with self._database.read() as transaction:
            rows = _DEPTH.run(transaction.connection, {"now": transaction.now}).all()
            parked = _PARKED.run(transaction.connection).scalar_one()
        oldest = {Priority(row[0]): row[4] for row in rows if row[4] is not None}
        waiting, due, running = (sum(int(row[column]) for row in rows) for column in (1, 2, 3))
        return QueueDepth(waiting, due, running, parked, MappingProxyType(oldest))

    def waiting(self, limit: int) -> Sequence[WaitingKey]:
        """List what is parked, then what waits or runs, in the order in which it will be claimed."""
        with self._database.read() as transaction:
            parked = _LIST_PARKED.run(transaction.connection, {"most": limit}).all()
            ready = _LIST_READY.run(transaction.connection, {"most": limit - len(parked)}).all()
        return [_waiting_from(row) for row in (*parked, *ready)]

    def on_mark(self, callback: Callable[[float], None]) -> None:
        """
        Call *callback*, from any thread, after a transaction of this process that marked something has committed.

        It is told in how many seconds something may be due: 0 where that is not known.
        """
        self._database.mark_listeners.append(callback)

    def changed_elsewhere(self) -> bool:
        """
        Tell whether another process wrote to the SQLite file since the last call. Costs microseconds: poll at will.

        Always False on PostgreSQL, where `wakeups.Listener` hears of marks at once.
        """
        version = self._database.data_version()
        if version is None or version == self._seen_version:
            return False
        self._seen_version = version
        return True

    def _held(self, claim: Claim) -> dict[str, object]:
        return {"of_kind": claim.kind, "of_key": claim.key, "of_fence": claim.fence, "owner": self.owner}


def _first_due(transaction: Transaction) -> dict[Priority, datetime]:
    """Return when the first key of each priority is due; of those in which something waits."""
    first = _FIRST_DUE.run(transaction.connection).one()
    return {priority: at for priority, at in zip(Priority, first, strict=True) if at is not None}


def _due(first: Mapping[Priority, datetime], now: datetime) -> list[Priority]:
    """Return the priorities in which something is due, the better ones first."""
    return [priority for priority, at in first.items() if at <= now]


def _claim_from(row: Row[Any, Any, Any, Any, Any, Any, Any]) -> Claim:
    kind, key, fence, version, attempts, priority, marked_at = row
    return Claim(kind, key, fence, version, attempts, Priority(priority), marked_at)


def _waiting_from(row: Row[Any, Any, Any, Any, Any, Any, Any, Any, Any]) -> WaitingKey:
    kind, key, priority, marked_at, ready_at, owner, attempts, parked_at, error = row
    return WaitingKey(kind, key, Priority(priority), marked_at, ready_at, owner is not None, attempts, parked_at, error)

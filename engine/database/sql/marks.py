"""Marking a key of the work queue: the half of the queue that belongs to whoever changes something.

A mark says "look here", never "do this". It is part of the caller's transaction: no commit, no mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import groupby
from typing import Any

from sqlalchemy import Boolean, Connection, Integer, bindparam, case, literal, null, select, true
from sqlalchemy.dialects import postgresql, sqlite

from engine.database.sql.lists import each_of
from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.database.tables.types import Instant

CHANNEL = "accord_work"
"""PostgreSQL notifies on it when a transaction that marked something has committed."""

work = metadata.tables["work"]


class Priority(IntEnum):
    """Which of several waiting keys goes first: the smaller one."""

    LIVE = 1
    SWEEP = 2
    BACKFILL = 3


@dataclass(frozen=True, slots=True)
class Mark:
    """That a key is worth looking at, from `due_at` on (aware). Many keys may share one."""

    priority: Priority
    due_at: datetime
    postpones: bool = False
    """Whether a key that waits for a live mark of the future is put off until `due_at`: see `_values`."""

    def merged(self, other: Mark) -> Mark:
        """Return the one mark that does the work of both."""
        priority, due_at = min(self.priority, other.priority), min(self.due_at, other.due_at)
        return Mark(priority, due_at, self.postpones and other.postpones)


_postpones = bindparam("postpones", type_=Boolean())


def _values(insert: Any) -> dict[str, Any]:
    """
    What a mark changes in a row that is there already.

    - nothing waits (idle or parked): it waits from now on, as if new;
    - it waits: the earlier due time and the better priority win, except that a key which backs off after a
      failure is brought forward only by a live mark;
    - it runs: the mark is kept in `due_at` for `done` to find, since `version` has moved;
    - a mark that postpones has the last word on a live time that has not come yet, be it earlier or later. It never
      delays what is due, what only a sweep asked for, or a failure's back-off.
    """
    row, new = work.c, insert.excluded
    idle, runs = row.ready_at.is_(None), row.lease_owner.is_not(None)
    backs_off = (row.attempts > 0) & (new.priority > Priority.LIVE)
    postpones = _postpones & (row.priority == Priority.LIVE) & (row.attempts == 0)
    return {
        "version": row.version + 1,
        "priority": case((idle, new.priority), (row.priority < new.priority, row.priority), else_=new.priority),
        "marked_at": case((idle | (runs & row.due_at.is_(None)), new.marked_at), else_=row.marked_at),
        "ready_at": case(
            (idle | (~runs & postpones & (row.ready_at > new.marked_at)), new.ready_at),
            (runs | backs_off | (row.ready_at < new.ready_at), row.ready_at),
            else_=new.ready_at,
        ),
        "due_at": case(
            (~runs, null()),
            (postpones & (row.due_at > new.marked_at), new.ready_at),
            (row.due_at < new.ready_at, row.due_at),
            else_=new.ready_at,
        ),
        "attempts": case((row.parked_at.is_not(None), 0), else_=row.attempts),
        "parked_at": null(),
    }


_FIXED = {"version": 1, "fence": 0, "attempts": 0}


def _mark(dialect: str, insert: Any) -> Prepared:
    """Return the statement that marks a list of keys of one kind."""
    keys = each_of("keys", dialect)
    instants = bindparam("due_at", type_=Instant()), bindparam("now", type_=Instant())
    fixed = [literal(value, literal_execute=True) for value in _FIXED.values()]
    rows = select(bindparam("of_kind"), keys, bindparam("of_priority", type_=Integer()), *instants, *fixed)
    names = ["kind", "key", "priority", "ready_at", "marked_at", *_FIXED]
    marked = insert.from_select(names, rows.where(true()))  # SQLite reads ON CONFLICT after WHERE only
    return Prepared(marked.on_conflict_do_update(index_elements=["kind", "key"], set_=_values(marked)))


_MARK = {"sqlite": _mark("sqlite", sqlite.insert(work)), "postgresql": _mark("postgresql", postgresql.insert(work))}


def write_marks(connection: Connection, marks: Mapping[tuple[str, str], Mark], *, now: datetime) -> None:
    """Write *marks*, by kind and key, into the queue, ordered by key, so that two transactions never wait for each
    other crosswise. Neighbours that share a mark are written together."""
    statement = _MARK[connection.dialect.name]
    for (kind, _), group in groupby(sorted(marks), key=lambda key: (key[0], id(marks[key]))):
        keys = [key for _, key in group]
        mark = marks[kind, keys[0]]
        values = {
            "of_kind": kind,
            "keys": keys,
            "of_priority": int(mark.priority),
            "due_at": mark.due_at,
            "now": now,
            "postpones": mark.postpones,
        }
        statement.run(connection, values)

"""Planning a backfill: some meetings at a time, in the order of their starts, each chunk in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from engine.database.backfill.rows import backfill_table, meeting_table
from engine.database.backfill.scene import Listed, SceneLoader
from engine.database.mirror.mirror import copy_table
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables.types import Instant
from engine.interval import Interval
from engine.reconcile.backfill.book import MeetingState
from engine.reconcile.backfill.proposal import Proposal, Rival, Step

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where a meeting without readable times stands in a plan: at its beginning."""

_m = meeting_table.c

_starts = func.min(func.coalesce(copy_table.c.start_at, bindparam("epoch", type_=Instant())), type_=Instant())
_cursor_at: ColumnElement[Any] = bindparam("cursor_at", type_=Instant())
_cursor_key: ColumnElement[Any] = bindparam("cursor_key")
_NEXT_KEYS = Prepared(
    select(copy_table.c.ical_uid, _starts.label("starts"))
    .where(
        copy_table.c.listed,
        copy_table.c.live,
        copy_table.c.ical_uid.is_not(None),
        copy_table.c.room_id.in_(bindparam("rooms", expanding=True)),
        or_(
            copy_table.c.start_at.is_(None),
            and_(
                copy_table.c.end_at > bindparam("since", type_=Instant()),
                copy_table.c.start_at < bindparam("until", type_=Instant()),
            ),
        ),
    )
    .group_by(copy_table.c.ical_uid)
    .having(or_(_starts > _cursor_at, and_(_starts == _cursor_at, copy_table.c.ical_uid > _cursor_key)))
    .order_by("starts", copy_table.c.ical_uid)
    .limit(bindparam("most"))
)
_PLANNED_AROUND = Prepared(
    select(_m.key, _m.start_at, _m.end_at, _m.rooms).where(
        _m.backfill_number == bindparam("number"),
        _m.step == Step.CREATE.value,
        _m.end_at > bindparam("since", type_=Instant()),
    )
)
_PROGRESS = Prepared(update(backfill_table).where(backfill_table.c.number == bindparam("of_number")))
_ADD_LINES = Prepared(meeting_table.insert())


class BackfillPlanner:
    """Plans backfills within the transaction it is given."""

    def __init__(self, loader: SceneLoader) -> None:
        self._loader = loader

    def plan_some(self, transaction: Transaction, row: Any, limit: int) -> None:
        """Plan the next meetings of the backfill *row*; after the last of them its plan is complete."""
        values = {
            "epoch": EPOCH, "rooms": row.rooms, "since": row.from_at, "until": row.to_at, "most": limit,
            "cursor_at": row.cursor_at or EPOCH - timedelta(days=1), "cursor_key": row.cursor_key,
        }  # fmt: skip
        found = _NEXT_KEYS.run(transaction.connection, values).all()
        if found:
            self._propose(transaction, row, [each.ical_uid for each in found])
        progress: dict[str, Any] = {"size": row.size + len(found)}
        if found:
            progress |= {"cursor_at": found[-1].starts, "cursor_key": found[-1].ical_uid}
        if len(found) < limit:
            progress["planned_at"] = transaction.now
        _PROGRESS.run(transaction.connection, {"of_number": row.number, **progress})

    def _propose(self, transaction: Transaction, row: Any, keys: Sequence[str]) -> None:
        scene = self._loader.load(transaction, keys)
        starts = [each.meeting.interval.blocked().start for each in scene.meetings.values() if each.meeting.interval]
        rivals = self._planned_around(transaction, row.number, min(starts)) if starts else []
        lines = []
        for position, key in enumerate(keys, start=row.size + 1):
            proposal = scene.propose(key, rivals=rivals)
            if proposal.step is Step.CREATE and proposal.valid is not None:
                rivals.append(Rival(key, proposal.valid.interval, proposal.valid.rooms))
            lines.append(_line(row.number, position, scene.meetings[key], proposal))
        _ADD_LINES.run(transaction.connection, lines)

    def _planned_around(self, transaction: Transaction, number: int, since: datetime) -> list[Rival]:
        rows = _PLANNED_AROUND.run(transaction.connection, {"number": number, "since": since})
        return [Rival(row.key, Interval(row.start_at, row.end_at), frozenset(row.rooms)) for row in rows]


def _line(number: int, position: int, listed: Listed, proposal: Proposal) -> dict[str, Any]:
    interval = listed.meeting.interval
    return {
        "backfill_number": number,
        "position": position,
        "key": listed.key,
        "start_at": interval.start if interval else None,
        "end_at": interval.end if interval else None,
        "rooms": sorted(listed.meeting.holding or listed.meeting.answers),
        "organizer": listed.meeting.organizer.address if listed.meeting.organizer else "",
        "step": proposal.step.value,
        "code": proposal.code,
        "facts": dict(proposal.facts),
        "loan_number": proposal.loan_number,
        "state": MeetingState.PLANNED.value,
        "before": {},
        "seen_decision": 0,
        "outcome": None,
        "outcome_facts": {},
    }

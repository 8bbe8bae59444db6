"""Backfills and their meetings as rows, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, select, update

from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.ids import BookableId, LoanNumber
from engine.interval import Interval
from engine.reconcile.backfill.book import Backfill, BackfillMeeting, MeetingState
from engine.reconcile.backfill.proposal import Step

backfill_table = metadata.tables["backfill"]
meeting_table = metadata.tables["backfill_meeting"]
copy_table = metadata.tables["room_copy"]

_m = meeting_table.c
_NEWEST_FIRST = select(backfill_table).order_by(backfill_table.c.number.desc())
_ALL = Prepared(_NEWEST_FIRST)
_SOME = Prepared(_NEWEST_FIRST.where(backfill_table.c.number.in_(bindparam("numbers", expanding=True))))
_COUNTS = Prepared(
    select(_m.backfill_number, _m.step, _m.state, func.count().label("meetings"))
    .where(_m.backfill_number.in_(bindparam("numbers", expanding=True)))
    .group_by(_m.backfill_number, _m.step, _m.state)
)
_LEFT = Prepared(
    select(_m.backfill_number, func.count().label("meetings"))
    .where(
        _m.backfill_number.in_(bindparam("numbers", expanding=True)),
        and_(_m.state == MeetingState.DONE.value, _m.outcome.is_not(None)),
    )
    .group_by(_m.backfill_number)
)
_DUE = Prepared(
    select(meeting_table)
    .where(_m.backfill_number == bindparam("number"), _m.state == bindparam("in_state"))
    .order_by(_m.position)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_SAVE = Prepared(
    update(meeting_table)
    .where(_m.backfill_number == bindparam("of_number"), _m.position == bindparam("of_position"))
    .values(
        state=bindparam("new_state"),
        loan_number=bindparam("new_loan"),
        before=bindparam("new_before", type_=_m.before.type),
        seen_decision=bindparam("new_decision"),
        outcome=bindparam("new_outcome"),
        outcome_facts=bindparam("new_facts", type_=_m.outcome_facts.type),
    )
)


def load_backfills(connection: Connection, numbers: list[int] | None = None) -> list[Backfill]:
    """Return backfills with their counts, the newest first; those of *numbers*, or all."""
    rows = (_ALL.run(connection) if numbers is None else _SOME.run(connection, {"numbers": numbers})).all()
    found = [row.number for row in rows]
    steps: dict[int, dict[Step, int]] = {number: {} for number in found}
    states: dict[int, dict[MeetingState, int]] = {number: {} for number in found}
    for row in _COUNTS.run(connection, {"numbers": found}) if found else ():
        _count(steps[row.backfill_number], Step(row.step), row.meetings)
        _count(states[row.backfill_number], MeetingState(row.state), row.meetings)
    left = {row[0]: row[1] for row in _LEFT.run(connection, {"numbers": found})} if found else {}
    return [_backfill(row, steps[row.number], states[row.number], left.get(row.number, 0)) for row in rows]


def _count(counts: dict[Any, int], name: Any, more: int) -> None:
    counts[name] = counts.get(name, 0) + more


def _backfill(row: Any, by_step: Mapping[Step, int], by_state: Mapping[MeetingState, int], left: int) -> Backfill:
    return Backfill(
        number=row.number,
        window=Interval(row.from_at, row.to_at),
        rooms=tuple(BookableId(room) for room in row.rooms),
        is_planned=row.planned_at is not None,
        created_at=row.created_at,
        created_by=row.created_by,
        by_step=MappingProxyType(dict(by_step)),
        by_state=MappingProxyType(dict(by_state)),
        rooms_unread=len({stretch[0] for stretch in row.unread}),
        left=left,
    )


def load_due(connection: Connection, number: int, state: MeetingState, limit: int) -> Sequence[Any]:
    """Return the next lines in *state*, in the order of the plan; lines another process deals with are passed over."""
    return _DUE.run(connection, {"number": number, "in_state": state.value, "most": limit}).all()


@dataclass(slots=True)
class Result:
    """What became of one line; written by `save_results`."""

    line: Any
    state: MeetingState
    loan_number: int | None = None
    before: Mapping[str, Any] = field(default_factory=dict)
    seen_decision: int = 0
    outcome: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def save_results(connection: Connection, results: Sequence[Result]) -> None:
    values = [
        {
            "of_number": result.line.backfill_number,
            "of_position": result.line.position,
            "new_state": result.state.value,
            "new_loan": result.loan_number,
            "new_before": dict(result.before),
            "new_decision": result.seen_decision,
            "new_outcome": result.outcome,
            "new_facts": dict(result.facts),
        }
        for result in results
    ]
    _SAVE.run(connection, values)


def read_meeting(row: Any) -> BackfillMeeting:
    return BackfillMeeting(
        position=row.position,
        key=row.key,
        interval=Interval(row.start_at, row.end_at) if row.start_at is not None and row.end_at is not None else None,
        rooms=tuple(BookableId(room) for room in row.rooms),
        organizer=row.organizer,
        step=Step(row.step),
        code=row.code,
        facts=row.facts,
        loan_number=LoanNumber(row.loan_number) if row.loan_number is not None else None,
        state=MeetingState(row.state),
        outcome=row.outcome,
        outcome_facts=row.outcome_facts,
    )

"""The tables of backfills."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import GIVEN_ONCE, instant, json_value, required_instant


class BackfillRow(SQLModel, table=True):
    """One backfill: the stretch and rooms it is about, and how far its planning has come."""

    __tablename__ = "backfill"
    __table_args__ = (GIVEN_ONCE,)
    number: int | None = Field(default=None, primary_key=True)
    from_at: datetime = required_instant()
    to_at: datetime = required_instant()
    rooms: list[int] = json_value([])
    unread: list[list[Any]] = json_value([])
    """Stretches the mirror does not hold, still to be read: `[room, from, to, next link or null]` each."""
    cursor_at: datetime | None = instant()
    """The last meeting that was planned: its start and its key."""
    cursor_key: str = ""
    size: int = 0
    """Meetings planned so far."""
    planned_at: datetime | None = instant()
    """When the plan was complete; None: being planned."""
    created_at: datetime = required_instant()
    created_by: str
    ordered_by: str | None = None
    """Who ordered what is being carried out."""


class BackfillMeetingRow(SQLModel, table=True):
    """One meeting of a backfill: what was proposed, and what became of it."""

    __tablename__ = "backfill_meeting"
    __table_args__ = (
        UniqueConstraint("backfill_number", "key", name="uq_backfill_meeting_backfill_number"),
        Index("ix_backfill_meeting_state", "backfill_number", "state", "position"),
    )
    backfill_number: int = Field(foreign_key="backfill.number", primary_key=True)
    position: int = Field(primary_key=True)
    key: str
    start_at: datetime | None = instant()
    end_at: datetime | None = instant()
    rooms: list[int] = json_value([])
    organizer: str = ""
    step: str
    code: str
    facts: dict[str, Any] = json_value({})
    loan_number: int | None = Field(default=None, index=True)
    """Proposed: the loan to link to, or in the way. Done: the loan made or linked."""
    state: str = "planned"
    """`planned`, `chosen`, `done`, `failed`, `undoing`, `undone`."""
    before: dict[str, Any] = json_value({})
    """Done: what is needed to take it back."""
    seen_decision: int = 0
    """Done: the last decision there was; people's later ones make the loan theirs."""
    outcome: str | None = None
    """Why it failed or was left, as a reason code."""
    outcome_facts: dict[str, Any] = json_value({})

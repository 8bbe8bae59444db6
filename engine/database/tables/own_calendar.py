"""The tables of own calendars: who let us write into theirs, and what we wrote there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from engine.database.tables.columns import json_value, long_text, required_instant


class OwnCalendarRow(SQLModel, table=True):
    """Somebody who let us write into their own calendar."""

    __tablename__ = "own_calendar"
    address_folded: str = Field(primary_key=True)
    address: str
    account: str
    state: str
    sealed: str = long_text()
    """The refresh token, sealed."""
    detail: str = long_text()
    connected_at: datetime = required_instant()


class OwnCalendarEntryRow(SQLModel, table=True):
    """An event of ours in an own calendar; `event_id` is missing until its creation is known to be done."""

    __tablename__ = "own_calendar_entry"
    address_folded: str = Field(primary_key=True)
    loan_number: int = Field(primary_key=True, index=True)
    generation: int
    """Counts creations, so that a later one is not taken for a former."""
    event_id: str | None = None
    told: dict[str, Any] = json_value({})
    """What was last written."""

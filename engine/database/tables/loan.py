"""The tables of the desk: loans with their items, their cases and their histories."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import GIVEN_ONCE, instant, json_value, long_text, required_instant
from engine.database.tables.types import Json


class LoanRow(SQLModel, table=True):
    __tablename__ = "loan"
    __table_args__ = (
        Index("ix_loan_status_end_at", "status", "end_at"),
        Index("ix_loan_status_start_at", "status", "start_at"),
        GIVEN_ONCE,  # a number, once said aloud, is never given again
    )
    number: int | None = Field(default=None, primary_key=True)
    status: str
    home: str
    person_id: int = Field(foreign_key="person.id", index=True)
    start_at: datetime = required_instant()
    end_at: datetime = required_instant(index=True)
    store_id: int = Field(foreign_key="store.id")
    title: str = long_text()
    notes: str = long_text()
    private: bool = False
    series: str | None = Field(default=None, index=True)
    """The id of the series it is a date of (`series.id`, as text)."""
    version: int = 1
    created_at: datetime = required_instant()
    changed_at: datetime = required_instant()


class LoanItemRow(SQLModel, table=True):
    """An item of a loan. `holds` and the blocked times are what the occupancy guard watches."""

    __tablename__ = "loan_item"
    __table_args__ = (
        UniqueConstraint("loan_number", "bookable_id", name="uq_loan_item_loan_number"),
        Index("ix_loan_item_bookable_id", "bookable_id", "loan_number"),
        Index(
            "ix_loan_item_held",
            "bookable_id",
            "blocked_end",
            "blocked_start",
            postgresql_where=text("holds"),
            sqlite_where=text("holds = 1"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    loan_number: int = Field(foreign_key="loan.number")
    bookable_id: int = Field(foreign_key="bookable.id")
    kind: str
    state: str
    holds: bool = Field(default=True)
    blocked_start: datetime = required_instant()
    blocked_end: datetime = required_instant()


class CaseRow(SQLModel, table=True):
    __tablename__ = "case"
    __table_args__ = (
        Index(
            "uq_case_open",
            "subject",
            "code",
            unique=True,
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
        GIVEN_ONCE,
    )
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True)
    """The key the case is about: `loan:12`, `meeting:<uid>`, `room:3`."""
    code: str
    facts: dict[str, Any] = json_value({})
    state: str = Field(default="open", index=True)
    standing: bool = True
    """True: closes by itself when its cause is gone. False: a person must settle it."""
    opened_at: datetime = required_instant()
    closed_at: datetime | None = instant()
    closed_by: str | None = None
    settlement: str | None = None
    loan_number: int | None = Field(default=None, index=True)
    ical_uid: str | None = None
    room_id: int | None = Field(default=None, index=True)
    undo: dict[str, Any] | None = Field(default=None, sa_column=Column(Json, nullable=True))
    """How the loan was before the case was settled by changing it; None: there is nothing to undo."""


class DecisionRow(SQLModel, table=True):
    __tablename__ = "decision"
    __table_args__ = (GIVEN_ONCE,)
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = required_instant()
    code: str
    facts: dict[str, Any] = json_value({})
    actor: str = "engine"
    loan_number: int | None = Field(default=None, index=True)
    ical_uid: str | None = Field(default=None, index=True)
    room_id: int | None = Field(default=None)

"""The tables of what is heard and what is to be done: subscriptions, notifications, the queue, jobs, comparisons."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, text
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import instant, long_text, required_instant
from engine.database.tables.types import Json


class SubscriptionRow(SQLModel, table=True):
    __tablename__ = "subscription"
    room_id: int = Field(sa_column=Column(Integer, ForeignKey("room.id"), primary_key=True, autoincrement=False))
    remote_id: str | None = Field(default=None, index=True)
    """Graph's id; None while it is being created."""
    client_state: str
    expires_at: datetime | None = instant()
    created_at: datetime = required_instant()
    renewed_at: datetime | None = instant()
    notified_at: datetime | None = instant()
    certificate: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The key of `content_key` for which its notifications encrypt their event; empty: they bring none."""
    content_refused_at: datetime | None = instant()
    """When Graph last refused a subscription whose notifications would have brought their event."""
    content_refusal: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """In what words."""


class NotificationRow(SQLModel, table=True):
    """A notification as it came: raw, until its room has been looked at."""

    __tablename__ = "notification"
    id: int | None = Field(default=None, primary_key=True)
    room_id: int | None = Field(default=None, index=True)
    received_at: datetime = required_instant(index=True)
    event_id: str | None = None
    etag: str | None = None
    change_type: str = ""
    raw: str = long_text()


class WorkRow(SQLModel, table=True):
    """The work queue: one row per key, kept for ever, because its fence must only grow."""

    __tablename__ = "work"
    __table_args__ = (
        Index(
            "ix_work_ready",
            "priority",
            "ready_at",
            postgresql_where=text("ready_at IS NOT NULL"),
            sqlite_where=text("ready_at IS NOT NULL"),
        ),
        Index(
            "ix_work_parked",
            "parked_at",
            postgresql_where=text("parked_at IS NOT NULL"),
            sqlite_where=text("parked_at IS NOT NULL"),
        ),
    )
    kind: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    priority: int = 1
    ready_at: datetime | None = instant()
    """When it may next be claimed: due time, or the end of a running lease; None when nothing waits."""
    marked_at: datetime | None = instant()
    """Since when it has been waiting."""
    version: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """Bumped by each mark; a pass that ends finds out whether it was marked while it ran."""
    due_at: datetime | None = instant()
    """The due time of a mark made while a pass runs."""
    lease_owner: str | None = None
    lease_until: datetime | None = instant()
    fence: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    attempts: int = 0
    parked_at: datetime | None = instant()
    last_error: str | None = long_text(nullable=True)
    last_done_at: datetime | None = instant()


class JobRow(SQLModel, table=True):
    """A timed job, as `status` shows it: when it ran last, what it did, when it runs next."""

    __tablename__ = "job"
    name: str = Field(primary_key=True)
    next_at: datetime | None = instant()
    last_at: datetime | None = instant()
    last_result: str | None = None
    report: dict[str, Any] | None = Field(default=None, sa_column=Column(Json, nullable=True))
    """What came of it in values, for jobs whose result a page puts into words."""


class ComparisonRow(SQLModel, table=True):
    """What the nightly comparison found in one room: the last time, and in all."""

    __tablename__ = "comparison"
    room_id: int = Field(sa_column=Column(Integer, ForeignKey("room.id"), primary_key=True, autoincrement=False))
    compared_at: datetime = required_instant()
    copies: int = 0
    """Copies that were not as the mirror held them, although nothing had announced it."""
    bookings: int = 0
    """Bookings that were not at rest, although nothing was on its way."""
    copies_total: int = 0
    bookings_total: int = 0

"""The tables of the outbox: messages to others, every try, and how each receiver is doing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import GIVEN_ONCE, instant, long_text, required_instant


class OutboxRow(SQLModel, table=True):
    """One message to one receiver, kept with the change it tells of."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "channel",
            "receiver",
            "lane",
            "id",
            postgresql_where=text("state = 'waiting'"),
            sqlite_where=text("state = 'waiting'"),
        ),
        Index("ix_outbox_receiver", "channel", "receiver", "id"),
        Index("ix_outbox_ended_at", "state", "ended_at"),
        GIVEN_ONCE,  # receivers know a message by its number
    )
    id: int | None = Field(default=None, primary_key=True)
    channel: str
    receiver: str
    lane: str
    topic: str
    body: str = long_text()
    """Exactly what is sent, each time the same."""
    loan_number: int | None = Field(default=None, index=True)
    state: str
    """`waiting`, `sent`, `parked`, `dropped`."""
    tries: int = 0
    """Since it was written, or replayed."""
    created_at: datetime = required_instant()
    due_at: datetime | None = instant()
    ended_at: datetime | None = instant()
    last_error: str | None = long_text(nullable=True)


class OutboxTryRow(SQLModel, table=True):
    """One try to send a message: what the receiver answered."""

    __tablename__ = "outbox_try"
    id: int | None = Field(default=None, primary_key=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    at: datetime = required_instant()
    milliseconds: int
    status: int | None = None
    answer: str = long_text()
    error: str | None = long_text(nullable=True)


class OutboxReceiverRow(SQLModel, table=True):
    """How one receiver is doing: a receiver that is down is tried with one message at a time."""

    __tablename__ = "outbox_receiver"
    channel: str = Field(primary_key=True)
    receiver: str = Field(primary_key=True)
    failures: int = 0
    """In a row, since the last success."""
    failing_since: datetime | None = instant()
    last_sent_at: datetime | None = instant()
    last_error: str | None = long_text(nullable=True)

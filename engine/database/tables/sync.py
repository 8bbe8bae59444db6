"""The tables of what ties loans to meetings: links with the base, series, rooms' copies, writes under way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import GIVEN_ONCE, instant, json_value, long_text, required_instant
from engine.database.tables.types import Json


class LinkRow(SQLModel, table=True):
    """Loan <-> meeting. One row per generation: a new organizer means a new meeting (H55)."""

    __tablename__ = "link"
    __table_args__ = (
        UniqueConstraint("loan_number", "generation", name="uq_link_loan_number"),
        Index("ix_link_ical_uid", "ical_uid", unique=True),
    )
    id: int | None = Field(default=None, primary_key=True)
    loan_number: int = Field(foreign_key="loan.number")
    generation: int = 1
    state: str
    """`pending` (being created), `led` (being written together with its series), `linked`, `ended`, `left`."""
    ical_uid: str | None = None
    """What names the meeting, as in `room_copy`: a uid, or `<uid of the series>@<day>`. A led one's series may have no
    uid yet: `series-<id>@<day>`."""
    organizer_mailbox: str | None = None
    organizer_event_id: str | None = None
    organizer_etag: str | None = None
    base: dict[str, Any] = json_value({})
    written_at: datetime | None = instant()
    """When we last wrote the meeting; None: only people have."""
    checked_at: datetime | None = instant()
    """When the organizer's copy was last read for missing answers."""
    asked_at: datetime | None = instant()
    """Since when at least one room owes an answer."""
    web_link: str | None = None
    hold: str | None = None
    """A cancellation that the brake stopped: `held`, then `confirmed` or `rejected` by a person."""
    cancelled_at: datetime | None = instant(index=True)
    """When the loan was cancelled because of Outlook: the brake counts these."""
    refused: bool = Field(sa_column_kwargs={"server_default": false()})
    """Of a pending one: Outlook refused its event, or the event before it, so that no room was asked."""
    freed: bool = Field(sa_column_kwargs={"server_default": false()})
    """Its organizer could not be told of its end: its rooms were freed one by one, those that had it by then."""


class SeriesRow(SQLModel, table=True):
    """A series, and what its dates share of the organizer's copy: read once for all of them."""

    __tablename__ = "series"
    __table_args__ = (GIVEN_ONCE,)
    id: int | None = Field(default=None, primary_key=True)
    uid: str | None = Field(default=None, unique=True)
    """The uid all copies of its master share; None while it is being created."""
    zone: str = ""
    """The zone in which its days are counted, as first seen; never changed, since its dates are named by it."""
    version: int = 1
    """Counts what any of our rooms showed of it: what was read at a lower version is out of date."""
    read_version: int | None = None
    """The version at which the organizer's master was read; None: not yet."""
    organizer_mailbox: str | None = None
    organizer_event_id: str | None = None
    title: str = long_text()
    private: bool = False
    web_link: str | None = None
    recurrence: dict[str, Any] | None = Field(default=None, sa_column=Column(Json, nullable=True))
    """How it repeats, where it was made in the app; None: Outlook keeps the pattern."""
    left_out: list[str] = json_value([], server_default="[]")
    """Days of the pattern (ISO) that were left out when it was booked in the app."""


class SeriesWriteRow(SQLModel, table=True):
    """A write to Outlook about a whole series: committed before its first request, removed after its last."""

    __tablename__ = "series_write"
    __table_args__ = (GIVEN_ONCE,)
    id: int | None = Field(default=None, primary_key=True)
    series_id: int = Field(foreign_key="series.id", index=True)
    kind: str
    """`create`, `change`, `end`."""
    mailbox: str
    event_id: str | None = None
    payload: dict[str, Any] = json_value({})
    """Frozen with the write: a retry sends exactly this."""
    is_begun: bool = Field(sa_column_kwargs={"server_default": false()})
    """Whether a request of it may have been sent."""
    created_at: datetime = required_instant()


class CopyRow(SQLModel, table=True):
    """The mirror: a room's copy of an event as last read. May hold overlaps, since Exchange may."""

    __tablename__ = "room_copy"
    __table_args__ = (
        Index("ix_room_copy_ical_uid", "ical_uid"),
        Index(
            "ix_room_copy_live",
            "room_id",
            "end_at",
            postgresql_where=text("live"),
            sqlite_where=text("live = 1"),
        ),
        Index("ix_room_copy_series_master", "room_id", "series_master"),
        Index(
            "ix_room_copy_unconfirmed",
            "room_id",
            postgresql_where=text("unconfirmed"),
            sqlite_where=text("unconfirmed = 1"),
        ),
        Index("ix_room_copy_doubt", "room_id", postgresql_where=text("doubt"), sqlite_where=text("doubt = 1")),
    )
    room_id: int = Field(foreign_key="room.id", primary_key=True)
    event_id: str = Field(primary_key=True)
    ical_uid: str | None = None
    """What names its meeting: the uid of a single event, `rooms.series.day_key` of a date. None: no meeting, or not
    known yet (a master; a date whose master has not come)."""
    series_master: str | None = None
    """The id of the master in this very calendar; a master's own id on itself."""
    hydrated: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Its payload was put together from the master's: delta showed ids and times only."""
    etag: str = ""
    payload: str = long_text()
    """The EventCopy (or the stub) as JSON, private texts removed."""
    start_at: datetime | None = instant()
    end_at: datetime | None = instant()
    live: bool = True
    """False: cancelled, declined or gone."""
    gone: bool = False
    """True once Graph answered 404 for it: kept, so that a late message cannot revive it."""
    doubt: bool = False
    """Delta said `@removed`, or a full reading missed it: ask for it by id before concluding anything."""
    listed: bool = False
    """Was there before us and has not changed since: never imported by itself (backfill does)."""
    reading: int = 0
    observed_at: datetime = required_instant()
    """As of when its room told this: when it was asked, or, of what a notification brought, when it was changed."""
    modified_at: datetime | None = instant()
    """When it was changed last, by its own word (`lastModifiedDateTime`)."""
    unconfirmed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """A notification brought it, and no reading of its room has shown it since."""


class IntentRow(SQLModel, table=True):
    """A write to Outlook that was decided: committed before the request, removed after its outcome is stored."""

    __tablename__ = "intent"
    __table_args__ = (GIVEN_ONCE,)
    id: int | None = Field(default=None, primary_key=True)
    loan_number: int = Field(foreign_key="loan.number", index=True)
    generation: int
    kind: str
    """`create`, `change`, `delete`."""
    mailbox: str
    event_id: str | None = None
    etag: str | None = None
    payload: dict[str, Any] = json_value({})
    """Frozen with the intent: a retry sends exactly this."""
    base: dict[str, Any] = json_value({})
    """What both sides will have agreed on once it is done: what we sent, never what came back."""
    told: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The code of the line that the history gets once it is done; empty when it has it already."""
    loan_version: int = 0
    created_at: datetime = required_instant()
    unsent_since: datetime | None = instant()
    """Since when a create that may have to wait for its rooms has not been sent; empty: it may have been."""

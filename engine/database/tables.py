"""The tables: one class each, in the words of docs/glossary.md. Rows never leave this package.

Guards that no column can express (no overlapping bookings of one item) live in `guards.py`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from engine.database import (
    feed_tables,
    leader_tables,
    mail_tables,
    once_tables,
    outbox_tables,
    own_calendar_tables,
    people_tables,
    webhook_tables,
)
from engine.database.columns import instant as _instant
from engine.database.columns import json_value as _json
from engine.database.columns import long_text as _text
from engine.database.columns import required_instant as _required_instant
from engine.database.types import Json

metadata: MetaData = SQLModel.metadata

GATHERED = (
    feed_tables,
    leader_tables,
    mail_tables,
    once_tables,
    outbox_tables,
    own_calendar_tables,
    people_tables,
    webhook_tables,
)
"""Modules that declare further tables of the same metadata."""


class StoreRow(SQLModel, table=True):
    __tablename__ = "store"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    rules: dict[str, Any] = _json({})
    approval: bool = False
    text_level: str | None = None
    policy: dict[str, Any] | None = Field(default=None, sa_column=Column(Json, nullable=True))
    """Kinds of cases it settles by itself: code -> way out."""


class StoreKeeperRow(SQLModel, table=True):
    """Somebody of the staff who keeps a store. A store without a row is kept by all staff."""

    __tablename__ = "store_keeper"
    store_id: int = Field(foreign_key="store.id", primary_key=True)
    address_folded: str = Field(primary_key=True)
    address: str


class BookableRow(SQLModel, table=True):
    """One number range for rooms and assets, so that an item is named by one number."""

    __tablename__ = "bookable"
    id: int | None = Field(default=None, primary_key=True)
    kind: str


class RoomRow(SQLModel, table=True):
    __tablename__ = "room"
    id: int = Field(sa_column=Column(Integer, ForeignKey("bookable.id"), primary_key=True, autoincrement=False))
    address: str
    address_folded: str = Field(unique=True)
    directory_id: str = Field(index=True)
    place_id: str | None = Field(default=None, index=True)
    aliases: list[str] = _json([])
    name: str
    state: str
    state_since: datetime = _required_instant()
    state_detail: str | None = None
    """Why: the ignored tag, or the mailbox's error."""
    capacity: int | None = None
    building: str | None = None
    floor: str | None = None
    tags: list[str] = _json([])
    features: list[str] = _json([])
    postal_address: str | None = None
    time_zone: str | None = None
    store_id: int = Field(foreign_key="store.id")
    rules: dict[str, Any] = _json({})
    contacted_at: datetime | None = _instant()
    """When the first full reading of its calendar ended; before that, what is found was there before us."""
    delta_link: str | None = _text(nullable=True)
    window_start: datetime | None = _instant()
    window_end: datetime | None = _instant()
    next_link: str | None = _text(nullable=True)
    """A reading under way: where its next page is."""
    reading: int = 0
    """Number of the last full reading begun; copies it saw carry it."""
    read_at: datetime | None = _instant()
    signalled_at: datetime | None = _instant()
    changed_unsignalled: int = 0
    """Changes that only a sweep found since the last notification: a deaf subscription shows here."""


class AssetRow(SQLModel, table=True):
    __tablename__ = "asset"
    id: int = Field(sa_column=Column(Integer, ForeignKey("bookable.id"), primary_key=True, autoincrement=False))
    name: str
    store_id: int = Field(foreign_key="store.id")
    description: str = ""
    retired: bool = False
    rules: dict[str, Any] = _json({})


class PersonRow(SQLModel, table=True):
    __tablename__ = "person"
    id: int | None = Field(default=None, primary_key=True)
    address: str
    address_folded: str = Field(unique=True)
    name: str


class PersonAliasRow(SQLModel, table=True):
    __tablename__ = "person_alias"
    address_folded: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)


class LoanRow(SQLModel, table=True):
    __tablename__ = "loan"
    __table_args__ = (
        Index("ix_loan_status_end_at", "status", "end_at"),
        Index("ix_loan_status_start_at", "status", "start_at"),
        {"sqlite_autoincrement": True},  # a number, once said aloud, is never given again
    )
    number: int | None = Field(default=None, primary_key=True)
    status: str
    home: str
    person_id: int = Field(foreign_key="person.id", index=True)
    start_at: datetime = _required_instant()
    end_at: datetime = _required_instant(index=True)
    store_id: int = Field(foreign_key="store.id")
    title: str = _text()
    notes: str = _text()
    private: bool = False
    series: str | None = Field(default=None, index=True)
    """The id of the series it is a date of (`series.id`, as text)."""
    version: int = 1
    created_at: datetime = _required_instant()
    changed_at: datetime = _required_instant()


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
    blocked_start: datetime = _required_instant()
    blocked_end: datetime = _required_instant()


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
    base: dict[str, Any] = _json({})
    written_at: datetime | None = _instant()
    """When we last wrote the meeting; None: only people have."""
    checked_at: datetime | None = _instant()
    """When the organizer's copy was last read for missing answers."""
    asked_at: datetime | None = _instant()
    """Since when at least one room owes an answer."""
    web_link: str | None = None
    hold: str | None = None
    """A cancellation that the brake stopped: `held`, then `confirmed` or `rejected` by a person."""
    cancelled_at: datetime | None = _instant(index=True)
    """When the loan was cancelled because of Outlook: the brake counts these."""


class SeriesRow(SQLModel, table=True):
    """A series, and what its dates share of the organizer's copy: read once for all of them."""

    __tablename__ = "series"
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
    title: str = _text()
    private: bool = False
    web_link: str | None = None
    recurrence: dict[str, Any] | None = Field(default=None, sa_column=Column(Json, nullable=True))
    """How it repeats, where it was made in the app; None: Outlook keeps the pattern."""
    left_out: list[str] = _json([])
    """Days of the pattern (ISO) that were left out when it was booked in the app."""


class SeriesWriteRow(SQLModel, table=True):
    """A write to Outlook about a whole series: committed before its first request, removed after its last."""

    __tablename__ = "series_write"
    id: int | None = Field(default=None, primary_key=True)
    series_id: int = Field(foreign_key="series.id", index=True)
    kind: str
    """`create`, `change`, `end`."""
    mailbox: str
    event_id: str | None = None
    payload: dict[str, Any] = _json({})
    """Frozen with the write: a retry sends exactly this."""
    attempts: int = 0
    created_at: datetime = _required_instant()


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
        Index("ix_room_copy_doubt", "room_id", postgresql_where=text("doubt"), sqlite_where=text("doubt = 1")),
    )
    room_id: int = Field(foreign_key="room.id", primary_key=True)
    event_id: str = Field(primary_key=True)
    ical_uid: str | None = None
    """What names its meeting: the uid of a single event, `rooms.series.day_key` of a date. None: no meeting, or not
    known yet (a master; a date whose master has not come)."""
    series_master: str | None = None
    """The id of the master in this very calendar; a master's own id on itself."""
    hydrated: bool = False
    """Its payload was put together from the master's: delta showed ids and times only."""
    etag: str = ""
    payload: str = _text()
    """The EventCopy (or the stub) as JSON, private texts removed."""
    start_at: datetime | None = _instant()
    end_at: datetime | None = _instant()
    live: bool = True
    """False: cancelled, declined or gone."""
    gone: bool = False
    """True once Graph answered 404 for it: kept, so that a late message cannot revive it."""
    doubt: bool = False
    """Delta said `@removed`, or a full reading missed it: ask for it by id before concluding anything."""
    listed: bool = False
    """Was there before us and has not changed since: never imported by itself (backfill does)."""
    reading: int = 0
    observed_at: datetime = _required_instant()


class IntentRow(SQLModel, table=True):
    """A write to Outlook that was decided: committed before the request, removed after its outcome is stored."""

    __tablename__ = "intent"
    id: int | None = Field(default=None, primary_key=True)
    loan_number: int = Field(foreign_key="loan.number", index=True)
    generation: int
    kind: str
    """`create`, `change`, `delete`, `decline`."""
    mailbox: str
    event_id: str | None = None
    etag: str | None = None
    payload: dict[str, Any] = _json({})
    """Frozen with the intent: a retry sends exactly this."""
    base: dict[str, Any] = _json({})
    """What both sides will have agreed on once it is done: what we sent, never what came back."""
    told: str = ""
    """The code of the line that the history gets once it is done; empty when it has it already."""
    loan_version: int = 0
    attempts: int = 0
    created_at: datetime = _required_instant()


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
    )
    id: int | None = Field(default=None, primary_key=True)
    subject: str = Field(index=True)
    """The key the case is about: `loan:12`, `meeting:<uid>`, `room:3`."""
    code: str
    facts: dict[str, Any] = _json({})
    state: str = Field(default="open", index=True)
    standing: bool = True
    """True: closes by itself when its cause is gone. False: a person must settle it."""
    opened_at: datetime = _required_instant()
    closed_at: datetime | None = _instant()
    closed_by: str | None = None
    settlement: str | None = None
    loan_number: int | None = Field(default=None, index=True)
    ical_uid: str | None = None
    room_id: int | None = Field(default=None, index=True)
    undo: dict[str, Any] | None = Field(default=None, sa_column=Column(Json, nullable=True))
    """How the loan was before the case was settled by changing it; None: there is nothing to undo."""


class DecisionRow(SQLModel, table=True):
    __tablename__ = "decision"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _required_instant()
    code: str
    facts: dict[str, Any] = _json({})
    actor: str = "engine"
    loan_number: int | None = Field(default=None, index=True)
    ical_uid: str | None = Field(default=None, index=True)
    room_id: int | None = Field(default=None)


class SubscriptionRow(SQLModel, table=True):
    __tablename__ = "subscription"
    room_id: int = Field(sa_column=Column(Integer, ForeignKey("room.id"), primary_key=True, autoincrement=False))
    remote_id: str | None = Field(default=None, index=True)
    """Graph's id; None while it is being created."""
    client_state: str
    expires_at: datetime | None = _instant()
    created_at: datetime = _required_instant()
    renewed_at: datetime | None = _instant()
    notified_at: datetime | None = _instant()


class NotificationRow(SQLModel, table=True):
    """A notification as it came: raw, until its room has been looked at."""

    __tablename__ = "notification"
    id: int | None = Field(default=None, primary_key=True)
    room_id: int | None = Field(default=None, index=True)
    received_at: datetime = _required_instant(index=True)
    event_id: str | None = None
    etag: str | None = None
    change_type: str = ""
    raw: str = _text()


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
    ready_at: datetime | None = _instant()
    """When it may next be claimed: due time, or the end of a running lease; None when nothing waits."""
    marked_at: datetime | None = _instant()
    """Since when it has been waiting."""
    version: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """Bumped by each mark; a pass that ends finds out whether it was marked while it ran."""
    due_at: datetime | None = _instant()
    """The due time of a mark made while a pass runs."""
    lease_owner: str | None = None
    lease_until: datetime | None = _instant()
    fence: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    attempts: int = 0
    parked_at: datetime | None = _instant()
    last_error: str | None = _text(nullable=True)
    last_done_at: datetime | None = _instant()


class SettingRow(SQLModel, table=True):
    """A setting changed at run time, over the file and the environment."""

    __tablename__ = "setting"
    key: str = Field(primary_key=True)
    value: dict[str, Any] = _json({})
    changed_at: datetime = _required_instant()
    changed_by: str


class TokenRow(SQLModel, table=True):
    """A bearer token of the API: its SHA-256, never itself."""

    __tablename__ = "token"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    role: str
    digest: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    created_at: datetime = _required_instant()
    used_at: datetime | None = _instant()
    revoked_at: datetime | None = _instant()


class SessionRow(SQLModel, table=True):
    """Somebody signed in to the app: the SHA-256 of the cookie's secret, never the secret."""

    __tablename__ = "session"
    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    name: str
    address: str
    address_folded: str = Field(index=True)
    role: str
    provider: str
    """Who vouched for them: `development`, or a provider of identities."""
    agent: str = ""
    """The browser, as it calls itself: so that people recognise their own sessions."""
    created_at: datetime = _required_instant(index=True)
    seen_at: datetime = _required_instant()
    revoked_at: datetime | None = _instant()


class JobRow(SQLModel, table=True):
    """A timed job, as `status` shows it: when it ran last, what it did, when it runs next."""

    __tablename__ = "job"
    name: str = Field(primary_key=True)
    next_at: datetime | None = _instant()
    last_at: datetime | None = _instant()
    last_result: str | None = None
    report: dict[str, Any] | None = Field(default=None, sa_column=Column(Json, nullable=True))
    """What came of it in values, for jobs whose result a page puts into words."""


class BackfillRow(SQLModel, table=True):
    """One backfill: the stretch and rooms it is about, and how far its planning has come."""

    __tablename__ = "backfill"
    __table_args__ = ({"sqlite_autoincrement": True},)
    number: int | None = Field(default=None, primary_key=True)
    from_at: datetime = _required_instant()
    to_at: datetime = _required_instant()
    rooms: list[int] = _json([])
    unread: list[list[Any]] = _json([])
    """Stretches the mirror does not hold, still to be read: `[room, from, to, next link or null]` each."""
    cursor_at: datetime | None = _instant()
    """The last meeting that was planned: its start and its key."""
    cursor_key: str = ""
    size: int = 0
    """Meetings planned so far."""
    planned_at: datetime | None = _instant()
    """When the plan was complete; None: being planned."""
    created_at: datetime = _required_instant()
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
    start_at: datetime | None = _instant()
    end_at: datetime | None = _instant()
    rooms: list[int] = _json([])
    organizer: str = ""
    step: str
    code: str
    facts: dict[str, Any] = _json({})
    loan_number: int | None = Field(default=None, index=True)
    """Proposed: the loan to link to, or in the way. Done: the loan made or linked."""
    state: str = "planned"
    """`planned`, `chosen`, `done`, `failed`, `undoing`, `undone`."""
    before: dict[str, Any] = _json({})
    """Done: what is needed to take it back."""
    seen_decision: int = 0
    """Done: the last decision there was; people's later ones make the loan theirs."""
    outcome: str | None = None
    """Why it failed or was left, as a reason code."""
    outcome_facts: dict[str, Any] = _json({})


class ComparisonRow(SQLModel, table=True):
    """What the nightly comparison found in one room: the last time, and in all."""

    __tablename__ = "comparison"
    room_id: int = Field(sa_column=Column(Integer, ForeignKey("room.id"), primary_key=True, autoincrement=False))
    compared_at: datetime = _required_instant()
    copies: int = 0
    """Copies that were not as the mirror held them, although nothing had announced it."""
    bookings: int = 0
    """Bookings that were not at rest, although nothing was on its way."""
    copies_total: int = 0
    bookings_total: int = 0

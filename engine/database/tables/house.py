"""The tables of what can be booked, and of who books it: stores, rooms, assets, people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Integer
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import GIVEN_ONCE, instant, json_value, long_text, required_instant
from engine.database.tables.types import Json


class StoreRow(SQLModel, table=True):
    __tablename__ = "store"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    rules: dict[str, Any] = json_value({})
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
    aliases: list[str] = json_value([])
    name: str
    state: str
    state_since: datetime = required_instant()
    state_detail: str | None = None
    """Why: the ignored tag, or the mailbox's error."""
    capacity: int | None = None
    building: str | None = None
    floor: str | None = None
    tags: list[str] = json_value([])
    features: list[str] = json_value([])
    postal_address: str | None = None
    time_zone: str | None = None
    store_id: int = Field(foreign_key="store.id")
    rules: dict[str, Any] = json_value({})
    contacted_at: datetime | None = instant()
    """When the first full reading of its calendar ended; before that, what is found was there before us."""
    delta_link: str | None = long_text(nullable=True)
    window_start: datetime | None = instant()
    window_end: datetime | None = instant()
    next_link: str | None = long_text(nullable=True)
    """A reading under way: where its next page is."""
    reading: int = 0
    """Number of the last full reading begun; copies it saw carry it."""
    read_at: datetime | None = instant()
    signalled_at: datetime | None = instant()
    changed_unsignalled: int = 0
    """Changes that only a sweep found since the last notification: a deaf subscription shows here."""


class AssetRow(SQLModel, table=True):
    __tablename__ = "asset"
    id: int = Field(sa_column=Column(Integer, ForeignKey("bookable.id"), primary_key=True, autoincrement=False))
    name: str
    store_id: int = Field(foreign_key="store.id")
    description: str = ""
    retired: bool = False
    rules: dict[str, Any] = json_value({})


class PersonRow(SQLModel, table=True):
    __tablename__ = "person"
    __table_args__ = (GIVEN_ONCE,)
    id: int | None = Field(default=None, primary_key=True)
    address: str
    address_folded: str = Field(unique=True)
    name: str


class PersonAliasRow(SQLModel, table=True):
    __tablename__ = "person_alias"
    address_folded: str = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)

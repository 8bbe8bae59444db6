"""The tables of calendar feeds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, String
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import GIVEN_ONCE, instant, required_instant


class FeedRow(SQLModel, table=True):
    """A calendar feed: the SHA-256 of the secret in its address, never the secret."""

    __tablename__ = "feed"
    __table_args__ = (GIVEN_ONCE,)
    id: int | None = Field(default=None, primary_key=True)
    kind: str
    """`person`, `room`, `store`; it says which of the next three is set."""
    address: str | None = None
    """Folded."""
    room_id: int | None = Field(default=None, foreign_key="room.id")
    store_id: int | None = Field(default=None, foreign_key="store.id")
    owner: str | None = None
    """Whose list it is on; None: a machine's."""
    owner_folded: str | None = Field(default=None, index=True)
    language: str
    digest: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    created_at: datetime = required_instant()
    created_by: str
    rotated_at: datetime | None = instant()
    read_at: datetime | None = instant()
    revoked_at: datetime | None = instant()

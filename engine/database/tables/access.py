"""The tables of settings changed at run time, and of who may do what: tokens, sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, String
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import GIVEN_ONCE, instant, json_value, required_instant


class SettingRow(SQLModel, table=True):
    """A setting changed at run time, over the file and the environment."""

    __tablename__ = "setting"
    key: str = Field(primary_key=True)
    value: dict[str, Any] = json_value({})
    changed_at: datetime = required_instant()
    changed_by: str


class TokenRow(SQLModel, table=True):
    """A bearer token of the API: its SHA-256, never itself."""

    __tablename__ = "token"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    role: str
    digest: str = Field(sa_column=Column(String(64), unique=True, nullable=False))
    created_at: datetime = required_instant()
    used_at: datetime | None = instant()
    revoked_at: datetime | None = instant()


class SessionRow(SQLModel, table=True):
    """Somebody signed in to the app: the SHA-256 of the cookie's secret, never the secret."""

    __tablename__ = "session"
    __table_args__ = (GIVEN_ONCE,)
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
    created_at: datetime = required_instant(index=True)
    seen_at: datetime = required_instant()
    revoked_at: datetime | None = instant()

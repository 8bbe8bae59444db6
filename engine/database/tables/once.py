"""The table of requests that are answered once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, String
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import json_value, long_text, required_instant


class OnceRow(SQLModel, table=True):
    """A request that came with an idempotency key, and its answer once there is one."""

    __tablename__ = "once"
    digest: str = Field(sa_column=Column(String(64), primary_key=True))
    """SHA-256 of who asked and of the key they gave."""
    fingerprint: str = Field(sa_column=Column(String(64), nullable=False))
    """SHA-256 of what was asked."""
    created_at: datetime = required_instant(index=True)
    status: int | None = None
    """None: not answered (yet)."""
    headers: dict[str, Any] = json_value({})
    body: str = long_text()

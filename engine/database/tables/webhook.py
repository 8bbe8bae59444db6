"""The table of webhook endpoints; what is sent to them is in the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from engine.database.tables.columns import GIVEN_ONCE, instant, json_value, long_text, required_instant


class WebhookRow(SQLModel, table=True):
    """Where webhooks go."""

    __tablename__ = "webhook"
    __table_args__ = (GIVEN_ONCE,)  # its number names it in the outbox's log for good
    id: int | None = Field(default=None, primary_key=True)
    name: str
    url: str = long_text()
    models: list[str] = json_value([])
    personal: bool = False
    header: str
    secrets: list[dict[str, Any]] = json_value([])
    """The live ones, the oldest first: `{"secret", "made_at"}`. Signing needs them as they are."""
    enabled: bool = True
    created_at: datetime = required_instant()
    created_by: str
    removed_at: datetime | None = instant()

"""The table of those who lead: what is done by one process at a time, however many run."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from engine.database.tables.columns import required_instant


class LeaderRow(SQLModel, table=True):
    """Who leads in something, and until when unless it says again that it does."""

    __tablename__ = "leader"
    name: str = Field(primary_key=True)
    owner: str
    until: datetime = required_instant()

"""The table of versions: what processes keep in memory, and when it is worth reading again."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class VersionRow(SQLModel, table=True):
    """How often something changed that processes keep in memory."""

    __tablename__ = "version"
    name: str = Field(primary_key=True)
    number: int

"""Columns that several modules of tables declare, and how constraints are named."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from sqlalchemy import Column
from sqlmodel import Field, SQLModel

from engine.database.tables.types import Instant, Json, LongText

SQLModel.metadata.naming_convention = {  # constraint names that migrations can rely on
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

GIVEN_ONCE: dict[str, Any] = {"sqlite_autoincrement": True}
"""Of a table whose rows may go while their numbers are remembered: by a pass that waits for an answer, a page, a
receiver, a history, a card in Outlook. SQLite would give the highest number again, and what is meant for one row would
be done to another."""

SQLModel.model_config["defer_build"] = True
"""No row is ever validated, so none of what pydantic would do that with need be built at each start."""


def instant(*, index: bool = False) -> Any:
    return Field(default=None, sa_column=Column(Instant(), nullable=True, index=index))


def required_instant(*, index: bool = False) -> Any:
    return Field(sa_column=Column(Instant(), nullable=False, index=index))


def json_value(default: Any, *, server_default: str | None = None) -> Any:
    column = Column(Json, nullable=False, server_default=server_default)
    return Field(default_factory=lambda: deepcopy(default), sa_column=column)


def long_text(*, nullable: bool = False) -> Any:
    default = None if nullable else ""
    return Field(default=default, sa_column=Column(LongText, nullable=nullable))

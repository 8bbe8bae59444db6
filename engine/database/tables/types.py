"""Column types that read the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import JSON, DateTime, Dialect, String, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

WHOLE_SECONDS_KEPT = 2048
"""Texts kept of instants that somebody chose, some 250 bytes each: they come again, those that a clock tells do not."""

_encode = msgspec.json.Encoder().encode


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant: `timestamptz` on PostgreSQL, fixed-width ISO text on SQLite (which keeps no zone)."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(32))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        """Return what makes a value the driver's, in one call: a page of a calendar binds thousands."""
        return _to_utc if dialect.name == "postgresql" else _to_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:
        """Return what makes the driver's value ours."""
        return _to_utc if dialect.name == "postgresql" else _from_text


def _to_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    if value.utcoffset() is None:
        raise ValueError(f"an instant without a zone cannot be stored: {value}")
    return value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    """Return what `isoformat(timespec="microseconds")` does in UTC, in a fifth of its time: a page of a calendar has
    thousands. msgspec writes `"2026-11-24T09:00:00Z"`, with six digits of a fraction where there is one."""
    moment = value if value is None or value.tzinfo is UTC else _to_utc(value)
    if moment is None:
        return None
    return _encode(moment).decode()[1:27] + "+00:00" if moment.microsecond else _whole_second_to_text(moment)


@lru_cache(maxsize=WHOLE_SECONDS_KEPT)
def _whole_second_to_text(moment: datetime) -> str:
    return _encode(moment).decode()[1:20] + ".000000+00:00"


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


Json = JSON().with_variant(JSONB(), "postgresql")
"""Small structured values."""

LongText = Text()

"""The kinds of value that bodies and queries are made of, checked where they come in."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, field_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from engine.ids import ID_MAX
from engine.web.translations import N_

UNSTORABLE = N_("must not contain NUL or lone surrogates")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?)([Zz]|[+-]\d\d:\d\d)?")
_ADDRESS = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")


def parse_instant(value: object) -> datetime:
    """
    Return the instant an RFC 3339 text names, in UTC. Without an offset it names none: refused.

    Of a fraction, which Graph and .NET write with seven digits, six count.
    """
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return value.astimezone(UTC)
    text = _restore_plus(value) if isinstance(value, str) else ""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise PydanticCustomError("instant_malformed", N_("must be an instant such as 2026-11-23T10:00:00+01:00"))
    day, clock, offset = match.groups()
    if offset is None:
        raise PydanticCustomError("offset_missing", N_("must carry its offset from UTC, such as Z or +01:00"))
    try:
        return datetime.fromisoformat(f"{day}T{clock}{offset.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("instant_malformed", N_("must be a day and a time that exist")) from None


def _restore_plus(text: str) -> str:
    """Undo what forms do to a `+` that was not percent-encoded in a query: it arrives as a space."""
    return re.sub(r" (\d\d:\d\d)$", r"+\1", text) if text.count(":") >= 3 else text


def parse_day(value: object) -> date:
    """Return the day that a text such as 2026-11-23 names."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise PydanticCustomError("day_malformed", N_("must be a day such as 2026-11-23"))


def _check_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise PydanticCustomError("zone_unknown", N_("must be a time zone such as Europe/Paris")) from None
    return value


def _check_text(value: str) -> str:
    """Refuse what a database cannot keep: NUL, and halves of surrogate pairs."""
    if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise PydanticCustomError("characters_invalid", UNSTORABLE)
    return value


def _check_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise PydanticCustomError("address_malformed", N_("must be an e-mail address"))
    return value


def _refuse_truth(value: object) -> object:
    if isinstance(value, bool | float):
        raise PydanticCustomError("int_type", N_("must be a whole number"))
    return value


Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-23T10:00:00+01:00"]}),
]
Day = Annotated[
    date, BeforeValidator(parse_day), WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-11-23"]})
]
WHOLE = BeforeValidator(_refuse_truth)
"""Goes onto every whole number, after its bounds: before them it would hide them from the OpenAPI document."""
Whole = Annotated[int, WHOLE]
Id = Annotated[int, Field(ge=1, le=ID_MAX), WHOLE]
STORABLE = AfterValidator(_check_text)
"""Goes onto every text, after its length."""
Line = Annotated[str, Field(max_length=255), STORABLE]
Name = Annotated[str, Field(min_length=1, max_length=255), STORABLE]
Address = Annotated[
    str, Field(max_length=320, json_schema_extra={"format": "email"}), STORABLE, AfterValidator(_check_address)
]
ZoneName = Annotated[str, Field(max_length=64), STORABLE, AfterValidator(_check_zone)]
Page = Annotated[int, Field(ge=1, le=500), WHOLE]


class Incoming(BaseModel):
    """What callers send: unknown fields are refused, since a misspelt one would silently do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Spoken(Incoming):
    """A query. What it is answered has sentences, if only those of a problem: `language.py` reads in which language."""

    lang: Literal["en", "fr"] | SkipJsonSchema[None] = None


class Amendment(Incoming):
    """A change of some fields: what is left out stays as it is, so null would say nothing and is refused."""

    @field_validator("*", mode="before")
    @classmethod
    def refuse_null(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("null", N_("must not be null; leave it out to keep it as it is"))
        return value


class Outgoing(BaseModel):
    """What callers read. Instants are UTC."""

    model_config = ConfigDict(frozen=True)

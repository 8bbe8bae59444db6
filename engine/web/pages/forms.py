"""What forms and links of the pages send, checked where it comes in."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from engine.web.api import wire
from engine.web.api.models import Notes

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Sent(wire.Incoming):
    """A form or a link. Browsers send empty fields too: they are taken for fields that were not sent."""

    @model_validator(mode="before")
    @classmethod
    def leave_out_empty(cls, given: Any) -> Any:
        return {key: value for key, value in given.items() if value != ""} if isinstance(given, dict) else given


def _check_clock(value: str) -> str:
    if not _CLOCK.fullmatch(value):
        raise PydanticCustomError("clock_malformed", "must be a time of day such as 08:30")
    return value


def _join_lines(value: object) -> object:
    """Return a text with the line ends that were written: browsers send them as CR LF (HTML standard, "form data")."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


Text = Annotated[Notes, BeforeValidator(_join_lines)]
Clock = Annotated[str, AfterValidator(_check_clock)]
Day = Annotated[wire.Day, Field(ge=date(2000, 1, 10), le=date(2999, 12, 1))]
"""A day that can be booked on, and counted from."""


def parse_clock(value: str | None) -> time | None:
    """Return the time of day that a form sent."""
    return time.fromisoformat(value) if value else None

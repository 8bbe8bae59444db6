"""Answering a request once, however often it is sent: what is remembered of requests with an idempotency key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

KEPT = timedelta(hours=24)
"""How long an answer is remembered."""

AT_WORK = timedelta(seconds=60)
"""How long a request may take; after that, one without an answer was cut off."""


class Begun(StrEnum):
    """What a request with a key turns out to be."""

    FIRST = "first"
    """Nobody asked this before: do it, and tell the answer."""
    ANSWERED = "answered"
    """The same was asked and answered."""
    AT_WORK = "at_work"
    """The same is being done right now."""
    CUT_OFF = "cut_off"
    """The same was begun and never answered: it may have taken effect."""
    OTHER = "other"
    """The key was given for something else."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


class OnceBook(Protocol):
    """Remembers requests. A digest names who asked and their key, a fingerprint what was asked."""

    def begin(self, digest: str, fingerprint: str) -> tuple[Begun, Answer | None]:
        """Say what a request is; only for ANSWERED there is an answer."""
        ...

    def finish(self, digest: str, answer: Answer) -> None:
        """Remember the answer of a request that was the first."""
        ...

    def forget(self, digest: str) -> None:
        """Forget a request that certainly had no effect: it may be tried again."""
        ...

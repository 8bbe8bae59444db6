"""What is kept of a store, and what it forgets when that comes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Backup:
    """The store as it was."""

    at: datetime
    image: bytes
    """As SQLite serializes it."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What a store forgets that goes back in time, by the numbers of loans. It gives the numbers of lost ones again."""

    loans: set[int]
    """They were not there yet."""
    touched: set[int]
    """What was wanted last of them may be known to nobody any more."""

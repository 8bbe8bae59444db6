"""The marker our events carry: transaction id of their creation, and how we know them again.

It names the database, the loan, the generation, when the loan was made, and something drawn for this very creation:
after a backup was restored loan numbers are given a second time, and an old event must not be taken for a new loan's
(P58). A loan that was there before, and whose event was made anew since, is known by it all the same.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

_BIRTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Marker:
    """What a marker of this database says."""

    number: int
    generation: int
    birth: str
    """What `name_birth` returns for its loan; "" in a marker from before there was one."""


def name_birth(made_at: datetime) -> str:
    """Return hexadecimal digits that stand for the instant a loan was made: with its number they name it for good."""
    instant = made_at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.blake2s(instant.encode(), digest_size=_BIRTH_BYTES).hexdigest()


def make_marker(instance: str, number: int, generation: int, birth: str, drawn: str) -> str:
    """Return the marker of one creation; *drawn* is eight hexadecimal digits, drawn for it."""
    return f"accord-{instance}-{number}-g{generation}-{birth}{drawn}"


def make_series_marker(instance: str, series: int, drawn: str) -> str:
    """Return the marker of one creation of a whole series. It names no loan: a series stands for many."""
    return f"accord-{instance}-s{series}-{drawn}"


def parse_marker(instance: str, text: str | None) -> Marker | None:
    """Return what a marker of this database says, None for anything else."""
    drawn = rf"([0-9a-f]{{{2 * _BIRTH_BYTES}}}(?=[0-9a-f]))?[0-9a-f]+"
    pattern = rf"accord-{re.escape(instance)}-([0-9]{{1,18}})-g([0-9]{{1,9}})-{drawn}"
    found = re.fullmatch(pattern, text or "")
    return Marker(int(found[1]), int(found[2]), found[3] or "") if found else None

"""The marker our events carry: transaction id of their creation, and how we know them again.

It names the database, the loan, the generation, and something drawn for this very creation: after a backup was
restored loan numbers are given a second time, and an old event must not be taken for a new loan's (P58).
"""

from __future__ import annotations

import re


def make_marker(instance: str, number: int, generation: int, drawn: str) -> str:
    """Return the marker of one creation; *drawn* is a few hexadecimal digits, drawn for it."""
    return f"accord-{instance}-{number}-g{generation}-{drawn}"


def make_series_marker(instance: str, series: int, drawn: str) -> str:
    """Return the marker of one creation of a whole series. It names no loan: a series stands for many."""
    return f"accord-{instance}-s{series}-{drawn}"


def parse_marker(instance: str, text: str | None) -> tuple[int, int] | None:
    """Return loan number and generation of a marker of this database, None for anything else."""
    found = re.fullmatch(rf"accord-{re.escape(instance)}-(\d+)-g(\d+)-[0-9a-f]+", text or "")
    return (int(found[1]), int(found[2])) if found else None

"""Patterns of LIKE, in which `\\` escapes."""

from __future__ import annotations


def containing(part: str) -> str:
    """Return the pattern of texts that contain *part* as it is."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"

"""All tables together: one class each, in the words of docs/glossary.md, in modules by what they are about.

Rows never leave this package. Guards that no column can express (no overlapping bookings of one item) live in
`database/loans/guards.py`.
"""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import MetaData
from sqlmodel import SQLModel

MODULES = (
    "access",
    "backfill",
    "content",
    "feed",
    "house",
    "leader",
    "loan",
    "mail",
    "once",
    "outbox",
    "own_calendar",
    "people",
    "sync",
    "version",
    "webhook",
    "work",
)
"""What the tables are about; each has a module."""

for _name in MODULES:
    import_module(f"engine.database.tables.{_name}")

metadata: MetaData = SQLModel.metadata

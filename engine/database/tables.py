"""All tables together: one class each, in the words of docs/glossary.md, in modules by what they are about.

Rows never leave this package. Guards that no column can express (no overlapping bookings of one item) live in
`guards.py`.
"""

from __future__ import annotations

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from engine.database import (
    access_tables,
    backfill_tables,
    feed_tables,
    house_tables,
    leader_tables,
    loan_tables,
    mail_tables,
    once_tables,
    outbox_tables,
    own_calendar_tables,
    people_tables,
    sync_tables,
    webhook_tables,
    work_tables,
)

metadata: MetaData = SQLModel.metadata

GATHERED = (
    access_tables,
    backfill_tables,
    feed_tables,
    house_tables,
    leader_tables,
    loan_tables,
    mail_tables,
    once_tables,
    outbox_tables,
    own_calendar_tables,
    people_tables,
    sync_tables,
    webhook_tables,
    work_tables,
)
"""The modules that declare the tables."""

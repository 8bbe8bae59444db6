"""The tables of calendar mails: what people hold of loans, and which mails they want."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from engine.database.tables.columns import required_instant


class InvitationRow(SQLModel, table=True):
    """What somebody was last sent of a loan. Outlives the loan, so that a sequence never begins anew."""

    __tablename__ = "invitation"
    loan_number: int = Field(primary_key=True)
    address_folded: str = Field(primary_key=True, index=True)
    address: str
    name: str
    sequence: int
    live: bool
    """False: taken out of their calendar again."""
    told: str
    """SHA-256 of what they were told: what says the same is not sent again."""
    sent_at: datetime = required_instant()


class MailPreferenceRow(SQLModel, table=True):
    """Which mails a person wants, and in which language."""

    __tablename__ = "mail_preference"
    address_folded: str = Field(primary_key=True)
    level: str
    language: str | None = None
    changed_at: datetime = required_instant()

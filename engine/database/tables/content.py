"""The table of the keys with which notifications that bring their event are opened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, String
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import long_text, required_instant


class ContentKeyRow(SQLModel, table=True):
    """A key of ours and its certificate. Graph encrypts for the certificate; who has the key reads what it sends."""

    __tablename__ = "content_key"
    id: str = Field(sa_column=Column(String(64), primary_key=True))
    """`encryptionCertificateId` of the subscriptions that use it."""
    certificate: str = long_text()
    """X.509, DER, base64."""
    private_key: str = long_text()
    """PKCS#8, PEM. Opening needs it as it is, as signing a webhook needs its secret."""
    made_at: datetime = required_instant()
    ends_at: datetime = required_instant()
    """When the certificate ends."""

"""What is known of people beside name and address."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer
from sqlmodel import Field, SQLModel

from engine.database.tables.columns import required_instant


class PersonDetailsRow(SQLModel, table=True):
    """Details of a requester, for a contact; "" where nothing is known."""

    __tablename__ = "person_details"
    person_id: int = Field(sa_column=Column(Integer, ForeignKey("person.id"), primary_key=True, autoincrement=False))
    phone: str = ""
    birth_date: str = ""
    company: str = ""
    job_title: str = ""
    street: str = ""
    postcode: str = ""
    town: str = ""
    changed_at: datetime = required_instant()

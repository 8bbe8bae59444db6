"""Keeps the details of requesters."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from engine.database.sql.prepared import Prepared
from engine.database.tables import metadata
from engine.loans.details import DETAIL_FIELDS, ContactDetails

details_table = metadata.tables["person_details"]

_FIND = Prepared(select(details_table).where(details_table.c.person_id == bindparam("of_person")))
_ADD = Prepared(details_table.insert())


def load_details(connection: Connection, person_id: int) -> ContactDetails:
    """Return what is known of a person."""
    row = _FIND.run(connection, {"of_person": person_id}).first()
    return read_details(row) if row is not None else ContactDetails()


def read_details(row: Any) -> ContactDetails:
    """Return the details in a row; None where it has none."""
    return ContactDetails(**{name: getattr(row, name) or None for name in DETAIL_FIELDS})


def keep_details(connection: Connection, person_id: int, details: ContactDetails, *, now: datetime) -> None:
    """Write what *details* give over what is kept; what they leave out stays. Nothing new writes nothing."""
    given = details.given()
    row = _FIND.run(connection, {"of_person": person_id}).first()
    if row is None and any(given.values()):
        values = {name: given.get(name, "") for name in DETAIL_FIELDS}
        _ADD.run(connection, {"person_id": person_id, **values, "changed_at": now})
    elif row is not None and any(getattr(row, name) != value for name, value in given.items()):
        change = details_table.update().where(details_table.c.person_id == person_id)
        connection.execute(change.values(**given, changed_at=now))

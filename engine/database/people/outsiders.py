"""Who borrowed from us and is not of our domains."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select

from engine.database.loans.details import read_details
from engine.database.people.anonymise import NOBODY
from engine.database.sql.connection import Database
from engine.database.tables import metadata
from engine.ids import domain_of
from engine.loans.details import ContactDetails
from engine.reconcile.contacts import Outsider

_person = metadata.tables["person"]
_details = metadata.tables["person_details"]
_loan = metadata.tables["loan"]
_store = metadata.tables["store"]

_REQUESTERS = (
    select(
        _person.c.id,
        _person.c.address,
        _person.c.name,
        func.min(_loan.c.created_at).label("created_at"),
        func.max(_loan.c.changed_at).label("changed_at"),
        func.max(_loan.c.end_at).label("last_end"),
        func.count(_loan.c.number).label("loans"),
    )
    .join(_loan, _loan.c.person_id == _person.c.id)
    .where(_person.c.address_folded != NOBODY.address)
    .group_by(_person.c.id, _person.c.address, _person.c.name)
    .order_by(_person.c.id)
)
_STORES = (
    select(_loan.c.person_id, _store.c.name)
    .join(_store, _store.c.id == _loan.c.store_id)
    .distinct()
    .order_by(_loan.c.person_id, _store.c.name)
)


def load_outsiders(database: Database, domains: Collection[str], *, instance: str) -> Sequence[Outsider]:
    """
    Return everybody loans were made for whose address is not of *domains*, in the order in which they first came.

    Args:
        domains: folded.
        instance: the name of this database: a card carries it, so that two never take each other's for their own.
    """
    with database.read() as transaction:
        rows = transaction.connection.execute(_REQUESTERS).all()
        details = {row.person_id: row for row in transaction.connection.execute(select(_details))}
        stores: dict[int, list[str]] = {}
        for person, name in transaction.connection.execute(_STORES):
            stores.setdefault(person, []).append(name)
    return [
        Outsider(
            key=f"{instance}-{row.id}",
            name=row.name,
            address=row.address,
            created_at=row.created_at,
            changed_at=max(row.changed_at, details[row.id].changed_at) if row.id in details else row.changed_at,
            loans=row.loans,
            stores=tuple(stores.get(row.id, ())),
            last_end=row.last_end,
            details=read_details(details[row.id]) if row.id in details else ContactDetails(),
        )
        for row in rows
        if domain_of(row.address) not in domains
    ]

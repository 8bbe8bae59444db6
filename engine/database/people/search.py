"""Finding people by a part of their name or address, and what is known of them beside."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select

from engine.database.loans.details import keep_details, load_details
from engine.database.loans.rows import find_person
from engine.database.people.anonymise import NOBODY
from engine.database.sql.connection import Database
from engine.database.sql.patterns import holds_word
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.errors import Invalid, NotFound
from engine.ids import Address, fold_address
from engine.loans.details import ContactDetails, DetailsBook
from engine.loans.loan import Requester

_person = metadata.tables["person"]


class People(DetailsBook):
    """Everybody a loan was ever made for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, words: str, *, limit: int) -> Sequence[Requester]:
        """Return people whose name or address holds each of the first eight *words*, by name."""
        are_held = (
            or_(holds_word(_person.c.name, word), holds_word(_person.c.address, word)) for word in words.split()[:8]
        )
        statement = (
            select(_person.c.address, _person.c.name)
            .where(_person.c.address_folded != NOBODY.address, *are_held)
            .order_by(_person.c.name, _person.c.id)
            .limit(limit)
        )
        with self._database.read() as transaction:
            return [Requester(Address(row[0]), row[1]) for row in transaction.connection.execute(statement)]

    def details(self, address: str) -> ContactDetails:
        """Return what is known of somebody beside name and address. Raises NotFound for who never had a loan."""
        with self._database.read() as transaction:
            return load_details(transaction.connection, _id_of(transaction, address))

    def set_details(self, address: str, details: ContactDetails) -> ContactDetails:
        """Keep what *details* give; return all that is known then. Raises NotFound, and Invalid with every fault."""
        with self._database.write() as transaction:
            if faults := [fault for _, fault in details.faults(transaction.now.date())]:
                raise Invalid(*faults)
            person_id = _id_of(transaction, address)
            keep_details(transaction.connection, person_id, details, now=transaction.now)
            return load_details(transaction.connection, person_id)


def _id_of(transaction: Transaction, address: str) -> int:
    person_id = find_person(transaction.connection, address)
    if person_id is None or fold_address(address) == NOBODY.address:
        raise NotFound(f"nobody of the address {address!r} ever had a loan")
    return person_id

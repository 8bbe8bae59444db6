"""What people were sent of loans, and which mails they want."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import bindparam, or_, select

from engine.calendars.mailing import Held, MailLevel, MailPreference
from engine.database.sql.connection import Database
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.sql.upserts import upsert
from engine.database.tables import metadata
from engine.database.work.meeting_marks import HELD_BY_LOAN
from engine.ids import Address, fold_address
from engine.reconcile.own_calendar import OwnCalendarState

_held = metadata.tables["invitation"]
_link = metadata.tables["link"]
_loan = metadata.tables["loan"]
_person = metadata.tables["person"]
_calendar = metadata.tables["own_calendar"]
_preference = metadata.tables["mail_preference"]
_HELD = Prepared(
    select(_held)
    .where(_held.c.loan_number.in_(bindparam("numbers", expanding=True)))
    .order_by(_held.c.loan_number, _held.c.address_folded)
)
_LINKED = Prepared(
    select(_link.c.loan_number).where(
        _link.c.loan_number.in_(bindparam("numbers", expanding=True)), _link.c.state.in_(HELD_BY_LOAN)
    )
)
_CONNECTED = Prepared(
    select(_calendar.c.address_folded).where(
        _calendar.c.address_folded.in_(bindparam("folded", expanding=True)),
        _calendar.c.state == OwnCalendarState.CONNECTED.value,
    )
)
_PREFERENCES = Prepared(
    select(_preference).where(_preference.c.address_folded.in_(bindparam("folded", expanding=True)))
)


def load_held(transaction: Transaction, numbers: Sequence[int]) -> dict[int, list[Held]]:
    """Return what was sent of the loans *numbers*; a loan of which nothing was is absent."""
    found: dict[int, list[Held]] = {}
    for row in _HELD.run(transaction.connection, {"numbers": list(numbers)}) if numbers else ():
        held = Held(Address(row.address), row.name, row.sequence, bool(row.live), row.told)
        found.setdefault(row.loan_number, []).append(held)
    return found


def load_linked(transaction: Transaction, numbers: Sequence[int]) -> frozenset[int]:
    """Return those of the loans *numbers* that have an event in Outlook, or one that is being written."""
    rows = _LINKED.run(transaction.connection, {"numbers": list(numbers)}) if numbers else ()
    return frozenset(row.loan_number for row in rows)


def load_connected(transaction: Transaction, addresses: Iterable[str]) -> frozenset[Address]:
    """Return those of *addresses*, folded, who have loans without rooms written into a calendar of their own."""
    folded = sorted({fold_address(address) for address in addresses})
    rows = _CONNECTED.run(transaction.connection, {"folded": folded}) if folded else ()
    return frozenset(Address(row.address_folded) for row in rows)


def list_concerning(transaction: Transaction, address: str) -> list[int]:
    """Return the loans that are not over and are somebody's, or of which they were sent something."""
    folded = fold_address(address)
    sent = select(_held.c.loan_number).where(_held.c.address_folded == folded)
    wanted = (
        select(_loan.c.number)
        .join(_person, _person.c.id == _loan.c.person_id)
        .where(
            _loan.c.end_at > transaction.now,
            or_(_person.c.address_folded == folded, _loan.c.number.in_(sent)),
        )
        .order_by(_loan.c.number)
    )
    return list(transaction.connection.execute(wanted).scalars())


def save_held(transaction: Transaction, number: int, held: Held) -> None:
    """Remember what somebody was sent of a loan."""
    values = {
        "address": held.address,
        "name": held.name,
        "sequence": held.sequence,
        "live": held.is_live,
        "told": held.told,
        "sent_at": transaction.now,
    }
    upsert(transaction, _held, {"loan_number": number, "address_folded": fold_address(held.address)}, values)


def load_preferences(transaction: Transaction, addresses: Iterable[str]) -> Mapping[Address, MailPreference]:
    """Return the preferences, by folded address, of those of *addresses* who have said any."""
    folded = sorted({fold_address(address) for address in addresses})
    rows = _PREFERENCES.run(transaction.connection, {"folded": folded}) if folded else ()
    return {Address(row.address_folded): MailPreference(MailLevel(row.level), row.language) for row in rows}


class MailPreferences:
    """Implements `MailBook`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def preference_of(self, address: str) -> MailPreference:
        """Return what a person wants; what holds for everybody when they said nothing."""
        with self._database.read() as transaction:
            return load_preferences(transaction, [address]).get(fold_address(address), MailPreference())

    def set_preference(self, address: Address, preference: MailPreference) -> None:
        """Remember what a person wants from now on."""
        values = {"level": preference.level.value, "language": preference.language}
        with self._database.write() as transaction:
            which = {"address_folded": fold_address(address)}
            upsert(transaction, _preference, which, {**values, "changed_at": transaction.now})

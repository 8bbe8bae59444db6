"""Identifiers, one type each, so that a room's number never passes for a loan's.

Ids that come from Microsoft Graph are opaque and case-sensitive: they are never lower-cased,
trimmed or rebuilt (Graph docs: outlook-immutable-id). Addresses are compared case-insensitively:
`fold_address` is the one place that says how.
"""

from typing import NewType

BookableId = NewType("BookableId", int)
"""A room or an asset of ours. Rooms and assets share one number range, so one id names one thing."""

LoanNumber = NewType("LoanNumber", int)
"""The number people see and say: the `4711` of `#4711 Alex Doe`."""

StoreId = NewType("StoreId", int)

ID_MAX = 2**31 - 1
"""The largest number of any of them: an integer column of PostgreSQL holds no larger one."""

ICalUid = NewType("ICalUid", str)
"""What the organizer's and every room's copy of one meeting share. Case-sensitive."""

EventId = NewType("EventId", str)
"""Graph's id of one copy in one mailbox, asked for as an immutable id."""

Address = NewType("Address", str)
"""A mailbox address as it is written; compare with `fold_address`."""


def fold_address(address: str) -> Address:
    """Return *address* in the one form in which addresses are compared: trimmed and case-folded."""
    return Address(address.strip().casefold())


def domain_of(address: str) -> str:
    """Return the part after the last `@`, folded; empty when there is none."""
    return fold_address(address).rpartition("@")[2] if "@" in address else ""

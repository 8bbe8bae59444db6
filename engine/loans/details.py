"""What may be known of a requester from outside beside name and address: the optional columns of a contact (G9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import Protocol

from engine.errors import Fault

LENGTHS = {"phone": 50, "birth_date": 10, "company": 255, "job_title": 255, "street": 255, "postcode": 20, "town": 255}
"""The most characters of each field."""

EARLIEST_BIRTH = 1880


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """
    Details as somebody gives them, or as they are kept. None: not given, so what is kept stays; "": nothing is kept.

    `birth_date` is a day such as 1984-02-29.
    """

    phone: str | None = None
    birth_date: str | None = None
    company: str | None = None
    job_title: str | None = None
    street: str | None = None
    postcode: str | None = None
    town: str | None = None

    def given(self) -> dict[str, str]:
        """Return what is given, without outer spaces, by its name."""
        values = {name: getattr(self, name) for name in DETAIL_FIELDS}
        return {name: value.strip() for name, value in values.items() if value is not None}

    def known(self) -> dict[str, str]:
        """Return what says something, by its name."""
        return {name: value for name, value in self.given().items() if value}

    def faults(self, today: date) -> Iterator[tuple[str, Fault]]:
        """Yield what is wrong: the name of a field and its fault."""
        for name, value in self.given().items():
            if len(value) > LENGTHS[name]:
                yield name, Fault(name, "too_long", f"at most {LENGTHS[name]} characters")
            elif not value.isprintable():
                yield name, Fault(name, "unstorable", "must be one line of printable characters")
            elif name == "birth_date" and value and not _is_birth_date(value, today):
                yield name, Fault(name, "birth_date_malformed", "must be a day in the past such as 1984-02-29")
            elif name == "phone" and value and not any(sign.isdigit() for sign in value):
                yield name, Fault(name, "phone_malformed", "a telephone number has digits")


class DetailsBook(Protocol):
    """What is known of requesters. Both raise NotFound for who never had a loan."""

    def details(self, address: str) -> ContactDetails: ...

    def set_details(self, address: str, details: ContactDetails) -> ContactDetails:
        """Keep what *details* give; return all that is known then. Raises Invalid with every fault."""
        ...


DETAIL_FIELDS = tuple(field.name for field in fields(ContactDetails))


def _is_birth_date(text: str, today: date) -> bool:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return False
    return text == found.isoformat() and found.year >= EARLIEST_BIRTH and found <= today

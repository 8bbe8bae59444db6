"""What may be told of a requester from outside, and what may not."""

from __future__ import annotations

from datetime import date

import pytest

from engine.loans.details import DETAIL_FIELDS, LENGTHS, ContactDetails
from engine.reconcile.contacts import Column

TODAY = date(2026, 11, 21)


def test_each_is_a_column_of_contacts_and_has_a_limit() -> None:
    assert set(DETAIL_FIELDS) == set(LENGTHS)
    assert set(DETAIL_FIELDS) <= set(Column)


def test_what_is_left_out_differs_from_what_is_to_be_forgotten() -> None:
    told = ContactDetails(phone=" 01 23 ", company="", town=None)

    assert told.given() == {"phone": "01 23", "company": ""}
    assert told.known() == {"phone": "01 23"}


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"birth_date": "1984-02-29"}, None),
        ({"birth_date": ""}, None),
        ({"birth_date": "2026-11-21"}, None),
        ({"birth_date": "2026-11-22"}, "birth_date_malformed"),
        ({"birth_date": "1983-02-29"}, "birth_date_malformed"),
        ({"birth_date": "19840229"}, "birth_date_malformed"),
        ({"birth_date": "1066-10-14"}, "birth_date_malformed"),
        ({"phone": "+33 (0)1 23-45.67 ext 8"}, None),
        ({"phone": "none"}, "phone_malformed"),
        ({"phone": "1" * 51}, "too_long"),
        ({"street": "1 rue\nHaute"}, "unstorable"),
        ({"town": "Saint-Étienne", "company": "Müller & 张"}, None),
    ],
)
def test_what_cannot_be_is_a_fault_of_its_field(told: dict[str, str], code: str | None) -> None:
    faults = list(ContactDetails(**told).faults(TODAY))

    assert [(name, fault.code) for name, fault in faults] == ([] if code is None else [(next(iter(told)), code)])

"""What is kept of requesters from outside: given with a booking or a change, or afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.database.people.outsiders import load_outsiders
from engine.database.people.search import People
from engine.database.rooms.book import RoomCache
from engine.database.series.desk import SeriesDesk
from engine.errors import Invalid, NotFound
from engine.ids import Address
from engine.loans.details import ContactDetails
from engine.loans.loan import Requester
from engine.loans.recurrence import Repeat, recur
from engine.loans.register import LoanChange
from engine.reconcile.series.book import SeriesOrder
from tests.database.building import BY, Building, StandingClock, hours, order, room, rows

ADA = Requester(Address("Ada@elsewhere.example"), "Ada Lovelace")
PHONE, TOWN = ContactDetails(phone="+44 1"), ContactDetails(town="London")


@pytest.fixture
def people(building: Building) -> People:
    return People(building.database)


def test_somebody_is_found_by_words_in_any_order_without_accents(building: Building, people: People) -> None:
    herve = Requester(Address("h.blanc@elsewhere.example"), "Hervé Blanc")
    building.desk.book(order(hours(2, 3), room(1), requester=herve), actor=BY)
    building.desk.book(order(hours(4, 5), room(1), requester=ADA), actor=BY)

    for words in ("herve", "HERVÉ", "blanc herve", "elsewhere hérvé"):
        assert people.find(words, limit=9) == [herve]
    assert people.find("herve lovelace", limit=9) == []


def test_come_with_a_booking_and_with_a_change(building: Building, people: People) -> None:
    """A change that changes nothing else of the loan leaves the loan as it is."""
    loan = building.desk.book(order(hours(1, 2), room(1), requester=replace(ADA, details=PHONE)), actor=BY)
    after = building.desk.change(loan.number, LoanChange(requester=replace(ADA, details=TOWN)), actor=BY)

    assert people.details(ADA.address) == ContactDetails(phone="+44 1", town="London")
    assert after.version == loan.version
    assert after.requester.details is None


def test_are_kept_or_forgotten_field_by_field(building: Building, people: People, clock: StandingClock) -> None:
    building.desk.book(order(hours(1, 2), room(1), requester=ADA), actor=BY)
    assert people.details(ADA.address) == ContactDetails()

    people.set_details("ADA@elsewhere.example", ContactDetails(phone="1", company="Engines"))
    people.set_details(ADA.address, ContactDetails(phone="", town=" London "))

    assert people.details(ADA.address) == ContactDetails(company="Engines", town="London")


def test_count_as_a_change_of_the_contact(building: Building, people: People, clock: StandingClock) -> None:
    """The column "modification date" (G9). Saying what is known already changes nothing."""
    building.desk.book(order(hours(1, 2), room(1), requester=ADA), actor=BY)
    clock.now = hours(30, 31).start
    people.set_details(ADA.address, PHONE)
    told_at = clock.now
    clock.now = hours(60, 61).start
    people.set_details(ADA.address, PHONE)

    (found,) = load_outsiders(building.database, {"example.org"}, instance="x")

    assert (found.details, found.changed_at) == (PHONE, told_at)


def test_that_cannot_be_are_refused_with_the_booking(building: Building, people: People) -> None:
    wrong = replace(ADA, details=ContactDetails(phone="none", birth_date="2999-01-01"))

    with pytest.raises(Invalid) as refusal:
        building.desk.book(order(hours(1, 2), room(1), requester=wrong), actor=BY)

    assert [fault.field for fault in refusal.value.faults] == [
        "requester.details.phone",
        "requester.details.birth_date",
    ]
    assert rows(building.database, "loan") == []
    with pytest.raises(NotFound):
        people.details(ADA.address)


def test_that_cannot_be_are_refused_afterwards(building: Building, people: People) -> None:
    building.desk.book(order(hours(1, 2), room(1), requester=ADA), actor=BY)

    with pytest.raises(Invalid, match="1984-02-29"):
        people.set_details(ADA.address, ContactDetails(birth_date="29.2.1984", town="London"))

    assert people.details(ADA.address) == ContactDetails()


def test_come_with_a_series(building: Building, people: People) -> None:
    start = hours(1, 2)
    recurrence = recur(Repeat.DAILY, start.start, start.end, "UTC", count=2)
    cache = RoomCache(building.database, time_zone="UTC")
    series = SeriesDesk(building.database, building.desk, cache, lambda: building.options)
    series.book(SeriesOrder(replace(ADA, details=PHONE), recurrence, (room(1),)), actor=BY)

    assert people.details(ADA.address) == PHONE

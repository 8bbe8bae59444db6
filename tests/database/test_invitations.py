"""What people were sent of loans, and which mails they want, in both databases."""

from __future__ import annotations

from dataclasses import replace

from engine.calendars.mailing import Held, MailLevel, MailPreference
from engine.database.calendars.invitations import MailPreferences, load_held, load_linked, load_preferences, save_held
from engine.database.sql.connection import Database
from engine.ids import Address
from tests.database.building import BY, Building, hours, insert, order, room

ZOE = Held(Address("Zoe@elsewhere.org"), "Zoé", 0, True, "a")


def test_the_last_thing_sent_counts(database: Database) -> None:
    later = replace(ZOE, address=Address("ZOE@elsewhere.org"), sequence=1, is_live=False, told="b")
    with database.write() as transaction:
        save_held(transaction, 12, ZOE)
        save_held(transaction, 12, later)
        save_held(transaction, 13, ZOE)

    with database.read() as transaction:
        assert load_held(transaction, [12, 13, 14]) == {12: [later], 13: [ZOE]}
        assert load_held(transaction, []) == {}


def test_preferences_are_kept_by_person(database: Database) -> None:
    preferences = MailPreferences(database)
    assert preferences.preference_of("zoe@elsewhere.org") == MailPreference(MailLevel.ALL, None)

    preferences.set_preference(ZOE.address, MailPreference(MailLevel.SOON, "fr"))
    preferences.set_preference(ZOE.address, MailPreference(MailLevel.NONE))

    assert preferences.preference_of("zoe@ELSEWHERE.org") == MailPreference(MailLevel.NONE)
    with database.read() as transaction:
        assert load_preferences(transaction, ["ben@elsewhere.org"]) == {}


def test_loans_with_an_event_are_known(building: Building) -> None:
    numbers = [building.desk.book(order(hours(at, at + 1), room(1)), actor=BY).number for at in (1, 3, 5)]
    for number, state in zip(numbers, ("pending", "ended", "linked"), strict=True):
        insert(building.database, "link", loan_number=number, generation=1, state=state, base={})

    with building.database.read() as transaction:
        assert load_linked(transaction, numbers) == {numbers[0], numbers[2]}
        assert load_linked(transaction, []) == frozenset()

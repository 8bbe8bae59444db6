"""Scheduling messages: read back by a parser that is not ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from icalendar import Calendar, Event

from engine.calendars.invitation import Method, Party, render_invitation
from tests.unit.calendars.test_feed import MONDAY, entry

DESK = Party("desk@example.org", 'Accord, "the" desk')
ANN = Party("ann@elsewhere.org", "Ann; Õ'Neil\nX-EVIL:1")


def read(method: Method, *entries: object) -> tuple[Calendar, list[Event]]:
    calendar = Calendar.from_ical(render_invitation(method, entries, organizer=DESK, attendee=ANN))  # type: ignore[arg-type]
    assert not [component.errors for component in calendar.walk() if component.errors]
    return calendar, calendar.events


def test_a_request_names_who_organizes_and_who_takes_part() -> None:
    calendar, (event,) = read(Method.REQUEST, entry())

    assert str(calendar["METHOD"]) == "REQUEST"
    assert (str(event["UID"]), event.sequence, str(event["STATUS"])) == ("accord-1-1", 3, "CONFIRMED")
    assert event.DTSTAMP == MONDAY
    assert str(event["ORGANIZER"]) == "mailto:desk@example.org"
    assert event["ORGANIZER"].params["CN"] == "Accord, 'the' desk"
    assert str(event["ATTENDEE"]) == "mailto:ann@elsewhere.org"
    assert event["ATTENDEE"].params["PARTSTAT"] == "ACCEPTED"
    assert "X-EVIL" not in event


def test_a_cancellation_says_so_twice() -> None:
    calendar, (event,) = read(Method.CANCEL, replace(entry(), sequence=4, is_cancelled=True))

    assert str(calendar["METHOD"]) == "CANCEL"
    assert (event.sequence, str(event["STATUS"])) == (4, "CANCELLED")


def test_several_loans_are_published_each_with_its_own_status() -> None:
    calendar, events = read(Method.PUBLISH, entry(), replace(entry(2, days=7), is_cancelled=True))

    assert str(calendar["METHOD"]) == "PUBLISH"
    assert [str(event["STATUS"]) for event in events] == ["CONFIRMED", "CANCELLED"]
    assert [event.start.astimezone(UTC).hour for event in events] == [9, 9]

"""A feed as text: read by a strict parser, with no more of a zone than it needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from icalendar import Calendar

from engine.calendars.entry import CalendarEntry
from engine.calendars.feed import render_feed
from engine.interval import Interval

MONDAY = datetime(2026, 3, 23, 9, tzinfo=UTC)


def entry(number: int = 1, *, days: int = 0, zone: str = "Europe/Paris", **fields: object) -> CalendarEntry:
    start = MONDAY + timedelta(days=days)
    values: dict[str, object] = {
        "uid": f"accord-1-{number}",
        "sequence": 3,
        "summary": f"#{number} Amélie Durand",
        "description": "Thé, gâteaux; et plus\nTilleul",
        "location": "Tilleul",
        "link": f"https://accord.example.org/loans/{number}",
        "interval": Interval(start, start + timedelta(hours=1)),
        "zone": zone,
        "changed_at": MONDAY,
    }
    return CalendarEntry(**{**values, **fields})  # type: ignore[arg-type]


def read(text: str) -> Calendar:
    found = Calendar.from_ical(text)
    assert not [component.errors for component in found.walk() if component.errors]
    return found


class TestAFeed:
    def test_says_what_it_is_and_how_often_to_come(self) -> None:
        text = render_feed("Salle Tilleul, 1er", [entry()])

        calendar = read(text)
        assert "\r\nNAME:Salle Tilleul\\, 1er\r\n" in text
        assert "\r\nX-WR-CALNAME:Salle Tilleul\\, 1er\r\n" in text
        assert str(calendar["METHOD"]) == "PUBLISH"
        assert calendar.decoded("REFRESH-INTERVAL") == timedelta(minutes=15)
        assert str(calendar["X-PUBLISHED-TTL"]) == "PT15M"

    def test_tells_each_loan(self) -> None:
        event = read(render_feed("x", [entry(), entry(2, days=7)])).events[1]

        assert str(event["UID"]) == "accord-1-2"
        assert str(event["SUMMARY"]) == "#2 Amélie Durand"
        assert str(event["DESCRIPTION"]) == "Thé, gâteaux; et plus\nTilleul"
        assert event.start.astimezone(UTC) == MONDAY + timedelta(days=7)
        assert (event.sequence, str(event["STATUS"]), str(event["CLASS"])) == (3, "CONFIRMED", "PUBLIC")

    def test_marks_what_is_not_sure_and_what_is_private(self) -> None:
        event = read(render_feed("x", [entry(is_tentative=True, is_private=True)])).events[0]

        assert (str(event["STATUS"]), str(event["CLASS"])) == ("TENTATIVE", "PRIVATE")

    def test_explains_zones_no_further_than_its_loans_reach(self) -> None:
        """The change of March 29th lies between the two loans; no other does."""
        text = render_feed("x", [entry(), entry(2, days=14), entry(3, zone="UTC"), entry(4, zone="Asia/Tokyo")])

        calendar = read(text)
        zones = {str(zone["TZID"]): zone for zone in calendar.timezones}
        assert set(zones) == {"Europe/Paris", "Asia/Tokyo"}
        changes = [str(part.decoded("DTSTART")) for part in zones["Europe/Paris"].subcomponents]
        assert len(changes) == 2
        assert changes[-1].startswith("2026-03-29")
        assert [event.start.astimezone(UTC).hour for event in calendar.events] == [9, 9, 9, 9]

    def test_of_nothing_is_a_calendar_all_the_same(self) -> None:
        assert read(render_feed("x", [])).events == []

    def test_is_the_same_text_for_the_same_loans(self) -> None:
        assert render_feed("x", [entry()]) == render_feed("x", [entry()])
        assert render_feed("x", [entry()]).endswith("END:VCALENDAR\r\n")

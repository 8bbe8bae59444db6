"""Graph's payloads in the engine's words."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from engine.errors import Malformed
from engine.graph.parse import (
    parse_change,
    parse_event,
    parse_instant,
    parse_place,
    parse_subscription,
    parse_when,
    show_change,
)
from engine.graph.payloads import EventItem, PlaceItem, SubscriptionItem, When, decode_item, decode_page
from engine.interval import Interval
from engine.rooms.event import (
    Answer,
    EventCopy,
    EventRemoved,
    EventShown,
    EventStub,
    EventType,
    Mailbox,
    Privacy,
    TimeFault,
)
from tests.unit.graph.scripted import NINE, PERSON, ROOM, TEN, event


def read(**fields: Any) -> EventCopy:
    item = decode_item(json.dumps(event(**fields)).encode(), EventItem)
    assert item is not None
    return parse_event(item)


def when(text: str, zone: str | None = "UTC") -> dict[str, Any]:
    return {"dateTime": text, "timeZone": zone}


class TestAnOrdinaryEvent:
    def test_is_read_whole(self) -> None:
        """Every field the engine knows is taken over; nothing else is."""
        assert read(
            sensitivity="private", showAs="tentative", transactionId="t", webLink="https://x", isOrganizer=True,
            somethingNew={"deep": [1]},
        ) == EventCopy(
            event_id="AAMk1=", etag='W/"CK1"', ical_uid="UID1", type=EventType.SINGLE,
            organizer=Mailbox(PERSON, "Alex Doe"), interval=Interval(NINE, TEN), subject="Lecture",
            privacy=Privacy.PRIVATE, attendees=read().attendees, answer=Answer.ORGANIZER, is_organizer=True,
            show_as="tentative", transaction_id="t", web_link="https://x",
        )  # fmt: skip

    def test_attendees_keep_their_order_and_answers(self) -> None:
        """The list is amended later, so order and type are kept as they came."""
        assert [(one.address, one.type, one.answer) for one in read().attendees] == [
            ("kim@example.org", "required", Answer.NONE),
            (ROOM, "resource", Answer.ACCEPTED),
        ]

    @pytest.mark.parametrize(
        ("word", "meaning"),
        [
            ("none", Answer.NONE),
            ("notResponded", Answer.NONE),
            ("tentativelyAccepted", Answer.TENTATIVE),
            ("accepted", Answer.ACCEPTED),
            ("declined", Answer.DECLINED),
            ("organizer", Answer.ORGANIZER),
            ("somethingNew", Answer.NONE),
            (None, Answer.NONE),
        ],
    )
    def test_answers(self, word: str | None, meaning: Answer) -> None:
        """`none` and `notResponded` mean the same, and a word nobody knows counts as no answer."""
        assert read(responseStatus={"response": word}).answer is meaning

    @pytest.mark.parametrize("word", ["personal", "private", "confidential", "somethingNew"])
    def test_everything_but_normal_is_private(self, word: str) -> None:
        """A sensitivity we do not know is not shown around."""
        assert read(sensitivity=word).privacy is Privacy.PRIVATE

    def test_the_etag_can_be_told_from_the_change_key(self) -> None:
        """The etag is the change key in another dress."""
        assert read(**{"@odata.etag": None, "changeKey": "CK9"}).etag == 'W/"CK9"'

    @pytest.mark.parametrize("organizer", [None, {}, {"emailAddress": None}, {"emailAddress": {"name": "X"}}])
    def test_an_organizer_may_be_missing(self, organizer: Any) -> None:
        """Without an address there is no organizer."""
        assert read(organizer=organizer).organizer is None

    def test_five_hundred_attendees(self) -> None:
        """The largest list Exchange allows is read whole."""
        many = [{"type": "required", "emailAddress": {"address": f"p{n}@example.org"}} for n in range(500)]

        assert len(read(attendees=many).attendees) == 500

    def test_an_exception_tells_its_series(self) -> None:
        """Master and original start are what names an exception."""
        copy = read(type="exception", seriesMasterId="M", originalStart="2026-11-23T08:00:00Z")

        assert (copy.type, copy.series_master_id) == (EventType.EXCEPTION, "M")
        assert copy.original_start == datetime(2026, 11, 23, 8, tzinfo=UTC)


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "zone", "instant"),
        [
            ("2026-11-24T09:00:00.0000000", "UTC", NINE),
            ("2026-11-24T09:00:00", "UTC", NINE),
            ("2026-11-24T09:00:00.1234567", "UTC", NINE.replace(microsecond=123456)),
            ("2026-11-24T09:00:00.0000000", "tzone://Microsoft/Utc", NINE),
            ("2026-11-24T09:00:00", None, NINE),
            ("2026-11-24T10:00:00", "Europe/Paris", NINE),
            ("2026-11-24T10:00:00", "W. Europe Standard Time", NINE),
            ("2026-11-24T10:00:00", "w. europe standard time", NINE),
            ("2026-07-24T11:00:00", "Romance Standard Time", datetime(2026, 7, 24, 9, tzinfo=UTC)),
            ("2026-11-24T09:00:00Z", "UTC", NINE),
            ("2026-11-24T11:00:00+02:00", "Pacific Standard Time", NINE),
        ],
    )
    def test_instants_come_out_in_utc(self, text: str, zone: str | None, instant: datetime) -> None:
        """Windows names and IANA names are understood; an offset in the text outranks the zone."""
        found = parse_when(When(text, zone))

        assert found == instant
        assert isinstance(found, datetime)
        assert found.utcoffset() == timedelta(0)

    @pytest.mark.parametrize(
        "zone", ["tzone://Microsoft/Custom", "Customized Time Zone", "Mars/Olympus", "../etc/passwd", "Europe", "\x00"]
    )
    def test_a_zone_nobody_knows(self, zone: str) -> None:
        """Then the instant is unknown, and the reason says so."""
        fault = read(start=when("2026-11-24T09:00:00", zone)).time_fault

        assert fault is not None
        assert fault.code == "zone_unknown"

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            (when("2026-11-24T10:00:00"), when("2026-11-24T09:00:00")),
            (when("0001-01-01T00:00:00"), when("2026-11-24T09:00:00")),
            (when("2026-11-24T10:00:00"), when("9999-12-31T23:59:59.9999999")),
            (when("yesterday"), when("2026-11-24T09:00:00")),
            (when("2026-02-30T10:00:00"), when("2026-11-24T09:00:00")),
            (when(""), when("2026-11-24T09:00:00")),
            (None, when("2026-11-24T09:00:00")),
            (when("2026-11-24T10:00:00"), {}),
        ],
    )
    def test_dates_that_make_no_event(self, start: Any, end: Any) -> None:
        """End before start, sentinels, nonsense and gaps: the event is read, its times are a fault."""
        copy = read(start=start, end=end)

        assert copy.interval is None
        assert copy.time_fault is not None
        assert copy.time_fault.code == "dates_invalid"
        assert copy.subject == "Lecture"

    def test_an_event_without_length(self) -> None:
        """Start equal to end blocks nothing, but tells its instant."""
        copy = read(end=when("2026-11-24T09:00:00"))

        assert (copy.interval, copy.instant, copy.time_fault) == (None, NINE, None)

    @pytest.mark.parametrize("zone", ["UTC", "Tokyo Standard Time", "tzone://Microsoft/Custom"])
    def test_all_day_events_are_dates(self, zone: str) -> None:
        """They float: the zone that came along plays no part, and the last day is exclusive."""
        copy = read(isAllDay=True, start=when("2026-11-24T00:00:00", zone), end=when("2026-11-26T00:00:00", zone))

        assert copy.all_day == (date(2026, 11, 24), date(2026, 11, 26))
        assert (copy.interval, copy.time_fault) == (None, None)

    def test_an_all_day_event_that_ends_before_it_starts(self) -> None:
        """Dates can be wrong as well."""
        fault = read(isAllDay=True, start=when("2026-11-24T00:00:00"), end=when("2026-11-24T00:00:00")).time_fault

        assert fault == TimeFault("dates_invalid", "2026-11-24T00:00:00 to 2026-11-24T00:00:00")


class TestAPageOfChanges:
    def test_tells_removals_occurrences_and_copies_apart(self) -> None:
        """`@removed` is an id; an occurrence is a stub; everything else is a copy."""
        items = [
            {"id": "gone", "@removed": {"reason": "deleted"}},
            {
                "@odata.etag": "E", "id": "occ", "seriesMasterId": "M", "type": "occurrence",
                "start": when("2026-11-24T09:00:00"), "end": when("2026-11-24T10:00:00"),
            },
            event(),
        ]  # fmt: skip
        page = decode_page(json.dumps({"value": items, "@odata.deltaLink": "d"}).encode(), EventItem)

        removed, stub, copy = map(parse_change, page.items)

        assert removed == EventRemoved("gone")
        assert stub == EventStub("occ", "E", "M", Interval(NINE, TEN))
        assert copy == read()

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("isAllDay", "yes"),
            ("attendees", "nobody"),
            ("attendees", [3]),
            ("start", "09:00"),
            ("start", {"dateTime": 9}),
            ("subject", {"text": "x"}),
            ("organizer", [1]),
            ("webLink", 5),
        ],
    )
    def test_one_bad_field_costs_that_field(self, field: str, value: Any) -> None:
        """A wrong type in one item spoils neither the page nor the item."""
        body = json.dumps({"value": [event(), event(id="B", **{field: value}), event(id="C")]}).encode()

        page = decode_page(body, EventItem)

        assert [item.id for item in page.items] == ["AAMk1=", "B", "C"]
        bad = parse_change(page.items[1])
        assert isinstance(bad, EventCopy)
        assert bad.ical_uid == "UID1"

    def test_one_bad_attendee_costs_that_attendee(self) -> None:
        """The others stay, since leaving them out of a later change would cancel them."""
        body = json.dumps({"value": [event(attendees=[*event()["attendees"], 7])]}).encode()

        assert len(decode_page(body, EventItem).items[0].attendees or ()) == 2

    @pytest.mark.parametrize(
        ("written", "read"),
        [
            (r"cut \ud83d", "cut \ufffd"),
            (r"\ude00 cut", "\ufffd cut"),
            (r"a\u0000b", "a\ufffdb"),
            (r"whole \ud83d\ude00", "whole \U0001f600"),
            (r"\\u0000 \\ud83d", r"\u0000 \ud83d"),
        ],
    )
    def test_what_no_database_keeps_costs_a_letter(self, written: str, read: str) -> None:
        """Neither the page, nor the item, nor the rest of the text."""
        body = json.dumps({"value": [event(subject="SUBJECT"), event(id="B")]}).replace("SUBJECT", written).encode()
        alone = json.dumps(event(subject="SUBJECT")).replace("SUBJECT", written).encode()

        page, item = decode_page(body, EventItem), decode_item(alone, EventItem)

        assert [each.id for each in page.items] == ["AAMk1=", "B"]
        assert page.items[0].subject == read
        assert item is not None
        assert item.subject == read

    def test_items_that_are_no_objects_are_counted(self) -> None:
        """What cannot be understood at all is counted, not hidden."""
        page = decode_page(json.dumps({"value": [1, event(), None, "x"]}).encode(), EventItem)

        assert (len(page.items), page.unreadable) == (1, 3)

    def test_an_item_without_an_id_is_no_change(self) -> None:
        """Nothing can be done about a thing without a name."""
        assert parse_change(EventItem()) is None
        assert show_change(EventItem()) is None

    @pytest.mark.parametrize(
        "fields",
        [
            {"type": "seriesMaster"},
            {"seriesMasterId": "M"},
            {"seriesMasterId": "M", "type": "occurrence", "iCalUId": None},
            {"seriesMasterId": "M", "type": "exception"},
            {"@removed": {"reason": "changed"}},
        ],
    )
    def test_what_is_of_a_series_or_removed_is_read_at_once(self, fields: dict[str, Any]) -> None:
        """A date is known as it was only while its master is."""
        item = decode_item(json.dumps(event(**fields)).encode(), EventItem)
        assert item is not None
        assert show_change(item) == parse_change(item)

    @pytest.mark.parametrize("fields", [{}, {"@odata.etag": None, "changeKey": "CK2"}, {"type": "somethingNew"}])
    def test_anything_else_is_shown_by_its_version(self, fields: dict[str, Any]) -> None:
        item = decode_item(json.dumps(event(**fields)).encode(), EventItem)
        assert item is not None
        shown, copy = show_change(item), parse_change(item)
        assert isinstance(shown, EventShown)
        assert isinstance(copy, EventCopy)
        assert (shown.event_id, shown.etag) == (copy.event_id, copy.etag)
        assert shown.read() == copy

    @pytest.mark.parametrize("body", [b"[]", b"{}", b'{"value": 3}', b'{"value": [', b"<html>", b""])
    def test_what_is_no_collection_is_refused(self, body: bytes) -> None:
        """An answer that merely looks empty must never pass for an empty calendar."""
        with pytest.raises(msgspec.DecodeError):
            decode_page(body, EventItem)


class TestPlaces:
    def test_a_room_is_read(self) -> None:
        """Numbers may be text, devices and access are features, the address is one line."""
        body = json.dumps({
            "id": "d", "placeId": "p", "emailAddress": ROOM, "displayName": "Aula", "capacity": "40",
            "building": "Main", "floorLabel": None, "floorNumber": 2, "bookingType": "reserved", "tags": ["screen"],
            "displayDeviceName": "Beamer", "isWheelChairAccessible": True,
            "address": {"street": "1 Rue X", "postalCode": "75000", "city": "Paris", "countryOrRegion": "France"},
        }).encode()  # fmt: skip
        item = decode_item(body, PlaceItem)
        assert item is not None

        place = parse_place(item)

        assert place is not None
        assert (place.directory_id, place.place_id, place.address, place.name) == ("d", "p", ROOM, "Aula")
        assert (place.capacity, place.floor, place.booking_type) == (40, "2", "reserved")
        assert (place.tags, place.features) == (("screen",), ("Beamer", "wheelchair"))
        assert place.postal_address == "1 Rue X, 75000 Paris, France"

    def test_a_room_without_a_mailbox_is_left_out(self) -> None:
        """It can be neither followed nor invited."""
        assert parse_place(PlaceItem(id="d", display_name="Aula")) is None

    def test_a_capacity_that_is_no_number(self) -> None:
        """Is unknown."""
        place = parse_place(PlaceItem(email_address=ROOM, capacity="many"))

        assert place is not None
        assert place.capacity is None


class TestSubscriptions:
    def test_one_without_an_end_is_malformed(self) -> None:
        """Renewal is planned by the end, so it must be there."""
        with pytest.raises(Malformed):
            parse_subscription(SubscriptionItem(id="s"))

    def test_instants_with_offsets(self) -> None:
        """Both spellings of UTC are read."""
        assert parse_instant("2026-11-24T09:00:00+00:00") == parse_instant("2026-11-24T09:00:00Z") == NINE

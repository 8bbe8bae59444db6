"""
Every answer read by msgraph-sdk's own models and written out again: no unknown property, no value of a wrong type.

A model keeps what it does not know in `additional_data`, and quietly drops a value whose type it does not expect; so
what it writes must say everything the answer said. Notifications have no model there: test_notifications.py.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from kiota_abstractions.serialization import Parsable
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from kiota_serialization_json.json_serialization_writer import JsonSerializationWriter

from tests.simulator.test_booking import AULA, NINE, TEN, book, copies
from tests.simulator.virtual import SimulatedWorld

GENERATED = "msgraph.generated"
ALEX = "alex@example.org"
_INSTANT = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00:00)$")
_CLOCK = re.compile(r"^(\d\d:\d\d:\d\d)(\.0+)?$")


def load(path: str) -> Any:
    """Return the model called `module.Class` below msgraph.generated; only that module is imported."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(f"{GENERATED}.{module}"), name)


def check(path: str, body: bytes) -> None:
    """Read *body* as the model at *path* and compare what the model says with it."""
    model = JsonParseNodeFactory().get_root_parse_node("application/json", body).get_object_value(load(path))
    writer = JsonSerializationWriter()
    model.serialize(writer)
    written = json.loads(writer.get_serialized_content())
    assert list(unknown_names(model)) == []
    assert list(differences(json.loads(body), written)) == []


def unknown_names(value: Any, where: str = "") -> list[str]:
    """Return the properties that a model or anything in it did not know; annotations of OData are none."""
    if isinstance(value, list):
        return [name for index, item in enumerate(value) for name in unknown_names(item, f"{where}[{index}]")]
    if not isinstance(value, Parsable):
        return []
    found = [f"{where}.{name}" for name in getattr(value, "additional_data", None) or {} if "@" not in name]
    for name, _ in value.backing_store.enumerate_():
        if name != "additional_data":
            found += unknown_names(getattr(value, name), f"{where}.{name}")
    return found


def differences(said: Any, understood: Any, where: str = "") -> list[str]:
    """Return where the model's words are not the answer's; null and absent are the same."""
    if isinstance(said, dict) and isinstance(understood, dict):
        names = (name for name, value in said.items() if "@odata" not in name and value is not None)
        return [line for name in names for line in differences(said[name], understood.get(name), f"{where}.{name}")]
    if isinstance(said, list) and isinstance(understood, list) and len(said) == len(understood):
        pairs = enumerate(zip(said, understood, strict=True))
        return [line for index, (one, other) in pairs for line in differences(one, other, f"{where}[{index}]")]
    return [] if same(said, understood) else [f"{where}: {said!r} was understood as {understood!r}"]


def same(said: Any, understood: Any) -> bool:
    """Compare plain values; an instant and a time of day may be spelled with more or fewer zeros."""
    if isinstance(said, str) and isinstance(understood, str):
        return plain(said) == plain(understood)
    return type(said) is type(understood) and bool(said == understood)


def plain(text: str) -> str:
    instant, clock = _INSTANT.match(text), _CLOCK.match(text)
    if instant:
        return str(datetime.fromisoformat(f"{instant[1]}{(instant[2] or '.0')[:7]}"))
    return clock[1] if clock else text


@pytest.fixture
def booked(world: SimulatedWorld) -> SimulatedWorld:
    """A world with an accepted meeting, a room list, a watched room and everything a field can hold."""
    world.tenant.office.add_room_list("ground@example.org", "Ground floor", (AULA,))
    world.tenant.office.change_place(
        AULA, building="Main", floorNumber=1, floorLabel="G", label="A1", audioDeviceName="Mic", phone="+33 1",
        isWheelChairAccessible=True, address={"street": "1 Rue", "city": "Paris", "countryOrRegion": "FR"},
        geoCoordinates={"latitude": 48.8, "longitude": 2.3},
    )  # fmt: skip
    book(
        world, people=["kim@example.org"], zone="Europe/Paris", categories=["Blue"], importance="high",
        body={"contentType": "text", "content": "cake"}, transactionId="t1",
    )  # fmt: skip
    world.settle()
    world.subscribe(AULA, lifecycleNotificationUrl="https://sync.example.org/life")
    return world


WINDOW = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-11-01T00:00:00Z"
GETS = {
    "event": (f"/users/{ALEX}/events/%EVENT%", "models.event.Event"),
    "events": (f"/users/{ALEX}/events", "models.event_collection_response.EventCollectionResponse"),
    "calendar view": (
        f"/users/{AULA}/calendarView?{WINDOW}", "models.event_collection_response.EventCollectionResponse"),
    "delta": (
        f"/users/{AULA}/calendarView/delta()?{WINDOW}",
        "users.item.calendar_view.delta.delta_get_response.DeltaGetResponse"),
    "calendar": (f"/users/{AULA}/calendar", "models.calendar.Calendar"),
    "calendars": (f"/users/{AULA}/calendars", "models.calendar_collection_response.CalendarCollectionResponse"),
    "rooms": ("/places/graph.room?$count=true", "models.room_collection_response.RoomCollectionResponse"),
    "room": (f"/places/{AULA}/graph.room", "models.room.Room"),
    "room lists": ("/places/graph.roomList", "models.room_list_collection_response.RoomListCollectionResponse"),
    "rooms of a list": (
        "/places/ground@example.org/graph.roomList/rooms", "models.room_collection_response.RoomCollectionResponse"),
    "users": ("/users", "models.user_collection_response.UserCollectionResponse"),
    "user": (f"/users/{AULA}?$select=id,mail,proxyAddresses,accountEnabled,userType", "models.user.User"),
    "mailbox settings": (f"/users/{AULA}/mailboxSettings", "models.mailbox_settings.MailboxSettings"),
    "working hours": (f"/users/{AULA}/mailboxSettings/workingHours", "models.working_hours.WorkingHours"),
    "time zones": (
        f"/users/{AULA}/outlook/supportedTimeZones()",
        "users.item.outlook.supported_time_zones.supported_time_zones_get_response.SupportedTimeZonesGetResponse"),
    "subscriptions": (
        "/subscriptions", "models.subscription_collection_response.SubscriptionCollectionResponse"),
    "subscription": ("/subscriptions/%SUBSCRIPTION%", "models.subscription.Subscription"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "model"), GETS.values(), ids=GETS.keys())
def test_what_is_read(booked: SimulatedWorld, path: str, model: str) -> None:
    """GET answers."""
    event = booked.run(booked.alex.events())[0]["id"]
    subscription = booked.get("/subscriptions")["value"][0]["id"]
    answer = booked.call("GET", path.replace("%EVENT%", event).replace("%SUBSCRIPTION%", subscription))

    assert answer.status == 200
    check(model, answer.body)


def test_a_custom_zone(booked: SimulatedWorld) -> None:
    """B58: the annotation makes the model a customTimeZone."""
    booked.tenant.office.set_zone(AULA, "Europe/Paris", custom=True)
    check("models.mailbox_settings.MailboxSettings", booked.call("GET", f"/users/{AULA}/mailboxSettings").body)


def test_delta_of_changes(booked: SimulatedWorld) -> None:
    """Pages with nextLink, and `@removed`, the one thing the model has no property for."""
    _, link = booked.delta(AULA)
    booked.call("DELETE", f"/users/{AULA}/events/{copies(booked)[0]['id']}")
    book(booked, NINE, TEN)
    book(booked, TEN, TEN + timedelta(hours=1))
    booked.settle()
    page = booked.call("GET", link, Prefer="odata.maxpagesize=2")

    assert b"@removed" in page.body
    assert b"nextLink" in page.body
    check("users.item.calendar_view.delta.delta_get_response.DeltaGetResponse", page.body)


EVENT = {
    "subject": "x", "start": {"dateTime": "2026-12-01T00:00:00", "timeZone": "Europe/Paris"}, "isAllDay": True,
    "end": {"dateTime": "2026-12-02T00:00:00", "timeZone": "Europe/Paris"}, "showAs": "free",
    "locations": [{"displayName": "Hall", "locationUri": "https://example.org/hall",
                   "address": {"city": "Paris"}, "coordinates": {"latitude": 48.8, "longitude": 2.3}}],
}  # fmt: skip
BUSY = {
    "Schedules": [AULA, "nobody@example.org"], "AvailabilityViewInterval": 15,
    "StartTime": {"dateTime": "2026-11-24T08:00:00", "timeZone": "UTC"},
    "EndTime": {"dateTime": "2026-11-24T12:00:00", "timeZone": "UTC"},
}  # fmt: skip
POSTS = {
    "event": (f"/users/{ALEX}/events", EVENT, 201, "models.event.Event"),
    "free/busy": (
        f"/users/{ALEX}/calendar/getSchedule", BUSY, 200,
        "users.item.calendar.get_schedule.get_schedule_post_response.GetSchedulePostResponse"),
    "ids": (
        f"/users/{ALEX}/translateExchangeIds",
        {"InputIds": ["AAMkADxxxxxxxx", "?"], "SourceIdType": "restId", "TargetIdType": "restImmutableEntryId"}, 200,
        "users.item.translate_exchange_ids.translate_exchange_ids_post_response.TranslateExchangeIdsPostResponse"),
    "subscription": (
        "/subscriptions",
        {"changeType": "created", "resource": f"/users/{ALEX}/events", "notificationUrl": "https://x.example.org/n",
         "expirationDateTime": "2026-11-23T09:00:00+00:00"}, 201, "models.subscription.Subscription"),
    "no such event": (
        f"/users/{ALEX}/events/AAMkADnothing/cancel", {}, 404, "models.o_data_errors.o_data_error.ODataError"),
    "bad request": (f"/users/{ALEX}/events", {"subject": "x"}, 400, "models.o_data_errors.o_data_error.ODataError"),
}  # fmt: skip


@pytest.mark.parametrize(("path", "body", "status", "model"), POSTS.values(), ids=POSTS.keys())
def test_what_is_written(booked: SimulatedWorld, path: str, body: dict[str, Any], status: int, model: str) -> None:
    """POST answers, errors included."""
    answer = booked.call("POST", path, body)
    assert answer.status == status, answer.body
    check(model, answer.body)


def test_a_change(booked: SimulatedWorld) -> None:
    """PATCH answers: an event, a subscription."""
    event = booked.run(booked.alex.events())[0]["id"]
    check("models.event.Event", booked.call("PATCH", f"/users/{ALEX}/events/{event}", {"subject": "y"}).body)
    subscription = booked.get("/subscriptions")["value"][0]["id"]
    body = {"expirationDateTime": "2026-11-24T09:00:00Z"}
    check("models.subscription.Subscription", booked.call("PATCH", f"/subscriptions/{subscription}", body).body)


def test_a_series(booked: SimulatedWorld) -> None:
    """A master, its instances, an exception, and what delta says of them."""
    pattern = {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday"}
    range_ = {"type": "numbered", "startDate": "2026-12-01", "numberOfOccurrences": 4}
    made = book(
        booked, NINE + timedelta(days=7), TEN + timedelta(days=7), recurrence={"pattern": pattern, "range": range_}
    )
    booked.settle()
    path = f"/users/{ALEX}/events/{made['id']}"
    second = booked.get(f"{path}/instances?{WINDOW}")["value"][1]["id"]
    check("models.event.Event", booked.call("PATCH", f"/users/{ALEX}/events/{second}", {"subject": "moved"}).body)
    booked.settle()

    check("models.event.Event", booked.call("GET", path).body)
    collection = "models.event_collection_response.EventCollectionResponse"
    check(collection, booked.call("GET", f"{path}/instances?{WINDOW}").body)
    for mailbox in (ALEX, AULA):
        delta = booked.call("GET", f"/users/{mailbox}/calendarView/delta?{WINDOW}")
        check("users.item.calendar_view.delta.delta_get_response.DeltaGetResponse", delta.body)


def test_contacts(booked: SimulatedWorld) -> None:
    """A folder of contacts, a contact with a property of ours, and both lists."""
    mark = "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Accord"
    path = f"/users/{ALEX}/contactFolders"
    folder = booked.call("POST", path, {"displayName": "Requesters"})
    inside = f"{path}/{json.loads(folder.body)['id']}/contacts"
    body = {
        "givenName": "Ada", "surname": "Lovelace", "displayName": "Ada Lovelace", "companyName": "Elsewhere",
        "emailAddresses": [{"name": "Ada", "address": "ada@elsewhere.example"}], "businessPhones": ["+33 1"],
        "mobilePhone": "+33 6", "categories": ["Blue"], "personalNotes": "cake", "birthday": "1990-12-10T11:59:00Z",
        "businessAddress": {"city": "Paris"}, "singleValueExtendedProperties": [{"id": mark, "value": "7"}],
    }  # fmt: skip
    contact = booked.call("POST", inside, body)
    one = f"{inside}/{json.loads(contact.body)['id']}"
    shown = booked.call("GET", f"{one}?$expand=singleValueExtendedProperties($filter=id eq '{mark}')")
    changed = booked.call("PATCH", one, {"jobTitle": "Countess"})
    folders, contacts = booked.call("GET", path), booked.call("GET", inside)

    answers = (folder, contact, shown, changed, folders, contacts)
    assert [each.status for each in answers] == [201, 201, 200, 200, 200, 200]
    assert json.loads(shown.body)["singleValueExtendedProperties"] == [{"id": mark, "value": "7"}]
    check("models.contact_folder.ContactFolder", folder.body)
    for answer in (contact, shown, changed):
        check("models.contact.Contact", answer.body)
    check("models.contact_folder_collection_response.ContactFolderCollectionResponse", folders.body)
    check("models.contact_collection_response.ContactCollectionResponse", contacts.body)


class TestTheCheckItself:
    def test_it_finds_unknown_names_and_wrong_types(self) -> None:
        """A property of nobody's, a number for a text, a text for a truth."""
        for wrong in ({"subjekt": "x"}, {"subject": 5}, {"isAllDay": "yes"}, {"attendees": [{"kind": "room"}]}):
            with pytest.raises(AssertionError):
                check("models.event.Event", json.dumps(wrong).encode())

"""
An event as callers send it: checked and read into a record.

Sources: Graph docs, user-post-events and event-update for what may be written; all-day rules: event, and observed by
developers (a POST with other times than midnight is refused).
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any

from engine.simulator.calendars.patterns import apply_recurrence
from engine.simulator.calendars.records import Attendee, Event
from engine.simulator.graph.render import EXTRA_DEFAULTS, checked_zone
from engine.simulator.times import is_midnight, parse_when
from engine.simulator.wire import GraphError, bad_request, encode_json, unreadable

ATTENDEES_MAX = 500
LOCAL_ONLY = frozenset({"singleValueExtendedProperties", "categories", "isReminderOn", "reminderMinutesBeforeStart"})
"""Properties of one's own copy: changing only these mails nobody."""
READ_ONLY = frozenset({"id", "organizer", "transactionId", "iCalUId", "type", "isCancelled"})
SHOW_AS = frozenset({"free", "tentative", "busy", "oof", "workingElsewhere", "unknown"})
SENSITIVITY = frozenset({"normal", "personal", "private", "confidential"})


def fingerprint(body: dict[str, Any]) -> str:
    """Return what two creations must share to be "the same content" under one transactionId."""
    return sha256(encode_json(sorted((name, repr(value)) for name, value in body.items()))).hexdigest()[:24]


def apply_body(event: Event, body: dict[str, Any]) -> None:
    """
    Write the properties in *body* onto *event*; properties that cannot be written are left alone.

    Raises GraphError 400 for values Graph refuses.
    """
    try:
        _apply(event, body)
    except (KeyError, AttributeError, TypeError) as error:
        raise unreadable() from error


def _apply(event: Event, body: dict[str, Any]) -> None:
    before = event.start
    _apply_times(event, body)
    apply_recurrence(event, body, before)
    if "subject" in body:
        event.subject = str(body["subject"] or "")
    if "body" in body:
        content = body["body"] or {}
        event.body = str(content.get("content") or "")
        event.body_type = str(content.get("contentType") or "text").lower()
    if "showAs" in body:
        event.show_as = event.intended_show_as = _one_of("showAs", body["showAs"], SHOW_AS)
    if "sensitivity" in body:
        event.sensitivity = _one_of("sensitivity", body["sensitivity"], SENSITIVITY)
    if "hideAttendees" in body:
        event.hide_attendees = bool(body["hideAttendees"])
    if "isDraft" in body:
        event.is_draft = bool(body["isDraft"])
    _apply_locations(event, body)
    for item in body.get("singleValueExtendedProperties") or ():
        event.properties[str(item["id"])] = str(item["value"])
    event.extras.update({name: body[name] for name in EXTRA_DEFAULTS if name in body})


def _one_of(name: str, value: Any, allowed: frozenset[str]) -> str:
    if value not in allowed:
        raise bad_request(f"Invalid value '{value}' for property '{name}'.", code="RequestBodyRead")
    return str(value)


def _apply_times(event: Event, body: dict[str, Any]) -> None:
    is_all_day = bool(body.get("isAllDay", event.is_all_day))
    start, start_zone = _read_when(body.get("start"), event.start, event.start_zone)
    end, end_zone = _read_when(body.get("end"), event.end, event.end_zone)
    if end < start:
        message = "The end time of the event must be after the start time."
        raise bad_request(message, code="ErrorPropertyValidationFailure")
    if is_all_day and not (is_midnight(start, start_zone) and is_midnight(end, end_zone) and start < end):
        message = "The Event.Start property for an all-day event needs to be set to midnight."
        raise bad_request(message, code="ErrorPropertyValidationFailure")
    event.is_all_day = is_all_day
    event.start, event.start_zone, event.end, event.end_zone = start, start_zone, end, end_zone


def _read_when(value: Any, old: datetime, old_zone: str) -> tuple[datetime, str]:
    if value is None:
        return old, old_zone
    try:
        zone = checked_zone(str(value.get("timeZone") or "UTC"))
        return parse_when(str(value["dateTime"]), zone), zone
    except (KeyError, AttributeError, ValueError, OverflowError) as error:
        raise bad_request("The date and time are not valid.", code="ErrorPropertyValidationFailure") from error


def _apply_locations(event: Event, body: dict[str, Any]) -> None:
    """Read `location` or `locations`; the two mirror each other and writing one replaces the other (Graph: event)."""
    if "locations" in body:
        event.locations = [_location(item) for item in body["locations"] or ()]
        event.location = dict(event.locations[0]) if event.locations else {}
    if "location" in body:
        event.location = _location(body["location"]) if body["location"] else {}
        shown = event.location.get("displayName")
        event.locations = [{**event.location, "uniqueIdType": "unknown"}] if shown else []


def _location(value: dict[str, Any]) -> dict[str, Any]:
    name = value.get("displayName") or ""
    found = {"displayName": name, "locationType": "default", "uniqueId": name, "uniqueIdType": "private"}
    kept = ("locationEmailAddress", "locationUri", "address", "coordinates")
    found.update({key: value[key] for key in kept if value.get(key)})
    return found


def read_attendees(body: dict[str, Any]) -> list[Attendee]:
    """Return the attendees in *body*, each address once; raises GraphError 400."""
    try:
        return _read_attendees(body)
    except (AttributeError, TypeError) as error:
        raise unreadable() from error


def _read_attendees(body: dict[str, Any]) -> list[Attendee]:
    found: dict[str, Attendee] = {}
    for item in body.get("attendees") or ():
        contact = item.get("emailAddress") or {}
        address = str(contact.get("address") or "").strip()
        if "@" not in address:
            message = "At least one recipient isn't valid."
            raise bad_request(message, code="ErrorInvalidRecipients")
        name = str(contact.get("name") or address)
        kind = str(item.get("type") or "required")
        found.setdefault(address.lower(), Attendee(address=address, name=name, type=kind))
    if len(found) > ATTENDEES_MAX:
        raise GraphError(400, "ErrorTooManyRecipients", f"An event takes {ATTENDEES_MAX} attendees.")
    return list(found.values())

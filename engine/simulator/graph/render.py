"""
A copy of an event as Graph shows it: exactly the fields and types of Graph docs, event, in the zone asked for.
"""

from __future__ import annotations

import html
import re
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from engine.simulator.calendars.records import Attendee, Event
from engine.simulator.calendars.recurrence import render_recurrence
from engine.simulator.calendars.series import clean_uid
from engine.simulator.times import UnknownZone, find_zone, render_instant, render_local
from engine.simulator.wire import GraphError, Request
from engine.simulator.world import change_key, etag, render_id

EXTRA_DEFAULTS: dict[str, Any] = {
    "categories": [],
    "importance": "normal",
    "isReminderOn": True,
    "reminderMinutesBeforeStart": 15,
    "responseRequested": True,
    "allowNewTimeProposals": True,
    "isOnlineMeeting": False,
    "onlineMeetingProvider": "unknown",
    "onlineMeeting": None,
}
"""Plain properties that are kept as sent, with the values Graph shows when nobody sent any (Graph docs: event)."""

_TAG = re.compile(r"<[^>]+>")
_EXPAND = re.compile(r"singleValueExtendedProperties\s*\(\s*\$filter\s*=\s*id\s+eq\s+'([^']+)'", re.IGNORECASE)


class Style:
    """How one caller wants events shown: zone, id format, body format, selected fields, one extended property."""

    __slots__ = ("applied", "extended", "fields", "immutable", "shares_uid", "text_body", "zone")

    def __init__(
        self, request: Request | None = None, *, zone: str = "UTC", immutable: bool = False, shares_uid: bool = False
    ) -> None:
        self.zone = zone
        self.shares_uid = shares_uid
        self.immutable = immutable
        self.text_body = False
        self.fields: frozenset[str] | None = None
        self.extended: str | None = None
        self.applied: dict[str, str] = {}
        if request is not None:
            self._read_preferences(request)
            self._read_query(request)

    def _read_preferences(self, request: Request) -> None:
        if "prefer" not in request.headers:
            return
        preferences, applied = request.preferences, []
        if "outlook.timezone" in preferences:
            self.zone = checked_zone(preferences["outlook.timezone"])
            applied.append(f'outlook.timezone="{self.zone}"')
        if request.wants_immutable_ids:
            self.immutable = True
            applied.append('IdType="ImmutableId"')
        if "outlook.body-content-type" in preferences:
            self.text_body = preferences["outlook.body-content-type"].lower() == "text"
            applied.append(f'outlook.body-content-type="{preferences["outlook.body-content-type"]}"')
        if "odata.maxpagesize" in preferences:
            applied.append(f"odata.maxpagesize={preferences['odata.maxpagesize']}")
        if applied:
            self.applied = {"Preference-Applied": ", ".join(applied)}

    def _read_query(self, request: Request) -> None:
        if not request.raw_query:
            return
        select = request.query.get("$select")
        if select:
            self.fields = frozenset(name.strip().lower() for name in select.split(","))
        expand = _EXPAND.search(request.query.get("$expand", ""))
        if expand:
            self.extended = expand.group(1)


def checked_zone(name: str) -> str:
    """Return *name* when it is a zone; raises Graph's 400 otherwise."""
    try:
        find_zone(name)
    except UnknownZone as error:
        raise GraphError(
            400,
            "TimeZoneNotSupportedException",
            f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'.",
        ) from error
    return name


def render_event(event: Event, style: Style) -> dict[str, Any]:
    """Return *event* as JSON-ready values; the etag comes even with `$select` (Graph docs: event)."""
    full = _render_all(event, style)
    if style.fields is not None:
        kept = style.fields
        full = {name: value for name, value in full.items() if name.lower() in kept or name in ("@odata.etag", "id")}
    if style.extended is not None:
        value = _extended(event, style.extended)
        if value is not None:
            full["singleValueExtendedProperties"] = [{"id": style.extended, "value": value}]
    return full


def _extended(event: Event, wanted: str) -> str | None:
    """Find a property: the set's GUID ignores case, the name part does not (Graph docs: extended-properties)."""
    wanted = fold_property(wanted)
    return next((value for name, value in event.properties.items() if fold_property(name) == wanted), None)


def fold_property(name: str) -> str:
    """Return the form under which two spellings of one property id are equal."""
    head, separator, tail = name.partition("}")
    return head.lower() + separator + tail


def _render_all(event: Event, style: Style) -> dict[str, Any]:
    """Return every property; `originalStart` is not returned for single events (Graph docs: event)."""
    shown_id = render_id(event.key, immutable=style.immutable)
    extras = event.extras
    body = _render_body(event, style)
    original = {"originalStart": render_instant(event.original_start)} if event.original_start else {}
    return {
        "@odata.etag": etag(event),
        "id": shown_id,
        "createdDateTime": render_instant(event.created_at),
        "lastModifiedDateTime": render_instant(event.modified_at),
        "changeKey": change_key(event),
        "categories": extras.get("categories", []),
        "transactionId": event.transaction_id,
        "originalStartTimeZone": event.start_zone,
        "originalEndTimeZone": event.end_zone,
        "iCalUId": clean_uid(event.ical_uid) if style.shares_uid else event.ical_uid,
        "reminderMinutesBeforeStart": extras.get("reminderMinutesBeforeStart", 15),
        "isReminderOn": extras.get("isReminderOn", True),
        "hasAttachments": event.has_attachments,
        "subject": event.subject,
        "bodyPreview": plain_text(event.body, event.body_type)[:255],
        "importance": extras.get("importance", "normal"),
        "sensitivity": event.sensitivity,
        "isAllDay": event.is_all_day,
        "isCancelled": event.is_cancelled,
        "isOrganizer": event.is_organizer,
        "responseRequested": extras.get("responseRequested", True),
        "seriesMasterId": render_id(event.series, immutable=style.immutable) if event.series else None,
        "showAs": event.show_as,
        "type": event.type,
        "webLink": _web_link(shown_id),
        "onlineMeetingUrl": None,
        "isOnlineMeeting": extras.get("isOnlineMeeting", False),
        "onlineMeetingProvider": extras.get("onlineMeetingProvider", "unknown"),
        "allowNewTimeProposals": extras.get("allowNewTimeProposals", True),
        "isDraft": event.is_draft,
        "hideAttendees": event.hide_attendees,
        "responseStatus": {"response": event.response, "time": render_instant(event.responded_at)},
        "body": body,
        "start": render_when(event, event.start, event.start_zone, style.zone),
        "end": render_when(event, event.end, event.end_zone, style.zone),
        "location": event.location or dict(EMPTY_LOCATION),
        "locations": event.locations,
        "recurrence": render_recurrence(event.recurrence) if event.recurrence else None,
        "attendees": [_render_attendee(item) for item in event.attendees],
        "organizer": {"emailAddress": {"name": event.organizer_name, "address": event.organizer_address}},
        "onlineMeeting": extras.get("onlineMeeting"),
        **original,
    }


@lru_cache(1024)
def _web_link(shown_id: str) -> str:
    return f"https://outlook.office365.com/calendar/item/{quote(shown_id, safe='')}"


EMPTY_LOCATION: dict[str, Any] = {
    "displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {},
}  # fmt: skip


def render_when(event: Event, moment: datetime, own_zone: str, zone: str) -> dict[str, str]:
    """Return a dateTimeTimeZone; an all-day event is midnight to midnight in whatever zone is asked for."""
    return {"dateTime": render_local(moment, own_zone if event.is_all_day else zone), "timeZone": zone}


def _render_attendee(attendee: Attendee) -> dict[str, Any]:
    return {
        "type": attendee.type,
        "status": {"response": attendee.response, "time": render_instant(attendee.responded_at)},
        "emailAddress": {"name": attendee.name, "address": attendee.address},
    }


def _render_body(event: Event, style: Style) -> dict[str, str]:
    """Return the body; HTML unless text is preferred, and text bodies are wrapped (Graph docs: event-get)."""
    if style.text_body:
        return {"contentType": "text", "content": plain_text(event.body, event.body_type)}
    if not event.body:
        return {"contentType": "html", "content": ""}
    inner = event.body
    if event.body_type == "text":
        inner = f'<div class="PlainText">{html.escape(inner, quote=False)}</div>'
    if "<html" in inner.lower():
        return {"contentType": "html", "content": inner}
    head = '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
    content = f"<html>\r\n<head>\r\n{head}\r\n</head>\r\n<body>\r\n{inner}\r\n</body>\r\n</html>\r\n"
    return {"contentType": "html", "content": content}


def plain_text(body: str, body_type: str) -> str:
    """Return the body's words."""
    if body_type == "text" or not body:
        return body
    return html.unescape(_TAG.sub("", re.sub(r"<br\s*/?>|</p>|</div>", "\n", body))).strip()

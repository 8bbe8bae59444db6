"""
The calls of a mailbox that are about no event: its calendars, known time zones, ids turned into another format.

Sources: Graph docs, calendar, outlookuser-supportedtimezones and user-translateexchangeids.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from engine.simulator.calendars.records import Mailbox
from engine.simulator.times import WINDOWS_ZONES, find_zone
from engine.simulator.wire import GraphError, Request, Response, bad_request, json_response
from engine.simulator.world import World, parse_id, render_id

IANA_ZONES = (
    "UTC", "Africa/Cairo", "Africa/Casablanca", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi",
    "America/Anchorage", "America/Bogota", "America/Buenos_Aires", "America/Chicago", "America/Denver",
    "America/Halifax", "America/Los_Angeles", "America/New_York", "America/Phoenix", "America/Sao_Paulo",
    "America/St_Johns", "Asia/Dubai", "Asia/Jerusalem", "Asia/Kolkata", "Asia/Riyadh", "Asia/Shanghai",
    "Asia/Singapore", "Asia/Tehran", "Asia/Tokyo", "Atlantic/Azores", "Atlantic/Reykjavik", "Australia/Sydney",
    "Europe/Berlin", "Europe/Budapest", "Europe/Istanbul", "Europe/Kiev", "Europe/London", "Europe/Moscow",
    "Europe/Paris", "Europe/Warsaw", "Pacific/Auckland", "Pacific/Honolulu",
)  # fmt: skip
"""Some of the about hundred IANA names on Graph's fixed list (Graph docs: dateTimeTimeZone)."""
_ACRONYMS = frozenset({"utc", "gmt", "us", "se", "fle", "gtb", "aus"})
_STANDARD = re.compile(
    r"^supportedtimezones(?:\((?:timezonestandard=(?:microsoft\.graph\.timezonestandard)?'(\w+)')?\))?$"
)
ID_FORMATS = ("entryId", "ewsId", "immutableEntryId", "restId", "restImmutableEntryId")
IDS_MAX = 1000


class Outlook:
    """Small calls on one mailbox."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, mailbox: Mailbox, rest: list[str], request: Request) -> Response | None:
        """Answer what follows /users/{id}, or return None when it is no call of these."""
        head = rest[0].lower()
        if head == "calendars" and len(rest) == 1 and request.method == "GET":
            return self._calendars(mailbox, request)
        if head in ("calendar", "calendars") and len(rest) == (1 if head == "calendar" else 2):
            return self._calendar(mailbox, request) if request.method == "GET" else None
        if head == "outlook" and len(rest) == 2 and request.method == "GET":
            return self._zones(mailbox, rest[1], request)
        if head.removeprefix("microsoft.graph.") == "translateexchangeids" and request.method == "POST":
            return self._translate(request)
        return None

    def _calendars(self, mailbox: Mailbox, request: Request) -> Response:
        context = f"{request.base}/v1.0/$metadata#users('{mailbox.id}')/calendars"
        return json_response(200, {"@odata.context": context, "value": [render_calendar(mailbox)]})

    def _calendar(self, mailbox: Mailbox, request: Request) -> Response:
        if len(request.segments) == 5 and request.segments[4] != calendar_id(mailbox):
            raise GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        context = f"{request.base}/v1.0/$metadata#users('{mailbox.id}')/calendar/$entity"
        return json_response(200, {"@odata.context": context, **render_calendar(mailbox)})

    # -- time zones

    def _zones(self, mailbox: Mailbox, call: str, request: Request) -> Response:
        """List the zones a mailbox may use, Windows names unless IANA names are asked for."""
        found = _STANDARD.match(call.lower().removeprefix("microsoft.graph."))
        standard = (found.group(1) or "windows") if found else ""
        if standard not in ("windows", "iana"):
            raise bad_request(f"Resource not found for the segment '{call}'.", code="BadRequest")
        now = self._world.now()
        if standard == "iana":
            shown = [{"alias": name, "displayName": name} for name in IANA_ZONES]
        else:
            names = (name for name in WINDOWS_ZONES if not name.startswith("tzone:"))
            shown = [{"alias": windows_name(name), "displayName": _described(name, now)} for name in names]
        context = f"{request.base}/v1.0/$metadata#Collection(microsoft.graph.timeZoneInformation)"
        return json_response(200, {"@odata.context": context, "value": shown})

    # -- ids

    def _translate(self, request: Request) -> Response:
        """
        Turn ids of one format into another, each by itself.

        Entry ids are binary ids of MAPI; the simulated tenant has none and says so per id, as Graph does for one it
        cannot turn.
        """
        ids = request.json.get("inputIds")
        if not isinstance(ids, list) or not 1 <= len(ids) <= IDS_MAX:
            raise bad_request(f"inputIds must hold 1 to {IDS_MAX} ids.", code="ErrorInvalidRequest")
        source, target = (str(request.json.get(name) or "") for name in ("sourceIdType", "targetIdType"))
        for wanted in (source, target):
            if wanted.lower() not in map(str.lower, ID_FORMATS):
                raise bad_request(f"Invalid value '{wanted}' for an id type.", code="ErrorInvalidRequest")
        context = f"{request.base}/v1.0/$metadata#Collection(microsoft.graph.convertIdResult)"
        value = [translate(str(item), source.lower(), target.lower()) for item in ids]
        return json_response(200, {"@odata.context": context, "value": value})


def translate(text: str, source: str, target: str) -> dict[str, Any]:
    """Return a convertIdResult; formats in lower case. An EWS id is a REST id with `/` for `-` and `+` for `_`."""
    plain = text.translate(_FROM_EWS) if source == "ewsid" else text
    key = parse_id(plain)
    if key is None or "entryid" in (source, target) or "immutableentryid" in (source, target):
        return {"sourceId": text, "errorDetails": {"code": "ErrorInvalidIdMalformed", "message": "Id is malformed."}}
    turned = render_id(key, immutable=target == "restimmutableentryid")
    return {"sourceId": text, "targetId": turned.translate(_TO_EWS) if target == "ewsid" else turned}


_FROM_EWS = str.maketrans("/+", "-_")
_TO_EWS = str.maketrans("-_", "/+")


def windows_name(folded: str) -> str:
    """Return the Windows zone name in its own capitals."""
    return " ".join(word.upper() if word in _ACRONYMS else word.capitalize() for word in folded.split(" "))


def _described(name: str, now: datetime) -> str:
    zone = find_zone(name)
    offset = now.astimezone(zone).utcoffset() or timedelta(0)
    minutes = abs(offset) // timedelta(minutes=1)
    sign = "-" if offset < timedelta(0) else "+"
    shown = f"(UTC{sign}{minutes // 60:02}:{minutes % 60:02})" if minutes else "(UTC)"
    return f"{shown} {zone.key.rpartition('/')[2].replace('_', ' ')}"


def calendar_id(mailbox: Mailbox) -> str:
    """Return the id of the mailbox's default calendar; calendars have constant ids (Graph: outlook-immutable-id)."""
    return f"AAMkCal{mailbox.id.replace('-', '')}="


def render_calendar(mailbox: Mailbox) -> dict[str, Any]:
    """Return the default calendar, the only one here (Graph docs: calendar)."""
    return {
        "id": calendar_id(mailbox), "name": "Calendar", "color": "auto", "hexColor": "", "isDefaultCalendar": True,
        "changeKey": "AAAAAAAAAAAAAAAAAAAAAA==", "canShare": True, "canViewPrivateItems": True, "canEdit": True,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"], "defaultOnlineMeetingProvider": "teamsForBusiness",
        "isTallyingResponses": True, "isRemovable": False,
        "owner": {"name": mailbox.display_name, "address": mailbox.address},
    }  # fmt: skip

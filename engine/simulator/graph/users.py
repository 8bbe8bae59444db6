"""People and rooms in the directory, their mailbox settings and their free/busy (Graph docs: user, mailboxsettings,
calendar-getschedule)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from engine.simulator.calendars.records import Event, Mailbox
from engine.simulator.graph.places import next_link
from engine.simulator.graph.render import checked_zone
from engine.simulator.times import CUSTOM_ZONE, find_zone, parse_when, render_local
from engine.simulator.wire import Request, Response, bad_request, json_response, parse_count, unreadable
from engine.simulator.world import World

DEFAULT_FIELDS = (
    "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName", "id",
)  # fmt: skip
SCHEDULES_MAX = 20
PERIOD_MAX = timedelta(days=62)
DIGITS = {"free": "0", "workingElsewhere": "0", "tentative": "1", "busy": "2", "oof": "3"}


class Users:
    """The calls on users that are not about events."""

    def __init__(self, world: World) -> None:
        self._world = world

    def list_all(self, request: Request) -> Response:
        """Answer GET /users; rooms are users too."""
        top = parse_count(request, "$top", 100, low=1, high=999)
        skip = parse_count(request, "$skip", 0, low=0, high=10**9)
        shown = [item for item in self._world.mailboxes.values() if item.kind != "external" and item.state != "removed"]
        shown = [item for item in shown if self._passes(item, request.query.get("$filter"))]
        body: dict[str, Any] = {"@odata.context": f"{request.base}/v1.0/$metadata#users"}
        if skip + top < len(shown):
            body["@odata.nextLink"] = next_link(request, skip + top)
        body["value"] = [self._render(item, request) for item in shown[skip : skip + top]]
        return json_response(200, body)

    def _passes(self, mailbox: Mailbox, condition: str | None) -> bool:
        """Know the one filter that matters here: an address or principal name that equals something."""
        if not condition:
            return True
        name, operator, value = [*condition.split(maxsplit=2), "", ""][:3]
        if operator != "eq" or name.lower() not in ("mail", "userprincipalname"):
            raise bad_request("Unsupported Query.", code="Request_UnsupportedQuery")
        return mailbox.address.lower() == value.strip("'").replace("''", "'").lower()

    def get(self, mailbox: Mailbox, request: Request) -> Response:
        """Answer GET /users/{id}."""
        context = f"{request.base}/v1.0/$metadata#users/$entity"
        return json_response(200, {"@odata.context": context, **self._render(mailbox, request)})

    def _render(self, mailbox: Mailbox, request: Request) -> dict[str, Any]:
        given, _, family = mailbox.display_name.partition(" ")
        proxies = [f"SMTP:{mailbox.address}", *(f"smtp:{alias}" for alias in mailbox.aliases)]
        every: dict[str, Any] = {
            "businessPhones": [], "displayName": mailbox.display_name, "givenName": given, "jobTitle": None,
            "mail": mailbox.address, "mobilePhone": None, "officeLocation": None, "preferredLanguage": None,
            "surname": family or None, "userPrincipalName": mailbox.address, "id": mailbox.id,
            "proxyAddresses": proxies, "accountEnabled": mailbox.kind == "user" and mailbox.state == "active",
            "userType": "Member",
        }  # fmt: skip
        select = request.query.get("$select")
        wanted = [name.strip().lower() for name in select.split(",")] if select else [n.lower() for n in DEFAULT_FIELDS]
        return {name: value for name, value in every.items() if name.lower() in wanted}

    def settings(self, mailbox: Mailbox, request: Request, name: str | None) -> Response:
        """Answer GET mailboxSettings, whole or one property."""
        every = {
            "timeZone": CUSTOM_ZONE if mailbox.custom_zone else mailbox.zone,
            "dateFormat": "yyyy-MM-dd", "timeFormat": "HH:mm",
            "userPurpose": "room" if mailbox.kind == "workspace" else mailbox.kind,
            "workingHours": working_hours(mailbox),
            "language": {"locale": "en-US", "displayName": "English (United States)"},
        }  # fmt: skip
        context = f"{request.base}/v1.0/$metadata#users('{mailbox.id}')/mailboxSettings"
        if name is None:
            return json_response(200, {"@odata.context": context, **every})
        found = next((key for key in every if key.lower() == name.lower()), None)
        if found is None:
            raise bad_request(f"Resource not found for the segment '{name}'.", code="BadRequest")
        value = every[found]
        shown = value if isinstance(value, dict) else {"value": value}
        return json_response(200, {"@odata.context": f"{context}/{found}", **shown})

    def schedule(self, request: Request) -> Response:
        """Answer POST getSchedule: free/busy of up to twenty addresses; unknown ones fail alone."""
        body = request.json
        schedules, interval = body.get("schedules") or [], body.get("availabilityViewInterval") or 30
        if not isinstance(schedules, list) or not isinstance(interval, int):
            raise unreadable()
        if not schedules or len(schedules) > SCHEDULES_MAX or not 5 <= interval <= 1440:
            raise bad_request("The schedules or the interval are out of range.", code="ErrorInvalidParameter")
        start, end = _moment(body.get("startTime")), _moment(body.get("endTime"))
        if end <= start or end - start > PERIOD_MAX or (end - start).total_seconds() < interval * 60:
            raise bad_request("The requested time window is not valid.", code="ErrorInvalidTimeInterval")
        zone = checked_zone(request.preferences.get("outlook.timezone", "UTC"))
        value = [self._one_schedule(str(address), start, end, interval, zone) for address in schedules]
        context = f"{request.base}/v1.0/$metadata#Collection(microsoft.graph.scheduleInformation)"
        return json_response(200, {"@odata.context": context, "value": value})

    def _one_schedule(self, address: str, start: datetime, end: datetime, interval: int, zone: str) -> dict[str, Any]:
        mailbox = self._world.find_mailbox(address)
        if mailbox is None or mailbox.state != "active" or mailbox.kind == "external":
            error = {"responseCode": "ErrorMailRecipientNotFound", "message": f"{address} could not be resolved."}
            return {"scheduleId": address, "error": error}
        busy = [event for event in self._world.calendars[mailbox.id].window(start, end) if not event.is_cancelled]
        return {
            "scheduleId": address,
            "availabilityView": availability_view(busy, start, end, interval),
            "scheduleItems": [_schedule_item(event, zone) for event in busy],
            "workingHours": working_hours(mailbox),
        }


def _moment(value: Any) -> datetime:
    try:
        return parse_when(str(value["dateTime"]), checked_zone(str(value.get("timeZone") or "UTC")))
    except (TypeError, KeyError, ValueError) as error:
        raise bad_request("The date and time are not valid.", code="ErrorInvalidParameter") from error


def _schedule_item(event: Event, zone: str) -> dict[str, Any]:
    return {
        "isPrivate": event.sensitivity == "private",
        "status": event.show_as,
        "subject": event.subject,
        "location": event.location.get("displayName", ""),
        "start": {"dateTime": render_local(event.start, zone), "timeZone": zone},
        "end": {"dateTime": render_local(event.end, zone), "timeZone": zone},
    }


def availability_view(events: list[Event], start: datetime, end: datetime, minutes: int) -> str:
    """Return one digit per slot, the busiest that touches it (Graph docs: scheduleInformation)."""
    step = timedelta(minutes=minutes)
    slots = ["0"] * -((start - end) // step)
    for event in events:
        digit = DIGITS.get(event.show_as, "0")
        first = max(0, (event.start - start) // step)
        for index in range(first, min(len(slots), -((start - event.end) // step))):
            slots[index] = max(slots[index], digit)
    return "".join(slots)


def custom_zone(zone: str) -> dict[str, Any]:
    """Return *zone* as a customTimeZone, with the clock changes of the European Union (Graph docs: customTimeZone)."""
    offset = datetime(2026, 1, 15, tzinfo=find_zone(zone)).utcoffset() or timedelta(0)

    def change(month: int, **more: Any) -> dict[str, Any]:
        return {
            "time": "02:00:00.0000000",
            "dayOccurrence": 5,
            "dayOfWeek": "sunday",
            "month": month,
            "year": 0,
            **more,
        }

    return {
        "@odata.type": "#microsoft.graph.customTimeZone", "name": "Customized Time Zone",
        "bias": -(offset // timedelta(minutes=1)), "standardOffset": change(10),
        "daylightOffset": change(3, daylightBias=-60),
    }  # fmt: skip


def working_hours(mailbox: Mailbox) -> dict[str, Any]:
    """Return the workingHours resource."""
    return {
        "daysOfWeek": mailbox.work_days,
        "startTime": mailbox.work_start,
        "endTime": mailbox.work_end,
        "timeZone": custom_zone(mailbox.zone) if mailbox.custom_zone else {"name": mailbox.zone},
    }

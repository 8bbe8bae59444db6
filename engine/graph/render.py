"""
The engine's words into Graph's bodies: plain dicts, holding only what is to be written.

Bodies are dicts on purpose: the SDK's models send the whole event back on a PATCH, and null under Python's names.

What a PATCH carries decides who gets mail: one that holds nothing but `attendees` notifies only those who changed, one
that holds anything beside notifies everybody (Graph docs: event-update; several mails per change were reported when
`location` came along). So a change of rooms alone sends `attendees` alone, and `location` is left as it is: it is a
label, the attendee is the booking. When the time or the text changes too, everybody gets a mail in any case, and the
label is written along with the new rooms.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from engine.graph.payloads import CONTENT_FIELDS
from engine.graph.zones import windows_name
from engine.ids import fold_address
from engine.interval import Interval
from engine.loans.recurrence import Recurrence, Repeat
from engine.reconcile.series.writes import SeriesEvent, SeriesPatch
from engine.rooms.calendar import Certificate, EventDraft, EventFields, EventPatch
from engine.rooms.event import Attendee, EventCopy, Mailbox

MARKER_ID = "String {5d3c8f0e-9a41-4b7c-8e26-1f7a90d2c6b4} Name AccordLoan"
"""The extended property that marks an event as ours. The GUID is this project's own and never changes; the name part
is case-sensitive (Graph docs: singlevaluelegacyextendedproperty)."""

JsonObject = dict[str, Any]


def render_draft(draft: EventDraft) -> JsonObject:
    """Return the body of `POST events` for *draft* (Graph docs: user-post-events)."""
    return {
        "subject": draft.subject,
        "body": _render_body(draft.body_html),
        "isAllDay": False,
        **_render_interval(draft.interval),
        **_render_location(draft.rooms),
        **_render_fields(draft.fields),
        "attendees": [_render_room(room) for room in draft.rooms],
        "sensitivity": _sensitivity(draft.private),
        "allowNewTimeProposals": False,
        "transactionId": draft.transaction_id,
        "singleValueExtendedProperties": [{"id": MARKER_ID, "value": draft.loan_ref}, *_render_custom(draft.fields)],
    }


def render_series(event: SeriesEvent) -> JsonObject:
    """Return the body of `POST events` for a series: its hours on the wall of its zone (Graph docs: event)."""
    return {
        "subject": event.subject,
        "body": _render_body(event.body_html),
        "isAllDay": False,
        **_render_wall(event.recurrence),
        "recurrence": render_recurrence(event.recurrence),
        **_render_location(event.rooms),
        **_render_fields(event.fields),
        "attendees": [_render_room(room) for room in event.rooms] if event.invites else [],
        "sensitivity": _sensitivity(event.private),
        "allowNewTimeProposals": False,
        "transactionId": event.transaction_id,
        "singleValueExtendedProperties": [{"id": MARKER_ID, "value": event.loan_ref}, *_render_custom(event.fields)],
    }


def render_series_patch(master: EventCopy, patch: SeriesPatch) -> JsonObject:
    """Return the body of `PATCH events/{master}`: only what *patch* names. The pattern of days stays."""
    rooms = EventPatch(attendees=patch.attendees or None, drop_rooms=patch.drop_rooms)
    times = _render_wall(patch.recurrence) if patch.recurrence is not None else {}
    return {**times, **render_patch(master, rooms)}


def render_end(recurrence: JsonObject, last: date) -> JsonObject | None:
    """
    Return the body that ends a series by *last*, its pattern left as Graph shows it; None when it ends by then.

    Setting an end keeps exceptions and what was cancelled (MS-OXOCAL 3.1.4.7.3.5: only the end changes).
    """
    range_ = dict(recurrence["range"])
    if range_.get("type") == "endDate" and str(range_.get("endDate")) <= last.isoformat():
        return None
    range_ |= {"type": "endDate", "endDate": last.isoformat()}
    range_.pop("numberOfOccurrences", None)
    return {"recurrence": {"pattern": recurrence["pattern"], "range": range_}}


def _render_wall(recurrence: Recurrence) -> JsonObject:
    """Return the first date's times as the clock on the wall shows them."""
    zone = windows_name(recurrence.zone)
    begins = datetime.combine(recurrence.first, recurrence.start)
    ends = begins + recurrence.length
    return {
        "start": {"dateTime": begins.isoformat(), "timeZone": zone},
        "end": {"dateTime": ends.isoformat(), "timeZone": zone},
    }


_PATTERNS = {
    Repeat.DAILY: "daily",
    Repeat.WEEKLY: "weekly",
    Repeat.MONTHLY: "absoluteMonthly",
    Repeat.MONTHLY_BY_WEEKDAY: "relativeMonthly",
    Repeat.YEARLY: "absoluteYearly",
    Repeat.YEARLY_BY_WEEKDAY: "relativeYearly",
}


def render_recurrence(recurrence: Recurrence) -> JsonObject:
    """Return the patternedRecurrence (Graph docs: recurrencePattern, recurrenceRange): only the parts that count."""
    pattern: JsonObject = {"type": _PATTERNS[recurrence.repeat], "interval": recurrence.every}
    if recurrence.weekdays:
        pattern["daysOfWeek"] = [day.value for day in recurrence.weekdays]
    if recurrence.repeat is Repeat.WEEKLY:
        pattern["firstDayOfWeek"] = "monday"
    if recurrence.week is not None:
        pattern["index"] = recurrence.week.value
    if recurrence.month_day is not None:
        pattern["dayOfMonth"] = recurrence.month_day
    if recurrence.repeat in (Repeat.YEARLY, Repeat.YEARLY_BY_WEEKDAY):
        pattern["month"] = recurrence.first.month
    range_: JsonObject = {"startDate": recurrence.first.isoformat()}
    if recurrence.count is not None:
        range_ |= {"type": "numbered", "numberOfOccurrences": recurrence.count}
    elif recurrence.until is not None:
        range_ |= {"type": "endDate", "endDate": recurrence.until.isoformat()}
    range_["recurrenceTimeZone"] = windows_name(recurrence.zone)
    return {"pattern": pattern, "range": range_}


def render_patch(copy: EventCopy, patch: EventPatch) -> JsonObject:
    """Return the body of `PATCH events/{id}`: only what *patch* names; empty when it names nothing."""
    body: JsonObject = {}
    if patch.subject is not None:
        body["subject"] = patch.subject
    if patch.body_html is not None:
        body["body"] = _render_body(patch.body_html)
    if patch.private is not None:
        body["sensitivity"] = _sensitivity(patch.private)
    if patch.interval is not None:
        if copy.all_day is not None:
            body["isAllDay"] = False
        body.update(_render_interval(patch.interval))
    if patch.attendees is not None or patch.drop_rooms:
        attendees = _amended_attendees(copy, patch)
        if body:
            body.update(_render_location(_resources(attendees)))
        body["attendees"] = attendees
    return body if patch.fields is None else {**body, **_render_field_patch(copy, patch.fields)}


def _render_fields(fields: EventFields) -> JsonObject:
    """Return what a new event says beside the rest: nothing that Outlook would say by itself (Graph docs: event)."""
    body: JsonObject = {}
    if fields.categories:
        body["categories"] = list(fields.categories)
    if fields.show_as not in (None, "busy"):
        body["showAs"] = fields.show_as
    if fields.location:
        body["location"] = {"displayName": fields.location}
    return body


def _render_field_patch(copy: EventCopy, fields: EventFields) -> JsonObject:
    """Return what *fields* changes: empty values clear what stood there; an empty location is the rooms again."""
    body: JsonObject = {}
    if fields.categories is not None:
        body["categories"] = list(fields.categories)
    if fields.show_as is not None:
        body["showAs"] = fields.show_as
    if fields.location:
        body["location"] = {"displayName": fields.location}
    elif fields.location is not None:
        body |= _render_location(tuple(Mailbox(a.address, a.name) for a in copy.attendees if a.type == "resource"))
    if fields.custom:
        body["singleValueExtendedProperties"] = _render_custom(fields)
    return body


def _render_custom(fields: EventFields) -> list[JsonObject]:
    """Return our extended properties, in the same set as the marker (Graph docs: extended-properties-overview)."""
    return [{"id": MARKER_ID.replace("AccordLoan", name), "value": value} for name, value in fields.custom]


def render_subscription(
    *,
    room: str,
    notification_url: str,
    lifecycle_url: str,
    client_state: str,
    expires_at: datetime,
    certificate: Certificate | None = None,
) -> JsonObject:
    """
    Return the body of `POST subscriptions` (Graph docs: subscription).

    With a *certificate*, notifications bring what is selected of their event, encrypted for it; of Outlook's events
    something must be selected (Graph docs: change-notifications-with-resource-data).
    """
    content: JsonObject = {}
    if certificate is not None:
        content = {
            "includeResourceData": True,
            "encryptionCertificate": certificate.text,
            "encryptionCertificateId": certificate.id,
        }
    query = f"?$select={','.join(CONTENT_FIELDS)}" if certificate is not None else ""
    return {
        "changeType": "created,updated,deleted",
        "resource": f"/users/{room}/events{query}",
        "notificationUrl": notification_url,
        "lifecycleNotificationUrl": lifecycle_url,
        "clientState": client_state,
        "expirationDateTime": render_instant(expires_at),
        "latestSupportedTlsVersion": "v1_2",
        **content,
    }


def render_decline(comment: str) -> JsonObject:
    """Return the body of `decline`; the organizer is told (Graph docs: event-decline)."""
    return {"comment": comment, "sendResponse": True}


def render_instant(instant: datetime) -> str:
    """Return *instant* in UTC with a `Z`, to the second unless it is finer."""
    return _local(instant) + "Z"


def _local(instant: datetime) -> str:
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat()


def _render_interval(interval: Interval) -> JsonObject:
    return {
        "start": {"dateTime": _local(interval.start), "timeZone": "UTC"},
        "end": {"dateTime": _local(interval.end), "timeZone": "UTC"},
    }


def _sensitivity(private: bool) -> str:
    return "private" if private else "normal"


def _render_body(html: str) -> JsonObject:
    return {"contentType": "html", "content": html}


def _render_location(rooms: tuple[Mailbox, ...]) -> JsonObject:
    """One room is named with its address; several are named together, since `location` holds one address only."""
    location: JsonObject = {"displayName": "; ".join(room.name or room.address for room in rooms)}
    if len(rooms) == 1:
        location["locationEmailAddress"] = rooms[0].address
    return {"location": location}


def _resources(attendees: list[JsonObject]) -> tuple[Mailbox, ...]:
    """Return the rooms among *attendees*: what the location names."""
    return tuple(
        Mailbox(each["emailAddress"]["address"], each["emailAddress"]["name"])
        for each in attendees
        if each["type"] == "resource"
    )


def _render_room(room: Mailbox) -> JsonObject:
    return {"type": "resource", "emailAddress": {"address": room.address, "name": room.name}}


def _render_attendee(attendee: Attendee) -> JsonObject:
    return {"type": attendee.type, "emailAddress": {"address": attendee.address, "name": attendee.name}}


def _amended_attendees(copy: EventCopy, patch: EventPatch) -> list[JsonObject]:
    """Return the copy's own list less the dropped rooms, plus the new ones: whoever is left out would be cancelled."""
    dropped = {fold_address(address) for address in patch.drop_rooms}
    kept = [attendee for attendee in copy.attendees if fold_address(attendee.address) not in dropped]
    present = {fold_address(attendee.address) for attendee in kept}
    added = [room for room in patch.attendees or () if fold_address(room.address) not in present]
    return [*map(_render_attendee, kept), *map(_render_room, added)]

"""
What Graph sends, as far as we read it: msgspec structs at the edge, never seen outside this package.

Every field may be absent or null, enumerations stay strings and unknown fields are skipped, since Graph adds values
and properties without notice. One field of the wrong type must not cost a whole page: `decode_page` reads a page at
once, and item by item, field by field, only when that failed. Nor must half of a letter, in which a text may end that
was cut.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, field


class _Payload(Struct, rename="camel", gc=False):
    """Camel case as Graph writes it; no reference cycles, so the collector need not track them."""


class When(_Payload):
    date_time: str | None = None
    time_zone: str | None = None


class EmailAddress(_Payload):
    name: str | None = None
    address: str | None = None


class Recipient(_Payload):
    email_address: EmailAddress | None = None


class Status(_Payload):
    response: str | None = None


class AttendeeItem(_Payload):
    type: str | None = None
    status: Status | None = None
    email_address: EmailAddress | None = None


class Removed(_Payload):
    reason: str | None = None


class RecurrenceRange(_Payload):
    recurrence_time_zone: str | None = None


class Recurrence(_Payload):
    """On masters only; of the pattern we need the zone alone: Exchange lays the dates out, not we."""

    range: RecurrenceRange | None = None


class MarkItem(_Payload):
    """A single-value extended property."""

    id: str | None = None
    value: str | None = None


def value_of(marks: list[MarkItem] | None, name: str) -> str:
    """Return the value of the extended property *name*, "" where it is not shown. Ids come back in any case."""
    found = (mark.value for mark in marks or () if (mark.id or "").lower() == name.lower())
    return next(found, None) or ""


class EventItem(_Payload):
    """One item of an event collection or of a delta page (Graph docs: event, event-delta)."""

    id: str | None = None
    etag: str | None = field(default=None, name="@odata.etag")
    removed: Removed | None = field(default=None, name="@removed")
    change_key: str | None = None
    ical_uid: str | None = field(default=None, name="iCalUId")
    type: str | None = None
    series_master_id: str | None = None
    original_start: str | None = None
    original_start_time_zone: str | None = None
    recurrence: Recurrence | None = None
    start: When | None = None
    end: When | None = None
    is_all_day: bool | None = None
    is_cancelled: bool | None = None
    is_draft: bool | None = None
    is_organizer: bool | None = None
    subject: str | None = None
    sensitivity: str | None = None
    show_as: str | None = None
    organizer: Recipient | None = None
    attendees: list[AttendeeItem] | None = None
    response_status: Status | None = None
    transaction_id: str | None = None
    web_link: str | None = None
    body_preview: str | None = None
    created: str | None = field(default=None, name="createdDateTime")
    modified: str | None = field(default=None, name="lastModifiedDateTime")
    extended: list[MarkItem] | None = field(default=None, name="singleValueExtendedProperties")
    """Only where it was asked for."""


EVENT_FIELDS = (
    "id",
    "changeKey",
    "iCalUId",
    "type",
    "seriesMasterId",
    "originalStart",
    "originalStartTimeZone",
    "recurrence",
    "start",
    "end",
    "isAllDay",
    "isCancelled",
    "isDraft",
    "isOrganizer",
    "subject",
    "sensitivity",
    "showAs",
    "organizer",
    "attendees",
    "responseStatus",
    "transactionId",
    "webLink",
    "bodyPreview",
)
"""What is asked for when one event is read: all we use, and not the body, which is most of an event's bytes."""


_NOT_IN_CONTENT = {"recurrence", "originalStart", "originalStartTimeZone", "subject", "webLink", "bodyPreview"}
CONTENT_FIELDS = (
    *(name for name in EVENT_FIELDS if name not in _NOT_IN_CONTENT),
    "createdDateTime",
    "lastModifiedDateTime",
)
"""What notifications bring of a single event in a room's calendar: all that is kept of it, and when it was changed."""


class PostalAddress(_Payload):
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    state: str | None = None
    country_or_region: str | None = None


class PlaceItem(_Payload):
    """One room of the directory (Graph docs: room). `capacity` is text in older samples."""

    id: str | None = None
    place_id: str | None = None
    email_address: str | None = None
    display_name: str | None = None
    nickname: str | None = None
    capacity: int | str | None = None
    building: str | None = None
    floor_label: str | None = None
    floor_number: int | str | None = None
    booking_type: str | None = None
    tags: list[str] | None = None
    address: PostalAddress | None = None
    audio_device_name: str | None = None
    video_device_name: str | None = None
    display_device_name: str | None = None
    is_wheel_chair_accessible: bool | None = None


class FolderItem(_Payload):
    """A folder of contacts (Graph docs: contactFolder)."""

    id: str | None = None
    display_name: str | None = None


class ContactItem(_Payload):
    """A contact, as far as we write it (Graph docs: contact)."""

    id: str | None = None
    given_name: str | None = None
    surname: str | None = None
    display_name: str | None = None
    email_addresses: list[EmailAddress] | None = None
    categories: list[str] | None = None
    personal_notes: str | None = None
    business_phones: list[str] | None = None
    birthday: str | None = None
    company_name: str | None = None
    job_title: str | None = None
    business_address: PostalAddress | None = None
    extended: list[MarkItem] | None = field(default=None, name="singleValueExtendedProperties")


class SubscriptionItem(_Payload):
    """One subscription (Graph docs: subscription)."""

    id: str | None = None
    resource: str | None = None
    change_type: str | None = None
    notification_url: str | None = None
    lifecycle_notification_url: str | None = None
    expiration_date_time: str | None = None


ItemT = TypeVar("ItemT", bound=Struct)


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """One page of a collection. `unreadable` counts items that were no objects at all."""

    items: list[ItemT]
    next_link: str | None
    delta_link: str | None
    unreadable: int = 0


class _RawPage(Struct):
    value: list[msgspec.Raw] = field(default_factory=list)
    next_link: str | None = field(default=None, name="@odata.nextLink")
    delta_link: str | None = field(default=None, name="@odata.deltaLink")


class _EventPage(Struct):
    value: list[EventItem]
    next_link: str | None = field(default=None, name="@odata.nextLink")
    delta_link: str | None = field(default=None, name="@odata.deltaLink")


class _FolderPage(Struct):
    value: list[FolderItem]
    next_link: str | None = field(default=None, name="@odata.nextLink")


class _ContactPage(Struct):
    value: list[ContactItem]
    next_link: str | None = field(default=None, name="@odata.nextLink")


class _PlacePage(Struct):
    value: list[PlaceItem]
    next_link: str | None = field(default=None, name="@odata.nextLink")


class _SubscriptionPage(Struct):
    value: list[SubscriptionItem]
    next_link: str | None = field(default=None, name="@odata.nextLink")


_RAW_PAGES = msgspec.json.Decoder(_RawPage)
_PAGES: dict[type[Struct], msgspec.json.Decoder[Any]] = {
    EventItem: msgspec.json.Decoder(_EventPage),
    PlaceItem: msgspec.json.Decoder(_PlacePage),
    SubscriptionItem: msgspec.json.Decoder(_SubscriptionPage),
    FolderItem: msgspec.json.Decoder(_FolderPage),
    ContactItem: msgspec.json.Decoder(_ContactPage),
}


def decode_page(body: bytes, kind: type[ItemT]) -> Page[ItemT]:
    """Return one page of *kind*. Raises msgspec.DecodeError when the page as a whole is no collection."""
    body = _mend(body) if _NUL in body else body
    try:
        page = _PAGES[kind].decode(body)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return _decode_slowly(body, kind)
    except msgspec.DecodeError:
        if (mended := _mend(body)) == body:
            raise
        return decode_page(mended, kind)
    return Page(page.value, page.next_link, getattr(page, "delta_link", None))


def decode_item(body: bytes, kind: type[ItemT]) -> ItemT | None:
    """Return one object of *kind*, less the fields that cannot be read; None when it is no object. Raises
    msgspec.DecodeError."""
    body = _mend(body) if _NUL in body else body
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.ValidationError, UnicodeDecodeError):
        return _convert_fields(body, kind)
    except msgspec.DecodeError:
        if (mended := _mend(body)) == body:
            raise
        return decode_item(mended, kind)


_NUL = rb"\u0000"


def _mend(body: bytes) -> bytes:
    """Return JSON with U+FFFD in place of what no database keeps: NUL, and halves of letters, which msgspec does not
    read either. What is no JSON is returned as it is."""
    try:
        found = json.loads(body.decode("utf-8", errors="replace"))
    except ValueError:
        return body
    return msgspec.json.encode(_mend_texts(found))


def _mend_texts(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")
        case list():
            return [_mend_texts(each) for each in value]
        case dict():
            return {name: _mend_texts(each) for name, each in value.items()}
    return value


def _decode_slowly(body: bytes, kind: type[ItemT]) -> Page[ItemT]:
    page = _RAW_PAGES.decode(body)
    if b'"value"' not in body:
        raise msgspec.ValidationError("the answer is no collection")
    read = [decode_item(bytes(raw), kind) for raw in page.value]
    items = [item for item in read if item is not None]
    return Page(items, page.next_link, page.delta_link, len(read) - len(items))


def _convert_fields(body: bytes, kind: type[ItemT]) -> ItemT | None:
    """Read an object field by field: what has the wrong type is left at its default."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        found = msgspec.json.decode(body.decode("utf-8", errors="replace"))
    if not isinstance(found, dict):
        return None
    readable: dict[str, Any] = {}
    for part in msgspec.structs.fields(kind):
        if part.encode_name in found:
            value = _convert(found[part.encode_name], part.type)
            if value is not _UNREADABLE:
                readable[part.name] = value
    return kind(**readable)


_UNREADABLE = object()


def _convert(value: Any, wanted: Any) -> Any:
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError:
        return _convert_elements(value, wanted) if isinstance(value, list) else _UNREADABLE


def _convert_elements(values: list[Any], wanted: Any) -> Any:
    """Read a list element by element, so that one bad attendee costs one attendee."""
    kept: list[Any] = []
    for value in values:
        with suppress(msgspec.ValidationError):
            kept += msgspec.convert([value], wanted)
    return kept or _UNREADABLE

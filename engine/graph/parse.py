"""
Graph's payloads into the engine's words: total functions, which never raise over what an item holds.

Source: Graph docs, event, dateTimeTimeZone, responseStatus, event-delta, room, subscription.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial

from engine.errors import Malformed
from engine.graph.payloads import AttendeeItem, EventItem, PlaceItem, PostalAddress, Recipient, SubscriptionItem, When
from engine.graph.zones import find_zone, known_zone_name
from engine.ids import Address, EventId, ICalUid
from engine.interval import Interval
from engine.rooms.calendar import RemoteSubscription
from engine.rooms.event import (
    Answer,
    Attendee,
    Change,
    EventCopy,
    EventRemoved,
    EventShown,
    EventStub,
    EventType,
    Mailbox,
    Privacy,
    Shown,
    TimeFault,
)
from engine.rooms.moulds import mould_for
from engine.rooms.room import Place

_ANSWERS = {
    "none": Answer.NONE,
    "notResponded": Answer.NONE,
    "tentativelyAccepted": Answer.TENTATIVE,
    "accepted": Answer.ACCEPTED,
    "declined": Answer.DECLINED,
    "organizer": Answer.ORGANIZER,
}
_TYPES = {kind.value: kind for kind in EventType}

PEOPLE_KEPT = 8192
"""Attendees kept for reuse, some 200 bytes each."""

TIMES_KEPT = 2048
"""Times of meetings kept for reuse, some 600 bytes each: a term has fewer, and many rooms are booked at the same."""

_make_copy, _make_shown = mould_for(EventCopy), mould_for(EventShown)

_Times = tuple[Interval | None, tuple[date, date] | None, TimeFault | None, datetime | None]


def show_change(item: EventItem) -> Shown | None:
    """Return the same as `parse_change`, an event without a series by its version: four fifths of its CPU are for what
    is known already, as nearly everything is when a calendar is read anew."""
    if not item.id or item.series_master_id or item.removed is not None or item.type == "seriesMaster":
        return parse_change(item)
    return _make_shown(EventId(item.id), item.etag or _etag(item), partial(parse_event, item))


def parse_change(item: EventItem) -> Change | None:
    """Return one item of a delta page; None when it has no id, so that nothing can be done about it."""
    if not item.id:
        return None
    if item.removed is not None:
        return EventRemoved(EventId(item.id))
    if item.type == "occurrence" and item.series_master_id and not item.ical_uid:
        interval, _, fault, instant = _read_times(item)
        return EventStub(EventId(item.id), _etag(item), EventId(item.series_master_id), interval, instant, fault)
    return parse_event(item)


def parse_event(item: EventItem) -> EventCopy:
    """Return the copy that *item* shows. Raises Malformed when it has no id."""
    if not item.id:
        raise Malformed("an event without an id came back")
    interval, all_day, fault, instant = _read_times(item)
    return _make_copy(
        event_id=EventId(item.id),
        etag=_etag(item),
        ical_uid=ICalUid(item.ical_uid or ""),
        type=_TYPES.get(item.type or "", EventType.SINGLE),
        organizer=_mailbox(item.organizer),
        interval=interval,
        all_day=all_day,
        time_fault=fault,
        instant=instant,
        subject=item.subject or "",
        privacy=Privacy.NORMAL if item.sensitivity in ("normal", None) else Privacy.PRIVATE,
        attendees=tuple([_attendee(attendee) for attendee in item.attendees]) if item.attendees else (),
        answer=_own_answer(item),
        is_cancelled=item.is_cancelled is True,
        is_draft=item.is_draft is True,
        is_organizer=item.is_organizer is True,
        show_as=item.show_as or "busy",
        series_master_id=EventId(item.series_master_id) if item.series_master_id else None,
        original_start=parse_instant(item.original_start) if item.original_start else None,
        transaction_id=item.transaction_id or None,
        web_link=item.web_link or None,
        body_preview=item.body_preview or "",
        created_at=parse_instant(item.created) if item.created else None,
        modified_at=parse_instant(item.modified) if item.modified else None,
        zone=_series_zone(item) if item.recurrence is not None else "",
    )


def _own_answer(item: EventItem) -> Answer:
    """An appointment without guests says "none" to its own organizer, who has nobody to answer (Graph docs: event)."""
    if item.is_organizer is True:
        return Answer.ORGANIZER
    response = item.response_status
    return _ANSWERS.get(response.response or "", Answer.NONE) if response is not None else Answer.NONE


def _series_zone(item: EventItem) -> str:
    """
    Return the zone a series is laid out in: the recurrence's own, else the one its start was written in.

    Either may be empty or `tzone://Microsoft/Custom` (Graph docs: recurrenceRange, event); neither then says a zone.
    """
    range_ = item.recurrence.range if item.recurrence is not None else None
    names = (range_.recurrence_time_zone if range_ is not None else None, item.original_start_time_zone)
    return next((found for name in names if name and (found := known_zone_name(name))), "")


def _etag(item: EventItem) -> str:
    """The etag is the change key in another dress (Graph docs: event)."""
    if item.etag:
        return item.etag
    return f'W/"{item.change_key}"' if item.change_key else ""


def _mailbox(recipient: Recipient | None) -> Mailbox | None:
    if recipient is None or recipient.email_address is None or not recipient.email_address.address:
        return None
    return _shared_mailbox(recipient.email_address.address, recipient.email_address.name)


def _attendee(item: AttendeeItem) -> Attendee:
    found, status = item.email_address, item.status
    response = status.response if status is not None else None
    if found is None:
        return _shared_attendee(None, None, item.type, response)
    return _shared_attendee(found.address, found.name, item.type, response)


@lru_cache(maxsize=PEOPLE_KEPT)
def _shared_mailbox(address: str, name: str | None) -> Mailbox:
    return Mailbox(Address(address), name or "")


@lru_cache(maxsize=PEOPLE_KEPT)
def _shared_attendee(address: str | None, name: str | None, kind: str | None, response: str | None) -> Attendee:
    """The same people meet again and again, and values that cannot change can be shared: half the time, less memory."""
    return Attendee(Address(address or ""), name or "", kind or "required", _ANSWERS.get(response or "", Answer.NONE))


def _read_times(item: EventItem) -> _Times:
    start, end = item.start, item.end
    if start is None or end is None or not start.date_time or not end.date_time:
        return None, None, TimeFault("dates_invalid", "start or end is missing"), None
    if item.is_all_day:
        return _read_all_day(start.date_time, end.date_time)
    return _shared_times(start.date_time, start.time_zone, end.date_time, end.time_zone)


@lru_cache(maxsize=TIMES_KEPT)
def _shared_times(start: str, start_zone: str | None, end: str, end_zone: str | None) -> _Times:
    first, last = parse_when(When(start, start_zone)), parse_when(When(end, end_zone))
    if isinstance(first, TimeFault):
        return None, None, first, None
    if isinstance(last, TimeFault):
        return None, None, last, None
    if first < last:
        return Interval(first, last), None, None, None
    if first == last:
        return None, None, None, first
    return None, None, TimeFault("dates_invalid", f"{start} to {end}"), None


def _read_all_day(start: str, end: str) -> _Times:
    """Read an all-day event as floating dates: midnight to midnight, the end exclusive (Graph docs: event)."""
    first, last = _naive(start), _naive(end)
    if first is None or last is None or last <= first:
        return None, None, TimeFault("dates_invalid", f"{start} to {end}"), None
    after = last.date() if last.time() == time.min else last.date() + timedelta(days=1)
    return None, (first.date(), after), None, None


def parse_when(when: When) -> datetime | TimeFault:
    """
    Return the UTC instant that *when* names, or why it names none.

    `dateTime` carries no offset and up to seven digits of fraction (Graph docs: dateTimeTimeZone); digits beyond the
    microsecond are dropped. Years 1 and 9999 stand for "not set". A missing zone means UTC, the zone we ask for.
    """
    text = when.date_time or ""
    if when.time_zone == "UTC":
        try:
            moment = datetime.fromisoformat(text + "+00:00")
        except ValueError:
            moment = None
        if moment is not None and 1 < moment.year < 9999:
            return moment
    moment = _naive(text)
    if moment is None:
        return TimeFault("dates_invalid", text[:64])
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    name = when.time_zone
    if name == "UTC" or not name:
        return moment.replace(tzinfo=UTC)
    zone = find_zone(name)
    if zone is None:
        return TimeFault("zone_unknown", name[:64])
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return TimeFault("dates_invalid", text[:64])


def _naive(text: str) -> datetime | None:
    """Read an ISO instant as it stands; None when it is none, or one of the sentinels."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if 1 < moment.year < 9999 else None


def parse_instant(text: str) -> datetime | None:
    """Return an instant written with its offset (UTC when it has none); None when it cannot be read."""
    moment = _naive(text)
    if moment is None or moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def parse_place(item: PlaceItem) -> Place | None:
    """Return one room; None when it has no mailbox address, so that it cannot be followed or invited."""
    if not item.email_address:
        return None
    devices = (item.display_device_name, item.video_device_name, item.audio_device_name)
    features = [name for name in devices if name]
    if item.is_wheel_chair_accessible:
        features.append("wheelchair")
    floor = item.floor_label or (str(item.floor_number) if item.floor_number not in (None, "") else None)
    return Place(
        directory_id=item.id or item.email_address,
        address=Address(item.email_address),
        name=item.display_name or item.nickname or item.email_address,
        place_id=item.place_id or None,
        capacity=_count(item.capacity),
        building=item.building or None,
        floor=floor,
        tags=tuple(item.tags or ()),
        features=tuple(features),
        postal_address=_postal(item.address),
        booking_type=item.booking_type or "standard",
    )


def _count(value: int | str | None) -> int | None:
    """Read a number that older samples write as text."""
    try:
        return int(value) if value is not None else None
    except ValueError:
        return None


def _postal(address: PostalAddress | None) -> str | None:
    if address is None:
        return None
    town = " ".join(part for part in (address.postal_code, address.city) if part)
    parts = (address.street, town, address.state, address.country_or_region)
    return ", ".join(part for part in parts if part) or None


def parse_subscription(item: SubscriptionItem) -> RemoteSubscription:
    """Return one subscription. Raises Malformed when its id or its end cannot be read."""
    expires_at = parse_instant(item.expiration_date_time or "")
    if not item.id or expires_at is None:
        raise Malformed("a subscription without an id or a readable expirationDateTime came back")
    return RemoteSubscription(
        id=item.id,
        resource=item.resource or "",
        notification_url=item.notification_url or "",
        lifecycle_url=item.lifecycle_notification_url or None,
        expires_at=expires_at,
    )

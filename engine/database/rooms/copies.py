"""Room copies as rows of the mirror, and back."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, tzinfo
from operator import attrgetter
from typing import Any

import msgspec

from engine.ids import BookableId, ICalUid
from engine.reconcile.observe import resolve_interval
from engine.rooms.event import Answer, EventCopy, EventStub, EventType
from engine.rooms.room import RoomBook
from engine.rooms.series import lone_key, series_uid

_encode = msgspec.json.Encoder().encode
decode_copy = msgspec.json.Decoder(EventCopy).decode
"""Read a payload of the mirror."""

_copy_values = attrgetter(*(field.name for field in fields(EventCopy)))
_COPY_NAMES = tuple(field.name for field in fields(EventCopy))


def make_row(
    room_id: BookableId,
    copy: EventCopy,
    *,
    zone: tzinfo,
    reading: int,
    now: datetime,
    book: RoomBook,
) -> dict[str, Any]:
    """Return the row of a single event, of a master, or of a date whose series nobody knows."""
    is_master = copy.type is EventType.MASTER
    interval = None if is_master else resolve_interval(copy, zone)
    return {
        "room_id": room_id,
        "event_id": copy.event_id,
        "ical_uid": None if is_master else _name_alone(copy),
        "series_master": copy.event_id if is_master else copy.series_master_id,
        "hydrated": False,
        "etag": copy.etag,
        "payload": _encode_redacted(copy, book),
        "start_at": interval.start if interval else None,
        "end_at": interval.end if interval else None,
        "live": is_live(copy),
        "gone": False,
        "doubt": False,
        "listed": False,
        "reading": reading,
        "observed_at": now,
        "modified_at": copy.modified_at,
        "unconfirmed": False,
    }


def make_date_row(
    room_id: BookableId,
    copy: EventCopy,
    key: ICalUid | None,
    *,
    zone: tzinfo,
    reading: int,
    now: datetime,
    book: RoomBook,
) -> dict[str, Any]:
    """Return the row of a date of a series, named *key*. Its payload says nothing of versions: all dates of a series
    get a new one whenever any of them changes, and only what a date says may tell whether it changed."""
    said = replace(copy, etag="", ical_uid=series_uid(copy.ical_uid), zone="")
    row = make_row(room_id, said, zone=zone, reading=reading, now=now, book=book)
    return {**row, "ical_uid": key, "etag": copy.etag, "hydrated": copy.type is EventType.OCCURRENCE}


def make_stub_row(room_id: BookableId, stub: EventStub, *, reading: int, now: datetime) -> dict[str, Any]:
    """Return the row of a date whose master has not come yet: in doubt, so that it is asked for if it does not come."""
    return {
        "room_id": room_id,
        "event_id": stub.event_id,
        "ical_uid": None,
        "series_master": stub.series_master_id,
        "hydrated": True,
        "etag": stub.etag,
        "payload": "",
        "start_at": stub.interval.start if stub.interval else None,
        "end_at": stub.interval.end if stub.interval else None,
        "live": True,
        "gone": False,
        "doubt": True,
        "listed": False,
        "reading": reading,
        "observed_at": now,
        "modified_at": None,
        "unconfirmed": False,
    }


def is_live(copy: EventCopy) -> bool:
    """Tell whether *copy* blocks its room."""
    return not (copy.is_cancelled or copy.is_draft or copy.answer is Answer.DECLINED)


def _name_alone(copy: EventCopy) -> ICalUid | None:
    """Return what names a meeting that came without a series: its uid, or the date it was mailed for by itself."""
    if copy.series_master_id is not None:
        return lone_key(copy.ical_uid)
    return lone_key(copy.ical_uid) or copy.ical_uid


def _encode_redacted(copy: EventCopy, book: RoomBook) -> str:
    """Keep what the sync needs: the rooms among attendees; no title (it is rewritten anyway), nothing private."""
    values = dict(zip(_COPY_NAMES, _copy_values(copy), strict=True))
    rooms = tuple([attendee for attendee in copy.attendees if book.by_address(attendee.address) is not None])
    values |= {
        "subject": "",
        "body_preview": "",
        "web_link": None,
        "attendees": rooms,
        "created_at": None,
        "modified_at": None,
    }
    return _encode(values).decode()

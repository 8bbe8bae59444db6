"""Room copies as rows of the mirror, and back."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
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

_NOT_KEPT = {"subject", "body_preview", "web_link", "created_at", "modified_at"}
"""Titles, which are rewritten anyway, and what says nothing of the meeting or has a column of its own."""

_kept = [field for field in fields(EventCopy) if field.name not in {*_NOT_KEPT, "attendees"}]
_needed = [field.name for field in _kept if field.default is MISSING or isinstance(field.default, str)]
_optional = [(field.name, field.default) for field in _kept if field.name not in _needed]
_Payload = msgspec.defstruct(
    "_Payload",
    [*_needed, *((name, Any, default) for name, default in _optional), ("attendees", Any, ())],
    omit_defaults=True,
    gc=False,
)
"""What is kept of an `EventCopy`, less what is as if nothing were said of it: half of the bytes. A text is always said:
msgspec knows a default by its identity, and equal copies must have equal payloads."""

_kept_values = attrgetter(*_needed, *(name for name, _ in _optional))


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
    """Keep what the sync needs: the rooms among attendees; no title, nothing private."""
    rooms = [attendee for attendee in copy.attendees if book.by_address(attendee.address) is not None]
    return _encode(_Payload(*_kept_values(copy), tuple(rooms))).decode()

"""Bases, drafts and recurrences as JSON values in rows, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from engine.ids import Address, BookableId
from engine.interval import Interval
from engine.loans.recurrence import Recurrence, Repeat, Week, Weekday
from engine.reconcile.ledger import Draft
from engine.reconcile.views import Base, Face
from engine.rooms.calendar import PLAIN, EventFields
from engine.rooms.event import Mailbox


def render_face(face: Face) -> dict[str, Any]:
    return {
        "start": face.interval.start.isoformat(),
        "end": face.interval.end.isoformat(),
        "requester": face.requester,
        "rooms": sorted(face.rooms),
    }


def parse_face(value: Mapping[str, Any]) -> Face:
    return Face(
        interval=Interval(datetime.fromisoformat(value["start"]), datetime.fromisoformat(value["end"])),
        requester=Address(value["requester"]),
        rooms=frozenset(BookableId(room) for room in value["rooms"]),
    )


def render_base(base: Base | None, *, read_at: datetime | None = None) -> dict[str, Any]:
    """Return *base* as a row keeps it; {} for none. *read_at*: when it was read, ahead of the rooms; None: not now."""
    if base is None:
        return {}
    read_at = read_at or base.read_at
    return {
        "outlook": render_face(base.outlook),
        "loan": render_face(base.loan),
        "subject": base.subject,
        "body": base.body,
        "private": base.private,
        **({"fields": render_fields(base.fields)} if base.fields != PLAIN else {}),
        **({"read_at": read_at.isoformat()} if read_at is not None else {}),
    }


def parse_base(value: Mapping[str, Any]) -> Base | None:
    if not value:
        return None
    return Base(
        parse_face(value["outlook"]),
        parse_face(value["loan"]),
        value.get("subject", ""),
        value.get("body", ""),
        parse_fields(value.get("fields")) or PLAIN,
        value.get("private"),
        datetime.fromisoformat(value["read_at"]) if "read_at" in value else None,
    )


def render_fields(fields: EventFields) -> dict[str, Any]:
    return {
        "categories": None if fields.categories is None else list(fields.categories),
        "show_as": fields.show_as,
        "location": fields.location,
        "custom": [list(each) for each in fields.custom],
    }


def parse_fields(value: Mapping[str, Any] | None) -> EventFields | None:
    """Return the fields a row keeps; None for none, and for rows from before there were any."""
    if value is None:
        return None
    categories = value["categories"]
    return EventFields(
        categories=None if categories is None else tuple(categories),
        show_as=value["show_as"],
        location=value["location"],
        custom=tuple((name, text) for name, text in value["custom"]),
    )


def render_draft(draft: Draft) -> dict[str, Any]:
    return {
        "start": draft.interval.start.isoformat() if draft.interval else None,
        "end": draft.interval.end.isoformat() if draft.interval else None,
        "subject": draft.subject,
        "body": draft.body,
        "rooms": render_mailboxes(draft.rooms),
        "drop": list(draft.drop_rooms),
        "marked_private": draft.private,
        **({"fields": render_fields(draft.fields)} if draft.fields is not None else {}),
        "marker": draft.marker,
    }


def parse_draft(value: Mapping[str, Any]) -> Draft:
    start, end = value.get("start"), value.get("end")
    return Draft(
        interval=Interval(datetime.fromisoformat(start), datetime.fromisoformat(end)) if start and end else None,
        subject=value.get("subject"),
        body=value.get("body"),
        rooms=parse_mailboxes(value.get("rooms", ())),
        drop_rooms=tuple(Address(address) for address in value.get("drop", ())),
        private=_parse_private(value),
        fields=parse_fields(value.get("fields")),
        marker=value.get("marker", ""),
    )


def render_mailboxes(mailboxes: Sequence[Mailbox]) -> list[list[str]]:
    return [[each.address, each.name] for each in mailboxes]


def parse_mailboxes(value: Sequence[Sequence[str]]) -> tuple[Mailbox, ...]:
    return tuple(Mailbox(Address(address), name) for address, name in value)


def _parse_private(value: Mapping[str, Any]) -> bool | None:
    """Return how to mark an event. Under its former name, `private`, a no meant: leave it as it is."""
    found: bool | None = value.get("marked_private", value.get("private") or None)
    return found


def render_recurrence(recurrence: Recurrence) -> dict[str, Any]:
    return {
        "repeat": recurrence.repeat.value,
        "first": recurrence.first.isoformat(),
        "start": recurrence.start.isoformat(),
        "minutes": int(recurrence.length.total_seconds() // 60),
        "zone": recurrence.zone,
        "every": recurrence.every,
        "weekdays": [day.value for day in recurrence.weekdays],
        "week": recurrence.week.value if recurrence.week else None,
        "until": recurrence.until.isoformat() if recurrence.until else None,
        "count": recurrence.count,
        "month_day": recurrence.month_day,
    }


def parse_recurrence(value: Mapping[str, Any] | None) -> Recurrence | None:
    if not value:
        return None
    return Recurrence(
        repeat=Repeat(value["repeat"]),
        first=date.fromisoformat(value["first"]),
        start=time.fromisoformat(value["start"]),
        length=timedelta(minutes=value["minutes"]),
        zone=value["zone"],
        every=value["every"],
        weekdays=tuple(Weekday(day) for day in value["weekdays"]),
        week=Week(value["week"]) if value["week"] else None,
        until=date.fromisoformat(value["until"]) if value["until"] else None,
        count=value["count"],
        month_day=value["month_day"],
    )

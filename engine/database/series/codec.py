"""Writes about series as JSON values in rows, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from engine.database.links.codec import (
    parse_fields,
    parse_mailboxes,
    parse_recurrence,
    render_fields,
    render_mailboxes,
    render_recurrence,
)
from engine.ids import Address, BookableId, EventId, ICalUid, LoanNumber
from engine.interval import Interval
from engine.reconcile.series.writes import SeriesDate, SeriesDraft, SeriesWrite, SeriesWriteKind
from engine.rooms.calendar import PLAIN


def read_series_write(row: Any, uid: str | None, zone: str) -> SeriesWrite:
    return SeriesWrite(
        id=row.id,
        series_id=row.series_id,
        kind=SeriesWriteKind(row.kind),
        mailbox=row.mailbox,
        event_id=EventId(row.event_id) if row.event_id else None,
        draft=parse_series_draft(row.payload),
        uid=ICalUid(uid) if uid else None,
        zone=zone,
        is_begun=row.is_begun,
    )


def render_series_draft(draft: SeriesDraft) -> dict[str, Any]:
    return {
        "recurrence": render_recurrence(draft.recurrence) if draft.recurrence else None,
        "subject": draft.subject,
        "fields": render_fields(draft.fields),
        "body": draft.body,
        "rooms": render_mailboxes(draft.rooms),
        "dates": [_render_date(each) for each in draft.dates],
        "left_out": [day.isoformat() for day in draft.left_out],
        "others": {day.isoformat(): render_mailboxes(rooms) for day, rooms in draft.others.items()},
        "private": draft.private,
        "marker": draft.marker,
        "drop": list(draft.drop_rooms),
        "last": draft.last.isoformat() if draft.last else None,
        "stays": list(draft.stays) if draft.stays else None,
        "successor": draft.successor,
    }


def parse_series_draft(value: Mapping[str, Any]) -> SeriesDraft:
    return SeriesDraft(
        recurrence=parse_recurrence(value["recurrence"]),
        subject=value["subject"],
        fields=parse_fields(value.get("fields")) or PLAIN,
        body=value["body"],
        rooms=parse_mailboxes(value["rooms"]),
        dates=tuple(_parse_date(each) for each in value["dates"]),
        left_out=tuple(date.fromisoformat(day) for day in value["left_out"]),
        others=MappingProxyType(
            {date.fromisoformat(day): parse_mailboxes(rooms) for day, rooms in value["others"].items()}
        ),
        private=value["private"],
        marker=value["marker"],
        drop_rooms=tuple(Address(address) for address in value["drop"]),
        last=date.fromisoformat(value["last"]) if value["last"] else None,
        stays=_parse_stays(value.get("stays")),  # writes kept by an earlier version have none
        successor=value["successor"],
    )


def _parse_stays(value: Sequence[int] | None) -> tuple[LoanNumber, LoanNumber] | None:
    return (LoanNumber(value[0]), LoanNumber(value[1])) if value else None


def _render_date(each: SeriesDate) -> dict[str, Any]:
    return {
        "number": each.number,
        "generation": each.generation,
        "version": each.version,
        "day": each.day.isoformat(),
        "start": each.interval.start.isoformat(),
        "end": each.interval.end.isoformat(),
        "requester": each.requester,
        "rooms": sorted(each.rooms),
    }


def _parse_date(value: Mapping[str, Any]) -> SeriesDate:
    return SeriesDate(
        number=LoanNumber(value["number"]),
        generation=value["generation"],
        version=value["version"],
        day=date.fromisoformat(value["day"]),
        interval=Interval(datetime.fromisoformat(value["start"]), datetime.fromisoformat(value["end"])),
        requester=Address(value["requester"]),
        rooms=frozenset(BookableId(room) for room in value["rooms"]),
    )

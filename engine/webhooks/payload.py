"""What webhooks say: `{"data": {...}, "meta": {"model", "event", "webhook_reason", "timestamp"}}`, as RDV's do.

`data` reads as the JSON API's. A private booking keeps its people and words to itself, whatever the endpoint may be
told; a store's text level says how much of any booking leaves (R15).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from engine.loans.loan import Case, Loan, LoanItem, TextLevel
from engine.outbox.changes import Event
from engine.rooms.room import Room

Data = Mapping[str, object]

_IMPERSONAL_FACTS = frozenset({"item", "item_id", "item_ids", "by_loan", "field", "minutes", "zone", "date", "count"})
"""Values of a case that speak of things, not of people or of what they wrote."""


def build_body(model: str, event: str, reason: str, at: datetime, data: Data) -> str:
    """Return a message's body: one line of JSON, in UTF-8 when sent."""
    meta = {"model": model, "event": event, "webhook_reason": reason, "timestamp": _instant(at)}
    return json.dumps({"data": data, "meta": meta}, ensure_ascii=False, separators=(",", ":"))


def loan_data(loan: Loan, link: str, level: TextLevel, *, personal: bool) -> Data:
    """Return what is told of a loan."""
    if level is TextLevel.LINK_ONLY:
        return {"number": loan.number, "link": link, "version": loan.version}
    blocked = loan.interval.blocked()
    tells = personal and level is TextLevel.FULL and not loan.private
    return {
        "number": loan.number,
        "link": link,
        "version": loan.version,
        "status": loan.status.value,
        "home": loan.home.value,
        "start": _instant(loan.interval.start),
        "end": _instant(loan.interval.end),
        "blocked_start": _instant(blocked.start),
        "blocked_end": _instant(blocked.end),
        "items": [_item(loan, item) for item in loan.items],
        "store": loan.store,
        "series": loan.series,
        "private": loan.private,
        "requester": {"name": loan.requester.name, "address": loan.requester.address} if tells else None,
        "title": loan.title if tells else "",
        "notes": loan.notes if tells else "",
    }


def _item(loan: Loan, item: LoanItem) -> Data:
    return {
        "kind": item.kind.value,
        "id": item.id,
        "name": item.name,
        "address": item.address,
        "state": loan.told_state(item).value,
    }


def room_data(room: Room, store: str) -> Data:
    """Return what is told of a room."""
    return {
        "id": room.id,
        "name": room.name,
        "address": room.address,
        "state": room.state.value,
        "store": store,
        "capacity": room.capacity,
        "building": room.building,
        "floor": room.floor,
        "tags": list(room.tags),
        "features": list(room.features),
        "time_zone": room.time_zone,
    }


def closure_data(room: Room, since: datetime | None, detail: str | None) -> Data:
    """
    Return what is told of a closure: a stretch in which a room takes no bookings of ours.

    It is named by its room, which has one at most. `end` is unknown until it is over, and then the event is
    `destroyed`. `cause` is the room's state; `active` says that it is over.
    """
    return {
        "id": room.id,
        "room": {"id": room.id, "name": room.name, "address": room.address},
        "cause": room.state.value,
        "detail": detail,
        "start": _instant(since) if since is not None else None,
        "end": None,
    }


def case_data(case: Case, sentences: Mapping[str, str], *, personal: bool) -> Data:
    """Return what is told of a case; *sentences* explain it, by language. They name people, as its values do."""
    facts = dict(case.facts) if personal else {k: v for k, v in case.facts.items() if k in _IMPERSONAL_FACTS}
    return {
        "id": case.id,
        "code": case.code,
        "state": case.state.value,
        "opened_at": _instant(case.opened_at),
        "closed_at": _instant(case.closed_at) if case.closed_at is not None else None,
        "settlement": case.settlement if personal else None,
        "loan": case.loan_number,
        "room_id": case.room_id,
        "room": case.room,
        "facts": facts,
        "text": dict(sentences) if personal else {},
    }


def gone_data(key: str, number: int) -> Data:
    """Return what is told of something of which only the number is left."""
    return {key: number}


def ping_body(at: datetime, endpoint_id: int) -> str:
    """Return the body of a test message."""
    return build_body("ping", Event.CREATED.value, "ping", at, {"endpoint": endpoint_id, "hello": "Accord"})


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

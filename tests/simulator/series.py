"""What the tests of series share: a weekly series in the aula, and how to look at it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from engine.simulator.people import event_path
from tests.simulator.virtual import SimulatedWorld

PARIS = "Romance Standard Time"
AULA = "aula@example.org"
STUDIO = "studio@example.org"
ALEX = "/users/alex@example.org"
WINDOW = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-11-01T00:00:00Z"


def weekly(*days: str, until: str | None = None, times: int | None = None, start: str = "2026-11-30") -> dict[str, Any]:
    """A weekly recurrence from *start* on, Mondays unless told otherwise."""
    kind = {"type": "endDate", "endDate": until} if until else {"type": "numbered", "numberOfOccurrences": times}
    return {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": list(days or ("monday",))},
        "range": {"startDate": start, **(kind if until or times else {"type": "noEnd"})},
    }


def series_body(
    recurrence: dict[str, Any], *, hour: int = 10, rooms: tuple[str, ...] = (AULA,), **more: Any
) -> dict[str, Any]:
    """The body of a POST: one hour by the wall clock of Paris, from the range's start on."""
    day = recurrence["range"]["startDate"]
    return {
        "subject": "Standup",
        "start": {"dateTime": f"{day}T{hour:02}:00:00", "timeZone": PARIS},
        "end": {"dateTime": f"{day}T{hour + 1:02}:00:00", "timeZone": PARIS},
        "recurrence": recurrence,
        "attendees": [{"type": "resource", "emailAddress": {"address": room, "name": room}} for room in rooms],
        **more,
    }


def book_series(world: SimulatedWorld, recurrence: dict[str, Any], *, by: str = ALEX, **more: Any) -> dict[str, Any]:
    """Book a series and let everybody answer."""
    answer = world.call("POST", f"{by}/events", series_body(recurrence, **more))
    assert answer.status == 201, answer.body
    world.settle()
    return dict(answer.json())


def instances(world: SimulatedWorld, master: dict[str, Any], *, of: str = ALEX) -> list[dict[str, Any]]:
    """The organizer's occurrences, or those of another mailbox's copy, by the calendar."""
    found: list[dict[str, Any]] = world.get(f"{of}{event_path(master['id'])}/instances?{WINDOW}&$top=1000")["value"]
    return found


def room_view(world: SimulatedWorld, room: str = AULA) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.get(f"/users/{room}/calendarView?{WINDOW}&$top=1000")["value"]
    return found


def room_master(world: SimulatedWorld, room: str = AULA) -> dict[str, Any]:
    [found] = [item for item in world.get(f"/users/{room}/events")["value"] if item["type"] == "seriesMaster"]
    return dict(found)


def change(world: SimulatedWorld, event: dict[str, Any], *, by: str = ALEX, **body: Any) -> dict[str, Any]:
    answer = world.call("PATCH", f"{by}/events/{quote(event['id'], safe='')}", body)
    assert answer.status == 200, answer.body
    world.settle()
    return dict(answer.json())


def remove(world: SimulatedWorld, event: dict[str, Any], *, by: str = ALEX) -> None:
    assert world.call("DELETE", f"{by}/events/{quote(event['id'], safe='')}").status == 204
    world.settle()


def at(day: str, hour: int, minute: int = 0) -> dict[str, str]:
    return {"dateTime": f"{day}T{hour:02}:{minute:02}:00", "timeZone": PARIS}


def starts(events: list[dict[str, Any]]) -> list[str]:
    """The starts in UTC, to the minute."""
    return [event["start"]["dateTime"][:16] for event in events]


def response_of(event: dict[str, Any], room: str = AULA) -> str:
    [found] = [a for a in event["attendees"] if a["emailAddress"]["address"] == room]
    return str(found["status"]["response"])


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)

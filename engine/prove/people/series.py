"""Series as people at Outlook make them in a simulated world, and the loans that follow them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from engine.loans.loan import Loan
from engine.prove.world.world import World

PARIS = "Romance Standard Time"
PLACE = ZoneInfo("Europe/Paris")
STEPS = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
"""From one date to the next."""

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def recurrence(
    first: date, *, kind: str = "weekly", times: int | None = 4, until: date | None = None
) -> dict[str, Any]:
    """Return a pattern that begins on *first*: each week on its weekday, or each day."""
    pattern: dict[str, Any] = {"type": kind, "interval": 1}
    if kind == "weekly":
        pattern["daysOfWeek"] = [DAYS[first.weekday()]]
    end: dict[str, Any] = {"type": "noEnd"}
    if until is not None:
        end = {"type": "endDate", "endDate": f"{until}"}
    elif times is not None:
        end = {"type": "numbered", "numberOfOccurrences": times}
    return {"pattern": pattern, "range": {"startDate": f"{first}", **end}}


def book_series(
    world: World,
    person: int,
    first: date,
    hour: float,
    *rooms: int,
    length: float = 1.0,
    zone: str = PARIS,
    **more: Any,
) -> dict[str, Any]:
    """Book a series in Outlook, its hours on the wall clock of *zone*; *more* goes to `recurrence`."""
    begins = datetime.combine(first, datetime.min.time()) + timedelta(hours=hour)
    ends = begins + timedelta(hours=length)
    body = {
        "subject": "Standup",
        "start": {"dateTime": begins.isoformat(), "timeZone": zone},
        "end": {"dateTime": ends.isoformat(), "timeZone": zone},
        "recurrence": recurrence(first, **more),
        "attendees": world.invitations(rooms),
    }
    made: dict[str, Any] = world.run(world.person(person).call("POST", "/events", body))
    return made


def at(day: date, hour: float) -> datetime:
    """Return an instant by the wall clock of Paris."""
    return (datetime.combine(day, datetime.min.time(), PLACE) + timedelta(hours=hour)).astimezone(UTC)


def starts(loans: tuple[Loan, ...]) -> list[datetime]:
    return sorted(loan.interval.start for loan in loans)

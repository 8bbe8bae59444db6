"""
What a client sends to Graph about series: recurrences in a few words, and "this and following". Pure.

Graph has no call for "this and following": Outlook ends the old series the day before and books the rest anew, with
other ids (observed by developers, OutlookGoogleCalendarSync issue 2253).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Any

from engine.simulator.calendars.recurrence import WEEKDAYS, dates_of, parse_recurrence
from engine.simulator.times import find_zone, parse_when, render_local

KEPT = ("subject", "body", "location", "showAs", "sensitivity", "isAllDay", "importance", "hideAttendees")
"""What the rest of a series takes over as it is."""


def recur(
    start: date,
    kind: str = "weekly",
    *,
    every: int = 1,
    days: Iterable[str] = (),
    index: str = "first",
    until: date | None = None,
    times: int | None = None,
    zone: str | None = None,
) -> dict[str, Any]:
    """
    Return a patternedRecurrence that begins on *start*; without *until* and *times* it has no end.

    Args:
        kind: a pattern type of Graph. days: of the week; those of *start* where a pattern needs some. index: for the
            relative patterns. zone: whose wall clock holds; that of the event's start when None.
    """
    named = [day.lower() for day in days] or [WEEKDAYS[start.weekday()]]
    pattern: dict[str, Any] = {"type": kind, "interval": every}
    if kind == "weekly" or kind.startswith("relative"):
        pattern["daysOfWeek"] = named
    if kind.startswith("relative"):
        pattern["index"] = index
    if kind.startswith("absolute"):
        pattern["dayOfMonth"] = start.day
    if kind.endswith("Yearly"):
        pattern["month"] = start.month
    span: dict[str, Any] = {"type": "noEnd", "startDate": start.isoformat()}
    if times is not None:
        span |= {"type": "numbered", "numberOfOccurrences": times}
    elif until is not None:
        span |= {"type": "endDate", "endDate": until.isoformat()}
    if zone is not None:
        span["recurrenceTimeZone"] = zone
    return {"pattern": pattern, "range": span}


def shift(recurrence: dict[str, Any], days: int) -> dict[str, Any]:
    """Return *recurrence* some days later: other days of the week or month, the same end."""
    pattern, span = dict(recurrence["pattern"]), dict(recurrence["range"])
    start = date.fromisoformat(span["startDate"]) + timedelta(days=days)
    span["startDate"] = start.isoformat()
    if pattern["type"] == "weekly":
        pattern["daysOfWeek"] = [WEEKDAYS[(WEEKDAYS.index(day) + days) % 7] for day in pattern["daysOfWeek"]]
    if pattern["type"].startswith("absolute"):
        pattern["dayOfMonth"] = start.day
    if pattern["type"] == "absoluteYearly":
        pattern["month"] = start.month
    if span["type"] == "endDate":
        span["endDate"] = max(span["endDate"], span["startDate"])
    return {"pattern": pattern, "range": span}


def zone_of(master: dict[str, Any]) -> str:
    """Return the zone a series is counted out in, from its master as Graph shows it."""
    return str(master["recurrence"]["range"]["recurrenceTimeZone"] or master["originalStartTimeZone"])


def day_of(occurrence: dict[str, Any], zone: str) -> date:
    """Return the date the pattern put an occurrence or exception on."""
    return parse_when(occurrence["originalStart"]).astimezone(find_zone(zone)).date()


class NoDateLeft(ValueError):
    """Somebody wants to change dates of a series that has ended by then."""


def first_day(master: dict[str, Any]) -> date:
    """Return the date of a series' first occurrence."""
    first = dates_of(parse_recurrence(master["recurrence"], zone_of(master))).first
    assert first is not None  # Exchange keeps no series without a date
    return first


def end_before(master: dict[str, Any], day: date) -> dict[str, Any] | None:
    """
    Return the PATCH that ends a series before *day*; None when nothing would be left of it.

    Raises NoDateLeft when it has ended by then: a later end would make it longer.
    """
    dates = dates_of(parse_recurrence(master["recurrence"], zone_of(master)))
    if dates.last is not None and dates.last < day:
        raise NoDateLeft(f"the series has no date from {day} on")
    if first_day(master) >= day:
        return None
    last = (day - timedelta(days=1)).isoformat()
    span = {**master["recurrence"]["range"], "type": "endDate", "endDate": last}
    return {"recurrence": {"pattern": master["recurrence"]["pattern"], "range": span}}


def begin_at(master: dict[str, Any], day: date, **changes: Any) -> dict[str, Any]:
    """
    Return the POST that books the dates from *day* on as a series of its own.

    *changes* are properties of the new series; a `start` on another day than *day* takes the pattern along. Without
    one, *day* is a date of the pattern.
    """
    zone = zone_of(master)
    recurrence = parse_recurrence(master["recurrence"], zone)
    span = {**master["recurrence"]["range"], "startDate": day.isoformat(), "recurrenceTimeZone": zone}
    if recurrence.occurrences:
        earlier = sum(1 for _ in takewhile(lambda found: found < day, dates_of(recurrence).after(date.min)))
        span["numberOfOccurrences"] = recurrence.occurrences - earlier
    wanted = {"pattern": master["recurrence"]["pattern"], "range": span}
    if "start" in changes:
        given = changes["start"]
        moment = parse_when(given["dateTime"], given["timeZone"]).astimezone(find_zone(zone))
        wanted = shift(wanted, (moment.date() - day).days)
    guests = [{name: item[name] for name in ("type", "emailAddress")} for item in master["attendees"]]
    kept = {name: master[name] for name in KEPT}
    return {**kept, "attendees": guests, **_times_on(master, day, zone), "recurrence": wanted, **changes}


def _times_on(master: dict[str, Any], day: date, zone: str) -> dict[str, Any]:
    """Return start and end on *day* by the wall clock of the series; an all-day series has dates, not instants."""
    local = UTC if master["isAllDay"] else find_zone(zone)
    first, last = (parse_when(master[name]["dateTime"]).astimezone(local) for name in ("start", "end"))
    start = datetime.combine(day, first.time())
    end = start + (last.replace(tzinfo=None) - first.replace(tzinfo=None))
    return {name: {"dateTime": f"{moment:%Y-%m-%dT%H:%M:%S}", "timeZone": zone} for name, moment in
            (("start", start), ("end", end))}  # fmt: skip


def move_all(master: dict[str, Any], day: date, start: datetime, end: datetime) -> dict[str, Any]:
    """
    Return the PATCH that moves a whole series so that its date on *day* is at *start* to *end*, aware instants.

    Raises ValueError when the moved pattern has no date before the series' end.
    """
    zone = zone_of(master)
    local = find_zone(zone)
    days = (start.astimezone(local).date() - day).days
    recurrence = shift(master["recurrence"], days)
    first = dates_of(parse_recurrence(recurrence, zone)).first
    if first is None:
        raise ValueError("moved there, the series would have no date before its end")
    later = first - start.astimezone(local).date()
    times = {}
    for name, moment in (("start", start), ("end", end)):
        clock = moment.astimezone(local).replace(tzinfo=None) + later
        times[name] = {"dateTime": f"{clock:%Y-%m-%dT%H:%M:%S}", "timeZone": zone}
    recurrence["range"]["startDate"] = first.isoformat()
    return {**times, "recurrence": recurrence}


def times_in(start: datetime, end: datetime, zone: str) -> dict[str, Any]:
    """Return `start` and `end` of a body by the wall clock of *zone*."""
    return {name: {"dateTime": render_local(moment, zone), "timeZone": zone} for name, moment in
            (("start", start), ("end", end))}  # fmt: skip

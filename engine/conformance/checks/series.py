"""Recurring meetings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from engine.conformance.check import check, same
from engine.conformance.stage import Stage, when, window

SERIES, INSTANCES = "Graph: outlook-schedule-recurring-events", "Graph: event-list-instances"
WEEK = timedelta(days=7)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


async def weekly(stage: Stage, times: int = 3, **more: Any) -> tuple[dict[str, Any], datetime, datetime]:
    """Make a weekly series; return its master and the first date's times."""
    start, end = await stage.slot()
    recurrence = {
        "pattern": {
            "type": "weekly",
            "interval": 1,
            "daysOfWeek": [DAYS[start.weekday()]],
            "firstDayOfWeek": "monday",
        },
        "range": {"type": "numbered", "startDate": f"{start:%Y-%m-%d}", "numberOfOccurrences": times},
    }
    return await stage.make(stage.body(start, end, recurrence=recurrence, **more)), start, end


async def dates(stage: Stage, master: dict[str, Any], start: datetime) -> list[dict[str, Any]]:
    """Return the dates of a series in the twelve weeks from *start*."""
    tail = f"/instances?{window(start - WEEK, start + 12 * WEEK)}&$top=50"
    answer = await stage.ask("GET", stage.path(stage.person, master["id"], tail))
    answer.expect(200)
    return sorted(answer.value, key=lambda each: str(each["start"]["dateTime"]))


@check(SERIES)
async def a_series_is_one_master(stage: Stage) -> None:
    """A recurring event is a `seriesMaster` that shows its pattern and range, the first date's times, and no master."""
    master, start, _ = await weekly(stage)
    same("type", master["type"], "seriesMaster")
    same("pattern", master["recurrence"]["pattern"]["type"], "weekly")
    same("dates", master["recurrence"]["range"]["numberOfOccurrences"], 3)
    same("start", master["start"]["dateTime"][:19], f"{start:%Y-%m-%dT%H:%M:%S}")
    same("seriesMasterId", master["seriesMasterId"], None)


@check(INSTANCES)
async def instances_are_the_dates(stage: Stage) -> None:
    """`/instances` shows every date as `occurrence` with an id of its own and the master's id."""
    master, start, _ = await weekly(stage)
    found = await dates(stage, master, start)
    same(
        "starts", [each["start"]["dateTime"][:10] for each in found], [f"{start + n * WEEK:%Y-%m-%d}" for n in range(3)]
    )
    same("types", {each["type"] for each in found}, {"occurrence"})
    same("masters", {each["seriesMasterId"] for each in found}, {master["id"]})
    same("ids", len({each["id"] for each in found}), 3)


@check("Graph: calendar-list-calendarview")
async def a_view_shows_dates_and_no_master(stage: Stage) -> None:
    """calendarView lists occurrences; `/events` lists the master and no occurrence."""
    master, start, end = await weekly(stage)
    same("in the view", {each["type"] for each in await stage.view(stage.person, start, end)}, {"occurrence"})
    same("in the list", [each["type"] for each in await stage.copies(stage.person, master)], ["seriesMaster"])


@check("MS-OXOCAL 2.2.1.27; graph-docs 17479")
async def every_date_has_a_uid(stage: Stage) -> None:
    """Dates of a series have an iCalUId each, other than the master's."""
    master, start, _ = await weekly(stage)
    found = {each["iCalUId"] for each in await dates(stage, master, start)}
    same("different uids", len(found - {master["iCalUId"]}), 3)


@check("Graph: event")
async def a_changed_date_is_an_exception(stage: Stage) -> None:
    """A date that was moved becomes an `exception` with the same id; `originalStart` tells where it was."""
    master, start, _ = await weekly(stage)
    second = (await dates(stage, master, start))[1]
    later = start + WEEK + timedelta(hours=1)
    body = {"start": when(later), "end": when(later + timedelta(hours=1))}
    changed = (await stage.ask("PATCH", stage.path(stage.person, second["id"]), body)).expect(200)
    same("type", changed["type"], "exception")
    same("id", changed["id"], second["id"])
    same("originalStart", changed["originalStart"][:16], f"{start + WEEK:%Y-%m-%dT%H:%M}")


@check("Graph: event-update", "B57")
async def a_date_cannot_pass_its_neighbour(stage: Stage) -> None:
    """A date moved onto the day of the next one: 400 ErrorOccurrenceCrossingBoundary."""
    master, start, _ = await weekly(stage)
    second = (await dates(stage, master, start))[1]
    there = start + 2 * WEEK + timedelta(hours=2)
    body = {"start": when(there), "end": when(there + timedelta(hours=1))}
    answer = await stage.ask("PATCH", stage.path(stage.person, second["id"]), body)
    answer.refuse(400, "ErrorOccurrenceCrossingBoundary")


@check("Graph: event")
async def a_cancelled_date_is_gone_and_listed(stage: Stage) -> None:
    """A date that was deleted is in no view; the master names it in `cancelledOccurrences` when that is selected."""
    master, start, _ = await weekly(stage)
    second = (await dates(stage, master, start))[1]
    (await stage.ask("DELETE", stage.path(stage.person, second["id"]))).expect(204)
    same("dates left", len(await dates(stage, master, start)), 2)
    path = stage.path(stage.person, master["id"], "?$select=subject,cancelledOccurrences")
    found = (await stage.ask("GET", path)).expect(200)
    same("cancelled", [each[-10:] for each in found["cancelledOccurrences"]], [f"{start + WEEK:%Y-%m-%d}"])


@check("Graph: event")
async def exceptions_are_expanded_on_request(stage: Stage) -> None:
    """`$select` and `$expand` of `exceptionOccurrences` show the changed dates with the master."""
    master, start, _ = await weekly(stage)
    second = (await dates(stage, master, start))[1]
    (await stage.ask("PATCH", stage.path(stage.person, second["id"]), {"subject": "Other"})).expect(200)
    tail = "?$select=subject,exceptionOccurrences&$expand=exceptionOccurrences"
    found = (await stage.ask("GET", stage.path(stage.person, master["id"], tail))).expect(200)
    same("exceptions", [each["subject"] for each in found["exceptionOccurrences"]], ["Other"])


@check("MS-OXOCAL 3.1.4.7.3.5")
async def another_pattern_ends_the_exceptions(stage: Stage) -> None:
    """Other times of the whole series put every date back on its pattern."""
    master, start, _ = await weekly(stage)
    second = (await dates(stage, master, start))[1]
    (await stage.ask("PATCH", stage.path(stage.person, second["id"]), {"subject": "Other"})).expect(200)
    later = start + timedelta(hours=2)
    body = {"start": when(later), "end": when(later + timedelta(hours=1))}
    (await stage.ask("PATCH", stage.path(stage.person, master["id"]), body)).expect(200)
    same("types", {each["type"] for each in await dates(stage, master, start)}, {"occurrence"})


@check("Graph: event-update")
async def an_unreadable_pattern_is_refused(stage: Stage) -> None:
    """A pattern without its days: 400."""
    start, end = await stage.slot()
    recurrence = {
        "pattern": {"type": "weekly", "interval": 0, "daysOfWeek": []},
        "range": {"type": "numbered", "startDate": f"{start:%Y-%m-%d}", "numberOfOccurrences": 3},
    }
    (await stage.try_to_make(stage.body(start, end, recurrence=recurrence))).refuse(400)


@check("Set-CalendarProcessing")
async def a_room_accepts_a_series_as_a_whole(stage: Stage) -> None:
    """A free room accepts a series; its copy is a series with the same iCalUId and dates."""
    master, start, _ = await weekly(stage, attendees=_room(stage))
    await stage.answered(master, stage.room, "accepted")
    (copy,) = await stage.copies(stage.room, master)
    same("type", copy["type"], "seriesMaster")
    held = await stage.view(stage.room, start, start + 3 * WEEK)
    same("dates in the room", len([each for each in held if each["seriesMasterId"] == copy["id"]]), 3)


def _room(stage: Stage) -> list[dict[str, Any]]:
    return [{"type": "resource", "emailAddress": {"address": stage.room}}]

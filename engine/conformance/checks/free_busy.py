"""getSchedule: who is free when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from engine.conformance.check import check, holds, same
from engine.conformance.checks.errors import stranger
from engine.conformance.client import Answer
from engine.conformance.stage import Stage, when

SCHEDULE = "Graph: calendar-getschedule"
QUARTER = timedelta(minutes=15)


async def schedule(stage: Stage, addresses: list[str], start: datetime, end: datetime, minutes: int = 15) -> Answer:
    body: dict[str, Any] = {
        "schedules": addresses,
        "startTime": when(start),
        "endTime": when(end),
        "availabilityViewInterval": minutes,
    }
    return await stage.ask("POST", stage.path(stage.person, tail="/calendar/getSchedule"), body)


@check(SCHEDULE)
async def a_booked_room_is_busy_in_quarters(stage: Stage) -> None:
    """Quarters a meeting touches are `2`, those around it `0`; the item tells its times and no id."""
    event = await stage.accepted()
    start = datetime.fromisoformat(event["start"]["dateTime"][:19])

    async def look() -> dict[str, Any] | None:
        answer = await schedule(stage, [stage.room], start - QUARTER, start + 5 * QUARTER)
        answer.expect(200)
        return answer.value[0] if "2" in answer.value[0]["availabilityView"] else None

    found = await stage.until("the room is busy", look)
    assert found is not None
    same("availabilityView", found["availabilityView"], "022220")
    (item,) = found["scheduleItems"]
    same("status", item["status"], "busy")
    holds("no id", "id" not in item)


@check("Graph: scheduleinformation")
async def an_unknown_address_fails_alone(stage: Stage) -> None:
    """An address nobody has is answered by an error of its own, inside a 200."""
    start, end = await stage.slot()
    answer = await schedule(stage, [stage.room, stranger(stage)], start, end)
    answer.expect(200)
    same("order", [each["scheduleId"].lower() for each in answer.value], [stage.room.lower(), stranger(stage)])
    holds("the first has a view", answer.value[0].get("availabilityView"))
    holds("the second has an error", answer.value[1].get("error"))


@check(SCHEDULE)
async def twenty_schedules_at_most(stage: Stage) -> None:
    """Twenty-one addresses in one call: 400."""
    start, end = await stage.slot()
    (await schedule(stage, [stage.room] * 21, start, end)).refuse(400)


@check(SCHEDULE)
async def an_interval_is_five_minutes_to_a_day(stage: Stage) -> None:
    """An interval of four minutes: 400."""
    start, end = await stage.slot()
    (await schedule(stage, [stage.room], start, end, 4)).refuse(400)


@check(SCHEDULE)
async def a_period_ends_after_it_begins_and_is_not_too_long(stage: Stage) -> None:
    """An end before the start, or more than 62 days: 400."""
    start, end = await stage.slot()
    (await schedule(stage, [stage.room], end, start)).refuse(400)
    (await schedule(stage, [stage.room], start, start + timedelta(days=70))).refuse(400)

"""
Timetables as booking load: a CSV of weekly classes becomes rooms and one meeting per date, or one series per class.

Columns: room, capacity, class, limit, days (7 flags, Monday first), weeks (14 flags), start_minute (local, after
midnight), length_minutes: the shape into which the problems of the International Timetabling Competition 2019 flatten.
"""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engine.simulator.calendars.recurrence import WEEKDAYS
from engine.simulator.series_calls import recur
from engine.simulator.tenant import Tenant
from engine.simulator.times import render_local
from engine.simulator.wire import encode_json

CONCURRENT_MAX = 4
Send = Callable[[str, str, dict[str, str], bytes], Any]


@dataclass(frozen=True, slots=True)
class TimetableClass:
    """One line: a class that meets at one time of day on some days of some weeks."""

    room: str
    capacity: int
    name: str
    limit: int
    days: tuple[int, ...]
    weeks: tuple[int, ...]
    start_minute: int
    length_minutes: int


@dataclass(frozen=True, slots=True)
class TimetableEvent:
    """One date of one class, or its first one and how it recurs; instants are aware UTC."""

    room: str
    capacity: int
    name: str
    people: int
    start: datetime
    end: datetime
    recurrence: dict[str, Any] | None = None
    """A patternedRecurrence as Graph writes it; None for a date by itself."""


def read_timetable(path: Path | str) -> tuple[TimetableClass, ...]:
    """Read a timetable CSV; raises ValueError or KeyError when it is none."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return tuple(_parse_line(line) for line in csv.DictReader(file))


def _parse_line(line: dict[str, str]) -> TimetableClass:
    return TimetableClass(
        room=line["room"], capacity=int(line["capacity"]), name=line["class"], limit=int(line["limit"]),
        days=_flags(line["days"]), weeks=_flags(line["weeks"]), start_minute=int(line["start_minute"]),
        length_minutes=int(line["length_minutes"]),
    )  # fmt: skip


def _flags(text: str) -> tuple[int, ...]:
    return tuple(index for index, flag in enumerate(text) if flag == "1")


def load_timetable(
    path: Path | str, weeks: int | range, first_monday: date, zone: str = "Europe/Prague"
) -> tuple[TimetableEvent, ...]:
    """
    Return every date of some weeks, by start time.

    Args:
        weeks: so many from the first on, or just these, counted from 1.
        first_monday: the Monday of week one. zone: where `start_minute` is read; wall-clock time holds across DST.
    """
    wanted = range(1, weeks + 1) if isinstance(weeks, int) else weeks
    found = [
        event for item in read_timetable(path) for event in _dates(item, wanted, first_monday, ZoneInfo(zone))
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda event: (event.start, event.room, event.name)))


def _dates(item: TimetableClass, weeks: range, monday: date, zone: ZoneInfo) -> Iterator[TimetableEvent]:
    clock = time(item.start_minute // 60, item.start_minute % 60)
    for week in item.weeks:
        for day in item.days if week + 1 in weeks else ():
            start = datetime.combine(monday + timedelta(weeks=week, days=day), clock, zone).astimezone(UTC)
            end = start + timedelta(minutes=item.length_minutes)
            yield TimetableEvent(item.room, item.capacity, item.name, item.limit, start, end)


def load_series(
    path: Path | str, weeks: int | range, first_monday: date, zone: str = "Europe/Prague"
) -> tuple[TimetableEvent, ...]:
    """
    Return a weekly series per class, by start time; arguments as for `load_timetable`.

    A class that skips weeks regularly recurs every so many weeks; one that skips them otherwise has a series per run of
    weeks.
    """
    wanted = range(1, weeks + 1) if isinstance(weeks, int) else weeks
    found = [
        series for item in read_timetable(path) for series in _series(item, wanted, first_monday, ZoneInfo(zone))
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda event: (event.start, event.room, event.name)))


def _series(item: TimetableClass, weeks: range, monday: date, zone: ZoneInfo) -> Iterator[TimetableEvent]:
    clock = time(item.start_minute // 60, item.start_minute % 60)
    for run in _runs([week for week in item.weeks if week + 1 in weeks]):
        days = [monday + timedelta(weeks=run[0], days=day) for day in item.days]
        if not days:
            return
        recurrence = recur(
            days[0], every=run.step, days=[WEEKDAYS[day.weekday()] for day in days], times=len(run) * len(days),
            zone=zone.key,
        )  # fmt: skip
        recurrence["pattern"]["firstDayOfWeek"] = "monday"
        start = datetime.combine(days[0], clock, zone).astimezone(UTC)
        end = start + timedelta(minutes=item.length_minutes)
        yield TimetableEvent(item.room, item.capacity, item.name, item.limit, start, end, recurrence)


def _runs(weeks: list[int]) -> Iterator[range]:
    """Yield the weeks as one run of equal steps where they are one, else as runs of weeks in a row."""
    steps = {later - earlier for earlier, later in pairwise(weeks)}
    if len(steps) < 2:
        yield from [range(weeks[0], weeks[-1] + 1, steps.pop() if steps else 1)] if weeks else []
        return
    first = weeks[0]
    for week, following in zip_longest(weeks, weeks[1:]):
        if following != week + 1:
            yield range(first, week + 1)
            first = following


def room_address(room: str, domain: str = "example.org") -> str:
    """Return the mailbox address of a timetable's room."""
    return f"room-{room.lower()}@{domain}"


def add_rooms(tenant: Tenant, events: Iterable[TimetableEvent], *, zone: str = "Europe/Prague") -> list[str]:
    """Set up the rooms that are missing; returns all addresses. Their booking window is opened for a whole term."""
    capacities = {event.room: event.capacity for event in events}
    for room, capacity in sorted(capacities.items()):
        if tenant.world.find_mailbox(room_address(room)) is None:
            tenant.office.add_room(room_address(room), f"Room {room}", capacity=capacity, zone=zone)
            tenant.office.set_processing(room_address(room), booking_window_in_days=1080)
    tenant.world.store.flush()
    return [room_address(room) for room in sorted(capacities)]


def add_teachers(tenant: Tenant, count: int) -> list[str]:
    """Hire *count* teachers who organize the classes; returns their addresses."""
    addresses = [f"teacher-{number}@example.org" for number in range(1, count + 1)]
    for number, address in enumerate(addresses, start=1):
        if tenant.world.find_mailbox(address) is None:
            tenant.office.add_person(address, f"Teacher {number}")
    tenant.world.store.flush()
    return addresses


def pour(tenant: Tenant, events: Iterable[TimetableEvent], *, zone: str = "Europe/Prague", teachers: int = 20) -> int:
    """Put *events* into a tenant as meetings that were accepted long ago; returns how many."""
    listed = tuple(events)
    add_rooms(tenant, listed, zone=zone)
    organizers = add_teachers(tenant, teachers)
    for event in listed:
        tenant.office.place_accepted(
            room_address(event.room), _organizer(event, organizers), subject=f"Class {event.name}", start=event.start,
            end=event.end, zone=zone, recurrence=event.recurrence,
        )  # fmt: skip
    tenant.world.store.flush()
    return len(listed)


def _organizer(event: TimetableEvent, organizers: list[str]) -> str:
    return organizers[sum(event.name.encode()) % len(organizers)]


async def pour_over_http(
    send: Send,
    base_url: str,
    events: Iterable[TimetableEvent],
    organizers: list[str],
    *,
    token: str = "demo",
    workers: int = 16,
    zone: str = "Europe/Prague",
    progress: Callable[[int, int], None] | None = None,
    sleep: Callable[[float], Any] = asyncio.sleep,
) -> int:
    """
    Book *events* through Graph: one POST each, at most four at a time per organizer, Retry-After obeyed.

    Args:
        send: `await send(method, url, headers, body)` returns something with `status` and `headers`; `Tenant.handle`
            fits, and so does `make_sender(session)`.
        base_url: ends in /v1.0. organizers: addresses that exist. progress: told (done, all) after each event.

    Returns:
        How many were created. Raises RuntimeError for an answer that no retry heals.
    """
    queue = list(events)[::-1]
    total, done = len(queue), 0
    gates = {address: asyncio.Semaphore(CONCURRENT_MAX) for address in organizers}

    async def work() -> None:
        nonlocal done
        while queue:
            event = queue.pop()
            address = _organizer(event, organizers)
            async with gates[address]:
                await _book(send, f"{base_url}/users/{address}/events", event, token=token, zone=zone, sleep=sleep)
            done += 1
            if progress is not None:
                progress(done, total)

    await asyncio.gather(*(work() for _ in range(min(workers, max(1, total)))))
    return done


async def _book(
    send: Send, url: str, event: TimetableEvent, *, token: str, zone: str, sleep: Callable[[float], Any]
) -> None:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = encode_json(render_request(event, zone))
    for _ in range(50):
        answer = await send("POST", url, headers, body)
        if answer.status == 201:
            return
        if answer.status not in (429, 503, 504):
            raise RuntimeError(f"booking class {event.name} at {event.start} was refused: {answer.status}")
        await sleep(_wait(answer.headers))
    raise RuntimeError(f"booking class {event.name} at {event.start} was put off 50 times")


def _wait(headers: Any) -> float:
    return float({name.lower(): value for name, value in headers.items()}.get("retry-after", 1.0))


def render_request(event: TimetableEvent, zone: str) -> dict[str, Any]:
    """Return the body of the POST that books *event*; its transactionId makes a repeat harmless."""
    address, name = room_address(event.room), f"Room {event.room}"
    kind = "series" if event.recurrence else "class"
    return {
        "subject": f"Class {event.name}",
        "start": {"dateTime": render_local(event.start, zone), "timeZone": zone},
        "end": {"dateTime": render_local(event.end, zone), "timeZone": zone},
        "location": {"displayName": name, "locationEmailAddress": address},
        "attendees": [{"type": "resource", "emailAddress": {"address": address, "name": name}}],
        "transactionId": f"{kind}-{event.name}-{event.start:%Y%m%dT%H%M}",
        **({"recurrence": event.recurrence} if event.recurrence else {}),
    }

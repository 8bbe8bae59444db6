"""The first reading of many rooms: calendars into the mirror, and what is there into loans; each measured apart."""

from __future__ import annotations

import asyncio
import csv
import time
from dataclasses import dataclass
from pathlib import Path

from engine.app.calendar_side import build_service_calendar
from engine.app.engine import Engine
from engine.app.loading import spare_collector
from engine.app.office import Office
from engine.bench.children import TOKEN, Furniture, service_environment, start_tenant
from engine.bench.floors import Floors
from engine.bench.report import Figure
from engine.clock import utc_now
from engine.database.sql.marks import Priority
from engine.graph.credential import StaticTokenCredential
from engine.ids import BookableId
from engine.settings import load_settings
from engine.subscriptions.plan import Endpoint
from engine.worker.loop import Silent

ROOMS_AT_ONCE = 8
"""As many as the service reads side by side."""

TIMETABLE_ROOMS, TIMETABLE_CLASSES = 35, 500


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to import."""

    rooms: int
    events_per_room: int
    loans_seconds: float
    """For how long loans are made of what was read."""
    timetable_weeks: int


QUICK = Plan(rooms=6, events_per_room=500, loans_seconds=1.0, timetable_weeks=3)
FULL = Plan(rooms=100, events_per_room=1000, loans_seconds=20.0, timetable_weeks=14)


@dataclass(frozen=True, slots=True)
class Imported:
    """What one import took: seconds of CPU and of wall time."""

    rooms: int
    events: int
    requests: int
    read_cpu: float
    read_wall: float
    again_requests: int
    again_cpu: float
    again_marks: int
    """Keys that reading all of it once more marked, though nothing had changed."""
    loans: int
    loans_cpu: float
    loans_wall: float


def measure_import(directory: Path, floors: Floors, plan: Plan, timetable: Path | None) -> list[Figure]:
    """Import a timetable, and a synthetic building."""
    if timetable is None:
        timetable, name = directory / "timetable.csv", "synthetic timetable"
        write_timetable(timetable, weeks=plan.timetable_weeks)
    else:
        name = timetable.name
    figures: list[Figure] = []
    building = Furniture(rooms=plan.rooms, people=plan.rooms, events_per_room=plan.events_per_room)
    for label, furniture in ((name, Furniture(timetable=str(timetable))), ("synthetic", building)):
        tenant, base_url = start_tenant(furniture)
        with tenant:
            found = asyncio.run(_import(base_url, directory / f"import-{len(figures)}", plan))
        figures += _figures(found, label, floors)
    return figures


async def _import(base_url: str, directory: Path, plan: Plan) -> Imported:
    settings = load_settings(None, {**service_environment(base_url, directory, 0), "ENGINE_SYNC__DELIVERY": "poll"})
    calendar = build_service_calendar(settings, base_url, StaticTokenCredential(TOKEN))
    with Office(settings, now=utc_now) as office:
        endpoint = Endpoint("http://127.0.0.1:1/notifications", "http://127.0.0.1:1/lifecycle")
        engine = Engine(office, calendar, endpoint=endpoint, watcher=Silent(), poll_seconds=0)
        try:
            await engine.places_pass.import_places()
            spare_collector()  # as the service does at its start
            requests_before, marked_before = sum(calendar.meter.requests.values()), office.queue.depth().waiting
            read = _Watch()
            await _read_rooms(engine)
            read_cpu, read_wall = read.seconds()
            requests = sum(calendar.meter.requests.values()) - requests_before
            rooms = len(office.rooms.load_rooms())
            events = office.queue.depth().waiting - marked_before  # each meeting is marked, to be settled
            again = _Watch()
            await _read_rooms(engine, anew=True)
            again_cpu, _ = again.seconds()
            again_requests = sum(calendar.meter.requests.values()) - requests_before - requests
            again_marks = office.queue.depth().waiting - marked_before - events
            made = _Watch()
            loans = await _make_loans(engine, plan.loans_seconds)
            loans_cpu, loans_wall = made.seconds()
        finally:
            await calendar.aclose()
    return Imported(
        rooms=rooms,
        events=events,
        requests=requests,
        read_cpu=read_cpu,
        read_wall=read_wall,
        again_requests=again_requests,
        again_cpu=again_cpu,
        again_marks=again_marks,
        loans=loans,
        loans_cpu=loans_cpu,
        loans_wall=loans_wall,
    )


class _Watch:
    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.monotonic()

    def seconds(self) -> tuple[float, float]:
        return time.process_time() - self._cpu, time.monotonic() - self._wall


async def _read_rooms(engine: Engine, *, anew: bool = False) -> None:
    """Read every room, some side by side: for the first time, or *anew*, as after its delta token was forgotten."""
    gate = asyncio.Semaphore(ROOMS_AT_ONCE)

    async def read(room_id: BookableId) -> None:
        async with gate:
            if anew:
                await engine.room_pass.read_anew(room_id, priority=Priority.BACKFILL, look=lambda _page: None)
            else:
                await engine.room_pass.read(room_id, priority=Priority.BACKFILL)

    await asyncio.gather(*(read(room.id) for room in engine.office.rooms.load_rooms()))


async def _make_loans(engine: Engine, seconds: float) -> int:
    """Let the loop settle what was read, for so long at most; returns how many keys it settled."""
    before = engine.office.queue.depth().waiting
    working = asyncio.create_task(engine.loop.run())
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at and engine.office.queue.depth().due:
        await asyncio.sleep(0.5)
    engine.loop.stop()
    await working
    return before - engine.office.queue.depth().waiting


def _figures(found: Imported, label: str, floors: Floors) -> list[Figure]:
    name = f"{label}, {found.rooms} rooms, {found.events:,} events"
    floor = floors.import_event
    per_event = found.read_cpu / found.events
    return [
        Figure("G8", f"mirror reading: {name}", found.events / found.read_cpu, "events/s/core", 15_000, at_least=True,
               floor=1 / floor, floor_name="decode and insert", ratio_goal=6.0,
               note=f"{per_event * 1e6:.0f} µs each; {found.events / found.read_wall:,.0f}/s by the wall clock"),
        Figure("G8", f"requests per room: {label}", found.requests / found.rooms, "requests",
               found.events / found.rooms / 500 + 1, note="goal: events / page of 500 + 1"),
        Figure("G9", f"reading anew, nothing changed: {label}", found.again_cpu / found.events * 1e6, "µs", 40.0,
               floor=floors.decode * 1e6, floor_name="decode",
               note=f"CPU per event; {found.again_requests} requests, {found.again_marks} meetings to settle"),
        Figure("", f"mirror → loans: {label}", found.loans / max(found.loans_cpu, 1e-9), "loans/s/core",
               note=f"{found.loans_cpu / max(found.loans, 1) * 1e3:.2f} ms each, the organizer's copy read for each; "
                    f"{found.loans:,} made"),
    ]  # fmt: skip


# --- a timetable like a faculty's


def write_timetable(path: Path, *, weeks: int = 14) -> None:
    """Write a timetable of 35 rooms and some 6,200 dates: each class once a week, one after another in its room."""
    flags = "1" * weeks + "0" * (14 - weeks)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("room", "capacity", "class", "limit", "days", "weeks", "start_minute", "length_minutes"))
        for number in range(TIMETABLE_CLASSES):
            room, turn = number % TIMETABLE_ROOMS, number // TIMETABLE_ROOMS
            day, hour = turn % 5, 8 + 2 * (turn // 5)
            days = "".join("1" if each == day else "0" for each in range(7))
            term = flags if number % 8 else "10" * 7  # some meet every other week
            writer.writerow((room + 1, 20 + room, number + 1, 15, days, term, hour * 60, 110))

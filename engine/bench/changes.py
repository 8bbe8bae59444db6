"""Latency and CPU of single changes: the service in one process, the tenant in another, the load from this one."""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

from engine.bench.children import (
    TOKEN,
    Child,
    Furniture,
    next_monday,
    person_address,
    room_address,
    start_service,
    start_tenant,
)
from engine.bench.paths import PathFloors, average, measure_paths
from engine.bench.probes import Records, inbound_latencies, outbound_latencies
from engine.bench.report import Figure, percentile

LATE_LOOK_SECONDS = 12.0
"""Answers that stay out are looked for ten seconds after a write; by then all CPU of a change has been spent."""

QUIET_SECONDS = 1.2
"""Nothing seen for so long: all that a change leads to at once has happened. Longer than notifications gather."""

READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure."""

    rooms: int
    slow_changes: int
    slow_rate: float
    fast_changes: int
    fast_rate: float
    paced_changes: int
    busy_changes: int
    """So many are made, moved and cancelled, at the fast rate and all at once, to tell what CPU they take; no room
    has five cancelled in all, which would be the brake's business."""
    floor_rounds: int
    late: bool
    """Whether to wait for the looks that the service puts off by ten seconds, so that their CPU counts too."""


@dataclass(slots=True)
class Phase:
    """What one stretch of load did to the service."""

    records: Records
    cpu: float
    seconds: float
    refused: int


QUICK = Plan(
    rooms=60,
    slow_changes=4,
    slow_rate=1.0,
    fast_changes=60,
    fast_rate=50.0,
    paced_changes=20,
    busy_changes=80,
    floor_rounds=3,
    late=False,
)
FULL = Plan(
    rooms=100,
    slow_changes=30,
    slow_rate=1.0,
    fast_changes=900,
    fast_rate=50.0,
    paced_changes=60,
    busy_changes=100,
    floor_rounds=6,
    late=True,
)

TURNS = 2
"""How often CPU is measured; floors before, between and after: a shared machine is not equally fast all the time."""


def measure_changes(directory: Path, plan: Plan) -> list[Figure]:
    """Measure both directions, one change a second and many."""
    tenant, base_url = start_tenant(Furniture(rooms=plan.rooms, people=plan.rooms))
    with tenant:
        service, origin = start_service(base_url, directory)
        with service:
            return asyncio.run(_measure(service, base_url, origin, directory, plan))


async def _measure(service: Child, base_url: str, origin: str, directory: Path, plan: Plan) -> list[Figure]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    connector = aiohttp.TCPConnector(limit=200)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await wait_until_ready(session, origin)
        people = _Outlook(session, base_url, plan.rooms)
        desk = await _Desk.open(session, origin, plan.rooms)
        await _run(service, people.all_changes(3), rate=10.0)  # warm caches and connections
        await _run(service, desk.all_changes(3), rate=10.0)
        idle = await _measure_idle(service, late=plan.late)
        figures = [Figure("G12", "CPU while nothing happens", idle * 100, "% of a core", 1.0)]
        floors = [await _measure_floors(directory, plan)]
        walls = floors[0].paced_wall * 1e3
        for changes, rate in ((plan.slow_changes, plan.slow_rate), (plan.fast_changes, plan.fast_rate)):
            phase = await _run(service, people.creates(changes), rate=rate)
            figures += _inbound_figures(phase, rate, walls)
        for changes, rate in ((plan.slow_changes, plan.slow_rate), (plan.fast_changes, plan.fast_rate)):
            phase = await _run(service, desk.creates(changes), rate=rate)
            figures += _outbound_figures(phase, rate, walls)
        loads: Loads = {"Outlook": people, "the app": desk}
        figures += await _measure_cpu(service, loads, directory, plan, floors, idle)
        memory = await asyncio.to_thread(service.ask, "memory")
        figures.append(Figure("", "resident memory at most", memory / 1024, "MB", note=f"{plan.rooms} rooms"))
        return figures


async def _measure_floors(directory: Path, plan: Plan) -> PathFloors:
    new = Path(tempfile.mkdtemp(dir=directory))
    return await asyncio.to_thread(measure_paths, new, pace=plan.fast_rate, rounds=plan.floor_rounds)


async def _measure_cpu(
    service: Child,
    loads: Mapping[str, _Outlook | _Desk],
    directory: Path,
    plan: Plan,
    floors: list[PathFloors],
    idle: float,
) -> list[Figure]:
    """Return the CPU of changes at the plan's rate and all at once, beside the mean of *floors*: those given, and those
    measured after each turn."""
    kinds = {f"{plan.fast_rate:g}/s": (plan.fast_rate, plan.paced_changes), "at once": (math.inf, plan.busy_changes)}
    spent: dict[tuple[str, str], float] = defaultdict(float)
    refused = 0
    await asyncio.to_thread(service.ask, "count only")
    for _ in range(TURNS):
        for how, (rate, changes) in kinds.items():
            for name, load in loads.items():
                phase = await _run(service, load.all_changes(changes), rate=rate, late=plan.late)
                spent[how, name] += (phase.cpu - idle * phase.seconds) / (3 * changes * TURNS)
                refused += phase.refused
        floors.append(await _measure_floors(directory, plan))
    bare = average(floors)
    figures = bare.figures()
    paths = (bare.paced_outlook, bare.paced_app), (bare.busy_outlook, bare.busy_app)
    for (how, (_, changes)), path in zip(kinds.items(), paths, strict=True):
        note = f"{TURNS * changes} each of create, move, cancel" + (f"; {refused} refused" if refused else "")
        for name, floor in zip(loads, path, strict=True):
            figures.append(_cpu_figure(f"CPU per change made in {name}, {how}", spent[how, name], floor, note))
        mean = sum(spent[how, name] for name in loads) / len(loads)
        both = f"CPU per change, both directions, {how}"
        figures.append(_cpu_figure(both, mean, sum(path) / len(path), "the mean of the two"))
    return figures


def _cpu_figure(what: str, cost: float, floor: float, note: str) -> Figure:
    """Return a figure of CPU; *cost* and *floor* are seconds a change."""
    name = "the same path without logic"
    return Figure("G7", what, cost * 1e3, "ms", 1.5, floor=floor * 1e3, floor_name=name, ratio_goal=4.0, note=note)


def _inbound_figures(phase: Phase, rate: float, floor: float) -> list[Figure]:
    found = inbound_latencies(phase.records)
    note = f"{len(found.beyond_gathering)} changes"
    return [
        *_latencies(
            "G4", f"notified → loan committed, beyond gathering, {rate:g}/s", found.beyond_gathering, floor, note
        ),
        *_latencies(
            "", f"notified → loan committed, gathering included, {rate:g}/s", found.whole, None, "", goals=False
        ),
    ]


def _outbound_figures(phase: Phase, rate: float, floor: float) -> list[Figure]:
    found = outbound_latencies(phase.records)
    return _latencies("G5", f"loan committed → write on the wire, {rate:g}/s", found, floor, f"{len(found)} changes")


def _latencies(
    name: str, what: str, values: Sequence[float], floor: float | None, note: str, *, goals: bool = True
) -> list[Figure]:
    milliseconds = [value * 1e3 for value in values]
    return [
        Figure(name, f"{what}, p50", percentile(milliseconds, 0.5), "ms", 10.0 if goals else None, floor=floor,
               floor_name="inbound path, p50" if floor else "", ratio_goal=8.0 if floor else None, note=note),
        Figure(name, f"{what}, p99", percentile(milliseconds, 0.99), "ms", 50.0 if goals else None, note=note),
    ]  # fmt: skip


# --- running load


Step = Callable[[], Awaitable[bool]]


async def _run(service: Child, rounds: Sequence[Sequence[Step]], *, rate: float, late: bool = False) -> Phase:
    """
    Start *rate* steps a second, whether or not earlier ones have ended; the next round when the last has settled.

    Args:
        late: whether to wait for the looks that the service puts off.
    """
    await asyncio.to_thread(service.ask, "records")
    began, (cpu_before, _) = time.monotonic(), await asyncio.to_thread(service.ask, "cpu")
    refused = 0
    for steps in rounds:
        start = time.monotonic()
        tasks = []
        for number, step in enumerate(steps):
            await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
            tasks.append(asyncio.ensure_future(step()))
        refused += sum(not taken for taken in await asyncio.gather(*tasks))
        await _settle(service)
    if late:
        await asyncio.sleep(LATE_LOOK_SECONDS)
        await _settle(service)
    cpu, _ = await asyncio.to_thread(service.ask, "cpu")
    seconds = time.monotonic() - began
    return Phase(await asyncio.to_thread(service.ask, "records"), cpu - cpu_before, seconds, refused)


async def _settle(service: Child) -> None:
    """Wait until the service has done nothing for a while."""
    quiet_since, seen = time.monotonic(), -1
    while time.monotonic() - quiet_since < QUIET_SECONDS:
        _, activity = await asyncio.to_thread(service.ask, "cpu")
        if activity != seen:
            quiet_since, seen = time.monotonic(), activity
        await asyncio.sleep(0.3)


async def _measure_idle(service: Child, *, late: bool) -> float:
    """Return the share of a core that the service uses for nothing."""
    await asyncio.sleep(LATE_LOOK_SECONDS if late else 0.0)
    began, (before, _) = time.monotonic(), await asyncio.to_thread(service.ask, "cpu")
    await asyncio.sleep(3.0 if late else 1.5)
    after, _ = await asyncio.to_thread(service.ask, "cpu")
    return float(after - before) / (time.monotonic() - began)


async def wait_until_ready(session: aiohttp.ClientSession, origin: str) -> None:
    """Wait until the service says it is ready. Raises RuntimeError with what it lacks."""
    give_up_at, told = time.monotonic() + READY_SECONDS, ""
    while time.monotonic() < give_up_at:
        try:
            async with session.get(f"{origin}/readyz") as answer:
                told = await answer.text()
                if answer.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)
    raise RuntimeError(f"the service does not become ready: {told[:500]}")


class Slots:
    """Hands out rooms in turn, and in each of them hours that nobody had yet: no load is refused for what it collides
    with, in whatever order its steps end."""

    def __init__(self, rooms: int, *, first_day: int) -> None:
        self._first_day = first_day
        self._turn = 0
        self._hours = [0] * rooms
        """How many hours of each room were taken."""

    def take(self) -> tuple[int, str, str]:
        """Return the next room, counted from 0, with start and end of a new hour in it."""
        room, self._turn = self._turn % len(self._hours), self._turn + 1
        return (room, *self.take_in(room))

    def take_in(self, room: int) -> tuple[str, str]:
        """Return start and end of a new hour in *room*."""
        hour, self._hours[room] = self._hours[room], self._hours[room] + 1
        start = next_monday() + timedelta(days=self._first_day + hour // 20, hours=hour % 20)
        return start.isoformat(), (start + timedelta(minutes=45)).isoformat()


class _Outlook:
    """People who meet in rooms."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, rooms: int) -> None:
        self._session = session
        self._base_url = base_url
        self._slots = Slots(rooms, first_day=0)

    def creates(self, count: int) -> list[list[Step]]:
        """Return one round of *count* meetings."""
        return [[self._create([]) for _ in range(count)]]

    def all_changes(self, count: int) -> list[list[Step]]:
        """Return three rounds: so many meetings are made, moved and cancelled."""
        made: list[tuple[int, str]] = []
        return [
            [self._create(made) for _ in range(count)],
            [self._change(made, position, "move") for position in range(count)],
            [self._change(made, position, "cancel") for position in range(count)],
        ]

    def _create(self, made: list[tuple[int, str]]) -> Step:
        async def create() -> bool:
            room, start, end = self._slots.take()
            address = room_address(room)
            attendee = {"type": "resource", "emailAddress": {"address": address, "name": address}}
            body = {"subject": "Meeting", **_times(start, end), "attendees": [attendee]}
            status, answer = await self._send("POST", f"/users/{person_address(room)}/events", body)
            if status == 201:
                made.append((room, answer["id"]))
            return status == 201

        return create

    def _change(self, made: list[tuple[int, str]], position: int, kind: str) -> Step:
        async def change() -> bool:
            if position >= len(made):
                return False
            room, event = made[position]
            path = f"/users/{person_address(room)}/events/{quote(event, safe='')}"
            if kind == "move":
                start, end = self._slots.take_in(room)
                status, _ = await self._send("PATCH", path, _times(start, end))
            else:
                status, _ = await self._send("POST", f"{path}/cancel", {"comment": ""})
            return status < 300

        return change

    async def _send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        async with self._session.request(method, self._base_url + path, json=body) as answer:
            return answer.status, await answer.json(content_type=None) if answer.status < 202 else None


class _Desk:
    """Staff who book rooms over the API."""

    def __init__(self, session: aiohttp.ClientSession, origin: str, items: list[int], rooms: int) -> None:
        self._session = session
        self._origin = origin
        self._items = items
        self._slots = Slots(rooms, first_day=180)

    @classmethod
    async def open(cls, session: aiohttp.ClientSession, origin: str, rooms: int) -> _Desk:
        """Learn the rooms' numbers."""
        items: list[int] = []
        after = 0
        while len(items) < rooms:
            async with session.get(f"{origin}/api/rooms", params={"after": after, "limit": 100}) as answer:
                answer.raise_for_status()
                page = await answer.json()
            items += [room["id"] for room in page["items"]]
            if page.get("next") is None:
                break
            after = page["next"]
        return cls(session, origin, items, rooms)

    def creates(self, count: int) -> list[list[Step]]:
        """Return one round of *count* loans."""
        return [[self._create([]) for _ in range(count)]]

    def all_changes(self, count: int) -> list[list[Step]]:
        """Return three rounds: so many loans are made, moved and cancelled."""
        made: list[tuple[int, int]] = []
        return [
            [self._create(made) for _ in range(count)],
            [self._move(made, position) for position in range(count)],
            [self._cancel(made, position) for position in range(count)],
        ]

    def _create(self, made: list[tuple[int, int]]) -> Step:
        async def create() -> bool:
            room, start, end = self._slots.take()
            requester = {"address": person_address(room), "name": f"Person {room}"}
            items = [{"kind": "room", "id": self._items[room]}]
            body = {"requester": requester, "start": start, "end": end, "items": items}
            status, answer = await self._send("POST", "/api/loans", body)
            if status == 201:
                made.append((room, answer["number"]))
            return status == 201

        return create

    def _move(self, made: list[tuple[int, int]], position: int) -> Step:
        async def move() -> bool:
            if position >= len(made):
                return False
            room, number = made[position]
            start, end = self._slots.take_in(room)
            status, _ = await self._send("PATCH", f"/api/loans/{number}", {"start": start, "end": end})
            return status < 300

        return move

    def _cancel(self, made: list[tuple[int, int]], position: int) -> Step:
        async def cancel() -> bool:
            if position >= len(made):
                return False
            _, number = made[position]
            status, _ = await self._send("POST", f"/api/loans/{number}/cancel", {})
            return status < 300

        return cancel

    async def _send(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        async with self._session.request(method, self._origin + path, json=body) as answer:
            return answer.status, await answer.json(content_type=None)


Loads = Mapping[str, _Outlook | _Desk]
"""What makes changes, by where they are made."""


def _times(start: str, end: str) -> dict[str, Any]:
    def shown(instant: str) -> dict[str, str]:
        return {"dateTime": instant[:19], "timeZone": "UTC"}

    return {"start": shown(start), "end": shown(end)}

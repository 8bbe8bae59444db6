"""
What many rooms cost: the same changes at a hundred and at ten thousand rooms, and shared by one and by two workers.

Notifications go straight to the inbox, and a tenant on paper answers in this process, so that neither HTTP nor a
simulated tenant hides what the engine itself does. Everything else is real: database, queue, passes, loop, and full
durability.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from engine.app.engine import Engine
from engine.app.loading import spare_collector
from engine.app.office import Office
from engine.bench.children import Child, free_port, resident_memory, service_environment
from engine.bench.paper import NOWHERE, PaperTenant
from engine.bench.report import Figure, percentile
from engine.bench.startup import Start, time_start
from engine.clock import utc_now
from engine.database.sql.connection import Database
from engine.database.sql.marks import Priority
from engine.reconcile.series.writes import SeriesCalendar
from engine.settings import Settings, load_settings
from engine.subscriptions.plan import Endpoint
from engine.worker.loop import Silent

ENDPOINT = Endpoint("http://127.0.0.1:1/notifications", "http://127.0.0.1:1/lifecycle")
FOLLOWED_MAX = 300
"""Rooms that change: the others are there, with all they hold."""

REST_SECONDS = 4.0

SINGLES_A_TURN = 10
"""How many changes that come alone one size has before the next has its turn."""

STEP_SECONDS = 3_600.0
"""How long one step of one size may take."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of it."""

    sizes: tuple[int, ...]
    stored: int
    """Meetings per room that are there before."""
    singles: int
    """Changes one at a time."""
    burst: int
    """Changes at once."""
    shared_rooms: int
    """Changes that one, then two workers share on PostgreSQL."""


QUICK = Plan(sizes=(35, 350), stored=10, singles=40, burst=100, shared_rooms=100)
FULL = Plan(sizes=(35, 350, 3_500, 10_000), stored=100, singles=150, burst=600, shared_rooms=1_000)


@dataclass(frozen=True, slots=True)
class Rest:
    """One size while nothing changes. Seconds; `memory` in bytes, `reading` of one meeting."""

    reading: float
    opening: float
    idle_cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What changes cost at one size: seconds of CPU and by the clock (p50) of one alone, and how many a second at
    once."""

    cpu: float
    latency: float
    rate: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One size."""

    rooms: int
    rest: Rest
    changes: Changes
    start: Start


def measure_scale(directory: Path, plan: Plan, database_url: str | None) -> list[Figure]:
    """Measure every size, each step in a process of its own, then workers side by side if there is a PostgreSQL."""
    urls = {rooms: f"sqlite:///{directory / f'rooms-{rooms}.db'}" for rooms in plan.sizes}
    rests = [_measure_rest(url, rooms, plan) for rooms, url in urls.items()]
    changes = _measure_changes(urls, plan)
    starts = [time_start(_service_settings(url), until_ready=False, rest=REST_SECONDS) for url in urls.values()]
    found = [Measured(*each) for each in zip(urls, rests, changes, starts, strict=True)]
    figures = [figure for each in found for figure in _figures(each, found[0])]
    if database_url is None:
        return figures
    rates = [_measure_workers(database_url, plan.shared_rooms, count) for count in (1, 2)]
    figures += [
        Figure(
            "",
            f"{count} worker{'s' if count > 1 else ''} on PostgreSQL, {plan.shared_rooms} changes at once",
            rate,
            "/s",
        )
        for count, rate in enumerate(rates, 1)
    ]
    figures.append(Figure("", "two workers against one", rates[1] / rates[0], "x", note="on this machine's cores"))
    return figures


def _figures(each: Measured, smallest: Measured) -> list[Figure]:
    size = f"{each.rooms:,} rooms"
    growth: dict[str, Any] = {}
    floor = Changes(0.0, 0.0, 0.0)
    if each is not smallest:
        growth, floor = {"ratio_goal": 1.25, "floor_name": f"{smallest.rooms} rooms"}, smallest.changes
    goal = 3.0 if each.rooms >= 10_000 else None
    at_once = f"{size}: changes at once, full durability"
    return [
        Figure("G11", f"{size}: CPU per change", each.changes.cpu * 1e3, "ms",
               floor=floor.cpu * 1e3 or None, **growth),
        Figure("G11", f"{size}: notified to loan, p50, one at a time", each.changes.latency * 1e3, "ms",
               note="no gathering; by turns", floor=floor.latency * 1e3 or None, **growth),
        Figure("G6", at_once, each.changes.rate, "/s", 400.0, at_least=True, note="one process"),
        Figure("", f"{size}: first reading, CPU per meeting", each.rest.reading * 1e6, "µs"),
        Figure("G13", f"{size}: database known, until passes run", each.rest.opening, "s", goal),
        Figure("G13", f"{size}: whole service, until its web answers", each.start.serving, "s", goal),
        Figure("", f"{size}: whole service, memory", each.start.memory / 2**20, "MB", note="with the web"),
        Figure("G12", f"{size}: CPU at rest", each.rest.idle_cpu * 100, "%", 1.0, note="loop and database"),
        Figure("G10", f"{size}: memory at rest", each.rest.memory / 2**20, "MB", 120.0 if goal else None,
               note="no web"),
    ]  # fmt: skip


# --- one size


def _measure_rest(url: str, rooms: int, plan: Plan) -> Rest:
    with Child(run_reading, url, rooms, plan.stored) as child:
        reading = child.receive_within(STEP_SECONDS)
    with Child(run_rest, url, rooms, plan.stored) as child:
        opening, idle_cpu, memory = child.receive_within(STEP_SECONDS)
    return Rest(reading / max(1, rooms * plan.stored), opening, idle_cpu, memory)


def _measure_changes(urls: Mapping[int, str], plan: Plan) -> list[Changes]:
    """
    Let the sizes take turns at changes that come alone, then each have its changes at once.

    A change waits for the disk more than for anything else, and a disk is three times as slow in one minute as in
    the next: only sizes that are measured within the same seconds can be compared.
    """
    with ExitStack() as stack:
        children = [stack.enter_context(Child(run_changes, url, rooms, plan)) for rooms, url in urls.items()]
        for child in children:
            child.receive_within(STEP_SECONDS)
        alone: list[list[tuple[float, float]]] = [[] for _ in children]
        for _ in range(plan.singles // SINGLES_A_TURN):
            for child, found in zip(children, alone, strict=True):
                found += child.ask("alone")
        rates = [child.ask("at once") for child in children]
    return [
        Changes(sum(cpu for cpu, _ in found) / len(found), percentile([wall for _, wall in found], 50), rate)
        for found, rate in zip(alone, rates, strict=True)
    ]


def run_reading(pipe: Connection, url: str, rooms: int, stored: int) -> None:
    """Import and read every room. Runs in a child process."""
    pipe.send(asyncio.run(_read_all(url, PaperTenant(rooms, stored=stored))))


def run_changes(pipe: Connection, url: str, rooms: int, plan: Plan) -> None:
    """Change some rooms, as often as asked, until terminated. Runs in a child process."""
    numbers = random.Random(rooms).sample(range(rooms), min(rooms, FOLLOWED_MAX))
    asyncio.run(_change(pipe, url, PaperTenant(rooms, stored=plan.stored), numbers, plan.burst))


async def _read_all(url: str, paper: PaperTenant) -> float:
    """Import and read every room until nothing is left to do; returns the CPU seconds of the reading."""
    with _open(url) as office:
        engine = _engine(office, paper)
        await engine.places_pass.import_places()
        began = time.process_time()
        for room in office.rooms.load_rooms():
            await engine.room_pass.read(room.id, priority=int(Priority.BACKFILL))
        used = time.process_time() - began
        working = asyncio.create_task(engine.loop.run())
        await _until(lambda: office.queue.depth().waiting == 0 and engine.loop.is_idle, pause=0.05)
        engine.loop.stop()
        await working
        return used


def run_rest(pipe: Connection, url: str, rooms: int, stored: int) -> None:
    """Open a known database, run until nothing is due, and rest. Runs in a child process."""
    began = time.monotonic()

    async def rest() -> tuple[float, float, int]:
        with _open(url) as office:
            engine = _engine(office, PaperTenant(rooms, stored=stored))
            working = asyncio.create_task(engine.loop.run())
            await asyncio.sleep(0)
            opening = time.monotonic() - began
            await _until(lambda: office.queue.depth().due == 0 and engine.loop.is_idle, pause=0.1)
            cpu, since = time.process_time(), time.monotonic()
            await asyncio.sleep(REST_SECONDS)
            used = (time.process_time() - cpu) / (time.monotonic() - since)
            engine.loop.stop()
            await working
            return opening, used, resident_memory()

    pipe.send(asyncio.run(rest()))


async def _change(pipe: Connection, url: str, paper: PaperTenant, numbers: Sequence[int], burst: int) -> None:
    """Answer `alone` with CPU and wall time of each of some changes one after the other, `at once` with how many of a
    burst a second come through."""
    with _open(url) as office:
        engine = _engine(office, paper)
        changes = _Notifier(office, paper, numbers)
        working = asyncio.create_task(engine.loop.run())
        await _until(lambda: office.queue.depth().due == 0 and engine.loop.is_idle)
        await changes.one_by_one(10)  # warm caches
        pipe.send("warm")
        while not working.done():
            question = await asyncio.to_thread(pipe.recv)
            pipe.send(await (changes.one_by_one(SINGLES_A_TURN) if question == "alone" else changes.at_once(burst)))


class _Notifier:
    """Lets meetings come into subscribed rooms, in turn, and waits for their loans."""

    def __init__(self, office: Office, paper: PaperTenant, numbers: Sequence[int]) -> None:
        self._office = office
        self._paper = paper
        self._numbers = numbers
        self._secrets: dict[int, str] = {}
        self._made = 0
        ids = {room.address: room.id for room in office.rooms.load_rooms()}
        for number in numbers:
            room = ids[paper.address(number)]
            self._secrets[number] = office.subscriptions.begin_creation(room)
            expires_at = utc_now() + timedelta(days=2)
            office.subscriptions.finish_creation(room, remote_id=f"s-{number}", expires_at=expires_at)

    async def one_by_one(self, count: int) -> list[tuple[float, float]]:
        """Return CPU and wall time of each of *count* changes, each made when the one before has its loan."""
        found = []
        for _ in range(count):
            cpu, began = time.process_time(), time.monotonic()
            self._office.inbox.accept(self._next())
            await _until_made(self._office, self._made)
            found.append((time.process_time() - cpu, time.monotonic() - began))
        return found

    async def at_once(self, count: int) -> float:
        """Return how many of *count* changes a second come through."""
        began = time.monotonic()
        self._office.inbox.accept_all([self._next() for _ in range(count)])
        await _until_made(self._office, self._made, pause=0.02)
        return count / (time.monotonic() - began)

    def _next(self) -> bytes:
        number = self._numbers[self._made % len(self._numbers)]
        self._made += 1
        return _notify(self._paper, number, self._secrets)


def _notify(paper: PaperTenant, number: int, secrets: dict[int, str]) -> bytes:
    """Let one more meeting come into a room, and return the notification of it."""
    paper.versions[number] += 1
    event_id = paper.event_id(number, paper.versions[number])
    data = {"id": event_id, "@odata.etag": f'W/"{event_id}"'}
    item = {
        "subscriptionId": f"s-{number}",
        "clientState": secrets[number],
        "changeType": "created",
        "resourceData": data,
    }
    return json.dumps({"value": [item]}).encode()


# --- workers that share one PostgreSQL


def _measure_workers(url: str, rooms: int, count: int) -> float:
    """Return the changes a second that *count* workers get through; the database is emptied before."""
    paper = PaperTenant(rooms, stored=0)
    _empty(url)
    asyncio.run(_read_all(url, paper))
    workers = [Child(run_worker, url, rooms) for _ in range(count)]
    try:
        for worker in workers:
            worker.receive()
        with _open(url) as office:
            changed = [room.id for room in office.rooms.load_rooms()]
            began = time.monotonic()
            with office.database.write() as transaction:
                for room_id in changed:
                    transaction.mark("room", str(room_id))
            asyncio.run(_until_made(office, rooms, pause=0.05))
            return rooms / (time.monotonic() - began)
    finally:
        for worker in workers:
            worker.__exit__()


def run_worker(pipe: Connection, url: str, rooms: int) -> None:
    """Work until terminated, in rooms that have each had one change. Runs in a child process."""

    async def work() -> None:
        with _open(url) as office:
            from engine.database.processes.wakeups import Listener

            engine = _engine(office, PaperTenant(rooms, stored=0, changes=1))
            listener = Listener(office.database, office.database.announce_marks)
            listener.start()
            pipe.send("working")
            await engine.loop.run()

    asyncio.run(work())


def _empty(url: str) -> None:
    database = Database(url)
    with database.write() as transaction:
        transaction.connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        transaction.connection.exec_driver_sql("CREATE SCHEMA public")
    database.close()


# --- what they share


def _open(url: str) -> Office:
    return Office(_settings(url), now=utc_now)


def _settings(url: str) -> Settings:
    """Return the settings of this measure. Workers that share a database are sent no notifications."""
    return load_settings(
        None,
        {
            "ENGINE_SETTINGS": os.devnull,
            "ENGINE_DATABASE__URL": url,
            "ENGINE_SYNC__FIRST_CONTACT": "list",
            "ENGINE_SYNC__DELIVERY": "push" if url.startswith("sqlite") else "poll",
            "ENGINE_SYNC__GATHER_MILLISECONDS": "0",
            "ENGINE_SYNC__ANSWER_MILLISECONDS": "0",
        },
    )


def _service_settings(url: str) -> dict[str, str]:
    """Return the settings of the whole service on this database. Nobody answers where it looks for Graph: a start is
    neither helped nor held up by that."""
    return {**service_environment(NOWHERE, Path(), free_port()), "ENGINE_DATABASE__URL": url}


def _engine(office: Office, paper: PaperTenant) -> Engine:
    spare_collector()  # as the service does at its start
    return Engine(office, cast(SeriesCalendar, paper), endpoint=ENDPOINT, watcher=Silent(), poll_seconds=0)


async def _until_made(office: Office, loans: int, *, pause: float = 0.0005) -> None:
    """Wait until there are so many loans."""
    await _until(lambda: sum(office.status.loans_by_status().values()) >= loans, pause=pause)


async def _until(is_so: Callable[[], Any], *, pause: float = 0.0005) -> None:
    while not is_so():
        await asyncio.sleep(pause)

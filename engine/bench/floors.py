"""What the machine does at best, measured in the same run: the figures to hold the engine's against."""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
import statistics
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from engine.bench.children import Child
from engine.bench.report import Figure, percentile

EVENTS_PER_PAGE = 500


@dataclass(frozen=True, slots=True)
class Floors:
    """Seconds of CPU per operation, unless it says wall. What is `paced` was measured at *pace* changes a second, what
    is `busy` with sixteen of them under way at any time: the more there is to do, the less each costs."""

    pace: float
    get: float
    decode: float
    commit: float
    commit_wall: float
    insert: float
    paced_change: float
    paced_change_wall: float
    paced_desk_change: float
    busy_change: float
    busy_desk_change: float

    @property
    def import_event(self) -> float:
        """An event that is decoded and inserted, its share of a page's request included."""
        return self.decode + self.insert + self.get / EVENTS_PER_PAGE

    def figures(self) -> list[Figure]:
        """Return the floors as lines of the table."""
        pace = f"{self.pace:g}/s"
        return [
            Figure("floor", "aiohttp GET of an empty delta, CPU", self.get * 1e6, "µs"),
            Figure("floor", "msgspec decode of a page, CPU per event", self.decode * 1e6, "µs"),
            Figure("floor", "SQLite commit (WAL, FULL), CPU", self.commit * 1e6, "µs"),
            Figure("floor", "SQLite commit (WAL, FULL), wall p50", self.commit_wall * 1e6, "µs"),
            Figure("floor", "SQLite bulk insert, two indexes, CPU per event", self.insert * 1e6, "µs"),
            Figure("floor", f"inbound path without logic, {pace}, CPU per change", self.paced_change * 1e3, "ms",
                   note="webhook, commit, 202, GET, commit: aiohttp and sqlite3"),
            Figure("floor", f"inbound path without logic, {pace}, wall p50", self.paced_change_wall * 1e3, "ms"),
            Figure("floor", f"path of a change in the app without logic, {pace}, CPU per change",
                   self.paced_desk_change * 1e3, "ms",
                   note="order, commit, 201, POST, commit; then its echo: the inbound path"),
            Figure("floor", "inbound path without logic, at once, CPU per change", self.busy_change * 1e3, "ms",
                   note=f"{IN_FLIGHT_MAX} under way at any time"),
            Figure("floor", "path of a change in the app without logic, at once, CPU per change",
                   self.busy_desk_change * 1e3, "ms", note=f"{IN_FLIGHT_MAX} under way at any time"),
        ]  # fmt: skip


def measure_floors(directory: Path, *, pace: float, rounds: int = 5) -> Floors:
    """Measure everything; some twenty seconds. *pace*: how many changes a second the engine will be given."""
    with Child(run_plain_server) as server:
        port = server.receive()
        get = statistics.median(asyncio.run(_measure_get(port, rounds)))

        def measure(knocks: tuple[str, ...], pace: float, changes: int) -> tuple[float, list[float]]:
            with Child(run_knocker) as knocker:
                path = directory / f"floor-{len(knocks)}-at-{pace:g}.db"
                return asyncio.run(_measure_change(path, port, knocker, Knocks(knocks, changes * rounds, pace)))

        paced_change, walls = measure(INBOUND, pace, 60)
        paced_desk_change, _ = measure(AT_DESK, pace, 40)
        busy_change, _ = measure(INBOUND, math.inf, 200)
        busy_desk_change, _ = measure(AT_DESK, math.inf, 100)
    commit, commit_walls = _measure_commit(directory, commits=100 * rounds)
    return Floors(
        pace=pace,
        get=get,
        decode=statistics.median(_measure_decode() for _ in range(rounds)),
        commit=commit,
        commit_wall=percentile(commit_walls, 0.5),
        insert=_measure_insert(directory, events=2000 * rounds),
        paced_change=paced_change,
        paced_change_wall=percentile(walls, 0.5),
        paced_desk_change=paced_desk_change,
        busy_change=busy_change,
        busy_desk_change=busy_desk_change,
    )


# --- HTTP


def run_plain_server(pipe: Connection) -> None:
    """Answer every request with the same small JSON. Runs in a child process."""
    body = msgspec.json.encode({"value": [], "@odata.deltaLink": "http://127.0.0.1/delta?token=" + "x" * 900})
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    answer = head + b"Content-Length: %d\r\n\r\n" % len(body) + body

    class Server(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport, self.data = transport, b""

        def data_received(self, data: bytes) -> None:
            self.data += data
            while b"\r\n\r\n" in self.data:  # a body is taken for the beginning of the next head
                self.data = self.data.partition(b"\r\n\r\n")[2]
                self.transport.write(answer)

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()

    asyncio.run(run())


async def _measure_get(port: int, rounds: int, requests: int = 200) -> list[float]:
    found = []
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        for number in range(rounds + 1):
            began = time.process_time()
            for _ in range(requests):
                async with session.get(f"http://127.0.0.1:{port}/") as answer:
                    await answer.read()
            if number:
                found.append((time.process_time() - began) / requests)
    return found


# --- the inbound path without logic


IN_FLIGHT_MAX = 16
"""So many changes under way keep the path busy all the time."""


@dataclass(frozen=True, slots=True)
class Knocks:
    """Load: *count* changes, each a small body posted to *paths* in turn, *pace* of them begun in a second; infinity:
    as soon as fewer than `IN_FLIGHT_MAX` are under way."""

    paths: tuple[str, ...]
    count: int
    pace: float


def run_knocker(pipe: Connection) -> None:
    """Post what is asked for to an address. Runs in a child process."""
    address, knocks = pipe.recv()
    asyncio.run(_knock_at(address, knocks))
    pipe.send("done")
    with contextlib.suppress(EOFError):
        pipe.recv()


async def _knock_at(address: str, knocks: Knocks) -> None:
    body = msgspec.json.encode({"value": [sample_notice()]})
    free = asyncio.Semaphore(IN_FLIGHT_MAX)

    async def change() -> None:
        async with free:
            for path in knocks.paths:
                async with session.post(address + path, data=body) as answer:
                    await answer.read()

    async with aiohttp.ClientSession() as session:
        began = time.monotonic()
        changes = []
        for number in range(knocks.count):
            await asyncio.sleep(max(0.0, began + number / knocks.pace - time.monotonic()))
            changes.append(asyncio.create_task(change()))
        await asyncio.gather(*changes)


class _BarePath:
    """What any engine of this kind does at least: take a message in, speak with Graph, store what came of it."""

    def __init__(self, connection: sqlite3.Connection, session: aiohttp.ClientSession, graph: str) -> None:
        self.walls: list[float] = []
        """Of each notification: seconds until its loan was stored."""
        self._connection = connection
        self._session = session
        self._graph = graph
        self._written = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/notifications", self._notify), web.post("/orders", self._order)]

    async def _notify(self, request: web.Request) -> web.Response:
        came_at = time.monotonic()
        body = await request.read()
        self._connection.execute("INSERT INTO inbox (raw) VALUES (?)", (body,))
        self._start(self._settle(came_at))
        return web.Response(status=202)

    async def _settle(self, came_at: float) -> None:
        async with self._session.get(self._graph) as answer:
            msgspec.json.decode(await answer.read())
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", _row(len(self.walls)))
        self._connection.execute("DELETE FROM inbox")
        self._connection.execute("COMMIT")
        self.walls.append(time.monotonic() - came_at)

    async def _order(self, request: web.Request) -> web.Response:
        msgspec.json.decode(await request.read())
        self._connection.execute("INSERT INTO inbox (raw) VALUES (?)", ("an order",))
        self._start(self._write())
        return web.json_response(sample_event(0), status=201)

    async def _write(self) -> None:
        async with self._session.post(self._graph, json=sample_event(0)) as answer:
            msgspec.json.decode(await answer.read())
        self._written += 1
        self._connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", _row(-self._written))

    def _start(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(step)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


INBOUND, AT_DESK = ("/notifications",), ("/orders", "/notifications")
"""What a change made in Outlook, and one made in the app, knocks at: the second is followed by its echo."""


async def _measure_change(file: Path, port: int, knocker: Child, knocks: Knocks) -> tuple[float, list[float]]:
    """Return the CPU of a change that *knocks*, and of each change the seconds until all was stored."""
    with _database(file) as connection:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            path = _BarePath(connection, session, f"http://127.0.0.1:{port}/")
            app = web.Application()
            app.router.add_routes(path.routes())
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            address = runner.addresses[0]
            began = time.process_time()
            await asyncio.to_thread(_knock, knocker, f"http://127.0.0.1:{address[1]}", knocks)
            while len(path.walls) < knocks.count:
                await asyncio.sleep(0.01)
            cpu = time.process_time() - began
            await runner.cleanup()
    return cpu / knocks.count, path.walls


def _knock(knocker: Child, address: str, knocks: Knocks) -> None:
    knocker.tell((address, knocks))
    knocker.receive()


# --- JSON and SQLite


def sample_notice() -> dict[str, Any]:
    """Return a notification as long as a real one."""
    return {
        "subscriptionId": "7f105c7d-2dc5-4530-97cd-4e7ae6534c07",
        "clientState": "x" * 43,
        "changeType": "updated",
        "resource": "Users/ddfc984d-b826-40d7-b48b-57002df800e5/Events/" + "A" * 152,
        "resourceData": {"@odata.type": "#Microsoft.Graph.Event", "@odata.etag": 'W/"x"', "id": "A" * 152},
    }


def sample_event(number: int) -> dict[str, Any]:
    """Return an event of about a kilobyte, as a delta page holds it."""
    person = {"name": f"Person {number % 97}", "address": f"person-{number % 97}@example.org"}
    room = {"name": "Room 1", "address": "room-1@example.org"}
    return {
        "@odata.etag": f'W/"{number:024d}"',
        "id": f"AAMk{number:0148d}",
        "changeKey": f"{number:024d}",
        "iCalUId": f"040000008200E00074C5B7101A82E008{number:080d}",
        "type": "singleInstance",
        "start": {"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-24T09:50:00.0000000", "timeZone": "UTC"},
        "isAllDay": False,
        "isCancelled": False,
        "isDraft": False,
        "isOrganizer": False,
        "subject": person["name"],
        "sensitivity": "normal",
        "showAs": "busy",
        "organizer": {"emailAddress": person},
        "attendees": [{"type": "resource", "status": {"response": "accepted"}, "emailAddress": room}],
        "responseStatus": {"response": "accepted", "time": "2026-11-20T09:00:00Z"},
        "webLink": "https://outlook.office365.com/owa/?itemid=AAMk",
    }


class _Event(msgspec.Struct, gc=False):
    id: str
    iCalUId: str
    changeKey: str
    start: dict[str, str]
    end: dict[str, str]
    isCancelled: bool
    organizer: dict[str, dict[str, str]]
    responseStatus: dict[str, str]


class _Page(msgspec.Struct):
    value: list[_Event]


def _measure_decode() -> float:
    page = msgspec.json.encode({"value": [sample_event(number) for number in range(EVENTS_PER_PAGE)]})
    decode = msgspec.json.Decoder(_Page).decode
    began = time.process_time()
    for _ in range(10):
        decode(page)
    return (time.process_time() - began) / 10 / EVENTS_PER_PAGE


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE inbox (id INTEGER PRIMARY KEY, raw TEXT);"
        "CREATE TABLE event (id TEXT PRIMARY KEY, uid TEXT, start_at TEXT, end_at TEXT, payload TEXT);"
        "CREATE INDEX event_uid ON event (uid); CREATE INDEX event_end ON event (end_at);"
    )
    try:
        yield connection
    finally:
        connection.close()


def _row(number: int) -> tuple[str, str, str, str, str]:
    return f"AAMk{number:0148d}", f"0400{number:0108d}", "2026-11-24T09:00", "2026-11-24T09:50", "x" * 600


def _measure_commit(directory: Path, commits: int) -> tuple[float, list[float]]:
    walls = []
    with _database(directory / "floor-commit.db") as connection:
        began = time.process_time()
        for number in range(commits):
            at = time.monotonic()
            connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", _row(number))
            walls.append(time.monotonic() - at)
        cpu = time.process_time() - began
    return cpu / commits, walls


def _measure_insert(directory: Path, events: int) -> float:
    with _database(directory / "floor-insert.db") as connection:
        began = time.process_time()
        for start in range(0, events, EVENTS_PER_PAGE):
            connection.execute("BEGIN IMMEDIATE")
            rows = [_row(number) for number in range(start, start + EVENTS_PER_PAGE)]
            connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        return (time.process_time() - began) / events

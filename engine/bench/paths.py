"""What any engine of this kind does at least for one change, without any logic: the floors of latency and CPU.

Measured at the pace of what is held against them, and as close to it in time as can be: the less there is to do in a
second, the more each change costs, and a shared machine is not as fast in one minute as in the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from engine.bench.children import Child
from engine.bench.floors import make_row, open_database, run_plain_server, sample_event, sample_notice
from engine.bench.report import Figure, percentile
from engine.graph.certificate import make_certificate
from engine.graph.content import load_private_key, open_content

INBOUND, AT_DESK = ("/notifications",), ("/orders", "/notifications")
"""What a change made in Outlook, and one made in the app, knocks at: the second is followed by its echo."""

ASKED = {INBOUND: 2, AT_DESK: 1}
"""Of how many changes in three Graph is asked besides: a new and a cancelled meeting, and an event that is moved."""


@dataclass(frozen=True, slots=True)
class PathFloors:
    """
    Seconds of CPU per change made in Outlook, and in the app; `wall`: the time until one from Outlook is stored, p50.

    What is `paced` was measured at *pace* changes a second, what is `busy` with sixteen of them under way at any time.
    """

    pace: float
    paced_outlook: float
    paced_app: float
    paced_wall: float
    busy_outlook: float
    busy_app: float

    def figures(self) -> list[Figure]:
        """Return them as lines of the table."""
        paced, busy = f"{self.pace:g}/s", "at once"
        outlook = "webhook, its content opened, commit, 202, GET (2 of 3), commit: aiohttp and sqlite3"
        app = "order, commit, 201, POST, commit; then its echo, as from Outlook, GET (1 of 3)"
        return [
            Figure(
                "floor",
                f"change from Outlook without logic, {paced}, CPU",
                self.paced_outlook * 1e3,
                "ms",
                note=outlook,
            ),
            Figure("floor", f"change from Outlook without logic, {paced}, wall p50", self.paced_wall * 1e3, "ms"),
            Figure("floor", f"change in the app without logic, {paced}, CPU", self.paced_app * 1e3, "ms", note=app),
            Figure("floor", f"change from Outlook without logic, {busy}, CPU", self.busy_outlook * 1e3, "ms"),
            Figure("floor", f"change in the app without logic, {busy}, CPU", self.busy_app * 1e3, "ms"),
        ]


def measure_paths(directory: Path, *, pace: float, rounds: int) -> PathFloors:
    """Measure all of them; a second and more for each of *rounds*. *directory*: a new one each time."""
    with Child(run_plain_server) as server:
        port = server.receive()

        def measure(paths: tuple[str, ...], pace: float, changes: int) -> tuple[float, list[float]]:
            file = directory / f"{len(paths)}-at-{pace:g}.db"
            with Child(run_knocker) as knocker:
                return asyncio.run(_measure_change(file, port, knocker, Knocks(paths, changes * rounds, pace)))

        paced_outlook, walls = measure(INBOUND, pace, 40)
        paced_app, _ = measure(AT_DESK, pace, 30)
        busy_outlook, _ = measure(INBOUND, math.inf, 150)
        busy_app, _ = measure(AT_DESK, math.inf, 75)
    return PathFloors(pace, paced_outlook, paced_app, percentile(walls, 0.5), busy_outlook, busy_app)


def average(found: Sequence[PathFloors]) -> PathFloors:
    """Return the mean of several measurements at one pace."""

    def mean(values: list[float]) -> float:
        return sum(values) / len(values)

    return PathFloors(
        pace=found[0].pace,
        paced_outlook=mean([each.paced_outlook for each in found]),
        paced_app=mean([each.paced_app for each in found]),
        paced_wall=mean([each.paced_wall for each in found]),
        busy_outlook=mean([each.busy_outlook for each in found]),
        busy_app=mean([each.busy_app for each in found]),
    )


IN_FLIGHT_MAX = 16
"""So many changes under way keep the path busy all the time."""


@dataclass(frozen=True, slots=True)
class Knocks:
    """Load: *count* changes, each *body* posted to *paths* in turn, *pace* of them begun in a second; infinity: as soon
    as fewer than `IN_FLIGHT_MAX` are under way."""

    paths: tuple[str, ...]
    count: int
    pace: float
    body: bytes = b""


def run_knocker(pipe: Connection) -> None:
    """Post what is asked for to an address. Runs in a child process."""
    address, knocks = pipe.recv()
    asyncio.run(_knock_at(address, knocks))
    pipe.send("done")
    with contextlib.suppress(EOFError):
        pipe.recv()


async def _knock_at(address: str, knocks: Knocks) -> None:
    free = asyncio.Semaphore(IN_FLIGHT_MAX)

    async def change() -> None:
        async with free:
            for path in knocks.paths:
                async with session.post(address + path, data=knocks.body) as answer:
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

    def __init__(
        self, connection: sqlite3.Connection, session: aiohttp.ClientSession, graph: str, key: Any, asked: int
    ) -> None:
        self.walls: list[float] = []
        """Of each notification: seconds until its loan was stored."""
        self._connection = connection
        self._session = session
        self._graph = graph
        self._key = key
        self._asked = asked
        """Of how many changes in three Graph is asked."""
        self._heard = 0
        self._written = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/notifications", self._notify), web.post("/orders", self._order)]

    async def _notify(self, request: web.Request) -> web.Response:
        came_at = time.monotonic()
        body = await request.read()
        for notice in msgspec.json.decode(body)["value"]:
            opened = open_content(notice["encryptedContent"], self._key)
            assert opened is not None
            msgspec.json.decode(opened)
        self._connection.execute("INSERT INTO inbox (raw) VALUES (?)", (body,))
        self._heard += 1
        self._start(self._settle(came_at, asks=self._heard % 3 < self._asked))
        return web.Response(status=202)

    async def _settle(self, came_at: float, *, asks: bool) -> None:
        if asks:
            async with self._session.get(self._graph) as answer:
                msgspec.json.decode(await answer.read())
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", make_row(len(self.walls)))
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
        self._connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", make_row(-self._written))

    def _start(self, step: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(step)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _measure_change(file: Path, port: int, knocker: Child, knocks: Knocks) -> tuple[float, list[float]]:
    """Return the CPU of a change that *knocks*, and of each change the seconds until all was stored."""
    with open_database(file) as connection:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            body, key = _seal_notice()
            path = _BarePath(connection, session, f"http://127.0.0.1:{port}/", key, ASKED[knocks.paths])
            app = web.Application()
            app.router.add_routes(path.routes())
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            address = runner.addresses[0]
            began = time.process_time()
            await asyncio.to_thread(_knock, knocker, f"http://127.0.0.1:{address[1]}", replace(knocks, body=body))
            while len(path.walls) < knocks.count:
                await asyncio.sleep(0.01)
            cpu = time.process_time() - began
            await runner.cleanup()
    return cpu / knocks.count, path.walls


@cache
def _seal_notice() -> tuple[bytes, Any]:
    """Return a message with one notice, which brings its event, and the key that opens it."""
    from engine.simulator.notices.content import encrypt

    certificate, secret = make_certificate(datetime.now(UTC), timedelta(days=1))
    content = encrypt(sample_event(0), certificate, "bench", Random(1))
    return msgspec.json.encode({"value": [sample_notice() | {"encryptedContent": content}]}), load_private_key(secret)


def _knock(knocker: Child, address: str, knocks: Knocks) -> None:
    knocker.tell((address, knocks))
    knocker.receive()

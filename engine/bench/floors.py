"""What the machine does at best, measured in the same run: the figures to hold the engine's against."""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from engine.bench.children import Child
from engine.bench.report import Figure, percentile

EVENTS_PER_PAGE = 500
DECODINGS = 5
"""The least of so many counts: some take five times as long, with all that the collector looks through then."""


@dataclass(frozen=True, slots=True)
class Floors:
    """Seconds of CPU per operation, unless it says wall. What a whole change costs at least: see `paths`."""

    get: float
    decode: float
    commit: float
    commit_wall: float
    insert: float

    @property
    def import_event(self) -> float:
        """An event that is decoded and inserted, its share of a page's request included."""
        return self.decode + self.insert + self.get / EVENTS_PER_PAGE

    def figures(self) -> list[Figure]:
        """Return the floors as lines of the table."""
        return [
            Figure("floor", "aiohttp GET of an empty delta, CPU", self.get * 1e6, "µs"),
            Figure("floor", "msgspec decode of a page, CPU per event", self.decode * 1e6, "µs"),
            Figure("floor", "SQLite commit (WAL, FULL), CPU", self.commit * 1e6, "µs"),
            Figure("floor", "SQLite commit (WAL, FULL), wall p50", self.commit_wall * 1e6, "µs"),
            Figure("floor", "SQLite bulk insert, two indexes, CPU per event", self.insert * 1e6, "µs"),
        ]  # fmt: skip


def measure_floors(directory: Path, *, rounds: int = 5) -> Floors:
    """Measure everything; some three seconds."""
    with Child(run_plain_server) as server:
        get = statistics.median(asyncio.run(_measure_get(server.receive(), rounds)))
    commit, commit_walls = _measure_commit(directory, commits=100 * rounds)
    return Floors(
        get=get,
        decode=min(_measure_decode() for _ in range(DECODINGS)),
        commit=commit,
        commit_wall=percentile(commit_walls, 0.5),
        insert=_measure_insert(directory, events=2000 * rounds),
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
    decode(page)  # the first is slower
    began = time.process_time()
    for _ in range(10):
        decode(page)
    return (time.process_time() - began) / 10 / EVENTS_PER_PAGE


@contextmanager
def open_database(path: Path) -> Iterator[sqlite3.Connection]:
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


def make_row(number: int) -> tuple[str, str, str, str, str]:
    return f"AAMk{number:0148d}", f"0400{number:0108d}", "2026-11-24T09:00", "2026-11-24T09:50", "x" * 600


def _measure_commit(directory: Path, commits: int) -> tuple[float, list[float]]:
    walls = []
    with open_database(directory / "floor-commit.db") as connection:
        began = time.process_time()
        for number in range(commits):
            at = time.monotonic()
            connection.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?)", make_row(number))
            walls.append(time.monotonic() - at)
        cpu = time.process_time() - began
    return cpu / commits, walls


def _measure_insert(directory: Path, events: int) -> float:
    with open_database(directory / "floor-insert.db") as connection:
        began = time.process_time()
        for start in range(0, events, EVENTS_PER_PAGE):
            connection.execute("BEGIN IMMEDIATE")
            rows = [make_row(number) for number in range(start, start + EVENTS_PER_PAGE)]
            connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        return (time.process_time() - began) / events

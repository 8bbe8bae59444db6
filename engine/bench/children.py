"""Tenant and service in processes of their own, so that each one's CPU is its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

TOKEN = "demo"
ANSWER_SECONDS = 120.0
"""How long a child may take to answer; pouring a hundred thousand meetings takes the longest."""

_spawning = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Furniture:
    """What the simulated tenant holds at the start."""

    rooms: int = 0
    people: int = 0
    events_per_room: int = 0
    timetable: str | None = None


class Child:
    """A process that answers questions over a pipe. A context manager: it ends with its block."""

    def __init__(self, target: Any, *arguments: Any) -> None:
        self._pipe, theirs = _spawning.Pipe()
        self._process = _spawning.Process(target=target, args=(theirs, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    def ask(self, question: str) -> Any:
        """Ask, and return the answer."""
        self._pipe.send(question)
        return self.receive()

    def tell(self, words: Any) -> None:
        """Say something that needs no answer."""
        self._pipe.send(words)

    def receive(self) -> Any:
        """Return what the child says next. Raises RuntimeError when it says nothing any more."""
        return self.receive_within(ANSWER_SECONDS)

    def receive_within(self, seconds: float) -> Any:
        """Return what the child says next, within *seconds*. Raises RuntimeError when it says nothing any more."""
        if not self._pipe.poll(seconds):
            raise RuntimeError("a child process does not answer")
        try:
            return self._pipe.recv()
        except EOFError:
            raise RuntimeError("a child process ended unexpectedly; its error is above") from None

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.join(15)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


# --- the tenant


def start_tenant(furniture: Furniture) -> tuple[Child, str]:
    """Start a simulated tenant whose rooms answer at once; return it and its base URL."""
    child = Child(run_tenant, furniture)
    return child, child.receive()


def run_tenant(pipe: Connection, furniture: Furniture) -> None:
    """Serve until terminated. Runs in a child process."""
    asyncio.run(_serve_tenant(pipe, furniture))


async def _serve_tenant(pipe: Connection, furniture: Furniture) -> None:
    from engine.simulator import TenantOptions
    from engine.simulator.server import SimulatorServer

    options = TenantOptions(
        attendant_delay=(0.0, 0.0),
        notification_delay=(0.0, 0.01),
        extra_touches=0,
        empty_page_rate=0.0,
        domains=("example.org",),
    )
    server = SimulatorServer(options)
    await server.start()
    furnish(server.tenant, furniture)
    pipe.send(server.base_url)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    await stopping.wait()
    await server.stop()


def furnish(tenant: Any, furniture: Furniture) -> None:
    """Put rooms, people and meetings into a tenant."""
    from engine.simulator.timetable import load_timetable, pour

    for number in range(furniture.rooms):
        tenant.office.add_room(room_address(number), f"Room {number}", capacity=10)
        tenant.office.set_processing(room_address(number), booking_window_in_days=1080)
    for number in range(furniture.people):
        tenant.office.add_person(person_address(number), f"Person {number}")
    if furniture.timetable is not None:
        pour(tenant, load_timetable(Path(furniture.timetable), 14, next_monday().date()))
    first = next_monday()
    for room in range(furniture.rooms):
        for number in range(furniture.events_per_room):
            start = first + timedelta(hours=8 * (number // 8) + number % 8)
            person = (room + number) % furniture.people
            tenant.office.place_accepted(
                room_address(room), person_address(person), subject="Meeting", start=start,
                end=start + timedelta(minutes=50),
            )  # fmt: skip
    tenant.world.store.flush()


def room_address(number: int) -> str:
    return f"room-{number}@example.org"


def person_address(number: int) -> str:
    return f"person-{number}@example.org"


def next_monday() -> datetime:
    """Return the coming Monday's midnight."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=7 - today.weekday())


# --- the service


def start_service(base_url: str, directory: Path, settings: Mapping[str, str] | None = None) -> tuple[Child, str]:
    """Start the service with a stopwatch at its doors; return it and where its web listens."""
    port = free_port()
    child = Child(run_service, service_environment(base_url, directory, port) | dict(settings or {}))
    assert child.receive() == "started"
    return child, f"http://127.0.0.1:{port}"


def service_environment(base_url: str, directory: Path, port: int) -> dict[str, str]:
    """Return the settings of a service that follows the tenant at *base_url*."""
    from engine.simulator import TenantOptions

    tenant = TenantOptions()
    return {
        "ENGINE_SETTINGS": os.devnull,
        "ENGINE_DATABASE__URL": f"sqlite:///{directory / 'bench.db'}",
        "ENGINE_GRAPH__CREDENTIAL": "static_token",
        "ENGINE_GRAPH__TOKEN": TOKEN,
        "ENGINE_GRAPH__BASE_URL": base_url,
        "ENGINE_GRAPH__AUTHORITY": base_url.removesuffix("/v1.0"),
        "ENGINE_GRAPH__CLIENT_ID": tenant.client_id,
        "ENGINE_GRAPH__TENANT_ID": tenant.tenant_id,
        "ENGINE_WEB__PORT": str(port),
        "ENGINE_WEB__API_TOKEN": TOKEN,
        "ENGINE_SYNC__FIRST_CONTACT": "import",
    }


def run_service(pipe: Connection, environ: dict[str, str]) -> None:
    """Run the service until terminated, answering questions about it. Runs in a child process."""
    import contextlib
    import io
    import logging

    from engine.app import run_service as run
    from engine.app.stopping import SIGNALS
    from engine.bench.probes import Probes
    from engine.settings import load_settings

    probes = Probes()
    probes.install()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # in every thread, or the one below would end it all
    threading.Thread(target=_answer, args=(pipe, probes), daemon=True).start()
    pipe.send("started")
    logging.disable(logging.WARNING)
    with contextlib.redirect_stdout(io.StringIO()):
        run(load_settings(None, environ))


def _answer(pipe: Connection, probes: Any) -> None:
    while True:
        try:
            question = pipe.recv()
        except (EOFError, OSError):
            return
        match question:
            case "cpu":
                pipe.send((time.process_time(), probes.activity))
            case "records":
                pipe.send(probes.take())
            case "count only":
                probes.is_recording = False
                pipe.send(None)
            case "memory":
                pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def resident_memory(pid: int | str = "self") -> int:
    """Return how many bytes of a process are in memory; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0

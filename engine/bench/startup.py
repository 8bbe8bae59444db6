"""How long the service takes from its start to its first answer, and to being ready."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from engine.bench.changes import wait_until_ready
from engine.bench.children import Furniture, free_port, resident_memory, service_environment, start_tenant
from engine.bench.report import Figure

ROOMS = 35

SERVING = ("uvicorn", "uvloop", "fastapi", "sqlmodel", "pydantic_settings", "typer", "babel", "prometheus_client")
WORKING = (*SERVING, "aiohttp", "msgraph", "azure.identity.aio", "apscheduler.schedulers.asyncio", "tenacity")
"""What a start loads of other people's before it serves, and before it works: the floor of a start."""

FLOOR = "the libraries alone, loaded"

LOADS = 3
"""How often the floor is measured: the quickest counts."""

STOP_SECONDS = 90.0
"""How long a stop may take on a machine that does much else. Passes under way have ten seconds."""


def measure_startup(directory: Path, *, kinds: Sequence[str]) -> list[Figure]:
    """Start the service once per kind of database: a `new` one, then the `known` one that it left. Beside it stands how
    long Python takes to load the libraries alone."""
    floor_of_serving, floor_of_working = _time_loading(SERVING), _time_loading(WORKING)
    tenant, base_url = start_tenant(Furniture(rooms=ROOMS, people=1))
    subprocess.run([sys.executable, "-c", "import engine.app.service, engine.app.work"], env=_environment(), check=True)
    figures = []
    with tenant:
        for kind in kinds:
            start = time_start(service_environment(base_url, directory, free_port()))
            figures += [
                Figure("", f"start to /readyz serving, {kind} database", start.serving, "s", 2.0,
                       floor=floor_of_serving, floor_name=FLOOR),
                Figure("", f"start to ready, {kind} database", start.ready, "s", 3.0,
                       floor=floor_of_working, floor_name=FLOOR, note=f"{ROOMS} rooms"),
            ]  # fmt: skip
    return figures


def _time_loading(modules: Sequence[str]) -> float:
    """Return how long a Python takes to load *modules*, in seconds, at best."""
    command = [sys.executable, "-c", f"import gc; gc.disable(); import {', '.join(modules)}"]
    taken = []
    for _ in range(LOADS):
        began = time.monotonic()
        subprocess.run(command, env=_environment(), check=True)
        taken.append(time.monotonic() - began)
    return min(taken)


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds until the web answered, and until it said that it is ready, if that was waited for; resident bytes some
    seconds later."""

    serving: float
    ready: float
    memory: int


def _environment() -> dict[str, str]:
    """Return ours, as `scripts/run` would have it: modules are compiled once and kept, not anew at each start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def time_start(settings: Mapping[str, str], *, until_ready: bool = True, rest: float = 0.0) -> Start:
    """Start the service with *settings*, wait until it is ready (or only serves), let it run for *rest* seconds, and
    stop it."""
    origin = f"http://127.0.0.1:{settings['ENGINE_WEB__PORT']}"
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", "run"],
        env={**_environment(), **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        serving, ready = asyncio.run(_wait(origin, began, until_ready=until_ready))
        time.sleep(rest)
        return Start(serving, ready, resident_memory(process.pid))
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


async def _wait(origin: str, began: float, *, until_ready: bool) -> tuple[float, float]:
    async with aiohttp.ClientSession() as session:
        serving = await _wait_until_serving(session, origin, began)
        if until_ready:
            await wait_until_ready(session, origin)
        return serving, time.monotonic() - began


async def _wait_until_serving(session: aiohttp.ClientSession, origin: str, began: float) -> float:
    while time.monotonic() - began < 60.0:
        try:
            async with session.get(f"{origin}/readyz") as answer:
                await answer.read()
                return time.monotonic() - began
        except aiohttp.ClientError:
            await asyncio.sleep(0.01)
    raise RuntimeError("the service does not answer")

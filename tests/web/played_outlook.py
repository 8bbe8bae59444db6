"""Outlook played in a thread of its own: a simulated tenant whose clock stands where a test wants it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from engine.app.outlook import SimulatedOutlook
from engine.simulator import TenantOptions
from engine.simulator.demo import populate
from engine.simulator.tenant import Tenant


@contextmanager
def played_outlook(now: Callable[[], datetime], *, zone: str = "Europe/Paris") -> Iterator[SimulatedOutlook]:
    """Yield who plays Outlook in the demonstration building; its rooms answer at once."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    tasks: set[asyncio.Task[None]] = set()

    def spawn(coroutine: Coroutine[Any, Any, None]) -> None:
        task = loop.create_task(coroutine)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        raise OSError("nobody listens")

    async def build() -> Tenant:
        options = TenantOptions(attendant_delay=(0.0, 0.0), static_token="demo", state_file=None)
        tenant = Tenant(options, now=now, call_later=loop.call_later, post=post, spawn=spawn)
        populate(tenant, today=now().date(), zone=zone)
        return tenant

    tenant = asyncio.run_coroutine_threadsafe(build(), loop).result(10)
    try:
        yield SimulatedOutlook(tenant, loop, zone=zone)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        tenant.close()
        loop.close()

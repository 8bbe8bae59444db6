"""A simulated tenant in this process, behind a real port, furnished for checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from engine.conformance.client import Client
from engine.conformance.receiver import listen
from engine.conformance.stage import SignIn, Stage
from engine.simulator.options import DEMO_TOKEN, TenantOptions
from engine.simulator.server import SimulatorServer

PERSON, OTHER = "alex@example.org", "kim@example.org"
ROOMS = ("aula@example.org", "studio@example.org")
OPTIONS = TenantOptions(
    attendant_delay=(0.0, 0.01), notification_delay=(0.0, 0.01), latency=(0.002, 0.004), page_size=5
)  # fmt: skip
"""Quick, and slow enough for requests to overlap."""


@asynccontextmanager
async def open_simulated() -> AsyncIterator[Stage]:
    """Yield a stage in a new tenant with two people, two rooms and a room list."""
    server = SimulatorServer(OPTIONS)
    await server.start()
    try:
        office = server.tenant.office
        office.add_room(ROOMS[0], "Aula", capacity=40, zone="Europe/Paris")
        office.add_room(ROOMS[1], "Studio", capacity=8, zone="Europe/Paris")
        office.add_room_list("ground-floor@example.org", "Ground floor", ROOMS)
        office.add_person(PERSON, "Alex Doe", zone="Europe/Paris")
        office.add_person(OTHER, "Kim Ito", zone="Europe/Paris")
        sign_in = SignIn(server.origin, OPTIONS.tenant_id, OPTIONS.client_id, OPTIONS.client_secret)
        async with aiohttp.ClientSession() as session, listen("127.0.0.1", 0, "") as receiver:
            client = Client(server.base_url, session, _header)
            yield Stage(client, PERSON, ROOMS, sign_in, receiver, patience=20.0, pause=0.02, quiet=0.2)
    finally:
        await server.stop()


async def _header() -> str:
    return f"Bearer {DEMO_TOKEN}"

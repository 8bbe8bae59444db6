"""The tenant on a real socket, and the SDK's own spellings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp import web
from azure.core.credentials import AccessToken

from engine.simulator import TenantOptions
from engine.simulator.server import SimulatorServer

TOKEN = {"Authorization": "Bearer demo"}


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[SimulatorServer]:
    """A server with a room and a person, stopped whatever happens."""
    server = SimulatorServer(TenantOptions(attendant_delay=(0.0, 0.01), notification_delay=(0.0, 0.01), **options))
    await server.start()
    server.tenant.office.add_room("aula@example.org", "Aula")
    server.tenant.office.add_person("alex@example.org", "Alex Doe")
    try:
        yield server
    finally:
        await server.stop()


def test_it_books_notifies_and_hangs_up() -> None:
    """One whole story over HTTP: handshake, booking, notices, a dropped connection."""
    asyncio.run(_whole_story())


async def _whole_story() -> None:
    told = asyncio.Event()
    received: list[Any] = []

    async def receive(request: web.Request) -> web.Response:
        if "validationToken" in request.query:
            return web.Response(text=request.query["validationToken"])
        received.extend((await request.json())["value"])
        if len(received) >= 3:
            told.set()
        return web.Response(status=202)

    app = web.Application()
    app.router.add_post("/notify", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/notify"
    soon = datetime.now(UTC) + timedelta(days=2)
    subscription = {
        "changeType": "created,updated,deleted", "resource": "/users/aula@example.org/events",
        "notificationUrl": url, "expirationDateTime": soon.isoformat(),
    }  # fmt: skip
    meeting = {
        "subject": "x",
        "start": {"dateTime": soon.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": (soon + timedelta(hours=1)).isoformat(), "timeZone": "UTC"},
        "attendees": [{"type": "resource", "emailAddress": {"address": "aula@example.org"}}],
    }
    try:
        async with running() as server, aiohttp.ClientSession(headers=TOKEN) as client:
            async with client.post(f"{server.base_url}/subscriptions", json=subscription) as answer:
                assert answer.status == 201, await answer.text()
            async with client.post(f"{server.base_url}/users/alex@example.org/events", json=meeting) as answer:
                assert answer.status == 201
                assert answer.headers["Content-Type"].startswith("application/json")
            await asyncio.wait_for(told.wait(), 5)
            server.tenant.faults.add(effect="drop")
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await client.get(f"{server.base_url}/users")
    finally:
        await runner.cleanup()
    assert received[0]["changeType"] == "created"


def test_links_lead_back_to_the_port() -> None:
    """nextLink and deltaLink name the host that was asked."""
    asyncio.run(_follow_a_link())


async def _follow_a_link() -> None:
    window = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-02-01T00:00:00Z"
    async with running() as server, aiohttp.ClientSession(headers=TOKEN) as client:
        url = f"{server.base_url}/users/aula@example.org/calendarView/delta?{window}"
        async with client.get(url) as answer:
            link = (await answer.json())["@odata.deltaLink"]
        assert link.startswith(server.base_url)
        async with client.get(link) as answer:
            assert answer.status == 200


class FakeCredential:
    """What the SDK asks for a token."""

    async def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        """Return the demo token."""
        return AccessToken("demo", int(datetime.now(UTC).timestamp()) + 3600)

    async def close(self) -> None:
        """Nothing is open."""


def test_sdk_builders_reach_it() -> None:
    """The builders' own URLs, through the SDK's adapter, answered as bytes: no model is ever imported."""
    asyncio.run(_ask_with_the_sdk())


async def _ask_with_the_sdk() -> None:
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph import GraphRequestAdapter, GraphServiceClient
    from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import DeltaRequestBuilder

    window = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
        start_date_time="2026-01-01T00:00:00Z", end_date_time="2026-02-01T00:00:00Z"
    )
    scopes = ["https://graph.microsoft.com/.default"]
    provider = AzureIdentityAuthenticationProvider(FakeCredential(), scopes=scopes, allowed_hosts=["127.0.0.1"])
    async with running() as server, httpx.AsyncClient() as http:
        adapter = GraphRequestAdapter(provider, client=http)
        adapter.base_url = server.base_url
        graph = GraphServiceClient(request_adapter=adapter)
        room = graph.users.by_user_id("aula@example.org")
        asked = room.calendar_view.delta.to_get_request_information(RequestConfiguration(query_parameters=window))

        rooms = await adapter.send_primitive_async(graph.places.graph_room.to_get_request_information(), "bytes", {})
        delta = await adapter.send_primitive_async(asked, "bytes", {})

        assert b'"emailAddress":"aula@example.org"' in rooms
        assert "delta()" in asked.url
        assert b"deltaLink" in delta

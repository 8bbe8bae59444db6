"""The tenant on a real socket, and the SDK's own spellings."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from engine.simulator import TenantOptions
from engine.simulator.server import SimulatorServer

TOKEN = {"Authorization": "Bearer demo"}


async def started(**options: Any) -> SimulatorServer:
    server = SimulatorServer(TenantOptions(attendant_delay=(0.0, 0.01), notification_delay=(0.0, 0.01), **options))
    await server.start()
    server.tenant.office.add_room("aula@example.org", "Aula")
    server.tenant.office.add_person("alex@example.org", "Alex Doe")
    return server


def test_it_books_notifies_and_hangs_up() -> None:
    """One whole story over HTTP: handshake, booking, notices, a dropped connection."""

    async def story() -> None:
        server, told = await started(), asyncio.Event()
        received: list[Any] = []

        async def receive(request: aiohttp.web.Request) -> aiohttp.web.Response:
            if "validationToken" in request.query:
                return aiohttp.web.Response(text=request.query["validationToken"])
            received.extend((await request.json())["value"])
            if len(received) >= 3:
                told.set()
            return aiohttp.web.Response(status=202)

        app = aiohttp.web.Application()
        app.router.add_post("/notify", receive)
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]

        async with aiohttp.ClientSession(headers=TOKEN) as client:
            end = datetime.now(UTC) + timedelta(days=1)
            body = {
                "changeType": "created,updated,deleted", "resource": "/users/aula@example.org/events",
                "notificationUrl": f"http://127.0.0.1:{port}/notify", "expirationDateTime": end.isoformat(),
            }  # fmt: skip
            async with client.post(f"{server.base_url}/subscriptions", json=body) as answer:
                assert answer.status == 201, await answer.text()
            start = (datetime.now(UTC) + timedelta(days=2)).isoformat()
            stop = (datetime.now(UTC) + timedelta(days=2, hours=1)).isoformat()
            meeting = {
                "subject": "x", "start": {"dateTime": start, "timeZone": "UTC"},
                "end": {"dateTime": stop, "timeZone": "UTC"},
                "attendees": [{"type": "resource", "emailAddress": {"address": "aula@example.org"}}],
            }  # fmt: skip
            async with client.post(f"{server.base_url}/users/alex@example.org/events", json=meeting) as answer:
                assert answer.status == 201
                assert answer.headers["Content-Type"].startswith("application/json")
            await asyncio.wait_for(told.wait(), 5)
            server.tenant.faults.add(effect="drop")
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await client.get(f"{server.base_url}/users")
        await runner.cleanup()
        await server.stop()
        assert [item["changeType"] for item in received][0] == "created"

    asyncio.run(story())


def test_links_lead_back_to_the_port() -> None:
    """nextLink and deltaLink name the host that was asked."""

    async def story() -> None:
        server = await started()
        window = "startDateTime=2026-01-01T00:00:00Z&endDateTime=2026-02-01T00:00:00Z"
        async with aiohttp.ClientSession(headers=TOKEN) as client:
            url = f"{server.base_url}/users/aula@example.org/calendarView/delta?{window}"
            async with client.get(url) as answer:
                link = (await answer.json())["@odata.deltaLink"]
            assert link.startswith(server.base_url)
            async with client.get(link) as answer:
                assert answer.status == 200
        await server.stop()

    asyncio.run(story())


class FakeCredential:
    """What the SDK asks for a token."""

    async def get_token(self, *scopes: str, **more: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken("demo", int(datetime.now(UTC).timestamp()) + 3600)

    async def close(self) -> None:
        """Nothing is open."""


def test_sdk_builders_reach_it() -> None:
    """The builders' own URLs, through the SDK's adapter, answered as bytes: no model is ever imported."""
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph import GraphRequestAdapter, GraphServiceClient

    async def story() -> None:
        server = await started()
        provider = AzureIdentityAuthenticationProvider(
            FakeCredential(), scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["127.0.0.1"]
        )
        adapter = GraphRequestAdapter(provider)
        adapter.base_url = server.base_url
        graph = GraphServiceClient(request_adapter=adapter)
        view = graph.users.by_user_id("aula@example.org").calendar_view.delta
        rooms = await adapter.send_primitive_async(graph.places.graph_room.to_get_request_information(), "bytes", {})
        assert b'"emailAddress":"aula@example.org"' in rooms

        from kiota_abstractions.base_request_configuration import RequestConfiguration
        from msgraph.generated.users.item.calendar_view.delta.delta_request_builder import DeltaRequestBuilder

        parameters = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(
            start_date_time="2026-01-01T00:00:00Z", end_date_time="2026-02-01T00:00:00Z"
        )
        asked = view.to_get_request_information(RequestConfiguration(query_parameters=parameters))
        assert "delta()" in asked.url
        delta = await adapter.send_primitive_async(asked, "bytes", {})
        assert b"deltaLink" in delta
        await adapter._http_client.aclose()
        await server.stop()

    asyncio.run(story())

"""Whose Graph the service speaks to: the simulated tenant's, started here, or a real one's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from engine.clock import utc_now
from engine.errors import DatabaseUnusable
from engine.graph.build import build_calendar
from engine.graph.calendar import GraphCalendar
from engine.graph.credential import StaticTokenCredential, TokenCredential, build_credential
from engine.settings import Settings
from engine.web.pages.outlook_parts import OutlookPlayer


@asynccontextmanager
async def open_tenant(settings: Settings) -> AsyncIterator[tuple[str, TokenCredential, OutlookPlayer | None]]:
    """Yield the Graph to speak to and our identity there: the simulated tenant's, started here, or a real one's.

    With the simulated one, also who plays Outlook in it.
    """
    if not settings.simulated:
        yield settings.graph.base_url, credential_of(settings), None
        return
    from engine.app.outlook import SimulatedOutlook
    from engine.simulator import DEMO_TOKEN as TENANT_TOKEN
    from engine.simulator import TenantOptions
    from engine.simulator.demo import populate
    from engine.simulator.server import SimulatorServer

    options = TenantOptions(seed=settings.simulator.seed, state_file=settings.simulator.state_file or None)
    server = SimulatorServer(options, port=settings.simulator.port)
    try:
        await server.start()
    except OSError as error:
        port = settings.simulator.port
        raise DatabaseUnusable(f"the simulated tenant cannot start on port {port}: {error}") from error
    try:
        if settings.simulator.demo:
            zone = settings.rooms.time_zone
            populate(server.tenant, today=utc_now().astimezone(ZoneInfo(zone)).date(), zone=zone)
        outlook = SimulatedOutlook(server.tenant, asyncio.get_running_loop(), zone=settings.rooms.time_zone)
        yield server.base_url, StaticTokenCredential(TENANT_TOKEN), outlook
    finally:
        await server.stop()


def credential_of(settings: Settings) -> TokenCredential:
    """Return our identity at a real tenant."""
    graph = settings.graph
    return build_credential(
        graph.credential,
        token=graph.token.get_secret_value() if graph.token else None,
        tenant_id=graph.tenant_id or None,
        client_id=graph.client_id or None,
        client_secret=graph.client_secret.get_secret_value() if graph.client_secret else None,
        certificate_path=graph.certificate_path or None,
        authority=graph.authority,
    )


def build_service_calendar(settings: Settings, base_url: str, credential: TokenCredential) -> GraphCalendar:
    """Return the calendar side as the settings want it."""
    return build_calendar(
        base_url=base_url,
        credential=credential,
        now=utc_now,
        http_client="kiota" if settings.graph.http_client == "httpx" else "aiohttp",
        requests_per_mailbox=settings.graph.requests_per_mailbox,
        timeout_seconds=settings.graph.timeout_seconds,
    )

"""Whose Graph the service speaks to: the simulated tenant's, started here, or a real one's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zoneinfo import ZoneInfo

from engine.clock import utc_now
from engine.errors import Fatal
from engine.settings import Settings
from engine.web.pages.parts.outlook import OutlookPlayer


@asynccontextmanager
async def open_tenant(settings: Settings) -> AsyncIterator[tuple[str, OutlookPlayer | None]]:
    """Yield the Graph to speak to: the simulated tenant's, started here, and who plays Outlook in it; or a real one."""
    if not settings.simulated:
        yield settings.graph.base_url, None
        return
    from engine.app.outlook import SimulatedOutlook
    from engine.simulator import TenantOptions
    from engine.simulator.demo import populate
    from engine.simulator.server import SimulatorServer
    from engine.simulator.store import StoreUnusable

    options = TenantOptions(seed=settings.simulator.seed, state_file=settings.simulator.state_file or None)
    server = SimulatorServer(options, port=settings.simulator.port)
    try:
        await server.start()
    except OSError as error:
        port = settings.simulator.port
        why = f"the simulated tenant cannot listen on port {port}: {error.strerror or error}"
        raise Fatal(f"{why}; set ENGINE_SIMULATOR__PORT") from error
    except StoreUnusable as error:
        raise Fatal(f"the simulated tenant cannot be kept in {error}; set ENGINE_SIMULATOR__STATE_FILE") from error
    try:
        if settings.simulator.demo:
            zone = settings.rooms.time_zone
            populate(server.tenant, today=utc_now().astimezone(ZoneInfo(zone)).date(), zone=zone)
        outlook = SimulatedOutlook(server.tenant, asyncio.get_running_loop(), zone=settings.rooms.time_zone)
        yield server.base_url, outlook
    finally:
        await server.stop()

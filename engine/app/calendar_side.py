"""The calendar side as the settings want it. Importing this loads the libraries that speak to Graph."""

from __future__ import annotations

from engine.clock import utc_now
from engine.graph.build import build_calendar
from engine.graph.calendar import GraphCalendar
from engine.graph.credential import StaticTokenCredential, TokenCredential, build_credential
from engine.graph.meter import GatewayMeter
from engine.settings import Settings

SIMULATED_TOKEN = "demo"
"""What the simulated tenant takes."""


def credential_of(settings: Settings) -> TokenCredential:
    """Return our identity at the tenant of the settings. Raises BadSettings."""
    graph = settings.graph
    if settings.simulated:
        return StaticTokenCredential(SIMULATED_TOKEN)
    return build_credential(
        graph.credential,
        token=graph.token.get_secret_value() if graph.token else None,
        tenant_id=graph.tenant_id or None,
        client_id=graph.client_id or None,
        client_secret=graph.client_secret.get_secret_value() if graph.client_secret else None,
        certificate_path=graph.certificate_path or None,
        authority=graph.authority,
    )


def build_service_calendar(
    settings: Settings, base_url: str, credential: TokenCredential, meter: GatewayMeter | None = None
) -> GraphCalendar:
    """Return the calendar side as the settings want it; *meter* counts its requests."""
    return build_calendar(
        base_url=base_url,
        credential=credential,
        now=utc_now,
        http_client="kiota" if settings.graph.http_client == "httpx" else "aiohttp",
        requests_per_mailbox=settings.graph.requests_per_mailbox,
        timeout_seconds=settings.graph.timeout_seconds,
        meter=meter,
    )

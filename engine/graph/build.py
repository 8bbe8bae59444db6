"""Puts the parts of this package together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from engine.errors import BadSettings
from engine.graph.calendar import GraphCalendar
from engine.graph.credential import Authorizer, TokenCredential, check_base_url
from engine.graph.gateway import Gateway
from engine.graph.meter import GatewayMeter
from engine.graph.transport import AiohttpTransport, Transport
from engine.graph.urls import Urls

HTTP_CLIENTS = ("aiohttp", "kiota")

_urls = lru_cache(8)(Urls)
"""What was expanded below a base URL serves every calendar there."""


def build_calendar(
    *,
    base_url: str,
    credential: TokenCredential,
    now: Callable[[], datetime],
    transport: Transport | None = None,
    http_client: str = "aiohttp",
    requests_per_mailbox: int = 3,
    timeout_seconds: float = 30.0,
    meter: GatewayMeter | None = None,
) -> GraphCalendar:
    """
    Return a calendar that speaks to the Graph at *base_url*; `aclose()` it in the end.

    Args:
        base_url: absolute, https or http on loopback, with the version: "https://graph.microsoft.com/v1.0".
        credential: from `build_credential`, or anything with its two methods; closed with the calendar.
        now: the caller's clock, aware.
        transport: used instead of a client of our own, and closed with the calendar.
        http_client: `aiohttp`, or `kiota` for the SDK's own adapter; ignored when *transport* is given.
        requests_per_mailbox: 1 to 4.
        timeout_seconds: for one whole request.
        meter: counts its requests; else one of its own.

    Raises BadSettings. Nothing is connected yet.
    """
    check_base_url(base_url)
    if http_client not in HTTP_CLIENTS:
        raise BadSettings((f"graph.http_client is {http_client!r}; allowed are {', '.join(HTTP_CLIENTS)}",))
    gateway = Gateway(
        urls=_urls(base_url),
        transport=transport or _build_transport(http_client, timeout_seconds),
        authorizer=Authorizer(credential, base_url=base_url, now=now),
        now=now,
        requests_per_mailbox=requests_per_mailbox,
        meter=meter,
    )
    return GraphCalendar(gateway)


def _build_transport(http_client: str, timeout_seconds: float) -> Transport:
    if http_client == "aiohttp":
        return AiohttpTransport(timeout_seconds=timeout_seconds)
    from engine.graph.kiota import KiotaTransport  # the slower path, loaded only by who asks for it

    return KiotaTransport(timeout_seconds=timeout_seconds)

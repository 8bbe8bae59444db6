"""The gateway's transport into a simulated tenant, without a socket: every request is one call of `Tenant.handle`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.errors import OutcomeUnknown
from engine.graph.transport import Request, Response
from engine.simulator import ConnectionDropped, Tenant


class Cut(Exception):
    """The engine was killed here."""


class TenantTransport:
    """Sends to *tenant*. `on_request` is told of each request before and after it is carried out, and may kill."""

    def __init__(self, tenant: Tenant, *, on_request: Callable[[str, Request], None] | None = None) -> None:
        self._tenant = tenant
        self._on_request = on_request or (lambda _when, _request: None)
        self.requests: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        self._on_request("before", request)
        await asyncio.sleep(0.005)
        try:
            answer = await self._tenant.handle(request.method, request.url, request.headers, request.body)
        except ConnectionDropped as error:
            raise OutcomeUnknown("the connection was dropped") from error
        self._on_request("after", request)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, headers, answer.body)

    async def aclose(self) -> None:
        return None

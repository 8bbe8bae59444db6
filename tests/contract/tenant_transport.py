"""The simulated tenant as a transport: the gateway's requests, without a socket."""

from __future__ import annotations

from engine.errors import OutcomeUnknown
from engine.graph.transport import Request, Response
from engine.simulator import ConnectionDropped, Tenant


class TenantTransport:
    """Hands every request to a tenant; `sent` keeps them for the few rules that are about what is sent."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self.sent: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.sent.append(request)
        try:
            answer = await self._tenant.handle(request.method, request.url, dict(request.headers), request.body)
        except ConnectionDropped as error:
            raise OutcomeUnknown("the connection was dropped") from error
        return Response(answer.status, {name.lower(): text for name, text in answer.headers.items()}, answer.body)

    async def aclose(self) -> None:
        """Nothing is open."""

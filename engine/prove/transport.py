"""The gateway's transport into a simulated tenant, without a socket: every request is one call of `Tenant.handle`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar

from engine.errors import OutcomeUnknown
from engine.graph.transport import Request, Response
from engine.simulator import ConnectionDropped, Tenant
from engine.simulator.faults import NOTICES, Rule

is_engine_calling: ContextVar[bool] = ContextVar("is_engine_calling", default=False)
"""Set while the engine's own request is carried out: faults are the engine's to suffer, not people's."""


def spare_people(tenant: Tenant) -> None:
    """Let request and delta faults strike only the engine's requests."""
    pick = tenant.faults.pick

    def pick_for_engine(effects: frozenset[str], method: str, path: str, mailbox: frozenset[str]) -> Rule | None:
        if effects is not NOTICES and not is_engine_calling.get():
            return None
        return pick(effects, method, path, mailbox)

    tenant.faults.pick = pick_for_engine  # type: ignore[method-assign]


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
        calling = is_engine_calling.set(True)
        try:
            answer = await self._tenant.handle(request.method, request.url, request.headers, request.body)
        except ConnectionDropped as error:
            raise OutcomeUnknown("the connection was dropped") from error
        finally:
            is_engine_calling.reset(calling)
        self._on_request("after", request)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status, headers, answer.body)

    def count_writes(self) -> int:
        """Return how many requests wrote to a calendar."""
        return sum(request.method != "GET" and "/subscriptions" not in request.url for request in self.requests)

    async def aclose(self) -> None:
        return None

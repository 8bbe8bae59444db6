"""The front of the house: Graph goes to the receiver, other machines to the API, people to the pages.

They share nothing but the port.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from engine.web.receiver import RECEIVER_PATHS

MACHINES = ("/api/", "/graph/", "/feeds/")
MACHINE_PATHS = ("/api", "/healthz", "/readyz", "/metrics")


class Front:
    """One application out of several, chosen by the path. Without a *receiver* nothing of Graph's is taken in."""

    def __init__(self, api: ASGIApp, pages: ASGIApp, receiver: ASGIApp | None = None) -> None:
        self._api = api
        self._pages = pages
        self._receiver = receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if self._receiver is not None and path in RECEIVER_PATHS:
            await self._receiver(scope, receive, send)
            return
        is_machine = path in MACHINE_PATHS or path.startswith(MACHINES)
        await (self._api if is_machine else self._pages)(scope, receive, send)

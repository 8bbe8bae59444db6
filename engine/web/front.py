"""The front of the house: machines go to the API, people to the pages. The two share nothing but the port."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

MACHINES = ("/api/", "/graph/", "/feeds/")
MACHINE_PATHS = ("/api", "/healthz", "/readyz", "/metrics")


class Front:
    """One application out of two, chosen by the path."""

    def __init__(self, api: ASGIApp, pages: ASGIApp) -> None:
        self._api = api
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_machine = path in MACHINE_PATHS or path.startswith(MACHINES)
        await (self._api if is_machine else self._pages)(scope, receive, send)

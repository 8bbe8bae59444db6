"""The front of the house: Graph goes to the receiver, other machines to the API, people to the pages.

They share nothing but the port, and that HEAD is answered as GET is, without the body.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
        if scope.get("method") == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        path = scope.get("path", "")
        if self._receiver is not None and path in RECEIVER_PATHS:
            await self._receiver(scope, receive, send)
            return
        is_machine = path in MACHINE_PATHS or path.startswith(MACHINES)
        await (self._api if is_machine else self._pages)(scope, receive, send)


def _without_body(send: Send) -> Send:
    """Return a `send` that ends the answer with its head: RFC 9110 wants HEAD answered as GET, without what it says."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head

"""Where a tenant's notifications arrive: a page that echoes handshakes and keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from engine.errors import Unreachable

GOOD, ODD = "/notify", "/odd"
"""The page that behaves, and the one that answers a handshake with something else."""


@dataclass
class Receiver:
    """What came in."""

    url: str
    handshakes: list[str] = field(default_factory=list)
    """Paths at which a handshake arrived, with their query but the token."""
    notices: list[dict[str, Any]] = field(default_factory=list)

    @property
    def good(self) -> str:
        return self.url + GOOD

    @property
    def odd(self) -> str:
        return self.url + ODD

    def about(self, subscription: str) -> list[dict[str, Any]]:
        """Return the notifications of one subscription."""
        return [each for each in self.notices if each.get("subscriptionId") == subscription]

    async def take(self, request: web.Request) -> web.Response:
        """Answer one POST of the tenant."""
        token = request.query.get("validationToken")
        if token is not None:
            kept = [f"{name}={text}" for name, text in request.query.items() if name != "validationToken"]
            self.handshakes.append(request.path + ("?" + "&".join(kept) if kept else ""))
            return web.Response(text=token if request.path.endswith(GOOD) else "something else")
        body = await request.json()
        self.notices += body.get("value", [])
        return web.Response(status=202)


@asynccontextmanager
async def listen(host: str, port: int, public_url: str) -> AsyncIterator[Receiver]:
    """
    Listen while the context is open.

    Args:
        port: 0 takes a free one.
        public_url: under which the tenant reaches this port; empty where it can use this machine's own address.
    """
    receiver = Receiver(public_url.rstrip("/"))
    app = web.Application()
    app.router.add_post("/{tail:.*}", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise Unreachable(f"cannot listen on {host}:{port}: {error.strerror}") from error
        if not receiver.url:
            receiver.url = f"http://{host}:{runner.addresses[0][1]}"
        yield receiver
    finally:
        await asyncio.shield(runner.cleanup())

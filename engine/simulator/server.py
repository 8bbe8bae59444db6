"""
The tenant on a socket of this machine, inside another asyncio program or by itself.

The only module that knows uvicorn and aiohttp.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Coroutine
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import aiohttp
import uvicorn

from engine.simulator.asgi import SimulatorApp
from engine.simulator.options import TenantOptions
from engine.simulator.store import StoreUnusable
from engine.simulator.tenant import Tenant

WEBHOOK_SECONDS = 10.0
"""How long a receiver may take (Graph docs: change-notifications-delivery-webhooks)."""


class _EmbeddedServer(uvicorn.Server):
    """A uvicorn server that leaves the signals to the program around it."""

    def capture_signals(self) -> Any:
        """Capture nothing."""
        return nullcontext()


class SimulatorServer:
    """One tenant behind one port; port 0 takes a free one."""

    def __init__(self, tenant_options: TenantOptions | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self._options = tenant_options or TenantOptions()
        self._host = host
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None
        self._server: _EmbeddedServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self._tenant: Tenant | None = None

    @property
    def tenant(self) -> Tenant:
        """The tenant; there from `start` on."""
        if self._tenant is None:
            raise RuntimeError("the simulator has not been started")
        return self._tenant

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{self._host}:{self._port}"

    @property
    def base_url(self) -> str:
        """What stands in for https://graph.microsoft.com/v1.0."""
        return f"{self.origin}/v1.0"

    async def start(self) -> None:
        """Bind, make the tenant and serve; returns when requests are answered. Raises OSError, StoreUnusable."""
        loop = asyncio.get_running_loop()
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host, self._port))
            self._port = listener.getsockname()[1]
            self._tenant = Tenant(
                self._options, now=lambda: datetime.now(UTC), call_later=loop.call_later, post=self._post,
                spawn=self._spawn,
            )  # fmt: skip
        except (OSError, StoreUnusable):
            listener.close()
            raise
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WEBHOOK_SECONDS))
        config = uvicorn.Config(
            SimulatorApp(self._tenant), log_level=logging.CRITICAL, access_log=False, lifespan="off",
            timeout_graceful_shutdown=1,
        )  # fmt: skip
        self._server = _EmbeddedServer(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        while not self._server.started:
            if self._serving.done():
                self._serving.result()
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop serving; what waits is kept when there is a state file."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
        for task in tuple(self._tasks):
            task.cancel()
        if self._tenant is not None:
            self._tenant.close()
        if self._session is not None:
            await self._session.close()

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
        assert self._session is not None
        async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Content-Type", ""), await answer.read()


class _Answer:
    """What `pour_over_http` needs of an answer."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self.status = status
        self.headers = headers


def make_sender(session: aiohttp.ClientSession) -> Any:
    """Return the `send` of `pour_over_http` for real HTTP."""

    async def send(method: str, url: str, headers: dict[str, str], body: bytes) -> _Answer:
        async with session.request(method, url, headers=headers, data=body) as answer:
            await answer.read()
            return _Answer(answer.status, dict(answer.headers))

    return send

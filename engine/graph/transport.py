"""
One request out, one answer back: the seam under the gateway.

A transport knows nothing of Graph, tokens, retries or JSON. What it must say is which of two failures happened:

    Unreachable      the request cannot have been applied (no connection was made)
    OutcomeUnknown   it went out and no whole answer came back: it may have been applied

Tests and simulated worlds bring their own transport and need no socket.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from engine.errors import Malformed, OutcomeUnknown, Unreachable

RESPONSE_BYTES_MAX = 32 * 1024 * 1024
"""More than the largest page Graph sends (1,000 events of some 20 kB); beyond it something is wrong."""

CONNECT_SECONDS = 10.0
"""A TLS handshake across the Atlantic takes well under one."""

KEEP_ALIVE_SECONDS = 60.0
"""Shorter than the idle limit of the usual proxies, so that a pooled connection is seldom dead when taken."""

CONNECTIONS_MAX = 32
"""Over all mailboxes; each mailbox has its own, smaller limit in the gateway."""


_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes out. `url` is absolute and already percent-encoded."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Transport(Protocol):
    """Sends one request, once."""

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status. Raises Unreachable, OutcomeUnknown or Malformed (too large)."""
        ...

    async def aclose(self) -> None:
        """Close every connection. A second call is harmless."""
        ...


class AiohttpTransport:
    """
    aiohttp with a keep-alive pool, HTTP/1.1, and the proxies of the environment.

    aiohttp itself sends an idempotent request (GET, DELETE; never POST or PATCH) once more when a pooled connection
    turns out to be closed: harmless here, since a DELETE that was applied then answers 404, which means the same.
    """

    def __init__(
        self,
        *,
        timeout_seconds: float = 30.0,
        connections_max: int = CONNECTIONS_MAX,
        response_bytes_max: int = RESPONSE_BYTES_MAX,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(
            total=timeout_seconds, connect=None, sock_connect=min(CONNECT_SECONDS, timeout_seconds)
        )
        self._connections_max = connections_max
        self._response_bytes_max = response_bytes_max
        self._ssl: ssl.SSLContext | bool = ssl_context or True
        self._session: aiohttp.ClientSession | None = None
        self._proxies: dict[str, str | None] = {}
        self._is_closed = False

    async def send(self, request: Request) -> Response:
        session = self._open_session()
        try:
            url = URL(request.url, encoded=True)
            async with session.request(
                request.method,
                url,
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                proxy=self._proxy_for(url),
            ) as answer:
                body = await self._read(answer)
                return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, body)
        except _NEVER_SENT as error:
            raise Unreachable(f"no connection for {request.method}: {describe(error)}") from error
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            raise OutcomeUnknown(f"no whole answer to {request.method}: {describe(error)}") from error

    async def aclose(self) -> None:
        self._is_closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open_session(self) -> aiohttp.ClientSession:
        """Return the session; it is made at the first request, since aiohttp wants a running loop."""
        if self._is_closed:
            raise Unreachable("the HTTP client is closed")
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._connections_max, keepalive_timeout=KEEP_ALIVE_SECONDS, ssl=self._ssl
            )
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session

    def _proxy_for(self, url: URL) -> str | None:
        """
        Return the environment's proxy for *url*, looked up once per host.

        aiohttp's own way (`trust_env`) looks it up in a thread for every request, and reads ~/.netrc besides: that
        cost three times the request itself.
        """
        host = url.host or ""
        if host not in self._proxies:
            named = None if proxy_bypass(host) else getproxies().get(url.scheme)
            self._proxies[host] = named
        return self._proxies[host]

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in answer.content.iter_any():
            size += len(chunk)
            if size > self._response_bytes_max:
                answer.close()
                raise Malformed(f"an answer of more than {self._response_bytes_max} bytes was cut off")
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def describe(error: BaseException) -> str:
    """Return the kind of *error* and its first words: URLs carry mailbox and event ids, so the text is kept short."""
    text = str(error).partition("?")[0][:160]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

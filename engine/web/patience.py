"""How long callers may take over what they send, and how much of it is taken: whoever dawdles keeps nobody waiting.

A connection sends the head of its first request within `HEAD_SECONDS`, a request the whole of its body within
`BODY_SECONDS`; a head is `HEAD_BYTES_MAX` long at most. How long a body may be is said where it is read. When this
process has as many connections as it can carry, further ones are closed at once: what it needs files and connections
for itself, the database and Graph, goes on.
"""

from __future__ import annotations

import asyncio
import resource
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 20.0
HEAD_BYTES_MAX = 64 * 1024
"""Browsers and Graph send some two kilobytes."""

BODY_SECONDS = 30.0
"""A mebibyte, the most that is taken, comes in that time over the slowest of lines."""

FILES_OF_OURS = 200
"""How many open files are kept for what is not a connection from outside."""
CONNECTIONS_MAX = 100_000
"""Where the machine sets no limit."""

LATE = b"The request took too long to come.\n"
TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def count_connections_max() -> int:
    """Return how many connections this process can carry: what is left of the files that it may open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MAX if files == resource.RLIM_INFINITY else files - min(FILES_OF_OURS, files // 4)


class Connection(HttpToolsProtocol):
    """One connection: closed when no request comes over it in time, or one whose head, or what follows its body, has
    no end. Between two requests uvicorn closes it after some seconds."""

    head_seconds = HEAD_SECONDS
    connections_max = count_connections_max()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unread = 0
        """Bytes since the last of which something came: neither the end of a head nor a piece of a body."""
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.connections_max:
            transport.abort()
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if self._unread > HEAD_BYTES_MAX and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(TOO_LONG)
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        super().on_message_complete()

    def _expect_head(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.head_seconds, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Patience:
    """
    Stands before an application: a request whose body does not come in time is answered 408, and its connection closed.

    Args:
        seconds: how long the whole body may take.
    """

    def __init__(self, app: ASGIApp, *, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        request = _Request(receive, send, asyncio.get_running_loop().time() + self._seconds)
        try:
            await self._app(scope, request.receive, request.send)
        except ClientDisconnect:
            if not request.is_late:
                raise
        if request.is_late:
            await request.refuse()


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") and value != b"0" for name, value in scope["headers"])


class _Request:
    """What an application hears and says of one request, until its body is late."""

    def __init__(self, receive: Receive, send: Send, until: float) -> None:
        self._receive = receive
        self._send = send
        self._until = until
        self._is_whole = False
        self._is_begun = False
        self.is_late = False

    async def receive(self) -> Message:
        if self._is_whole:
            return await self._receive()
        if not self.is_late:
            try:
                async with asyncio.timeout_at(self._until):
                    message = await self._receive()
            except TimeoutError:
                self.is_late = True
            else:
                self._is_whole = not message.get("more_body", False)
                return message
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.is_late and not self._is_begun:
            return  # what it makes of half a body is nobody's answer
        self._is_begun = True
        await self._send(message)

    async def refuse(self) -> None:
        """Say that it was too late, unless an answer has begun."""
        if self._is_begun:
            return
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(LATE)).encode()),
            (b"connection", b"close"),
            (b"x-content-type-options", b"nosniff"),
        ]
        await self._send({"type": "http.response.start", "status": 408, "headers": headers})
        await self._send({"type": "http.response.body", "body": LATE})

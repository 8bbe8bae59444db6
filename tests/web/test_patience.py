"""Callers that dawdle, and send without an end: what they are answered, and that nothing is done for half a request."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any

import pytest
import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from engine.web import patience
from engine.web.api.app import ApiDoor
from engine.web.patience import HEAD_BYTES_MAX, Connection, Patience
from engine.web.receiver import NOTIFICATIONS_PATH, build_receiver

POST = b"POST /api/loans/1/cancel HTTP/1.1\r\nHost: here\r\n"


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:
        return nullcontext()


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Say how long the body was."""
    try:
        body = await Request(scope, receive).body()
    except ClientDisconnect:
        return
    await PlainTextResponse(str(len(body)))(scope, receive, send)


@asynccontextmanager
async def serving(kind: type[Connection]) -> AsyncIterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(answer, http=kind, lifespan="off", log_config=None)
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0)
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            await task


async def say(port: int, *pieces: bytes) -> bytes:
    """Return all that is answered to *pieces*, until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


class Hurried(Connection):
    head_seconds = 0.0


class Full(Connection):
    connections_max = 0


class TestAConnection:
    @pytest.mark.parametrize("pieces", [[], [b"GET / HT"], [b"GET / HTTP/1.1\r\nHost: here\r\nX-Slow: "]])
    def test_without_a_request_is_closed(self, pieces: list[bytes]) -> None:
        """Silent ones stayed open for ever, and so did those that send a head byte by byte."""

        async def look() -> bytes:
            async with serving(Hurried) as port:
                return await say(port, *pieces)

        assert asyncio.run(look()) == b""

    def test_with_a_head_without_an_end_is_closed(self) -> None:
        """Four hundred megabytes of one header were kept in memory, and more would have been."""

        async def look() -> bytes:
            async with serving(Connection) as port:
                return await say(port, b"GET / HTTP/1.1\r\nX-Long: ", *[b"a" * HEAD_BYTES_MAX] * 9)

        assert asyncio.run(look())[:12] in (b"HTTP/1.1 431", b"")

    @pytest.mark.parametrize("tail", [b"1;", b"0\r\nX-Trailer: "])
    def test_with_a_body_that_is_followed_by_anything_is_closed(self, tail: bytes) -> None:
        """What stands beside the pieces of a body is a head as well: their descriptions, and headers after the last."""

        async def look() -> bytes:
            async with serving(Connection) as port:
                begin = POST + b"Transfer-Encoding: chunked\r\n\r\n"
                return await say(port, begin, tail, *[b"a" * HEAD_BYTES_MAX] * 9)

        assert b"200" not in asyncio.run(look())

    def test_beyond_what_can_be_carried_is_closed(self) -> None:
        async def look() -> bytes:
            async with serving(Full) as port:
                return await say(port, b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")

        assert asyncio.run(look()) == b""

    def test_with_requests_is_served(self) -> None:
        """Also with a long body, and with one request after the other."""

        async def look() -> bytes:
            async with serving(Connection) as port:
                long = b"a" * (3 * HEAD_BYTES_MAX)
                first = POST + b"Content-Length: %d\r\n\r\n" % len(long) + long
                return await say(port, first, b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")

        said = asyncio.run(look())
        assert said.count(b"HTTP/1.1 200") == 2
        assert str(3 * HEAD_BYTES_MAX).encode() in said

    @pytest.mark.parametrize(("files", "carried"), [(1024, 824), (256, 192), (-1, patience.CONNECTIONS_MAX)])
    def test_is_refused_before_files_run_out(self, monkeypatch: pytest.MonkeyPatch, files: int, carried: int) -> None:
        monkeypatch.setattr(patience.resource, "getrlimit", lambda _which: (files, files))

        assert patience.count_connections_max() == carried


class Slow:
    """A request whose body begins and does not end, and what is answered."""

    def __init__(self, path: str) -> None:
        self.scope: dict[str, Any] = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [(b"content-length", b"100")], "client": ("127.0.0.1", 1), "http_version": "1.1",
        }  # fmt: skip
        self.answered: list[Message] = []
        self._pieces: Iterator[bytes] = iter([b"{"])

    async def receive(self) -> Message:
        for piece in self._pieces:
            return {"type": "http.request", "body": piece, "more_body": True}
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def send(self, message: Message) -> None:
        self.answered.append(message)

    @property
    def status(self) -> int:
        return int(self.answered[0]["status"])


class TestABody:
    def test_that_does_not_come_is_refused(self) -> None:
        """It was waited for without an end, by the receiver and by the API."""
        done: list[str] = []

        async def act(scope: Scope, receive: Receive, send: Send) -> None:
            done.append(scope["path"])
            await Response()(scope, receive, send)

        receiver = build_receiver(lambda bodies: done.append("stored"))  # type: ignore[arg-type, func-returns-value]
        for path, app in ((NOTIFICATIONS_PATH, receiver), ("/api/loans/1/cancel", ApiDoor(act)), ("/book", answer)):
            slow = Slow(path)

            asyncio.run(Patience(app, seconds=0.0)(slow.scope, slow.receive, slow.send))

            assert slow.status == 408
            assert (b"connection", b"close") in slow.answered[0]["headers"]
        assert done == []

    def test_whose_sender_has_left_asks_for_nothing(self) -> None:
        """The API took half a request for one without a body, and did what it asked for."""
        done: list[str] = []

        async def act(scope: Scope, receive: Receive, send: Send) -> None:
            done.append(scope["path"])

        slow = Slow("/api/loans/1/cancel")

        async def leave() -> Message:
            return {"type": "http.disconnect"}

        asyncio.run(ApiDoor(act)(slow.scope, leave, slow.send))

        assert done == []
        assert slow.answered == []

    def test_that_comes_is_handed_on_and_its_sender_watched(self) -> None:
        """After the body nobody is hurried: a stream of changes lasts as long as its reader stays."""
        heard: list[str] = []

        async def act(scope: Scope, receive: Receive, send: Send) -> None:
            heard.append((await receive())["type"])
            heard.append((await receive())["type"])

        messages = iter([{"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"}])

        async def receive() -> Message:
            return next(messages)

        slow = Slow("/x")
        asyncio.run(Patience(act)(slow.scope, receive, slow.send))

        assert heard == ["http.request", "http.disconnect"]

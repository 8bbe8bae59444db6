"""Both transports, against a server on loopback that behaves and misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from engine.errors import Malformed, OutcomeUnknown, Unreachable
from engine.graph.kiota import KiotaTransport
from engine.graph.transport import AiohttpTransport, Request, Response, Transport

MAKERS = [AiohttpTransport, KiotaTransport]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def raw(status: str, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return head + (await reader.readexactly(size) if size else b"")


def exchange(
    make: Callable[..., Transport], requests: list[Request], *script: bytes | None, **options: object
) -> list[object]:
    """Send *requests* to a server that answers from *script* (None: hangs up); return answers and errors."""
    seen: list[object] = []
    left = list(script)
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            while left:
                heard.append(await read_request(reader))
                data = left.pop(0)
                if data is None:
                    break
                writer.write(data)
                await writer.drain()
            if options.get("silent"):
                await asyncio.sleep(5)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    heard: list[bytes] = []

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        given = {name: value for name, value in options.items() if name != "silent"}
        transport = make(**given)
        for request in requests:
            url = request.url.replace("PORT", str(port))
            try:
                seen.append(await transport.send(Request(request.method, url, request.headers, request.body)))
            except Exception as error:
                seen.append(error)
        await transport.aclose()
        await transport.aclose()
        server.close()
        await asyncio.sleep(0)

    asyncio.run(run())
    return [*seen, connections, heard]


GET = Request("GET", "http://127.0.0.1:PORT/v1.0/users/a%2Fb%2Bc/delta()?$deltatoken=x%2By==", {"Prefer": "p"})
POST = Request("POST", "http://127.0.0.1:PORT/v1.0/users", {"Content-Type": "application/json"}, b'{"a":1}')


@pytest.mark.parametrize("make", MAKERS)
class TestBothTransports:
    def test_carry_request_and_answer_unchanged(self, make: Callable[..., Transport]) -> None:
        """The URL goes out as given, encoded once; header names come back in lower case."""
        first, second, connections, heard = exchange(
            make, [GET, POST], raw("200 OK", b"{}", "Retry-After: 3"), raw("201 Created", b"[]")
        )

        assert isinstance(first, Response)
        assert (first.status, first.body, first.headers["retry-after"]) == (200, b"{}", "3")
        assert isinstance(second, Response)
        assert (second.status, second.body) == (201, b"[]")
        assert isinstance(heard, list)
        assert heard[0].startswith(b"GET /v1.0/users/a%2Fb%2Bc/delta()?$deltatoken=x%2By== HTTP/1.1\r\n")
        assert heard[1].endswith(b'\r\n\r\n{"a":1}')
        assert connections == 1, "the connection is kept alive"

    @pytest.mark.parametrize("status", ["302 Found", "401 Unauthorized", "429 Too Many", "503 Down"])
    def test_hand_back_every_status_after_one_request(self, make: Callable[..., Transport], status: str) -> None:
        """No redirects followed, nothing retried: that is decided elsewhere, once."""
        challenge = 'WWW-Authenticate: Bearer claims="e30="'
        found, _, heard = exchange(make, [POST], raw(status, b"", "Location: /x", challenge, "Retry-After: 0"))

        assert isinstance(found, Response)
        assert found.status == int(status[:3])
        assert isinstance(heard, list)
        assert len(heard) == 1

    def test_a_connection_that_cannot_be_made(self, make: Callable[..., Transport]) -> None:
        """Nothing was sent, so nothing can have happened."""
        found, *_ = exchange(make, [Request("POST", "http://127.0.0.1:1/v1.0", {}, b"{}")])

        assert type(found) is Unreachable

    @pytest.mark.parametrize("data", [None, raw("200 OK", b'{"a"', length=400)])
    def test_an_answer_that_never_came_whole(self, make: Callable[..., Transport], data: bytes | None) -> None:
        """It may have been applied."""
        found, *_ = exchange(make, [POST], data)

        assert type(found) is OutcomeUnknown

    def test_an_answer_that_takes_too_long(self, make: Callable[..., Transport]) -> None:
        """The same: the other side may still be working on it."""
        found, *_ = exchange(make, [POST], raw("200 OK", b'{"a"', length=400), timeout_seconds=0.2, silent=True)

        assert type(found) is OutcomeUnknown

    def test_an_answer_without_end(self, make: Callable[..., Transport]) -> None:
        """A ceiling protects our memory."""
        found, *_ = exchange(make, [GET], raw("200 OK", b"x" * 5000), response_bytes_max=1000)

        assert type(found) is Malformed


class TestProxies:
    def test_the_environments_proxy_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An organization may let nobody out otherwise: the request goes to the proxy, in full."""

        async def run() -> bytes:
            heard: list[bytes] = []

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                heard.append(await read_request(reader))
                writer.write(raw("200 OK", b"{}"))
                await writer.drain()
                writer.close()

            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.delenv("NO_PROXY", raising=False)
            transport = AiohttpTransport()
            await transport.send(Request("GET", "http://graph.example/v1.0/users"))
            await transport.aclose()
            server.close()
            return heard[0]

        assert asyncio.run(run()).startswith(b"GET http://graph.example/v1.0/users HTTP/1.1")

    def test_but_not_for_hosts_it_excludes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """`no_proxy` is honoured."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")

        found, *_ = exchange(AiohttpTransport, [GET], raw("200 OK", b"{}"))

        assert isinstance(found, Response)

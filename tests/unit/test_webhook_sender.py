"""Sending webhooks over real sockets on this machine: what counts as taken, and where nothing is sent at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from standardwebhooks import Webhook

from engine.outbox.message import Letter, Message, MessageState, Receipt
from engine.senders.webhook import ANSWER_BYTES_MAX, WebhookSender
from engine.webhooks.endpoint import Endpoint
from engine.webhooks.guard import LOOPBACK, Network, parse_networks
from engine.webhooks.signature import sign_hex

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime.now(UTC)
BODY = '{"data":{"title":"Réunion"},"meta":{}}'

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Names(AbstractResolver):
    """Looks names up in a list, a new answer each time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        self.asked += 1
        found = self.answers.pop(0)
        return [
            ResolveResult(hostname=host, host=each, port=port, family=socket.AF_INET, proto=0, flags=0)
            for each in found
        ]

    async def close(self) -> None:
        return None


def endpoint(url: str, **more: Any) -> Endpoint:
    values: dict[str, Any] = {
        "id": 1, "name": "x", "url": url, "models": ("loan",), "personal": True, "header": "X-Lapin-Signature",
        "secrets": (SECRET,), "enabled": True, "created_at": NOW, "created_by": "app:x",
    }  # fmt: skip
    return Endpoint(**{**values, **more})


MESSAGE = Message(
    7, Letter("webhook", "1", "loan:1", "loan.updated", BODY), MessageState.WAITING, 0, NOW, NOW, None, None
)


def post(
    answer: Answer,
    *,
    host: str = "127.0.0.1",
    scheme: str = "http",
    names: Names | None = None,
    allowed: tuple[Network, ...] = LOOPBACK,
    timeout: float = 30.0,
    found: Callable[[str], Endpoint | None] | None = None,
) -> tuple[Receipt, list[tuple[web.Request, bytes]]]:
    """Send one message to a receiver that answers as told; return the receipt and what the receiver was sent."""
    seen: list[tuple[web.Request, bytes]] = []

    async def receive(request: web.Request) -> web.StreamResponse:
        seen.append((request, await request.read()))
        return await answer(request)

    async def run() -> Receipt:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", receive)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        sender = WebhookSender(
            found or (lambda _receiver: endpoint(f"{scheme}://{host}:{port}/hook")),
            instance="abc",
            now=lambda: datetime.now(UTC),
            allowed=allowed,
            timeout_seconds=timeout,
            make_resolver=lambda: names or Names(["127.0.0.1"]),
        )
        try:
            return await sender.send(MESSAGE)
        finally:
            await sender.aclose()
            await runner.cleanup()

    return asyncio.run(run()), seen


def answering(**response: Any) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(**response)

    return answer


class TestWhatIsSent:
    def test_is_the_body_with_both_kinds_of_signature(self) -> None:
        receipt, ((request, body),) = post(answering(status=204))

        assert (receipt.status, receipt.error) == (204, None)
        assert body == BODY.encode()
        assert request.headers["Content-Type"] == "application/json; charset=utf-8"
        assert request.headers["X-Lapin-Signature"] == sign_hex(body, SECRET)
        assert request.headers["webhook-id"] == "msg_abc_7"
        assert Webhook(SECRET).verify(body, dict(request.headers))["data"] == {"title": "Réunion"}


class TestTheAnswer:
    def test_is_kept(self) -> None:
        receipt, _ = post(answering(status=422, text='{"error": "no such room"}'))

        assert (receipt.status, receipt.error, receipt.answer) == (422, "HTTP 422", '{"error": "no such room"}')

    def test_that_is_a_page_counts_as_failure(self) -> None:
        receipt, _ = post(answering(text="<html>Sign in</html>", content_type="text/html"))

        assert receipt.status == 200
        assert "web page" in (receipt.error or "")

    def test_that_leads_elsewhere_is_not_followed(self) -> None:
        receipt, seen = post(answering(status=302, headers={"Location": "/elsewhere"}))

        assert "redirect" in (receipt.error or "")
        assert [request.path for request, _ in seen] == ["/hook"]

    def test_that_never_comes_is_waited_for_so_long_and_no_longer(self) -> None:
        async def never(_request: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

        receipt, _ = post(never, timeout=0.2)

        assert receipt.error == "no whole answer within 0.2 s"

    def test_that_drips_is_waited_for_no_longer(self) -> None:
        """Each byte is in time; the whole is not."""

        async def drip(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b".")
                await asyncio.sleep(0.01)

        receipt, _ = post(drip, timeout=0.3)

        assert receipt.error == "no whole answer within 0.3 s"

    def test_that_never_ends_is_cut(self) -> None:
        receipt, _ = post(answering(text="x" * (4 * ANSWER_BYTES_MAX)))

        assert receipt.error is None
        assert set(receipt.answer) == {"x"}

    @pytest.mark.parametrize(
        ("asked", "seconds"),
        [("120", 120.0), ("soon", None), ("", None), ("Mon, 23 Nov 99999999999999999999 09:00:00 GMT", None)],
    )
    def test_may_ask_to_wait(self, asked: str, seconds: float | None) -> None:
        receipt, _ = post(answering(status=503, headers={"Retry-After": asked}))

        assert receipt.retry_after == seconds


class TestWhereNothingIsSent:
    def test_is_a_private_address(self) -> None:
        """Not even asked: the receiver sees nothing."""
        receipt, seen = post(answering(), allowed=())

        assert "not a public address" in (receipt.error or "")
        assert seen == []

    @pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.1", "localhost", "localtest.example"])
    def test_is_a_name_that_leads_to_one(self, host: str) -> None:
        """Whatever way an address is spelt, what counts is where it leads."""
        receipt, seen = post(answering(), host=host, allowed=())

        assert any(words in (receipt.error or "") for words in ("not a public address", "not a canonical IPv4"))
        assert seen == []

    def test_is_a_name_of_which_one_address_is_private(self) -> None:
        names = Names(["8.8.8.8", "127.0.0.1"])
        receipt, seen = post(answering(), host="both.example", names=names, allowed=parse_networks(["8.8.8.0/24"]))

        assert "127.0.0.1 is not a public address" in (receipt.error or "")
        assert seen == []

    def test_is_plain_http_over_the_internet(self) -> None:
        receipt, _ = post(answering(), host="plain.example", names=Names(["8.8.8.8"]), allowed=())

        assert "https" in (receipt.error or "")

    def test_is_an_endpoint_that_is_gone(self) -> None:
        receipt, seen = post(answering(), found=lambda _receiver: None)

        assert receipt.final
        assert seen == []

    def test_is_what_a_name_means_a_moment_later(self) -> None:
        """A name is looked up once, and the connection goes to the address that was looked at (DNS rebinding)."""
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        receipt, seen = post(answering(status=204), host="rebinding.example", names=names)

        assert receipt.error is None
        assert (names.asked, len(seen)) == (1, 1)

    def test_is_a_port_where_nobody_listens(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        receipt, _ = post(answering(), found=lambda _receiver: endpoint(f"http://127.0.0.1:{port}/"))

        assert receipt.status is None
        assert receipt.error == f"no connection to 127.0.0.1:{port}"

    def test_is_a_name_that_nobody_knows(self) -> None:
        class Nowhere(Names):
            async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
                raise OSError(None, "Name or service not known")

        receipt, _ = post(answering(), host="nowhere.example", names=Nowhere())

        assert receipt.error == "no address is known for nowhere.example"

    def test_is_a_receiver_that_speaks_no_tls(self) -> None:
        """It is asked for encryption and answers in plain text."""
        receipt, seen = post(answering(), scheme="https")

        assert (receipt.error or "").startswith("no trusted encryption with 127.0.0.1")
        assert seen == []

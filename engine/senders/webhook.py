"""Sends webhooks over HTTP, to addresses that may be called and to no other.

A name is resolved once, all addresses it has are looked at, and the connection goes to one of those very addresses: a
name that says something else a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from engine.outbox.message import ANSWER_CHARACTERS_MAX, Message, Receipt
from engine.webhooks.answer import answer_error
from engine.webhooks.endpoint import Endpoint
from engine.webhooks.guard import Network, refusal_of
from engine.webhooks.signature import signature_headers

TIMEOUT_SECONDS = 10.0
"""For one whole try, from the look-up of the name to the last byte of the answer (RDV Service Public: the same)."""

ANSWER_BYTES_MAX = 64 * 1024
"""How much of an answer is read; who sends more has answered enough."""

CONNECTIONS_MAX = 32

AGENT = "Accord-Webhook/1"


class Forbidden(OSError):
    """An address that nothing may be sent to."""


class GuardedResolver(AbstractResolver):
    """Resolves names, and refuses those that lead, even with one of their addresses, where nothing may be sent."""

    def __init__(self, resolver: AbstractResolver, refusal: Callable[[str], str | None]) -> None:
        self._resolver = resolver
        self._refusal = refusal

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)  # type: ignore[arg-type]
        for each in found:
            if (refusal := self._refusal(each["host"])) is not None:
                raise Forbidden(refusal)
        return found

    async def close(self) -> None:
        await self._resolver.close()


class WebhookSender:
    """
    Sends messages to endpoints.

    Args:
        find_endpoint: the endpoint of a receiver's name; None when it is gone or switched off.
        instance: the name of this database, part of every message's id.
        now: the clock, aware.
        allowed: networks that may be called although they are not public.
        make_resolver: what looks up names.
    """

    def __init__(
        self,
        find_endpoint: Callable[[str], Endpoint | None],
        *,
        instance: str,
        now: Callable[[], datetime],
        allowed: Sequence[Network] = (),
        timeout_seconds: float = TIMEOUT_SECONDS,
        make_resolver: Callable[[], AbstractResolver] = aiohttp.ThreadedResolver,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._find_endpoint = find_endpoint
        self._instance = instance
        self._now = now
        self._allowed = allowed
        self._timeout_seconds = timeout_seconds
        self._make_resolver = make_resolver
        self._ssl: ssl.SSLContext | bool = ssl_context or True
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def send(self, message: Message) -> Receipt:
        """Send one message, once. What goes wrong is in the receipt."""
        endpoint = self._find_endpoint(message.letter.receiver)
        if endpoint is None or not endpoint.enabled:
            return Receipt(0, error="the endpoint is gone or switched off", final=True)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                receipt = await self._post(endpoint, message)
        except TimeoutError:
            receipt = Receipt(0, error=f"no whole answer within {self._timeout_seconds:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            receipt = Receipt(0, error=_describe(error))
        return _timed(receipt, time.monotonic() - began)

    async def _post(self, endpoint: Endpoint, message: Message) -> Receipt:
        url = URL(endpoint.url)
        is_secure = url.scheme == "https"
        if _is_numeric(url.host or "") and (refusal := self._refusal(url.host or "", is_secure)):
            raise Forbidden(refusal)  # a numeric address is never looked up
        body = message.letter.body.encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": AGENT,
            **signature_headers(
                message_name(self._instance, message.id),
                self._now(),
                body,
                secrets=endpoint.secrets,
                header=endpoint.header,
            ),
        }
        session = self._open_session(is_secure)
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            text = await _read_some(answer)
            return Receipt(
                0,
                status=answer.status,
                answer=text.decode("utf-8", "replace")[:ANSWER_CHARACTERS_MAX],
                error=answer_error(answer.status, answer.headers.get("Content-Type", ""), text),
                retry_after=_retry_after(answer.headers.get("Retry-After", ""), self._now()),
            )

    async def aclose(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _refusal(self, address: str, is_secure: bool) -> str | None:
        return refusal_of(address, is_secure=is_secure, allowed=self._allowed)

    def _open_session(self, is_secure: bool) -> aiohttp.ClientSession:
        """Return the session for encrypted or plain connections, made at the first use. No proxy, no cookie, no cache
        of names: a proxy would look up names itself, and a cached one would outlive its check."""
        if is_secure not in self._sessions:
            resolver = GuardedResolver(self._make_resolver(), lambda address: self._refusal(address, is_secure))
            connector = aiohttp.TCPConnector(
                limit=CONNECTIONS_MAX, resolver=resolver, use_dns_cache=False, ssl=self._ssl
            )
            self._sessions[is_secure] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=True
            )
        return self._sessions[is_secure]


def message_name(instance: str, message_id: int) -> str:
    """Return the id by which receivers know a message, the same at every try and replay."""
    return f"msg_{instance}_{message_id}"


async def _read_some(answer: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in answer.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size >= ANSWER_BYTES_MAX:
            answer.close()
            break
    return b"".join(chunks)[:ANSWER_BYTES_MAX]


def _is_numeric(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _retry_after(value: str, now: datetime) -> float | None:
    """Return what `Retry-After` asks, in seconds, given as such or as a date (RFC 9110)."""
    if value.isdecimal():
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp()


def _describe(error: BaseException) -> str:
    """Return what went wrong in few words: why an address was refused, or the kind of error with its first words."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Forbidden):
            return f"not sent: {cause}"
        cause = cause.__cause__ or cause.__context__
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"no address is known for {error.host}"
        case aiohttp.ClientSSLError():
            return f"no trusted encryption with {error.host}: {error.os_error or error}"[:300]
        case aiohttp.ClientConnectorError():
            return f"no connection to {error.host}:{error.port}"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed without an answer"
    text = str(error)[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _timed(receipt: Receipt, seconds: float) -> Receipt:
    return Receipt(
        round(seconds * 1000), receipt.status, receipt.answer, receipt.error, receipt.retry_after, receipt.final
    )

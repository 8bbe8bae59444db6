"""
One call to Graph: headers, token, slots, retry, errors, meter.

Retry lives here and nowhere else. Inside a call only what heals in a moment is tried again: at most three tries and
two seconds of waiting in all, on `asyncio.sleep`. A longer wait surfaces as Throttled, so that the queue parks the key
instead of a worker sleeping with a slot in its hand. A write whose answer was lost is repeated only when repeating is
harmless, which is for the caller to say (a creation that carries a transaction id).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from engine.errors import EngineError, Malformed, OutcomeUnknown, Paused, Throttled, Transient, Unreachable
from engine.graph.credential import Authorizer
from engine.graph.errors import Target, translate, unreadable
from engine.graph.meter import GatewayMeter
from engine.graph.pauses import Pauses
from engine.graph.payloads import ItemT, Page, decode_page
from engine.graph.slots import MailboxSlots
from engine.graph.transport import Request, Response, Transport
from engine.graph.urls import Urls
from engine.lease import check_lease

TRIES_MAX = 3
WAIT_SECONDS_MAX = 2.0
FIRST_WAIT_SECONDS = 0.25
"""When the service names no wait: 0.25 s, then 0.5 s."""

PREFER = 'IdType="ImmutableId", outlook.timezone="UTC"'
"""On every request, delta pages and subscriptions included: no link remembers it (Graph docs: outlook-immutable-id)."""

PAGES_MAX = 10_000
"""A chain of links that never ends is a fault of the other side."""

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One thing to ask of Graph.

    `kind` is what is attempted, in two words, for the meter and messages; `mailbox` whose slots it takes; `target`
    what a 403 or 404 would be about; `is_repeatable` whether a lost answer may be followed by the same request;
    `expects` which failures are answers that the caller counts on.
    """

    kind: str
    method: str
    url: str
    mailbox: str | None = None
    target: Target = Target.TENANT
    body: bytes = b""
    if_match: str | None = None
    page_size: int | None = None
    is_repeatable: bool = False
    expects: tuple[type[EngineError], ...] = ()

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def what(self) -> str:
        return f"{self.kind} in {self.mailbox}" if self.mailbox else self.kind

    def headers(self) -> dict[str, str]:
        prefer = PREFER if self.page_size is None else f"{PREFER}, odata.maxpagesize={self.page_size}"
        headers = {"Accept": "application/json", "Prefer": prefer}
        if self.body:
            headers["Content-Type"] = "application/json"
        if self.if_match:
            headers["If-Match"] = self.if_match
        return headers


class Gateway:
    """Carries calls out. Transport and credential are handed in, and closed with it."""

    def __init__(
        self,
        *,
        urls: Urls,
        transport: Transport,
        authorizer: Authorizer,
        now: Callable[[], datetime],
        requests_per_mailbox: int = 3,
        meter: GatewayMeter | None = None,
    ) -> None:
        self.urls = urls
        self.meter = meter or GatewayMeter()
        self._transport = transport
        self._authorizer = authorizer
        self._now = now
        self._slots = MailboxSlots(requests_per_mailbox)
        self._pauses = Pauses(now)
        self._retry_safe = self._policy(_may_repeat_safely)
        self._retry_once_applied = self._policy(_may_repeat)

    async def run(self, call: Call, decode: Callable[[bytes], ResultT]) -> ResultT:
        """Carry out *call* and decode its answer. Raises what `translate` and the transport say."""
        try:
            return await self._try(call, decode)
        except Transient as error:
            return await self._repeat(call, decode, error)

    async def pages(self, first: Call, kind: type[ItemT]) -> AsyncGenerator[Page[ItemT], None]:
        """Yield every page of a collection; an empty page with a link is not the end (Graph docs: paging)."""
        call, seen = first, 0
        while True:
            page = await self.run(call, lambda body: decode_page(body, kind))
            yield page
            seen += 1
            if not page.next_link:
                return
            if page.next_link == call.url or seen >= PAGES_MAX:
                raise Malformed(f"{call.what}: the links of the pages go round in a circle")
            call = replace(call, url=self.urls.check_link(page.next_link))

    async def aclose(self) -> None:
        """Close connections and credential."""
        try:
            await self._transport.aclose()
        finally:
            await self._authorizer.aclose()

    async def _repeat(self, call: Call, decode: Callable[[bytes], ResultT], failure: Transient) -> ResultT:
        """Let the policy judge *failure*, the first try's, and try again if it says so.

        The first try runs outside it: going through the policy costs as much CPU as half a request, and nearly every
        request succeeds at once.
        """
        retrying = self._retry_once_applied if call.is_repeatable or not call.is_write else self._retry_safe
        failures = [failure]

        async def attempt() -> ResultT:
            if failures:
                raise failures.pop()
            return await self._try(call, decode)

        return await retrying(attempt)

    async def _try(self, call: Call, decode: Callable[[bytes], ResultT]) -> ResultT:
        try:
            async with self._slots.take(call.mailbox, is_write=call.is_write):
                self._pauses.check(call.mailbox)
                response = self._check(call, await self._send(call))
            try:
                result = decode(response.body)
            except msgspec.DecodeError as error:
                raise unreadable(response.body, what=call.what, is_write=call.is_write, error=error) from error
        except Paused:
            raise  # no try of ours
        except EngineError as error:
            if isinstance(error, Throttled):
                self._pauses.note(call.mailbox, error)
            self.meter.note_failure(call.kind, error, is_expected=isinstance(error, call.expects))
            raise
        self.meter.note_success(call.kind)
        return result

    def _check(self, call: Call, response: Response) -> Response:
        """Return *response* if it is a success; raise what it means otherwise."""
        if 200 <= response.status < 300:
            return response
        raise translate(
            response.status,
            response.headers,
            response.body,
            what=call.what,
            target=call.target,
            is_write=call.is_write,
            now=self._now(),
        )

    async def _send(self, call: Call) -> Response:
        """Send once; a claims challenge is answered once (Entra docs: continuous access evaluation)."""
        headers = call.headers()
        headers["Authorization"] = await self._authorizer.header()
        response = await self._transmit(call, headers)
        if response.status == 401 and "www-authenticate" in response.headers:
            answer = await self._authorizer.answer_challenge(response.headers["www-authenticate"])
            if answer is not None:
                return await self._transmit(call, {**headers, "Authorization": answer})
        return response

    async def _transmit(self, call: Call, headers: dict[str, str]) -> Response:
        check_lease()
        try:
            return await self._transport.send(Request(call.method, call.url, headers, call.body))
        except OutcomeUnknown as error:
            if call.is_write:
                raise OutcomeUnknown(f"{call.what}: {error}; it may have been applied") from error
            raise Unreachable(f"{call.what}: {error}") from error
        except Unreachable as error:
            raise Unreachable(f"{call.what}: {error}") from error

    def _policy(self, predicate: Callable[[BaseException], bool]) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_exception(predicate),
            wait=_wait,
            stop=_stop,
            sleep=asyncio.sleep,
            before_sleep=self._note_repeat,
            reraise=True,
        )

    def _note_repeat(self, state: RetryCallState) -> None:
        self.meter.repeated += 1


def _may_repeat_safely(error: BaseException) -> bool:
    """Tell whether any request may be sent again after *error*: it was certainly not applied, and the wait is known."""
    if isinstance(error, Throttled):
        return error.retry_after is not None
    return isinstance(error, Unreachable) and not isinstance(error, OutcomeUnknown)


def _may_repeat(error: BaseException) -> bool:
    """The same for reads, and for writes that may be applied twice without harm."""
    return isinstance(error, OutcomeUnknown) or _may_repeat_safely(error)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked: float | None = getattr(error, "retry_after", None)
    backoff: float = FIRST_WAIT_SECONDS * 2 ** (state.attempt_number - 1)
    return backoff if asked is None else max(asked, 0.0)


def _stop(state: RetryCallState) -> bool:
    return state.attempt_number >= TRIES_MAX or state.idle_for + state.upcoming_sleep > WAIT_SECONDS_MAX

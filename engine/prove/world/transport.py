"""The gateway's transport into a simulated tenant, without a socket: every request is one call of `Tenant.handle`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

from engine.errors import OutcomeUnknown
from engine.graph.transport import Request, Response
from engine.prove.world.deeds import Done, read_deed
from engine.prove.world.garble import Garble
from engine.prove.world.life import Life
from engine.prove.world.trace import Trace
from engine.simulator import ConnectionDropped, Tenant
from engine.simulator.graph.paths import path_kind
from engine.simulator.weather.faults import NOTICES, Rule

is_engine_calling: ContextVar[bool] = ContextVar("is_engine_calling", default=False)
"""Set while the engine's own request is carried out: faults are the engine's to suffer, not people's."""

Struck = Counter[tuple[str, str]]
"""How often a kind of request (or notification) met a kind of fault."""


def spare_people(tenant: Tenant, struck: Struck) -> None:
    """Let request and delta faults strike only the engine's requests; count in *struck* what does."""
    pick = tenant.faults.pick

    def pick_for_engine(effects: frozenset[str], method: str, path: str, mailbox: frozenset[str]) -> Rule | None:
        if effects is not NOTICES and not is_engine_calling.get():
            return None
        rule = pick(effects, method, path, mailbox)
        if rule is not None:
            struck[kind_of(method, path), name_of(rule)] += 1
        return rule

    tenant.faults.pick = pick_for_engine  # type: ignore[method-assign]


def kind_of(method: str, url: str) -> str:
    """Name the kind of a request: "GET delta", "PATCH event", ...; of a notification, "NOTIFY"."""
    return method if method == "NOTIFY" else f"{method} {path_kind(urlsplit(url).path.strip('/').split('/'))}"


def name_of(rule: Rule) -> str:
    """Name what a rule does: of an error, with its status."""
    return f"{rule.effect} {rule.status}" if rule.effect.startswith("error") else rule.effect


class TenantTransport:
    """
    Sends to *tenant*.

    Args:
        tenant: the tenant.
        on_request: is told of each request before and after it is carried out, and may kill.
        trace: takes in each request and what came of it.
        life: whose requests these are.
        on_answer: who hears each answer, whether the engine does or not.
        garble: the times that the engine is shown otherwise.
        spawn: carries out what was under way when it ended: every other one of those arrives.
    """

    def __init__(
        self,
        tenant: Tenant,
        *,
        on_request: Callable[[str, Request], None] | None = None,
        trace: Trace | None = None,
        life: Life | None = None,
        spawn: Callable[[Coroutine[Any, Any, None]], Any] | None = None,
        on_answer: Sequence[Callable[[Request, Response], None]] = (),
        garble: Garble | None = None,
    ) -> None:
        self._tenant = tenant
        self._life = life or Life()
        self._spawn = spawn
        self._on_answer = on_answer
        self._garble = garble or Garble()
        self._on_request = on_request or (lambda _when, _request: None)
        self._trace = trace or Trace()
        self.requests: list[Request] = []
        self.done: list[Done] = []
        """The writes to events that the tenant carried out."""

    async def send(self, request: Request) -> Response:
        self._life.check()
        if self._life.has_slept:
            self._life.note_request(request.method)
        self.requests.append(request)
        self._on_request("before", request)
        try:
            await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            if self._life.is_over and self._spawn is not None and len(self.requests) % 2:
                self._spawn(self._arrive(request))
            raise
        try:
            response = await self._carry_out(request)
        except Exception as error:
            self._trace.sent(asyncio.get_running_loop().time(), request, error)
            raise
        self._trace.sent(asyncio.get_running_loop().time(), request, response)
        self._on_request("after", request)
        if self._life.has_slept:
            await asyncio.sleep(0)  # an engine that fell asleep hears the answer when it wakes
        return response

    async def _arrive(self, request: Request) -> None:
        """Carry out a request whose answer nobody hears any more."""
        with suppress(OutcomeUnknown):
            await self._carry_out(request)

    async def _carry_out(self, request: Request) -> Response:
        calling = is_engine_calling.set(True)
        try:
            answer = await self._tenant.handle(request.method, request.url, request.headers, request.body)
        except ConnectionDropped as error:
            raise OutcomeUnknown("the connection was dropped") from error
        finally:
            is_engine_calling.reset(calling)
        response = Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.body)
        for hear in self._on_answer:
            hear(request, response)
        if (done := read_deed(request, response)) is not None:
            self.done.append(done)
        return self._garble.spoil(response)

    def count_writes(self) -> int:
        """Return how many requests wrote to a calendar."""
        return sum(request.method != "GET" and "/subscriptions" not in request.url for request in self.requests)

    async def aclose(self) -> None:
        return None

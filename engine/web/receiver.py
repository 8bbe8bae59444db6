"""The door Graph knocks at: `POST /graph/notifications` and `POST /graph/lifecycle`.

Answers, in this order (Graph docs: change-notifications-delivery-webhooks):

    200  validation: the token of the query, exactly, as plain text
    413  a body above 1 MiB: no real one comes near
    400  a body that is no JSON of the right shape: no real one looks like that, and a retry would not help
    202  everything else, wrong client states and unknown subscriptions too: a stranger learns nothing
    503  the database cannot take it now: Graph comes again for up to four hours, so nothing is lost

Graph calls an endpoint slow when answers take more than 3 seconds, and drops notifications when that goes on. So
nothing is done here but storing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router

from engine.errors import EngineError

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 1024 * 1024
TOKEN_CHARS_MAX = 4096
"""Tokens are some hundred characters long; nothing longer is echoed."""

NOTIFICATIONS_PATH, LIFECYCLE_PATH = RECEIVER_PATHS = "/graph/notifications", "/graph/lifecycle"

RETRY_SECONDS = 10


class Outcome(Protocol):
    """What the inbox answers; only this much of it matters here."""

    @property
    def malformed(self) -> bool: ...


Accept = Callable[[Sequence[bytes]], Sequence[Outcome]]
"""Stores bodies, all or none; raises EngineError when it could not. One call at a time."""


class Run(Protocol):
    """Runs a function and returns what it does: in another thread, or here where that costs less (`WebParts.edit`)."""

    def __call__(self, task: Accept, bodies: Sequence[bytes], /) -> Awaitable[Sequence[Outcome]]: ...


TOGETHER_MAX = 200
"""How many bodies are stored in one go: what was not stored must be sent again."""


class Postbox:
    """
    Has bodies stored as they come; those that come while others are being stored go together, in one commit.

    Args:
        accept: stores them.
        run: where that is done.
    """

    def __init__(self, accept: Accept, run: Run = run_in_threadpool) -> None:
        self._accept = accept
        self._run = run
        self._waiting: list[tuple[bytes, asyncio.Future[Outcome]]] = []
        self._working: asyncio.Task[None] | None = None

    async def store(self, body: bytes) -> Outcome:
        """Return once *body* is stored. Raises EngineError when it could not be."""
        stored: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((body, stored))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await stored

    async def _work(self) -> None:
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
                await self._store(together)
        finally:
            self._working = None

    async def _store(self, together: list[tuple[bytes, asyncio.Future[Outcome]]]) -> None:
        outcomes: Sequence[Outcome | Exception]
        try:
            outcomes = await self._run(self._accept, [body for body, _ in together])
        except Exception as error:
            outcomes = [error] * len(together)
        for (_, stored), outcome in zip(together, outcomes, strict=True):
            if stored.done():  # its sender has gone
                continue
            if isinstance(outcome, Exception):
                stored.set_exception(outcome)
            else:
                stored.set_result(outcome)


def build_receiver(accept: Accept, run: Run = run_in_threadpool) -> Router:
    """
    Return an application of its own for both paths, which do the same, since the body says what it is.

    What the API does for its callers, Graph has no use for: it comes often, and gets nothing but a status.
    """
    postbox = Postbox(accept, run)

    async def receive(request: Request) -> Response:
        token = request.query_params.get("validationToken")
        if token is not None:
            return _echo(token)
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        return Response(status_code=413) if body is None else await _store(postbox, body)

    return Router([Route(path, receive, methods=["POST"]) for path in RECEIVER_PATHS])


def _echo(token: str) -> Response:
    """Return the decoded token as it is: plain text that no browser takes for a page."""
    if len(token) > TOKEN_CHARS_MAX:
        return Response(status_code=400)
    return PlainTextResponse(token, headers={"X-Content-Type-Options": "nosniff"})


async def _read_body(request: Request) -> bytes | None:
    """Return the body, None as soon as it is known to be too long."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > BODY_BYTES_MAX:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)


async def _store(postbox: Postbox, body: bytes) -> Response:
    try:
        outcome = await postbox.store(body)
    except EngineError as error:
        log.warning("a notification could not be stored", extra={"error": type(error).__name__})
        return Response(status_code=503, headers={"Retry-After": str(RETRY_SECONDS)})
    return Response(status_code=400 if outcome.malformed else 202)

"""`Idempotency-Key`: a POST that is sent again, because its answer got lost, is answered again and not done again.

The key is the caller's to choose, one per thing to do, and belongs to the caller: others may use the same. The same
request gets the same answer for 24 hours, marked `Idempotent-Replayed: true`; another request with the key is refused.
After the IETF draft draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from anyio.to_thread import run_sync
from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.loans.once import Answer, Begun, OnceBook
from engine.web.access import recognise
from engine.web.api.problems import problem
from engine.web.language import language_of
from engine.web.parts import WebParts
from engine.web.translations import speak

HEADER = "idempotency-key"
KEY_CHARACTERS_MAX = 255

WITHOUT_EFFECT = frozenset({401, 403, 413, 429, 503})
"""Answers that say nothing was done, and that another day may turn out otherwise: they are not remembered."""

_SECRETIVE = re.compile(r"/api/(?:tokens|webhooks|webhooks/\d+/secrets|feeds|feeds/\d+/rotate)/?")
"""Where an answer holds a secret that is shown once and never kept: of such answers what they say is not remembered."""

_KEPT_HEADERS = ("content-type", "location")


async def answer_once(app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send, *, key: str) -> None:
    """Answer a request that carries *key*, at most once by way of *app*; *receive* gives its body."""
    request = Request(scope, receive)
    parts: WebParts = request.app.state.parts
    if not (0 < len(key) <= KEY_CHARACTERS_MAX and key.isascii() and key.isprintable()):
        say = speak(language_of(request))
        detail = say("Idempotency-Key must have 1 to %(count)s printable ASCII characters.", count=KEY_CHARACTERS_MAX)
        await problem(request, 400, "bad-request", detail)(scope, receive, send)
        return
    caller = await run_sync(_caller, parts, request)
    if caller is None:
        await app(scope, receive, send)  # which says what is wrong with the token
        return
    digest = _hash(caller, key)
    fingerprint = _hash(request.url.path, request.url.query, body.decode("latin-1"))
    begun, answer = await run_sync(parts.once.begin, digest, fingerprint)
    if begun is Begun.FIRST:
        await _do(app, scope, receive, send, parts.once, digest)
        return
    refusal = _refusal(request, begun) if answer is None else _again(request, answer)
    await refusal(scope, receive, send)


def _caller(parts: WebParts, request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    found = recognise(parts, token.strip()) if kind.lower() == "bearer" else None
    return found.name if found is not None else None


async def _do(app: ASGIApp, scope: Scope, receive: Receive, send: Send, book: OnceBook, digest: str) -> None:
    """Have *app* answer, and remember the answer before it is sent."""
    held: list[Message] = []

    async def hold(message: Message) -> None:
        held.append(message)

    await app(scope, receive, hold)
    answer = _collect(held)
    if answer.status in WITHOUT_EFFECT:
        await run_sync(book.forget, digest)
    else:
        is_secret = answer.status < 300 and _SECRETIVE.fullmatch(scope["path"]) is not None
        await run_sync(book.finish, digest, replace(answer, body="") if is_secret else answer)
    for message in held:
        await send(message)


def _collect(messages: list[Message]) -> Answer:
    start = messages[0]
    named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start["headers"]}
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return Answer(start["status"], {n: named[n] for n in _KEPT_HEADERS if n in named}, body.decode())


def _again(request: Request, answer: Answer) -> Response:
    if answer.status < 300 and _SECRETIVE.fullmatch(request.url.path):
        say = speak(language_of(request))
        detail = say("The same request was done before; its answer held a secret, which is shown once and not kept.")
        return problem(request, 409, "key-answered", detail)
    return Response(answer.body, answer.status, {**answer.headers, "Idempotent-Replayed": "true"})


def _refusal(request: Request, begun: Begun) -> Response:
    say = speak(language_of(request))
    if begun is Begun.OTHER:
        return problem(request, 422, "key-reused", say("This Idempotency-Key was given for another request before."))
    if begun is Begun.AT_WORK:
        detail = say("The same request is being worked on right now; ask again for its answer.")
        return problem(request, 409, "key-in-use", detail, headers={"Retry-After": "2"})
    detail = say(
        "The same request was begun and cut off before its answer was known. Look whether it took effect; "
        "then ask with another Idempotency-Key if it did not."
    )
    return problem(request, 409, "key-cut-off", detail)


def _hash(*parts: str) -> str:
    """Return one digest of several texts, no two lists of which look alike."""
    joined = b"".join(f"{len(part)}:".encode() + part.encode() for part in parts)
    return hashlib.sha256(joined).hexdigest()

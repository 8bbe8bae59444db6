"""The JSON API as one application; `web/front.py` puts the pages beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine import __version__
from engine.reconcile.words.reasons import LANGUAGES
from engine.web import health
from engine.web.api import cases, desk, docs, loans, rooms, series, why
from engine.web.api.once import HEADER as ONCE
from engine.web.api.once import KEY_CHARACTERS_MAX, answer_once
from engine.web.api.problems import describe_problems, install_problems, problem
from engine.web.language import language_of
from engine.web.parts import WebParts
from engine.web.translations import speak

BODY_BYTES_MAX = 1024 * 1024

DESCRIPTION = (
    "Rooms and things on loan, in agreement with Outlook. Instants are RFC 3339 with an offset; lists are "
    "{items, next}, and ?after=<next> gives the following page. Roles: viewer reads, staff books and settles, "
    "admin imports, sets rules and makes tokens. What people read (a problem's title, detail and messages, sentences "
    "of histories and cases) is English or French, by Accept-Language or ?lang=; types, codes and values stay the same."
)


PROBLEMS = describe_problems(
    {
        401: "No token, or one that nobody has.",
        403: "The token's role is too small.",
        404: "There is no such thing.",
        409: "Taken, outdated or not allowed.",
        422: "Something in the request is wrong.",
        429: "Too many attempts from this address failed; see Retry-After.",
        500: "The engine failed; its log tells why.",
        503: "Not right now; see Retry-After.",
    }
)
WITH_A_BODY = describe_problems(
    {
        400: "The body is malformed JSON, or the Idempotency-Key is none.",
        413: f"The body is larger than {BODY_BYTES_MAX} bytes.",
        415: "The body is not application/json.",
    }
)
"""What else may be answered where a body is read."""

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string", "description": "For people, in the language of the request."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "For people, in the language of the request."},
        "instance": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "422: field, code, message."},
        "conflicts": {
            "type": "array",
            "items": {"type": "object"},
            "description": "409: item, name, loan (null for a meeting known only from Outlook), start, end.",
        },
        "version": {"type": "integer", "description": "409: the loan's present version."},
    },
}


KEY_PARAMETER: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name of yours for this request: sent again within 24 hours, it is answered and not done again.",
    "schema": {"type": "string", "maxLength": KEY_CHARACTERS_MAX},
}


LANGUAGE_PARAMETER: dict[str, Any] = {
    "name": "lang",
    "in": "query",
    "required": False,
    "description": "The language of what people read; before Accept-Language.",
    "schema": {"type": "string", "enum": list(LANGUAGES)},
}


class Api(FastAPI):
    """FastAPI, with our problem document in the place of its own validation error."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            schemas["Problem"] = PROBLEM_SCHEMA
            for path, methods in document["paths"].items():
                for method, operation in methods.items():
                    if path.startswith("/api/"):
                        _complete(method, operation)
                    elif "security" in operation:
                        operation["security"].insert(0, {})  # those who watch the process may come without a token
        return super().openapi()


def _complete(method: str, operation: dict[str, Any]) -> None:
    """Add to *operation* what every route of the API has in common."""
    parameters = operation.setdefault("parameters", [])
    parameters[:] = [item for item in parameters if item["name"] != "lang"] + [LANGUAGE_PARAMETER]
    if method == "post":
        parameters.append(KEY_PARAMETER)
    if method == "post" or "requestBody" in operation:
        answers = operation["responses"]
        answers.update({str(status): answer for status, answer in WITH_A_BODY.items()})
        operation["responses"] = dict(sorted(answers.items()))


def create_api(parts: WebParts, *, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """Return the application: the API over *parts*, and whatever *routers* add to it, which are looked at first."""
    app = Api(
        title="Accord",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.parts = parts
    install_problems(app)
    app.add_middleware(ApiDoor)
    for router in routers:
        app.include_router(router)
    for router in (loans.router, series.router, rooms.router, desk.router, cases.router, why.router):
        app.include_router(router, prefix="/api", responses=PROBLEMS)
    app.include_router(docs.router)
    app.include_router(health.router)
    return app


class ApiDoor:
    """Stands before everything under /api: turns away bodies that are too large, and labels every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return  # half a request asks for nothing
        if body is None:
            say = speak(language_of(request))
            detail = say("The body is larger than %(count)s bytes.", count=BODY_BYTES_MAX)
            refusal = problem(request, 413, "too-large", detail)
            await refusal(scope, receive, _label(send))
            return
        key = request.headers.get(ONCE) if scope["method"] == "POST" else None
        if key is None:
            await self._app(scope, _replay(body, receive), _label(send))
        else:
            await answer_once(self._app, scope, body, _replay(body, receive), _label(send), key=key)


async def _read_body(request: Request) -> bytes | None:
    """Return the whole body, which is small; None as soon as it, or the length it claims, is too large.

    Raises ClientDisconnect when its sender leaves, or is sent away, before its end.
    """
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and (len(length) > 12 or int(length) > BODY_BYTES_MAX):
        return None
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > BODY_BYTES_MAX:
            return None
    return bytes(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives *body* once, and then what follows it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


def _label(send: Send) -> Send:
    """Return a `send` that marks an answer as nobody's to cache and of the type it says."""

    async def send_labelled(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Cache-Control"] = "no-store"
            headers["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return send_labelled

"""Every error as `application/problem+json` (RFC 9457), translated in one place.

401 no or unknown token          403 role too small           404 no such thing
409 unavailable (`conflicts`), outdated (`version`), not allowed, idempotency key in use or cut off
413 body too large               415 body is no JSON          400 malformed JSON
422 invalid, rule broken (`errors`)     429 too many unknown tokens (Retry-After)
503 try again later (Retry-After)                             500 our fault: nothing about it leaks
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from engine.errors import (
    Clash,
    DatabaseUnusable,
    EngineError,
    Invalid,
    NotAllowed,
    NotFound,
    Outdated,
    RuleBroken,
    Transient,
    Unavailable,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

CODES: Mapping[str, str] = {
    "bad-request": "The request cannot be understood.",
    "unauthorized": "A valid bearer token is needed.",
    "forbidden": "The token's role is too small.",
    "not-found": "There is no such thing.",
    "method-not-allowed": "The address does not know this method.",
    "unavailable": "An item is taken; `conflicts` says by what and when.",
    "outdated": "The loan changed since you looked at it; `version` is the present one.",
    "not-allowed": "The loan's status, its home or the engine's mode does not allow this.",
    "too-many": "Too many attempts from this address failed; Retry-After says how long it has to wait.",
    "too-large": "The body is larger than 1 MiB.",
    "not-json": "The body must be application/json.",
    "invalid": "Something in the request is wrong; `errors` names each field.",
    "rule-broken": "A booking rule says no; `errors` names the rule and its values.",
    "try-again": "The engine cannot do this right now; Retry-After says when to try again.",
    "internal": "The engine failed; its log tells why.",
    "key-reused": "The Idempotency-Key was given for another request.",
    "key-in-use": "A request with this Idempotency-Key is being worked on; Retry-After says when to ask again.",
    "key-answered": "A request with this Idempotency-Key was done; its answer held a secret that is shown once.",
    "key-cut-off": "A request with this Idempotency-Key was cut off; it may have taken effect.",
}
"""Every kind of problem: the end of its `type`, and what it means. The documentation page lists them."""

_BY_STATUS = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "not-json",
    429: "too-many",
    503: "try-again",
}


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> JSONResponse:
    """Return a problem document; *members* are the ones beyond RFC 9457's own."""
    content = {
        "type": f"{_base_address(request)}/api/docs#problem-{code}" if code in CODES else "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        **members,
    }
    ready = jsonable_encoder(content, custom_encoder={datetime: _render_instant})
    return JSONResponse(ready, status, dict(headers or {}), MEDIA_TYPE)


def _render_instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _base_address(request: Request) -> str:
    parts = getattr(request.app.state, "parts", None)
    return str(parts.base_address) if parts is not None else ""


def install_problems(app: FastAPI) -> None:
    """Let *app* answer every error as a problem document."""
    app.add_exception_handler(EngineError, _on_engine_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_bad_request)
    app.add_exception_handler(Exception, _on_surprise)


async def _on_engine_error(request: Request, error: Exception) -> JSONResponse:
    match error:
        case NotFound():
            return problem(request, 404, "not-found", str(error))
        case Unavailable():
            return problem(request, 409, "unavailable", str(error), conflicts=[_conflict(c) for c in error.clashes])
        case Outdated():
            return problem(request, 409, "outdated", str(error), version=error.version)
        case NotAllowed():
            return problem(request, 409, "not-allowed", str(error))
        case Invalid():
            faults = [{"field": f.field, "code": f.code, "message": f.message} for f in error.faults]
            return problem(request, 422, "invalid", str(error), errors=faults)
        case RuleBroken():
            return problem(request, 422, "rule-broken", str(error), errors=[_broken_rule(error)])
        case Transient() | DatabaseUnusable():
            return _try_again(request, error)
        case _:
            return _internal(request, error)


def _conflict(clash: Clash) -> dict[str, object]:
    return {
        "item": clash.item_id,
        "name": clash.item_name,
        "loan": clash.loan_number,
        "start": clash.start,
        "end": clash.end,
    }


_RULE_FIELDS = {"outside_opening_hours": "start", "beyond_booking_window": "end", "longer_than_maximum": "end"}


def _broken_rule(error: RuleBroken) -> dict[str, object]:
    field = _RULE_FIELDS.get(error.code, "")
    return {"field": field, "code": error.code, "message": str(error), "facts": dict(error.facts)}


def _try_again(request: Request, error: Exception) -> JSONResponse:
    log.warning("request put off", extra={"path": request.url.path, "error": type(error).__name__})
    seconds = math.ceil(getattr(error, "retry_after", None) or RETRY_SECONDS)
    detail = "The engine cannot do this right now. Nothing was changed; try again."
    return problem(request, 503, "try-again", detail, headers={"Retry-After": str(seconds)})


def _internal(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", extra={"path": request.url.path}, exc_info=error)
    return problem(request, 500, "internal", "The engine failed on this request; its log tells why.")


async def _on_surprise(request: Request, error: Exception) -> JSONResponse:
    return problem(request, 500, "internal", "The engine failed on this request; its log tells why.")


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _BY_STATUS.get(error.status_code, "")
    detail = str(error.detail)
    if detail == HTTPStatus(error.status_code).phrase and error.status_code in (404, 405):
        detail = _say_where(request, error.status_code)
    return problem(request, error.status_code, code, detail, headers=error.headers)


def _say_where(request: Request, status: int) -> str:
    """Return what to do about an address that is none, or that does not know the method."""
    where = request.url.path
    what = f"There is nothing at {where}" if status == 404 else f"{where} does not take {request.method}"
    return f"{what}: /api/docs lists every route."


async def _on_bad_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [item for item in error.errors() if item["loc"][-1:] != ("none",)]  # of "a day or nothing", the day
    if any(item["loc"][:1] == ("path",) for item in found):
        return problem(request, 404, "not-found", f"There is nothing at {request.url.path}.")
    if any(item["type"] == "json_invalid" for item in found):
        return problem(request, 400, "bad-request", f"The body is malformed JSON: {found[0]['ctx']['error']}.")
    if _has_foreign_body(request) and any(tuple(item["loc"]) == ("body",) for item in found):
        return problem(request, 415, "not-json", "The body must be sent as application/json.")
    faults = [_fault(item) for item in found]
    detail = "; ".join(f"{fault['field'] or 'body'}: {fault['message']}" for fault in faults)
    return problem(request, 422, "invalid", detail, errors=faults)


def _has_foreign_body(request: Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return not (media == "application/json" or media.endswith("+json"))


def _fault(item: Mapping[str, Any]) -> dict[str, str]:
    """Say what is wrong with one field in our own words where pydantic's would not help."""
    place, *path = (step for step in item["loc"] if "[" not in str(step))  # names of validators are no field
    field = ".".join(str(step) for step in (path[:1] if place == "query" else path))
    code, message = str(item["type"]), str(item["msg"])
    if code == "extra_forbidden":
        kind = "parameter" if place == "query" else "field"
        code, message = "unknown_field", f"unknown {kind} {path[-1]!r}"
    elif code == "missing":
        message = "must be given"
    elif code in ("enum", "literal_error"):
        code, message = "unknown_value", f"must be {item['ctx']['expected']}"
    return {"field": field, "code": code, "message": message}

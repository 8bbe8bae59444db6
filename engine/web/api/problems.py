"""Every error as `application/problem+json` (RFC 9457), translated in one place.

401 no or unknown token          403 role too small           404 no such thing
409 unavailable (`conflicts`), outdated (`version`), not allowed, idempotency key in use or cut off
413 body too large               415 body is no JSON          400 malformed JSON
422 invalid, rule broken (`errors`)     429 too many unknown tokens (Retry-After)
503 try again later (Retry-After)                             500 our fault: nothing about it leaks

What people read of it (`title`, `detail`, each `message`) is in the language of the request (`language.py`); types,
codes, fields and values are the same in each.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from engine.errors import (
    Clash,
    DatabaseUnusable,
    EngineError,
    Fault,
    Invalid,
    NotAllowed,
    NotFound,
    Outdated,
    RuleBroken,
    Transient,
    Unavailable,
)
from engine.reconcile.words.quoting import quote_error, say_ours_in_french
from engine.web.access import Refusal
from engine.web.api.wire import UNSTORABLE
from engine.web.faults import describe_fault
from engine.web.language import DEFAULT, language_of
from engine.web.translations import N_, Say, speak

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RETRY_SECONDS = 5

CODES: Mapping[str, str] = {
    "bad-request": "The request cannot be understood.",
    "unauthorized": "A valid bearer token is needed.",
    "forbidden": "The token’s role is too small.",
    "not-found": "There is no such thing.",
    "method-not-allowed": "The address does not know this method.",
    "unavailable": "An item is taken; `conflicts` says by what and when.",
    "outdated": "The loan changed since you looked at it; `version` is the present one.",
    "not-allowed": "The loan’s status, its home or the engine’s mode does not allow this.",
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


_TITLES: Mapping[int, str] = {
    400: N_("Bad Request"),
    401: N_("Unauthorized"),
    403: N_("Forbidden"),
    404: N_("Not Found"),
    405: N_("Method Not Allowed"),
    409: N_("Conflict"),
    413: N_("Content Too Large"),
    415: N_("Unsupported Media Type"),
    422: N_("Unprocessable Content"),
    429: N_("Too Many Requests"),
    500: N_("Internal Server Error"),
    503: N_("Service Unavailable"),
}
"""What each status says (RFC 9110, section 15; RFC 6585): Python's own names of them differ from version to version."""


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **members: object,
) -> JSONResponse:
    """Return a problem document; *detail* is in the request's language, *members* are those beyond RFC 9457's own."""
    language = language_of(request)
    content = {
        "type": f"{_base_address(request)}/api/docs#problem-{code}" if code in CODES else "about:blank",
        "title": speak(language)(_TITLES[status]) if status in _TITLES else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        **members,
    }
    ready = jsonable_encoder(content, custom_encoder={datetime: _render_instant})
    return JSONResponse(ready, status, {"Content-Language": language, **(headers or {})}, MEDIA_TYPE)


def describe_problems(texts: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of answers that are problems: their statuses, and *texts* of each."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": text, "content": content} for status, text in texts.items()}


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
    language = language_of(request)
    say = speak(language)
    match error:
        case NotFound():
            detail = str(error) if language == DEFAULT else _say_nothing_there(request)
            return problem(request, 404, "not-found", detail)
        case Unavailable():
            detail = quote_error(str(error), language)
            return problem(request, 409, "unavailable", detail, conflicts=[_conflict(c) for c in error.clashes])
        case Outdated():
            changed = say("The loan has changed since: it is at version %(version)s.", version=error.version)
            detail = str(error) if language == DEFAULT else changed
            return problem(request, 409, "outdated", detail, version=error.version)
        case NotAllowed():
            return problem(request, 409, "not-allowed", _say_not_allowed(error, language))
        case Invalid():
            faults = [_desk_fault(fault, language) for fault in error.faults]
            detail = str(error) if language == DEFAULT else _join(faults, language)
            return problem(request, 422, "invalid", detail, errors=faults)
        case RuleBroken():
            detail = _say_rule(request, error)
            return problem(request, 422, "rule-broken", detail, errors=[_broken_rule(error, detail)])
        case Transient() | DatabaseUnusable():
            return _try_again(request, error)
        case _:
            return _internal(request, error)


def _say_not_allowed(error: NotAllowed, language: str) -> str:
    say = speak(language)
    if language == DEFAULT:
        return str(error)
    general = say("The loan’s status, its home or the engine’s mode does not allow this.")
    return say_ours_in_french(str(error)) or general


def _say_rule(request: Request, error: RuleBroken) -> str:
    language = language_of(request)
    if language == DEFAULT:
        return str(error)
    about = ", ".join(str(error.facts[name]) for name in ("date", "item") if name in error.facts)
    return f"{about} : {request.app.state.parts.explain(error.code, error.facts, language)}"


def _desk_fault(fault: Fault, language: str) -> dict[str, str]:
    message = fault.message
    if language != DEFAULT:
        message = describe_fault(speak(language), fault.code, quote_error(fault.message, language))
    return {"field": fault.field, "code": fault.code, "message": message}


def _join(faults: Sequence[Mapping[str, str]], language: str) -> str:
    """Return all *faults* in one line."""
    say, between = speak(language), " ; " if language == "fr" else "; "
    return between.join(
        say("%(field)s: %(message)s", field=fault["field"] or "body", message=fault["message"].rstrip("."))
        for fault in faults
    )


def _conflict(clash: Clash) -> dict[str, object]:
    return {
        "item": clash.item_id,
        "name": clash.item_name,
        "loan": clash.loan_number,
        "start": clash.start,
        "end": clash.end,
    }


_RULE_FIELDS = {"outside_opening_hours": "start", "beyond_booking_window": "end", "longer_than_maximum": "end"}


def _broken_rule(error: RuleBroken, message: str) -> dict[str, object]:
    field = _RULE_FIELDS.get(error.code, "")
    return {"field": field, "code": error.code, "message": message, "facts": dict(error.facts)}


def _try_again(request: Request, error: Exception) -> JSONResponse:
    log.warning("request put off", extra={"path": request.url.path, "error": type(error).__name__})
    seconds = math.ceil(getattr(error, "retry_after", None) or RETRY_SECONDS)
    say = speak(language_of(request))
    detail = say("The engine cannot do this right now. Nothing was changed; try again.")
    return problem(request, 503, "try-again", detail, headers={"Retry-After": str(seconds)})


def _internal(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", extra={"path": request.url.path}, exc_info=error)
    return _say_internal(request)


async def _on_surprise(request: Request, error: Exception) -> JSONResponse:
    return _say_internal(request)


def _say_internal(request: Request) -> JSONResponse:
    say = speak(language_of(request))
    return problem(request, 500, "internal", say("The engine failed on this request; its log tells why."))


async def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = _BY_STATUS.get(error.status_code, "")
    detail = error.detail
    headers = error.headers
    if isinstance(error, Refusal):
        detail = speak(language_of(request))(error.text, **error.values)
    elif detail == HTTPStatus(error.status_code).phrase and error.status_code in (404, 405):
        detail = _say_where(request, error.status_code)
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_methods_at(request))}
    return problem(request, error.status_code, code, detail, headers=headers)


def _methods_at(request: Request) -> list[str]:
    """Return every method that the address of *request* takes: several routes may share it."""
    routes = request.app.routes
    asked = {method: {**request.scope, "method": method} for method in METHODS}
    return [method for method in METHODS if any(route.matches(asked[method])[0] is Match.FULL for route in routes)]


def _say_where(request: Request, status: int) -> str:
    """Return what to do about an address that is none, or that does not know the method."""
    say, where = speak(language_of(request)), request.url.path
    if status == 404:
        return say("There is nothing at %(path)s: /api/docs lists every route.", path=where)
    return say("%(path)s does not take %(method)s: /api/docs lists every route.", path=where, method=request.method)


def _say_nothing_there(request: Request) -> str:
    say = speak(language_of(request))
    return say("There is nothing at %(path)s.", path=request.url.path)


async def _on_bad_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    language = language_of(request)
    say = speak(language)
    found = [item for item in error.errors() if item["loc"][-1:] != ("none",)]  # of "a day or nothing", the day
    if any(item["loc"][:1] == ("path",) for item in found):
        return problem(request, 404, "not-found", _say_nothing_there(request))
    if any(item["type"] == "json_invalid" for item in found):
        detail = say("The body is malformed JSON: %(error)s.", error=found[0]["ctx"]["error"])
        return problem(request, 400, "bad-request", detail)
    if _has_foreign_body(request) and any(tuple(item["loc"]) == ("body",) for item in found):
        return problem(request, 415, "not-json", say("The body must be sent as application/json."))
    faults = [_fault(item, say) for item in found]
    return problem(request, 422, "invalid", _join(faults, language), errors=faults)


def _has_foreign_body(request: Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return not (media == "application/json" or media.endswith("+json"))


_TEXTS, _NUMBERS = N_("must be a text"), N_("must be a whole number")
_LISTS, _OBJECTS, _TRUTHS = N_("must be a list"), N_("must be an object"), N_("must be true or false")
_MESSAGES: Mapping[str, str] = {
    "missing": N_("must be given"),
    "enum": N_("must be %(expected)s"),
    "literal_error": N_("must be %(expected)s"),
    "string_type": _TEXTS,
    "string_unicode": UNSTORABLE,
    "string_too_short": N_("its length must be at least %(min_length)s"),
    "string_too_long": N_("its length must be at most %(max_length)s"),
    "too_short": N_("must hold at least %(min_length)s"),
    "too_long": N_("must hold at most %(max_length)s"),
    "int_type": _NUMBERS,
    "int_parsing": _NUMBERS,
    "int_from_float": _NUMBERS,
    "greater_than_equal": N_("must be at least %(ge)s"),
    "less_than_equal": N_("must be at most %(le)s"),
    "bool_type": _TRUTHS,
    "bool_parsing": _TRUTHS,
    "list_type": _LISTS,
    "tuple_type": _LISTS,
    "dict_type": _OBJECTS,
    "model_type": _OBJECTS,
    "model_attributes_type": _OBJECTS,
}
"""What pydantic finds, in our words: the values are those of its `ctx`. What we find says itself what is wrong."""

_OUR_CODES = {"string_unicode": "characters_invalid", "enum": "unknown_value", "literal_error": "unknown_value"}


def _fault(item: Mapping[str, Any], say: Say) -> dict[str, str]:
    """Say what is wrong with one field."""
    kind = str(item["type"])
    *outer, last = item["loc"]
    # Names of validators, which have brackets or a capital, are no field; an unknown field may be called as it likes.
    steps = [step for step in outer if "[" not in str(step) and not str(step)[:1].isupper()]
    if "[" not in str(last) or kind == "extra_forbidden":
        steps.append(last)
    place, *path = steps
    field = ".".join(str(step) for step in (path[:1] if place == "query" else path))
    if kind == "extra_forbidden":
        text = N_("unknown parameter %(name)s") if place == "query" else N_("unknown field %(name)s")
        return {"field": field, "code": "unknown_field", "message": say(text, name=repr(path[-1]))}
    values = dict(item.get("ctx", {}))
    if "expected" in values:
        values["expected"] = str(values["expected"]).replace("' or '", say("' or '"))
    message = say(_MESSAGES[kind], **values) if kind in _MESSAGES else say(str(item["msg"]))
    return {"field": field, "code": _OUR_CODES.get(kind, kind), "message": message}

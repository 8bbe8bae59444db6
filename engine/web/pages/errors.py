"""What people see when something does not work: a page, a note in its place, or JSON for a script."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from engine.errors import (
    Clash,
    EngineError,
    Invalid,
    NotAllowed,
    NotFound,
    Outdated,
    RuleBroken,
    Transient,
    Unavailable,
)
from engine.web.faults import describe_fault
from engine.web.pages.page import Page, SignInNeeded, open_page, open_unread_page, sign_in_address

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What to tell: `title` and `text` are in the reader's language."""

    status: int
    title: str
    text: str
    lines: Sequence[str] = ()
    version: int | None = None


def install_errors(app: FastAPI) -> None:
    """Let *app* answer every error in its own way."""
    app.add_exception_handler(SignInNeeded, _on_sign_in_needed)
    for kind in (EngineError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, _on_error)


def _on_sign_in_needed(request: Request, error: Exception) -> Response:
    address = sign_in_address(request)
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": address})
    if _wants_json(request):
        return JSONResponse({"title": "", "text": "", "sign_in": address}, 401)
    return RedirectResponse(address, 303)


def _on_error(request: Request, error: Exception) -> Response:
    parts = request.app.state.parts
    try:
        page = open_page(request, parts)
        trouble = describe(page, error)
    except Exception as failure:  # the database that knows who is signed in is the one that fails
        page, error = open_unread_page(request, parts), failure
        trouble = describe(page, Transient() if isinstance(failure, EngineError) else failure)
    if trouble.status >= 500 and isinstance(error, EngineError | HTTPException):  # the server logs surprises itself
        log.error("page failed", extra={"path": request.url.path, "status": trouble.status}, exc_info=error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if _wants_json(request):
        content = {
            "title": trouble.title, "text": trouble.text, "lines": list(trouble.lines), "version": trouble.version,
        }  # fmt: skip
        return JSONResponse(content, trouble.status, headers)
    template = "error_piece.html" if page.is_fragment else "error.html"
    answer = page.render(template, trouble.status, trouble=trouble)
    answer.headers.update(headers)
    return answer


def _wants_json(request: Request) -> bool:
    return request.headers.get("accept", "").startswith("application/json")


def describe(page: Page, error: Exception) -> Trouble:
    """Say what went wrong and what can be done, to the reader of *page*."""
    match error:
        case Unavailable():
            lines = [describe_clash(page, clash) for clash in error.clashes]
            return Trouble(
                409, page.say("Already taken"), page.say("Somebody was faster, or it was taken before."), lines
            )
        case Outdated():
            text = page.say("Somebody changed it while you were looking. Look at it again, then decide.")
            return Trouble(409, page.say("It has changed meanwhile"), text, version=error.version)
        case NotAllowed():
            return Trouble(409, page.say("Not possible any more"), page.say("Its status does not allow this now."))
        case RuleBroken():
            name = str(error.facts.get("item", ""))
            lines = [f"{name}: {page.explain(error.code, error.facts)}" if name else str(error)]
            return Trouble(422, page.say("A booking rule says no"), page.say("Nothing was changed."), lines)
        case Invalid():
            lines = [describe_fault(page.say, fault.code, fault.message) for fault in error.faults]
            return Trouble(422, page.say("Something is missing or wrong"), page.say("Nothing was changed."), lines)
        case RequestValidationError() if any(fault["loc"][0] == "path" for fault in error.errors()):
            return _not_found(page)
        case RequestValidationError():
            return Trouble(422, page.say("Something is missing or wrong"), page.say("Nothing was changed."))
        case NotFound():
            return _not_found(page)
        case Transient():
            text = page.say("The engine cannot do this right now. Nothing was changed; try again in a moment.")
            return Trouble(503, page.say("One moment"), text)
        case HTTPException(status_code=404 | 405):
            return _not_found(page)
        case HTTPException(status_code=403, detail="csrf"):
            text = page.say("This page was open for too long, or it is from another session. Load it again.")
            return Trouble(403, page.say("Please load the page again"), text)
        case HTTPException(status_code=403):
            text = page.say("Your role does not open this page. Ask an administrator if you need it.")
            return Trouble(403, page.say("Not for your role"), text)
        case HTTPException(status_code=429):
            text = page.say("Too many attempts from your network failed. Wait a minute, then try again.")
            return Trouble(429, page.say("One moment"), text)
        case HTTPException():
            return Trouble(error.status_code, page.say("That did not work"), str(error.detail))
        case _:
            text = page.say("Something in the engine failed. Its log tells why. Nothing was lost.")
            return Trouble(500, page.say("That did not work"), text)


def _not_found(page: Page) -> Trouble:
    text = page.say("It may have been moved, or the link is wrong.")
    return Trouble(404, page.say("There is nothing here"), text)


def describe_clash(page: Page, clash: Clash) -> str:
    """Return who holds what, and when, in one line. No names: the reader may not be meant to know them."""
    when = _stretch(page, clash.start, clash.end)
    if clash.loan_number:
        return page.say(
            "%(item)s: taken %(when)s by loan %(loan)s", item=clash.item_name, when=when, loan=clash.loan_number
        )
    return page.say("%(item)s: taken %(when)s by a meeting in Outlook", item=clash.item_name, when=when)


def _stretch(page: Page, start: datetime, end: datetime) -> str:
    return page.formats.stretch(start, end)

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
from engine.web.pages.page import Page, SignInNeeded, open_page, sign_in_address
from engine.webhooks.endpoint import NAME_CHARACTERS_MAX, SECRET_CHARACTERS_MIN, SECRET_PREFIX

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
    try:
        page = open_page(request, request.app.state.parts)
    except EngineError:
        # The database that knows who is signed in is the one that does not answer.
        return Response("The app cannot do this right now. Try again in a moment.", 503, media_type="text/plain")
    trouble = describe(page, error)
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
            lines = [describe_fault(page, fault.code, fault.message) for fault in error.faults]
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


def describe_fault(page: Page, code: str, message: str) -> str:
    """Return what is wrong with one field in the reader's language; the desk's own English when we have no better."""
    known = {
        "in_the_past": page.say("The end must lie in the future."),
        "before_start": page.say("The end must come after the start."),
        "end_not_after_start": page.say("The end must come after the start."),
        "nothing_chosen": page.say("Choose a room or a thing."),
        "one_of": page.say("Say until when, or how many times."),
        "out_of_range": page.say("A number or a day lies out of range."),
        "too_many": page.say("At most 500 are possible."),
        "overlaps": page.say("A date must end before the next one begins."),
        "nothing_left": page.say("At least one date must be booked."),
        "off_grid": page.say("Times lie on quarters of an hour."),
        "not_bookable": page.say("This cannot be booked any more."),
        "implausible": page.say("An address reads like name@example.org."),
        "missing": page.say("Something needed was left empty."),
        "too_long": page.say("A text is too long."),
        "requester_unknown": page.say("Choose a person, or write their address."),
        "requester_ambiguous": page.say("Several people are called so: choose one, or write the address."),
        "said_in_outlook": page.say("Whether it is private, its organizer says in Outlook."),
        "outlook_refused": page.say("Outlook refuses: %(why)s", why=message),
        "choice_unknown": page.say("Choose one of those offered."),
        "domain_malformed": page.say("A domain reads like example.org."),
        "days_out_of_range": page.say("A whole number of days from 1 to 1800."),
        "mailbox_missing": page.say("This address has no mailbox here, or the application may not use it."),
        "taken": page.say("Another one has this name."),
        "store_unknown": page.say("There is no such store. Choose one, or make it under Stores and things first."),
        "clock_malformed": page.say("Opening hours read like 08:30."),
        "hours_backwards": page.say("A day must close after it opens."),
        "address_not_public": page.say(
            "This does not lead to a public address. The setting webhooks.allowed_networks allows networks of your own."
        ),
        "not_https": page.say("Over the internet only https is spoken."),
        "birth_date_malformed": page.say("A date of birth is a day in the past."),
        "phone_malformed": page.say("A telephone number has digits."),
        "unknown": page.say("Something that was chosen is not there any more."),
        "unstorable": page.say("A text holds a character that cannot be stored."),
        "url_malformed": page.say("This is no web address that messages can be sent to."),
        "name_malformed": page.say("A name has 1 to %(count)s printable characters.", count=NAME_CHARACTERS_MAX),
        "model_unknown": page.say("Choose what it is to hear of."),
        "header_malformed": page.say("The name of a header has letters, digits and hyphens."),
        "secret_weak": page.say(
            "A secret has at least %(count)s characters, and no space.", count=SECRET_CHARACTERS_MIN
        ),
        "secret_malformed": page.say("What follows %(prefix)s in a secret must be base64.", prefix=SECRET_PREFIX),
        "number_out_of_range": page.say("A number is too small, too large, or no whole number."),
    }
    return known.get(code, message)

"""Signing in and out: with the provider of identities, or on one's own machine without one."""

from __future__ import annotations

import logging
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated

import msgspec
from fastapi import APIRouter, Form, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from engine.errors import Fault, Invalid, NotFound, Unreachable
from engine.ids import fold_address
from engine.loans.loan import Requester
from engine.web.access import Role, check_failures
from engine.web.locality import is_local, is_loopback_address, split_address
from engine.web.pages.page import AnyPage, Page, local_path, session_cookie
from engine.web.provider import IdentityProvider, Journey, SignInRefused, Vouched

log = logging.getLogger(__name__)

router = APIRouter()

DEVELOPMENT, MICROSOFT = "development", "microsoft"
SIGNED_IN_PATH = "/sign-in/microsoft/back"
"""Where the provider sends people back to; registered there."""

UNREACHABLE = "unreachable"

JOURNEY_SECONDS = 600
"""How long somebody may stay at the provider."""


class _Luggage(msgspec.Struct):
    """The cookie of somebody who is at the provider. It is theirs to read: nothing in it is secret from them."""

    journey: Journey
    next: str


def development_people(page: Page) -> list[Requester] | None:
    """Return whom the development sign-in offers; None where there is none: not on this machine, or not asked for."""
    host = split_address(f"//{page.request.headers.get('host', '')}").hostname or ""
    if page.parts.development is None or not is_local(page.request) or not is_loopback_address(host):
        return None
    return list(page.parts.development)


@router.get("/sign-in")
def show_sign_in(page: AnyPage, next: str = "/") -> Response:
    """Offer the ways in."""
    if page.user is not None:
        return RedirectResponse(local_path(next), 303)
    return page.render(
        "sign_in.html",
        people=development_people(page),
        has_provider=page.parts.provider is not None,
        next=local_path(next),
    )


# --- with the provider --------------------------------------------------------------------------------------------


@router.get("/sign-in/microsoft")
def leave_for_provider(page: AnyPage, next: str = "/") -> Response:
    """Send somebody to the provider of identities."""
    check_failures(page.request, page.parts.web.failures)
    try:
        address, journey = _provider(page).begin()
    except (SignInRefused, Unreachable) as error:
        return _refuse(page, error, next)
    answer = RedirectResponse(address, 303)
    luggage = urlsafe_b64encode(msgspec.json.encode(_Luggage(journey, local_path(next)))).decode()
    secure = page.parts.secure
    # Lax, not Strict: the browser brings it along when it is sent back from elsewhere.
    answer.set_cookie(
        journey_cookie(secure=secure), luggage, max_age=JOURNEY_SECONDS, httponly=True, samesite="lax", secure=secure
    )
    return answer


@router.get(SIGNED_IN_PATH)
def come_back(page: AnyPage) -> Response:
    """Sign in whom the provider vouches for."""
    check_failures(page.request, page.parts.web.failures)
    luggage = _read_luggage(page)
    next = luggage.next if luggage is not None else "/"
    try:
        vouched = _arrive(page, luggage)
    except (SignInRefused, Unreachable) as error:
        answer = _refuse(page, error, next)
    else:
        answer = open_session(page, vouched.person, vouched.role, provider=MICROSOFT, next=next)
    secure = page.parts.secure
    answer.delete_cookie(journey_cookie(secure=secure), secure=secure, httponly=True, samesite="lax")
    return answer


def _read_luggage(page: Page) -> _Luggage | None:
    """Return what this browser was sent to the provider with; None when it was not, or long ago."""
    cookie = page.request.cookies.get(journey_cookie(secure=page.parts.secure), "")
    try:
        return msgspec.json.decode(urlsafe_b64decode(cookie.encode()), type=_Luggage)
    except (ValueError, msgspec.MsgspecError):
        return None


def _arrive(page: Page, luggage: _Luggage | None) -> Vouched:
    """Return who came back. Raises SignInRefused, Unreachable."""
    provider = _provider(page)
    if luggage is None:
        raise SignInRefused("no_journey", "this browser was not sent to the provider, or long ago")
    return provider.finish(luggage.journey, page.request.query_params)


def _refuse(page: Page, error: SignInRefused | Unreachable, next: str) -> Response:
    """Say why nobody was signed in, and what to do; a new try leads where this one should have led."""
    if isinstance(error, Unreachable):
        code, status = UNREACHABLE, 503
        log.error("the provider of identities cannot be reached", exc_info=error)
    else:
        code, status = error.code, 403
        page.parts.web.failures.note(page.request.client.host if page.request.client else None)
        log.warning("sign-in refused", extra={"code": code})
    return page.render("sign_in_refused.html", status, code=code, next=local_path(next))


def _provider(page: Page) -> IdentityProvider:
    if page.parts.provider is None:
        raise HTTPException(404)
    return page.parts.provider


def journey_cookie(*, secure: bool) -> str:
    return "__Host-accord_journey" if secure else "accord_journey"


# --- on one's own machine -----------------------------------------------------------------------------------------


@router.post("/sign-in/development")
def sign_in_here(
    page: AnyPage, address: Annotated[str, Form()], role: Annotated[Role, Form()], next: Annotated[str, Form()] = "/"
) -> Response:
    """Sign in as one of the people offered, in any role."""
    offered = development_people(page)
    if offered is None:
        raise HTTPException(404)
    found = _person_of(offered, address)
    if found is None:
        raise Invalid(Fault("address", "requester_unknown", "choose one of the people offered"))
    return open_session(page, found, role, provider=DEVELOPMENT, next=next)


def _person_of(people: list[Requester], address: str) -> Requester | None:
    """Return the person of that address among *people*."""
    return next((person for person in people if fold_address(person.address) == fold_address(address)), None)


# --- sessions -----------------------------------------------------------------------------------------------------


def open_session(page: Page, person: Requester, role: Role, *, provider: str, next: str) -> Response:
    """Sign somebody in for whom *provider* vouches: a new session, whatever the browser had before."""
    end_session(page)
    agent = page.request.headers.get("user-agent", "")
    secret = page.parts.sessions.create(person, role.value, provider=provider, agent=agent)
    answer = RedirectResponse(local_path(next), 303)
    secure = page.parts.secure
    answer.set_cookie(session_cookie(secure=secure), secret, httponly=True, samesite="lax", secure=secure, path="/")
    return answer


def end_session(page: Page) -> None:
    """Make the session of this browser useless, if it has one."""
    if page.user is not None:
        try:
            page.parts.sessions.revoke(page.user.session_id, address=page.user.address)
        except NotFound:
            return  # ended from elsewhere at the same moment


@router.post("/sign-out")
def sign_out(page: AnyPage, request: Request) -> Response:
    """End the session, here and in the database."""
    end_session(page)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(session_cookie(secure=page.parts.secure), path="/", secure=page.parts.secure, httponly=True)
    return answer

"""Signing in and out. For now: the development sign-in, for one's own machine."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from engine.errors import Fault, Invalid, NotFound
from engine.ids import fold_address
from engine.loans.loan import Requester
from engine.web.access import Role
from engine.web.locality import is_local, is_loopback_address
from engine.web.pages.page import AnyPage, Page, local_path, session_cookie

router = APIRouter()

DEVELOPMENT = "development"


def development_people(page: Page) -> list[Requester] | None:
    """Return whom the development sign-in offers; None where there is none: not on this machine, or not asked for."""
    host = urlsplit(f"//{page.request.headers.get('host', '')}").hostname or ""
    if page.parts.development is None or not is_local(page.request) or not is_loopback_address(host):
        return None
    return list(page.parts.development)


@router.get("/sign-in")
def show_sign_in(page: AnyPage, next: str = "/") -> Response:
    """Offer the ways in."""
    if page.user is not None:
        return RedirectResponse(local_path(next), 303)
    return page.render("sign_in.html", people=development_people(page), next=local_path(next))


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

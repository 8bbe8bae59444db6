"""The first page: look around in the demonstration, or connect a tenant, step by step, and try what was permitted."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from engine.web.access import Role
from engine.web.pages.account import YEAR_SECONDS
from engine.web.pages.forms import Sent
from engine.web.pages.page import AdminPage, UserPage
from engine.web.wire import Line

router = APIRouter()

WELCOMED_COOKIE = "accord_welcomed"


def _keep_plain(value: str) -> str:
    """Drop what no id, address or domain is made of: these become lines for a shell, and others make links too."""
    return value if _PLAIN.fullmatch(value) else ""


_PLAIN = re.compile(r"[A-Za-z0-9._:/@+-]*")
Plain = Annotated[Line, AfterValidator(_keep_plain)]


class Tenant(Sent):
    """What somebody knows of their tenant: the page writes settings out of it, and keeps nothing."""

    tenant: Plain = ""
    client: Plain = ""
    url: Plain = ""
    user: Plain = ""


@router.get("/")
def start(page: UserPage) -> Response:
    """Begin at the board; whoever looks after an engine without a tenant, at the first page, once."""
    assert page.user is not None
    is_first = page.parts.simulated and page.user.role is Role.ADMIN and WELCOMED_COOKIE not in page.request.cookies
    return RedirectResponse("/welcome" if is_first else "/board", 303)


@router.get("/welcome")
def show_welcome(page: AdminPage, known: Annotated[Tenant, Query()]) -> Response:
    """Show both ways, and the steps of the longer one."""
    return page.render("welcome.html", here="welcome", known=known, trials=None)


@router.post("/welcome/done")
def leave(page: AdminPage) -> Response:
    """Go to the board, now and from now on."""
    answer = RedirectResponse("/board", 303)
    answer.set_cookie(
        WELCOMED_COOKIE, "yes", max_age=YEAR_SECONDS, httponly=True, samesite="lax", secure=page.parts.secure, path="/"
    )
    return answer


@router.post("/welcome/try")
def try_tenant(page: AdminPage) -> Response:
    """Try each permission, and show what came of it."""
    if page.parts.try_tenant is None:
        raise HTTPException(503)
    trials = page.parts.try_tenant()
    template = "welcome_trials.html" if page.is_fragment else "welcome.html"
    return page.render(template, here="welcome", known=Tenant(), trials=trials)

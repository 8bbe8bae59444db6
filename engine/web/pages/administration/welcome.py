"""The first page: look around in the demonstration, or connect a tenant, step by step, and try what was permitted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from engine.rooms.connection import expiry_of
from engine.web.access import Role
from engine.web.api.wire import STORABLE, Line
from engine.web.pages.forms import Sent
from engine.web.pages.page import AdminPage, UserPage
from engine.web.pages.parts.trials import OUTCOMES, PURPOSES, WANTED, WHY_NOT_TRIED, Trial
from engine.web.pages.people.account import YEAR_SECONDS

router = APIRouter()

WELCOMED_COOKIE = "accord_welcomed"
CONSENTED_PATH = "/welcome/consented"
"""Where the directory sends an administrator back to after the consent page."""


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


class Consent(BaseModel):
    """
    What the directory says after its consent page; others may follow, and are none of our business.

    A refusal carries `admin_consent=True` too, so `error` counts first (Entra docs: v2-admin-consent).
    """

    error: Line = ""
    error_description: Annotated[str, Field(max_length=2000), STORABLE] = ""
    admin_consent: Line = ""

    @property
    def is_given(self) -> bool:
        return not self.error and self.admin_consent.casefold() == "true"


@router.get("/welcome")
def show_welcome(page: AdminPage, known: Annotated[Tenant, Query()]) -> Response:
    """Show both ways, and the steps of the longer one."""
    return _render(page, known)


@router.get(CONSENTED_PATH)
def show_consent(page: AdminPage, consent: Annotated[Consent, Query()]) -> Response:
    """Show what became of the consent. It proves nothing (anybody may make this link): trying does."""
    return _render(page, Tenant(), consent=consent)


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
    return _render(page, Tenant(), trials=page.parts.try_tenant())


def _render(
    page: AdminPage, known: Tenant, *, trials: Sequence[Trial] | None = None, consent: Consent | None = None
) -> Response:
    given = page.parts.connection
    connection = replace(given, tenant=known.tenant or given.tenant, client=known.client or given.client)
    return page.render(
        "welcome_trials.html" if page.is_fragment and trials is not None else "welcome.html",
        here="welcome",
        known=known,
        trials=trials,
        consent=consent,
        connection=connection,
        consent_address=connection.consent_address(page.parts.web.base_address + CONSENTED_PATH),
        redirect=page.parts.web.base_address + CONSENTED_PATH,
        expiry=expiry_of(given, page.now.date()),
        wanted=WANTED,
        outcomes=OUTCOMES,
        why_not_tried=WHY_NOT_TRIED,
        purposes=PURPOSES,
    )

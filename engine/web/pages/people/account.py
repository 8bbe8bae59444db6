"""What belongs to the reader: language, theme, and the browsers they are signed in on."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path
from starlette.responses import RedirectResponse, Response

from engine.ids import ID_MAX
from engine.web.pages.page import LANGUAGE_COOKIE, THEME_COOKIE, AnyPage, UserPage, local_path
from engine.web.pages.people.agents import find_browser, find_system

router = APIRouter()

OTHERS_MAX = 500

YEAR_SECONDS = 365 * 24 * 3600


@router.get("/account")
def show_account(page: UserPage) -> Response:
    """Show where the reader is signed in, and to administrators who else is."""
    user, book = page.user, page.parts.sessions
    assert user is not None
    others = [s for s in book.list_all(limit=OTHERS_MAX) if not user.is_address(s.address)] if user.is_admin else []
    return page.render(
        "account.html",
        here="account",
        sessions=book.list_of(user.address),
        others=others,
        find_browser=find_browser,
        find_system=find_system,
    )


@router.post("/account/sessions/{id}/end")
def end_other_session(page: UserPage, id: Annotated[int, Path(ge=1, le=ID_MAX)]) -> Response:
    """Sign somebody out on one browser: oneself, and for administrators anybody."""
    user = page.user
    assert user is not None
    page.parts.sessions.revoke(id, address=None if user.is_admin else user.address)
    return RedirectResponse("/account", 303)


@router.post("/account/sessions/end-others")
def end_other_sessions(page: UserPage) -> Response:
    """Sign the reader out everywhere but here."""
    user, book = page.user, page.parts.sessions
    assert user is not None
    for session in book.list_of(user.address):
        if session.id != user.session_id:
            book.revoke(session.id, address=user.address)
    return RedirectResponse("/account", 303)


@router.post("/preferences")
def set_preferences(
    page: AnyPage,
    language: Annotated[Literal["en", "fr"] | None, Form()] = None,
    theme: Annotated[Literal["auto", "light", "dark"] | None, Form()] = None,
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Remember language and theme, in this browser, signed in or not."""
    answer = RedirectResponse(local_path(back), 303)
    for cookie, value in ((LANGUAGE_COOKIE, language), (THEME_COOKIE, theme)):
        if value is not None:
            answer.set_cookie(
                cookie, value, max_age=YEAR_SECONDS, httponly=True, samesite="lax", secure=page.parts.secure, path="/"
            )
    return answer

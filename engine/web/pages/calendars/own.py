"""One's own Outlook calendar: connect it, so that one's loans of things stand there, and disconnect it again."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec
from fastapi import APIRouter
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from engine.web.pages.page import BookerPage, Page
from engine.web.pages.parts.own_calendars import Answer, OwnCalendarDesk
from engine.web.provider import Journey

router = APIRouter()

PAGE = "/account/outlook"
BACK_PATH = f"{PAGE}/back"
"""Where the directory sends people back to."""

JOURNEY_SECONDS = 600


@router.get(PAGE)
def show(page: BookerPage, said: Answer | None = None) -> Response:
    """Show whether the reader's calendar is connected."""
    desk, user = _desk(page), page.user
    assert user is not None
    return page.render("own_calendar.html", here="account", calendar=desk.find(user.address), said=said)


@router.get(f"{PAGE}/connect")
def connect(page: BookerPage) -> Response:
    """Send the reader to the consent page of the directory. A link, not a form: forms lead nowhere else (guard.py)."""
    assert page.user is not None
    address, journey = _desk(page).begin(page.user.address)
    answer = RedirectResponse(address, 303)
    luggage = urlsafe_b64encode(msgspec.json.encode(journey)).decode()
    secure = page.parts.secure
    # Lax, not Strict: the browser brings it along when it is sent back from elsewhere.
    answer.set_cookie(
        _cookie(secure=secure), luggage, max_age=JOURNEY_SECONDS, httponly=True, samesite="lax", secure=secure, path="/"
    )
    return answer


@router.get(BACK_PATH)
def come_back(page: BookerPage) -> Response:
    """Connect the calendar of whoever comes back, if it is the reader's own."""
    assert page.user is not None
    secure = page.parts.secure
    try:
        luggage = urlsafe_b64decode(page.request.cookies.get(_cookie(secure=secure), "").encode())
        journey = msgspec.json.decode(luggage, type=Journey)
    except (ValueError, msgspec.MsgspecError):
        said = Answer.STRANGE
    else:
        said = _desk(page).finish(journey, page.request.query_params, page.user.address)
    answer = RedirectResponse(f"{PAGE}?said={said.value}", 303)
    answer.delete_cookie(_cookie(secure=secure), secure=secure, httponly=True, samesite="lax", path="/")
    return answer


@router.post(f"{PAGE}/disconnect")
def disconnect(page: BookerPage) -> Response:
    """Take our entries out of the reader's calendar."""
    assert page.user is not None
    _desk(page).disconnect(page.user.address)
    return page.go(PAGE)


def _desk(page: Page) -> OwnCalendarDesk:
    if page.parts.own_calendars is None:
        raise HTTPException(404)
    return page.parts.own_calendars


def _cookie(*, secure: bool) -> str:
    return "__Host-accord_calendar" if secure else "accord_calendar"

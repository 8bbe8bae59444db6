"""The pages as one application, apart from the API: sessions and cookies exist here and nowhere else."""

from __future__ import annotations

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from engine.web.pages import events
from engine.web.pages.administration import activity, backfills, fields, outbox, settings, webhooks, welcome
from engine.web.pages.bookables import keepers, rooms, stores
from engine.web.pages.booking import form as booking_form
from engine.web.pages.calendars import feeds, outlook
from engine.web.pages.calendars import own as own_calendar
from engine.web.pages.errors import install_errors
from engine.web.pages.guard import PageDoor
from engine.web.pages.loans import cases, loan, mine, series, why
from engine.web.pages.loans import search as loan_search
from engine.web.pages.occupancy import board, find
from engine.web.pages.page import STATIC, check_csrf, static_version
from engine.web.pages.parts.page_parts import PageParts
from engine.web.pages.people import account, sign_in
from engine.web.pages.people import search as people_search

ROUTERS = (
    sign_in.router,
    account.router,
    board.router,
    booking_form.router,
    feeds.router,
    fields.router,
    find.router,
    keepers.router,
    loan_search.router,
    loan.router,
    mine.router,
    outlook.router,
    people_search.router,
    own_calendar.router,
    rooms.router,
    series.router,
    settings.router,
    stores.router,
    welcome.router,
    events.router,
    cases.router,
    why.router,
    webhooks.router,
    outbox.router,
    activity.router,
    backfills.router,
)
"""Every page. The first router that knows a path answers."""


class _Static(StaticFiles):
    """Static files. Their address changes when they do, so browsers keep them for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def create_pages(parts: PageParts) -> ASGIApp:
    """Return the application over *parts*."""
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(check_csrf)],
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.parts = parts
    install_errors(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    for router in ROUTERS:
        app.include_router(router)
    app.mount(f"/static/{static_version()}", _Static(directory=STATIC))
    return PageDoor(app, secure=parts.secure)  # outermost, so that a failure of ours carries its headers too

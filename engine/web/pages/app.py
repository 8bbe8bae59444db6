"""The pages as one application, apart from the API: sessions and cookies exist here and nowhere else."""

from __future__ import annotations

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from engine.web.pages import (
    account,
    activity,
    backfills,
    board,
    book,
    calendars,
    cases,
    events,
    fields,
    find,
    keepers,
    loan,
    mine,
    outbox,
    outlook,
    own_calendar,
    people,
    rooms,
    series,
    settings,
    sign_in,
    stores,
    webhooks,
    welcome,
    why,
)
from engine.web.pages.errors import install_errors
from engine.web.pages.guard import PageDoor
from engine.web.pages.page import STATIC, check_csrf, static_version
from engine.web.pages.parts import PageParts

ROUTERS = (
    sign_in.router,
    account.router,
    board.router,
    book.router,
    calendars.router,
    fields.router,
    find.router,
    keepers.router,
    loan.router,
    mine.router,
    outlook.router,
    people.router,
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

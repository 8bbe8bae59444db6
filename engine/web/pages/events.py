"""`/events`: the stream of changes, for everybody who is signed in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from engine.ids import ID_MAX
from engine.web.pages.page import UserPage, session_cookie

router = APIRouter()


@router.get("/events")
def stream_changes(page: UserPage, since: Annotated[int, Query(ge=0, le=ID_MAX)] = ID_MAX) -> StreamingResponse:
    """Tell which loans changed since a page was made, and change, until the reader leaves or is signed out."""
    secret = page.request.cookies[session_cookie(secure=page.parts.secure)]
    sessions = page.parts.sessions
    return StreamingResponse(
        page.parts.live.stream(since, lambda: sessions.find(secret) is not None),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )

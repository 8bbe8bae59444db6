"""`/events`: the stream of changes, for everybody who is signed in."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from engine.web.pages.page import UserPage, session_cookie

router = APIRouter()


@router.get("/events")
def stream_changes(page: UserPage) -> StreamingResponse:
    """Tell which loans change, until the reader leaves or is signed out."""
    secret = page.request.cookies[session_cookie(secure=page.parts.secure)]
    sessions = page.parts.sessions
    return StreamingResponse(
        page.parts.live.stream(lambda: sessions.find(secret) is not None),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )

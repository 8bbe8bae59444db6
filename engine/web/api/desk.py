"""Routes of the people who look after it all: tokens, status."""

from __future__ import annotations

from fastapi import APIRouter

from engine.web.access import Admin, Viewer
from engine.web.api.shelf import TokenIn, TokenOut
from engine.web.parts import Parts

router = APIRouter(tags=["desk"])


@router.post("/tokens", status_code=201)
def create_token(parts: Parts, caller: Admin, wanted: TokenIn) -> TokenOut:
    """Make a token for a machine. It is shown this once."""
    token = parts.tokens.create(wanted.name, wanted.role.value)
    return TokenOut(name=wanted.name, role=wanted.role, token=token)


@router.get("/status")
def show_status(parts: Parts, caller: Viewer) -> dict[str, object]:
    """Tell the truth about the engine: what is stale, what waits, what failed, since when."""
    return dict(parts.read_status())

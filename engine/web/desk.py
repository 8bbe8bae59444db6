"""Routes of the people who look after it all: cases, tokens, status."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from engine.web.access import Admin, Staff, Viewer
from engine.web.language import Language
from engine.web.models import CaseOut, CaseQuery, Listing, SettlementIn, render_case, render_page
from engine.web.parts import Parts
from engine.web.shelf import TokenIn, TokenOut
from engine.web.wire import ID_MAX

router = APIRouter(tags=["desk"])


@router.get("/cases")
def list_cases(
    parts: Parts, caller: Viewer, language: Language, wanted: Annotated[CaseQuery, Query()]
) -> Listing[CaseOut]:
    """List cases: disagreements and rejections that a person may look at."""
    found = parts.register.list_cases(state=wanted.state, after=wanted.after or None, limit=wanted.limit + 1)
    page, following = render_page(found, wanted.limit, lambda case: case.id)
    items = [render_case(case, lambda code, facts: parts.explain(code, facts, language)) for case in page]
    return Listing(items=items, next=following)


@router.post("/cases/{id}/settle")
def settle_case(
    parts: Parts,
    caller: Staff,
    id: Annotated[int, Path(ge=1, le=ID_MAX)],
    settlement: SettlementIn,
    language: Language,
) -> CaseOut:
    """Close a case by hand."""
    case = parts.register.settle_case(id, settlement=settlement.settlement, actor=caller.actor)
    return render_case(case, lambda code, facts: parts.explain(code, facts, language))


@router.post("/tokens", status_code=201)
def create_token(parts: Parts, caller: Admin, wanted: TokenIn) -> TokenOut:
    """Make a token for a machine. It is shown this once."""
    token = parts.tokens.create(wanted.name, wanted.role.value)
    return TokenOut(name=wanted.name, role=wanted.role, token=token)


@router.get("/status")
def show_status(parts: Parts, caller: Viewer) -> dict[str, object]:
    """Tell the truth about the engine: what is stale, what waits, what failed, since when."""
    return dict(parts.read_status())

"""Routes of cases: reading them with their ways out, settling one, undoing that, and the policies of stores."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from engine.ids import ID_MAX, BookableId, StoreId
from engine.web.access import Admin, Staff, Viewer
from engine.web.api.models import CaseOut, CaseQuery, Listing, render_case, render_page
from engine.web.api.settling import CaseViewOut, Policy, PolicyIn, SettlementIn, render_policy, render_view
from engine.web.language import Language
from engine.web.parts import Parts

router = APIRouter(tags=["cases"])

CaseId = Annotated[int, Path(ge=1, le=ID_MAX)]


@router.get("/cases")
def list_cases(
    parts: Parts, caller: Viewer, language: Language, wanted: Annotated[CaseQuery, Query()]
) -> Listing[CaseOut]:
    """List cases: disagreements and rejections that a person may look at."""
    found = parts.register.list_cases(state=wanted.state, after=wanted.after or None, limit=wanted.limit + 1)
    page, following = render_page(found, wanted.limit, lambda case: case.id)
    items = [
        render_case(
            case,
            lambda code, facts: parts.explain(code, facts, language),
            lambda number: parts.register.find(number).private,
        )
        for case in page
    ]
    return Listing(items=items, next=following)


@router.get("/cases/{id}")
def show_case(parts: Parts, caller: Viewer, id: CaseId, language: Language) -> CaseViewOut:
    """Show one case with the ways out that are open now, and whether its settlement can be undone."""
    return render_view(parts.cases.find(id), parts.explain, language)


@router.post("/cases/{id}/settle")
def settle_case(parts: Parts, caller: Staff, id: CaseId, settlement: SettlementIn, language: Language) -> CaseViewOut:
    """Settle a case one way; or close it with a word, after which a cause that still stands opens it anew."""
    if settlement.way is not None:
        room = BookableId(settlement.room) if settlement.room is not None else None
        view = parts.cases.settle(id, settlement.way, room_id=room, actor=caller.actor)
    else:
        parts.register.settle_case(id, settlement=settlement.settlement or "", actor=caller.actor)
        view = parts.cases.find(id)
    return render_view(view, parts.explain, language)


@router.post("/cases/{id}/undo")
def undo_settlement(parts: Parts, caller: Staff, id: CaseId, language: Language) -> CaseViewOut:
    """Take a settlement back: the loan returns to what it was, and the case is open again. 409 says why not."""
    return render_view(parts.cases.undo(id, actor=caller.actor), parts.explain, language)


@router.get("/stores/{id}/policy")
def show_policy(parts: Parts, caller: Viewer, id: CaseId) -> Policy:
    """Show which kinds of cases a store settles by itself, and which way."""
    return render_policy(parts.cases.policy_of(StoreId(id)))


@router.put("/stores/{id}/policy")
def set_policy(parts: Parts, caller: Admin, id: CaseId, policy: PolicyIn) -> Policy:
    """Set which kinds of cases a store settles by itself; what is left out waits for a person."""
    parts.cases.set_policy(StoreId(id), policy.root, actor=caller.actor)
    return render_policy(parts.cases.policy_of(StoreId(id)))

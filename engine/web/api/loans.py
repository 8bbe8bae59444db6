"""Routes of loans: book, look, change, and the steps of a loan's life."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool

from engine.ids import ID_MAX, BookableId, LoanNumber
from engine.loans.register import LoanFilter
from engine.loans.status import LoanAction
from engine.reconcile.series.book import Scope
from engine.web.access import Caller, Staff, Viewer
from engine.web.api.models import (
    ActionIn,
    AvailabilityOut,
    AvailabilityQuery,
    CancelIn,
    DecisionOut,
    Listing,
    LoanIn,
    LoanOut,
    LoanPatch,
    LoanQuery,
    parse_interval,
    render_availability,
    render_decision,
    render_loan,
    render_page,
)
from engine.web.language import Language
from engine.web.parts import Parts, WebParts

router = APIRouter(tags=["loans"])

Number = Annotated[int, Path(ge=1, le=ID_MAX, description="The loan's number.")]


@router.get("/loans")
def list_loans(parts: Parts, caller: Viewer, wanted: Annotated[LoanQuery, Query()]) -> Listing[LoanOut]:
    """List loans by number, the oldest first."""
    found = parts.register.list_loans(
        LoanFilter(
            starts_before=wanted.to,
            ends_after=wanted.from_,
            item_id=BookableId(wanted.room) if wanted.room is not None else None,
            statuses=tuple(wanted.status),
            series=str(wanted.series) if wanted.series is not None else None,
            after=LoanNumber(wanted.after),
            limit=wanted.limit + 1,
        )
    )
    page, following = render_page(found, wanted.limit, lambda loan: loan.number)
    return Listing(items=[render_loan(loan) for loan in page], next=following)


@router.post("/loans", status_code=201)
async def book_loan(parts: Parts, caller: Staff, order: LoanIn, response: Response) -> LoanOut:
    """Book. 409 with `conflicts` when an item is taken; 422 when a rule of the room or store says no."""
    loan = await parts.edit(parts.register.book, order.parse(), actor=caller.actor)
    response.headers["Location"] = f"{parts.base_address}/api/loans/{loan.number}"
    return render_loan(loan)


@router.get("/loans/{number}")
def show_loan(parts: Parts, caller: Viewer, number: Number) -> LoanOut:
    """Show one loan."""
    return render_loan(parts.register.find(LoanNumber(number)))


@router.patch("/loans/{number}")
async def change_loan(parts: Parts, caller: Staff, number: Number, change: LoanPatch) -> LoanOut:
    """Change a loan, and by `scope` the following or all dates of its series: what is left out stays as it is."""
    number_, wanted = LoanNumber(number), change.parse()
    if change.scope is Scope.THIS:
        return render_loan(await parts.edit(parts.register.change, number_, wanted, actor=caller.actor))
    return render_loan(await run_in_threadpool(parts.series.change, number_, wanted, change.scope, actor=caller.actor))


@router.get("/loans/{number}/history")
def show_history(parts: Parts, caller: Viewer, number: Number, language: Language) -> Listing[DecisionOut]:
    """Tell what was decided about a loan and why, the oldest first. Of a private loan, nothing: it names people."""
    is_private = parts.register.find(LoanNumber(number)).private
    decisions = () if is_private else parts.register.history(LoanNumber(number))
    return Listing(
        items=[render_decision(item, lambda code, facts: parts.explain(code, facts, language)) for item in decisions]
    )


@router.post("/loans/{number}/approve")
async def approve_loan(parts: Parts, caller: Staff, number: Number, action: ActionIn | None = None) -> LoanOut:
    """Approve a loan that waits for it."""
    return await _act(parts, caller, number, LoanAction.APPROVE, action)


@router.post("/loans/{number}/refuse")
async def refuse_loan(parts: Parts, caller: Staff, number: Number, action: ActionIn | None = None) -> LoanOut:
    """Refuse a loan; its event is deleted in Outlook."""
    return await _act(parts, caller, number, LoanAction.REFUSE, action)


@router.post("/loans/{number}/check-out")
async def check_out_loan(parts: Parts, caller: Staff, number: Number, action: ActionIn | None = None) -> LoanOut:
    """Hand the items over."""
    return await _act(parts, caller, number, LoanAction.CHECK_OUT, action)


@router.post("/loans/{number}/close")
async def close_loan(parts: Parts, caller: Staff, number: Number, action: ActionIn | None = None) -> LoanOut:
    """Take the items back."""
    return await _act(parts, caller, number, LoanAction.CLOSE, action)


@router.post("/loans/{number}/cancel")
async def cancel_loan(parts: Parts, caller: Staff, number: Number, action: CancelIn | None = None) -> LoanOut:
    """Cancel a loan, and by `scope` the following or all dates of its series; in Outlook their events are deleted."""
    if action is None or action.scope is Scope.THIS:
        return await _act(parts, caller, number, LoanAction.CANCEL, action)
    number_, actor = LoanNumber(number), caller.actor
    return render_loan(
        await run_in_threadpool(parts.series.cancel, number_, action.scope, actor=actor, reason=action.reason)
    )


async def _act(parts: WebParts, caller: Caller, number: int, action: LoanAction, why: ActionIn | None) -> LoanOut:
    reason = why.reason if why else ""
    act = parts.register.act
    return render_loan(await parts.edit(act, LoanNumber(number), action, actor=caller.actor, reason=reason))


@router.get("/availability")
def show_availability(
    parts: Parts, caller: Viewer, wanted: Annotated[AvailabilityQuery, Query()]
) -> Listing[AvailabilityOut]:
    """Tell what is free between two instants, and what holds the rest."""
    interval = parse_interval(wanted.start, wanted.end)
    found = parts.register.availability(interval, people=wanted.people)
    return Listing(items=[render_availability(item) for item in found])

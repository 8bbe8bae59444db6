"""A series' page: how it repeats, and every date with how far it is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from starlette.responses import Response

from engine.errors import NotFound
from engine.ids import ID_MAX
from engine.loans.recurrence_words import say_recurrence
from engine.web.pages.loans.loan import title_of
from engine.web.pages.page import UserPage

router = APIRouter()


@router.get("/series/{number}")
def show_series(page: UserPage, number: Annotated[int, Path(ge=1, le=ID_MAX)]) -> Response:
    """Show one series, made here or in Outlook."""
    user = page.user
    assert user is not None
    series = page.parts.web.series.find(number)
    loans = sorted(series.loans, key=lambda loan: loan.interval)
    if not loans:
        raise NotFound(f"series {number} has no loan")
    if not all(user.may_open(loan) for loan in loans):
        raise HTTPException(403)
    first = loans[0]
    reads = user.may_read(first.requester.address, private=first.private)
    return page.render(
        "series.html",
        here="board",
        series=series,
        loans=loans,
        first=first,
        reads=reads,
        title=title_of(page, first, reads=reads),
        words=say_recurrence(series.recurrence, page.language) if series.recurrence else "",
    )

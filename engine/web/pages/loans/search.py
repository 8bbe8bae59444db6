"""Everybody's loans, to be looked through by those who look after them: a few words, a status, to come or over."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from engine.errors import NotFound
from engine.ids import ID_MAX, LoanNumber
from engine.loans.search import LoanSearch
from engine.loans.status import LoanStatus
from engine.web.api.wire import STORABLE, WHOLE
from engine.web.pages.forms import Sent
from engine.web.pages.loans.mine import AT_ONCE, PAGES_MAX, Shelf, by_day
from engine.web.pages.page import Page, ViewerPage

router = APIRouter()

_NUMBER = re.compile(r"#\s*([1-9][0-9]{0,9})")


class LoanQuery(Sent):
    """Which of them to show. `leaf` counts from 1."""

    q: Annotated[str, Field(max_length=200), STORABLE] = ""
    show: Shelf = Shelf.TO_COME
    status: LoanStatus | None = None
    leaf: Annotated[int, Field(ge=1, le=PAGES_MAX), WHOLE] = 1

    def link(self, **changes: object) -> str:
        """Return the address of the list with some things changed; it begins anew unless told where to go on."""
        values = {**self.model_dump(exclude_defaults=True, exclude={"leaf"}), **changes}
        query = urlencode({key: value for key, value in values.items() if value})
        return f"/loans?{query}" if query else "/loans"


@router.get("/loans")
def show_loans(page: ViewerPage, wanted: Annotated[LoanQuery, Query()]) -> Response:
    """Show everybody's loans that fit; `#12` alone leads to loan 12."""
    if not page.is_fragment and (number := _find_number(page, wanted.q)) is not None:
        return RedirectResponse(f"/loans/{number}", 303)
    assert page.user is not None
    is_over = wanted.show is Shelf.OVER
    search, shelf = LoanSearch(page.user.address, wanted.q, is_over, wanted.status), page.parts.search
    found = shelf.find(search, now=page.now, limit=AT_ONCE + 1, beyond=(wanted.leaf - 1) * AT_ONCE)
    counts = shelf.count(search, now=page.now)
    today = page.now.astimezone(page.parts.zone).date()
    return page.render(
        "loans.html",
        here="loans",
        wanted=wanted,
        days=by_day(found[:AT_ONCE], zone=page.parts.zone, not_before=None if is_over else today),
        today=today,
        goes_on=len(found) > AT_ONCE,
        counts=counts.over if is_over else counts.to_come,
        shelves={Shelf.TO_COME: sum(counts.to_come.values()), Shelf.OVER: sum(counts.over.values())},
        statuses=tuple(LoanStatus),
    )


def _find_number(page: Page, words: str) -> int | None:
    """Return the loan that *words* number, if there is one."""
    named = _NUMBER.fullmatch(words.strip())
    if named is None or int(named[1]) > ID_MAX:
        return None
    try:
        return page.parts.web.register.find(LoanNumber(int(named[1]))).number
    except NotFound:
        return None

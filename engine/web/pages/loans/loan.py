"""A loan's page: what it is, how far each room is with its answer, what can be done, and why it is as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Path
from starlette.responses import RedirectResponse, Response

from engine.ids import ID_MAX, Address, LoanNumber
from engine.loans.loan import Loan
from engine.loans.sides import OutlookSide
from engine.loans.status import LoanAction
from engine.reconcile.series.book import Scope
from engine.web.access import Role
from engine.web.locality import split_address
from engine.web.pages.loans.cases import say_title
from engine.web.pages.loans.change import check_dates, may_change_here, scopes_of
from engine.web.pages.navigation import ENTRIES, Entry
from engine.web.pages.page import BookerPage, Page, UserPage, local_path
from engine.web.pages.users import User

router = APIRouter()

LISTS = frozenset({"board", "mine", "loans", "cases", "why"})
"""Keys of the pages that list loans: who comes from one of them goes back there."""

Number = Annotated[int, Path(ge=1, le=ID_MAX)]
Reason = Annotated[str, Form(max_length=2000)]


@router.get("/loans/{number}")
def show_loan(page: UserPage, number: Number) -> Response:
    """Show one loan, or with htmx its changing part."""
    return render_loan(page, _find(page, number))


@router.post("/loans/{number}/{action}")
def act(
    page: BookerPage,
    number: Number,
    action: LoanAction,
    reason: Reason = "",
    scope: Annotated[Scope, Form()] = Scope.THIS,
) -> Response:
    """Take a step in a loan's life. A date of a series may be cancelled with the following ones, or with all."""
    loan = _find(page, number)
    assert page.user is not None
    if action not in page.user.actions(loan):
        raise HTTPException(403)
    actor, reason = page.user.actor, reason.strip()
    if action is LoanAction.CANCEL and scope is not Scope.THIS:
        check_dates(page, loan)
        loan = page.parts.web.series.cancel(loan.number, scope, actor=actor, reason=reason)
    else:
        loan = page.parts.web.register.act(loan.number, action, actor=actor, reason=reason)
    return render_loan(page, loan, is_answer=True) if page.is_fragment else RedirectResponse(f"/loans/{number}", 303)


def render_loan(page: Page, loan: Loan, status: int = 200, *, notice: str = "", is_answer: bool = False) -> Response:
    """
    Show *loan*.

    Args:
        notice: why the reader is shown it instead of what they asked for.
        is_answer: whether the reader has just taken a step with it: the focus goes to what became of it.
    """
    user = page.user
    assert user is not None
    reads = user.may_read(loan.requester.address, private=loan.private)
    way_back = find_way_back(page)
    open_cases = page.parts.cases.open_of(loan.number) if user.role.includes(Role.VIEWER) else ()
    return page.render(
        "loan_piece.html" if page.is_fragment else "loan.html",
        status,
        here=way_back[0].key,
        way_back=way_back,
        loan=loan,
        notice=notice,
        is_answer=is_answer,
        reads=reads,
        title=title_of(page, loan, reads=reads),
        keepers=_find_keepers(page, user, loan),
        blocked=loan.interval.blocked(),
        actions=user.actions(loan),
        may_change=may_change_here(page, loan),
        scopes=scopes_of(page, loan),
        open_cases=[(case.id, say_title(page, case)) for case in open_cases],
        side=page.parts.sides.outlook_side(loan.number),
        organizer_link=_organizer_link,
        history=page.parts.web.register.history(loan.number) if reads else (),
    )


def _find_keepers(page: Page, user: User, loan: Loan) -> Sequence[Address] | None:
    """Return who looks after *loan*, empty for all staff; None where the reader does, or has no part in the desk."""
    if user.role is Role.REQUESTER or user.keeps(loan.store_id):
        return None
    return page.parts.keepers.load_keepers().get(loan.store_id, ())


def find_way_back(page: Page) -> tuple[Entry, str]:
    """Return the list that led here and its address, filters and all; the board, and no address, where none did."""
    came_from = split_address(page.request.headers.get("referer", ""))
    if came_from.netloc == page.request.headers.get("host"):
        for entry in page.navigation():
            if entry.key in LISTS and entry.path == came_from.path:
                return entry, local_path(f"{entry.path}?{came_from.query}" if came_from.query else entry.path)
    return next(entry for entry in ENTRIES if entry.key == "board"), ""


def _organizer_link(side: OutlookSide) -> str:
    """Return where Outlook on the web shows the meeting; "" when nothing fit to be followed is known."""
    link = side.web_link or ""
    return link if link.startswith("https://") else ""


def title_of(page: Page, loan: Loan, *, reads: bool) -> str:
    """Return what a loan is called: its title, else who it is for."""
    if not reads:
        return page.say("Private booking")
    return loan.title or loan.requester.name


def _find(page: Page, number: int) -> Loan:
    """Return a loan the reader may look at. Raises NotFound, and 403."""
    loan = page.parts.web.register.find(LoanNumber(number))
    assert page.user is not None
    if not page.user.may_open(loan):
        raise HTTPException(403)
    return loan

"""The board: rooms as rows, time as columns; booking, moving and resizing where one looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from markupsafe import Markup
from msgspec.json import encode
from pydantic import Field
from starlette.responses import JSONResponse, Response

from engine.errors import Fault, Invalid
from engine.ids import BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import ItemKind, Loan, Requester
from engine.loans.register import ItemRef, LoanChange, LoanOrder
from engine.loans.status import ItemState
from engine.rooms.room import Room
from engine.web.api import wire
from engine.web.api.models import Notes
from engine.web.api.wire import STORABLE, WHOLE, Id, Incoming, Line, Whole
from engine.web.pages.forms import Sent
from engine.web.pages.loans.change import check_not_over
from engine.web.pages.occupancy.timeline import (
    DAY_MINUTES,
    USUAL,
    Filter,
    Span,
    View,
    all_features,
    group_rooms,
    show_all,
    shown_rooms,
    span_of,
)
from engine.web.pages.page import BookerPage, Page, UserPage
from engine.web.pages.people.search import read_person

router = APIRouter()

FEATURES_MAX = 30


class BoardQuery(Sent):
    """What part of the board to show."""

    view: View | None = None
    day: date | None = None
    people: Annotated[int, Field(ge=0, le=100_000), WHOLE] = 0
    feature: list[Line] = Field(default=[], max_length=FEATURES_MAX)
    store: Annotated[int, Field(ge=0, le=wire.ID_MAX), WHOLE] = 0
    q: Line = ""
    loan: list[Id] = Field(default=[], max_length=500)
    """For entries only: those of these loans."""

    @property
    def filter(self) -> Filter:
        return Filter(self.people, frozenset(self.feature), self.store, self.q)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a request shows: view, days, rooms."""

    view: View
    span: Span
    rooms: list[Room]
    known: list[Room]


def frame(page: Page, wanted: BoardQuery) -> Frame:
    """Return what *wanted* asks for. Without a view: a list on telephones, else a day."""
    view = wanted.view or (View.LIST if "Mobi" in page.request.headers.get("user-agent", "") else View.DAY)
    today = page.now.astimezone(page.parts.zone).date()
    day = min(max(wanted.day or today, date(2000, 1, 10)), date(2999, 12, 1))
    known = shown_rooms(page.parts.web.rooms.load_rooms())
    return Frame(view, span_of(view, day, page.parts.zone), [r for r in known if wanted.filter.takes(r)], known)


@router.get("/board")
def show_board(page: UserPage, wanted: Annotated[BoardQuery, Query()]) -> Response:
    """Show the board, with everything it needs to draw itself at once."""
    found = frame(page, wanted)
    span, today = found.span, page.now.astimezone(page.parts.zone).date()
    step = timedelta(days=span.days)
    values: dict[str, Any] = {
        "view": found.view,
        "is_chosen": wanted.view is not None,
        "span": span,
        "today": today,
        "before": span.first - step,
        "after": span.first + step,
        "wanted": wanted,
        "groups": group_rooms(found.rooms),
        "features": all_features(found.known),
        "stores": page.parts.web.register.list_stores(),
        "rooms_known": len(found.known),
        "waiting_stores": stores_that_wait(page),
        "now_minute": span.minute(page.now),
    }
    entries = list_entries(page, span, found.rooms)
    if found.view is View.LIST:
        return page.render("list.html", here="board", entries=[{**USUAL, **entry} for entry in entries], **values)
    return page.render("board.html", here="board", data=script_json({"entries": entries}), **values)


def stores_that_wait(page: Page) -> set[StoreId]:
    """Return the stores whose bookings wait for approval."""
    return {store.id for store in page.parts.web.register.list_stores() if store.approval or page.parts.approval}


@router.get("/board/entries")
def show_entries(page: UserPage, wanted: Annotated[BoardQuery, Query()]) -> Response:
    """Return the entries anew: all of them, or those of some loans. A loan that is missing from the answer is gone."""
    found = frame(page, wanted)
    numbers = [LoanNumber(number) for number in wanted.loan] or None
    entries = list_entries(page, found.span, found.rooms, numbers)
    return Response(encode({"entries": entries, "now": found.span.minute(page.now)}), media_type="application/json")


def script_json(value: object) -> Markup:
    """Return *value* as JSON that may stand in a script element: nothing in it can end the element."""
    return Markup(encode(value).replace(b"<", b"\\u003c").decode())


def list_entries(
    page: Page, span: Span, rooms: list[Room], numbers: list[LoanNumber] | None = None
) -> list[dict[str, object]]:
    """Return what the browser draws."""
    assert page.user is not None
    shelf = page.parts.board
    meetings = shelf.meetings(span.interval)
    entries = shelf.entries(span.interval, numbers)
    return show_all(entries, meetings, span, page.user, [room.id for room in rooms], now=page.now)


# --- changing -----------------------------------------------------------------------------------------------------


class BoardOrder(Incoming):
    """A new booking. Times are minutes on the wall clock since the midnight that begins `day`."""

    day: date
    room: Id
    start: Annotated[int, Field(ge=0, le=370 * DAY_MINUTES), WHOLE]
    end: Annotated[int, Field(ge=1, le=370 * DAY_MINUTES), WHOLE]
    title: Line = ""
    notes: Notes = ""
    private: bool = False
    who: Annotated[str, Field(max_length=600), STORABLE] = ""
    """As in the booking form: a person, by name or address. Empty: who books."""


class BoardMove(Incoming):
    """
    Another time, or another room, for one room of a loan.

    `version` is the one that was looked at. A room that answers gives the loan another; so, where the times that were
    looked at (`seen_start`, `seen_end`) and the room are still the loan's, nothing that matters has changed.
    """

    day: date
    room: Id
    start: Annotated[int, Field(ge=-370 * DAY_MINUTES, le=370 * DAY_MINUTES), WHOLE] | None = None
    end: Annotated[int, Field(ge=-370 * DAY_MINUTES, le=370 * DAY_MINUTES), WHOLE] | None = None
    to_room: Id | None = None
    version: Whole
    seen_start: Annotated[int, Field(ge=-370 * DAY_MINUTES, le=370 * DAY_MINUTES), WHOLE] | None = None
    seen_end: Annotated[int, Field(ge=-370 * DAY_MINUTES, le=370 * DAY_MINUTES), WHOLE] | None = None


@router.post("/board/loans")
def book(page: BookerPage, order: BoardOrder) -> Response:
    """Book one room."""
    user = page.user
    assert user is not None
    span = Span(order.day, 1, page.parts.zone)
    made = page.parts.web.register.book(
        LoanOrder(
            requester=_requester(page, order.who),
            interval=_interval(span.instant(order.start), span.instant(order.end)),
            items=(ItemRef(ItemKind.ROOM, BookableId(order.room)),),
            title=order.title,
            notes=order.notes,
            private=order.private,
        ),
        actor=user.actor,
    )
    return JSONResponse({"number": made.number, "version": made.version, "status": made.status}, 201)


@router.post("/board/loans/{number}/move")
def move(page: BookerPage, number: int, wish: BoardMove) -> Response:
    """Move or resize a loan, or put another room in the place of one. Answers what is needed to undo it."""
    user = page.user
    assert user is not None
    register = page.parts.web.register
    loan = register.find(LoanNumber(number))
    if not user.may_change(loan.requester.address, loan.store_id):
        raise HTTPException(403)
    check_not_over(page, loan)
    span = Span(wish.day, 1, page.parts.zone)
    changed = register.change(
        loan.number,
        LoanChange(
            seen_version=loan.version if is_as_seen(loan, wish, span) else wish.version,
            start=_instant(span, wish.start),
            end=_instant(span, wish.end),
            items=_exchange(loan, wish.room, wish.to_room),
        ),
        actor=user.actor,
    )
    return JSONResponse({"number": changed.number, "version": changed.version})


def is_as_seen(loan: Loan, wish: BoardMove, span: Span) -> bool:
    """Tell whether *loan* has the times that were looked at, and the room that is to be moved."""
    times = (span.minute(loan.interval.start), span.minute(loan.interval.end))
    has_room = any(item.id == wish.room and item.state is not ItemState.CANCELLED for item in loan.items)
    return has_room and times == (wish.seen_start, wish.seen_end)


def _requester(page: Page, who: str) -> Requester:
    """Return whom a booking is for: somebody else only where the reader may book for others. Raises Invalid."""
    user = page.user
    assert user is not None
    if not who.strip():
        return user.person
    if not user.may_book_for_others():
        raise Invalid(Fault("who", "requester_unknown", "you book for yourself"))
    meant = read_person(page, who)
    return user.person if user.is_address(meant.address) else meant


def _interval(start: datetime, end: datetime) -> Interval:
    if end <= start:
        raise Invalid(Fault("end", "before_start", "the end must come after the start"))
    return Interval(start, end)


def _instant(span: Span, minute: int | None) -> datetime | None:
    return None if minute is None else span.instant(minute)


def _exchange(loan: Loan, room: int, to_room: int | None) -> tuple[ItemRef, ...] | None:
    """Return the loan's items with *to_room* in the place of *room*; None when nothing is exchanged."""
    if to_room is None or to_room == room:
        return None
    kept = [item for item in loan.items if item.state is not ItemState.CANCELLED and item.id not in (room, to_room)]
    return (*(ItemRef(item.kind, item.id) for item in kept), ItemRef(ItemKind.ROOM, BookableId(to_room)))

"""Booking: for whom, when, which rooms and things, and what Outlook will be told of it, before anything is saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from engine.errors import DeskError, Fault, Invalid
from engine.ids import ID_MAX, Address, BookableId, LoanNumber
from engine.interval import Interval
from engine.loans.details import DETAIL_FIELDS, ContactDetails
from engine.loans.loan import Loan, Requester
from engine.loans.openings import find_openings, widen
from engine.loans.recurrence import WEEKDAYS, Repeat
from engine.loans.register import Availability, ItemRef, LoanOrder
from engine.reconcile.series.book import Scope
from engine.reconcile.telling.preview import Telling, foretell
from engine.rooms.room import Room
from engine.web.api.wire import WHOLE, Id, Line, Whole
from engine.web.pages.booking.dates import Dates, preview_dates, series_order
from engine.web.pages.booking.offers import Offers, make_offers
from engine.web.pages.booking.repeats import Repeated
from engine.web.pages.errors import describe
from engine.web.pages.forms import Clock, Day, Text, parse_clock
from engine.web.pages.loans.change import (
    Changed,
    Changing,
    change_loan,
    check_not_over,
    find_changes,
    fingerprint_of,
    is_over,
    items_of,
    loan_in_form,
    may_say_private,
    scopes_of,
    version_seen,
)
from engine.web.pages.loans.loan import render_loan
from engine.web.pages.page import BookerPage, Page
from engine.web.pages.people.search import read_person
from engine.web.pages.times import QUARTERS, Times, read_times

router = APIRouter()

ITEMS_MAX = 100
SHIFT_MINUTES_MAX = 24 * 60
Swap = Annotated[str, Field(pattern=r"^[0-9]{1,9}-[0-9]{1,9}$")]


class BookWish(Repeated):
    """The form, as it is sent with each change and when it is saved; as a link, what to begin with."""

    day: Day | None = None
    start: Clock | None = None
    until: Day | None = None
    end: Clock | None = None
    seen: Annotated[str, Field(max_length=40)] = ""
    item: list[Id] = Field(default=[], max_length=ITEMS_MAX)
    people: Annotated[int, Field(ge=0, le=100_000), WHOLE] = 0
    q: Line = ""
    who: Annotated[str, Field(max_length=600)] = ""
    title: Line = ""
    notes: Text = ""
    private: bool = False
    phone: Line = ""
    birth_date: Annotated[str, Field(max_length=10)] = ""
    company: Line = ""
    job_title: Line = ""
    street: Line = ""
    postcode: Line = ""
    town: Line = ""
    shift: Annotated[int, Field(ge=-SHIFT_MINUTES_MAX, le=SHIFT_MINUTES_MAX), WHOLE] = 0
    """Minutes by which a button moves it."""
    swap: Swap | None = None
    """`3-5`: a button that puts room 5 in the place of room 3."""
    loan: Id | None = None
    """The loan to change; None: a new one."""
    version: Whole | None = None
    fingerprint: Annotated[str, Field(max_length=64)] = ""
    """Of the loan to change, as the form showed it first: `fingerprint_of`."""
    told: Annotated[str, Field(max_length=64)] = ""
    """The same as the reader was told that it is now."""
    scope: Scope = Scope.THIS
    csrf: str = ""

    @property
    def details(self) -> ContactDetails | None:
        """What is told of a requester from outside; fields that are left empty tell nothing."""
        written = {name: getattr(self, name) or None for name in DETAIL_FIELDS}
        return ContactDetails(**written) if any(written.values()) else None

    @property
    def items(self) -> list[int]:
        """What is chosen, each once, after the button that swaps rooms."""
        old, new = (int(part) for part in self.swap.split("-")) if self.swap else (0, 0)
        return list(dict.fromkeys(new if number == old else number for number in self.item))


@dataclass(frozen=True, slots=True)
class Look:
    """What the page shows of a wish. `faults` are sentences by field."""

    wish: BookWish
    times: Times
    who: str
    requester: Requester | None
    offers: Offers | None
    telling: Telling | None
    dates: Dates | None
    """Of a series; None for a single booking."""
    changing: Changing | None
    """What would be changed; None for a new booking."""
    faults: dict[str, str]


@router.get("/book")
def show_form(page: BookerPage, wish: Annotated[BookWish, Query()]) -> Response:
    """Show the form, filled with what the link says."""
    return _render(page, wish)


@router.get("/loans/{number}/change")
def show_loan_form(page: BookerPage, number: Annotated[int, Path(ge=1, le=ID_MAX)]) -> Response:
    """Show the form for a loan that is there."""
    loan = loan_in_form(page, number)
    if is_over(loan, now=page.now):
        notice = page.say("It has ended: nothing about it can be changed any more.")
        return render_loan(page, loan, 409, notice=notice)
    start, end = (moment.astimezone(page.parts.zone) for moment in (loan.interval.start, loan.interval.end))
    shown = {
        "day": f"{start:%Y-%m-%d}",
        "start": f"{start:%H:%M}",
        "until": f"{end:%Y-%m-%d}",
        "end": f"{end:%H:%M}",
        "item": [item.id for item in items_of(loan)],
        "who": f"{loan.requester.name} <{loan.requester.address}>",
        "title": loan.title,
        "notes": loan.notes,
        "private": loan.private,
        "loan": loan.number,
        "version": loan.version,
        "fingerprint": fingerprint_of(loan),
    }
    return _render(page, BookWish.model_validate(shown))


@router.post("/book/look")
def look_again(page: BookerPage, wish: Annotated[BookWish, Form()]) -> Response:
    """Show what the form means by now. Changes nothing."""
    return _render(page, wish)


@router.post("/book")
def book(page: BookerPage, wish: Annotated[BookWish, Form()]) -> Response:
    """Book or change, and go to the loan; what stands in the way is shown in the form."""
    assert page.user is not None
    try:
        address = _save(page, wish, page.user.actor)
    except DeskError as error:
        return _render(page, wish, error)
    return Response(headers={"HX-Redirect": address}) if page.is_fragment else RedirectResponse(address, 303)


def _save(page: Page, wish: BookWish, actor: str) -> str:
    """Book or change, and return the address of what was made."""
    order = _order(page, wish)
    if wish.loan is not None:
        loan = loan_in_form(page, wish.loan)
        check_not_over(page, loan)
        version = version_seen(loan, known=(wish.fingerprint, wish.told), version=wish.version)
        change_loan(page, loan, order, wish.scope, version=version)
        return f"/loans/{loan.number}"
    if wish.repeat is not None:
        return f"/series/{page.parts.web.series.book(series_order(page, wish, order, _rooms(page)), actor=actor).id}"
    return f"/loans/{page.parts.web.register.book(order, actor=actor).number}"


def _order(page: Page, wish: BookWish) -> LoanOrder:
    interval = _times(page, wish).interval
    if interval is None:
        raise Invalid(Fault("end", "before_start", "the end must come after the start"))
    if not wish.items:
        raise Invalid(Fault("item", "nothing_chosen", "choose a room or a thing"))
    known = {item.id: item for item in page.parts.web.register.availability(interval)}
    items = tuple(_ref(known, number) for number in wish.items)
    requester = replace(_requester(page, wish), details=wish.details)
    return LoanOrder(requester, interval, items, wish.title, wish.notes, wish.private)


def _ref(known: dict[BookableId, Availability], number: int) -> ItemRef:
    item = known.get(BookableId(number))
    if item is None:
        raise Invalid(Fault("item", "not_bookable", f"there is nothing to book of number {number}"))
    return ItemRef(item.kind, item.id)


def _render(page: Page, wish: BookWish, error: DeskError | None = None) -> Response:
    trouble = describe(page, error) if error is not None else None
    return page.render(
        "book_pieces.html" if page.is_fragment else "book.html",
        trouble.status if trouble else 200,
        here="board" if wish.loan is not None else "book",
        look=_look(page, wish),
        may_say_private=may_say_private,
        fingerprint_of=fingerprint_of,
        trouble=trouble,
        quarters=QUARTERS,
        repeats=tuple(Repeat),
        weekday_names=WEEKDAYS,
    )


def _look(page: Page, wish: BookWish) -> Look:
    times, faults = _times(page, wish), dict[str, str]()
    interval = times.interval
    if interval is None:
        faults["end"] = page.say("The end must come after the start.")
    elif interval.end <= page.now:
        faults["end"] = page.say("The end must lie in the future.")
    requester = None
    try:
        requester = _requester(page, wish)
    except Invalid as error:
        faults["who"] = describe(page, error).lines[0]
    loan = loan_in_form(page, wish.loan) if wish.loan is not None else None
    if interval is None:
        return Look(
            wish,
            times,
            _who(page, wish),
            requester,
            None,
            None,
            None,
            _changing(page, loan, None, wish.fingerprint),
            faults,
        )
    rooms = _rooms(page)
    offers = _offers(page, wish, interval, rooms)
    telling = dates = order = None
    if requester is not None and offers.chosen:
        telling = _foretell(page, wish, requester, offers, interval, loan)
        items = tuple(ItemRef(offer.kind, offer.id) for offer in offers.chosen)
        order = LoanOrder(requester, interval, items, wish.title, wish.notes, wish.private)
        try:
            dates = preview_dates(page, wish, order, rooms) if wish.repeat is not None and loan is None else None
        except Invalid as error:
            faults["repeat"] = " ".join(describe(page, error).lines)
    changing = _changing(page, loan, order, wish.fingerprint)
    return Look(wish, times, _who(page, wish), requester, offers, telling, dates, changing, faults)


def _rooms(page: Page) -> dict[BookableId, Room]:
    return {room.id: room for room in page.parts.web.rooms.load_rooms()}


def _offers(page: Page, wish: BookWish, interval: Interval, rooms: Mapping[BookableId, Room]) -> Offers:
    known = page.parts.web.register.availability(widen(interval))
    if wish.loan is not None:
        known = [item.without(LoanNumber(wish.loan)) for item in known]
    openings = find_openings(interval, known, now=page.now, zone=page.parts.zone)
    about = {asset.id: asset.description for asset in page.parts.web.register.list_assets()}
    return make_offers(openings, rooms, wish.items, people=wish.people, words=wish.q, about=about)


def _changing(page: Page, loan: Loan | None, order: LoanOrder | None, fingerprint: str) -> Changing | None:
    if loan is None:
        return None
    changed = find_changes(loan, order) if order is not None else frozenset[Changed]()
    return Changing(
        loan, scopes_of(page, loan), changed, moved_on=bool(fingerprint) and fingerprint != fingerprint_of(loan)
    )


def _foretell(
    page: Page, wish: BookWish, requester: Requester, offers: Offers, interval: Interval, loan: Loan | None
) -> Telling:
    rules = page.parts.rules()
    stores = {store.id: store for store in page.parts.web.register.list_stores()}
    store = stores.get(offers.chosen[0].opening.item.store_id)
    return foretell(
        requester,
        tuple((offer.kind, offer.name) for offer in offers.chosen),
        interval,
        now=page.now,
        private=wish.private,
        level=(store.text_level if store is not None else None) or rules.text_level,
        rules=rules,
        is_series=wish.repeat is not None,
        title=wish.title,
        store=store.name if store is not None else "",
        has_event=loan is not None and page.parts.sides.outlook_side(loan.number) is not None,
    )


def _times(page: Page, wish: BookWish) -> Times:
    times = read_times(
        day=wish.day,
        start=parse_clock(wish.start),
        until=wish.until,
        end=parse_clock(wish.end),
        seen=wish.seen,
        now=page.now,
        zone=page.parts.zone,
    )
    return times.moved(timedelta(minutes=wish.shift))


def _requester(page: Page, wish: BookWish) -> Requester:
    """Return whom it is for: staff write somebody else, everybody else books for themselves. Raises Invalid."""
    assert page.user is not None
    if wish.loan is not None and not page.user.may_book_for_others():
        return loan_in_form(page, wish.loan).requester
    if not wish.who or not page.user.may_book_for_others():
        return page.user.person
    return read_person(page, wish.who)


def _who(page: Page, wish: BookWish) -> str:
    assert page.user is not None
    return wish.who or f"{page.user.name} <{Address(page.user.address)}>"

"""Outlook, simulated: a calendar that plays Outlook for the demo's people, with the desk beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from engine.errors import Fault, Invalid
from engine.ids import LoanNumber, fold_address
from engine.interval import Interval
from engine.loans.board import BoardEntry
from engine.web.api.wire import WHOLE, Line
from engine.web.pages.calendars.outlook_week import lay_out
from engine.web.pages.forms import Clock, Day, Sent, parse_clock
from engine.web.pages.occupancy.timeline import Span, View, span_of
from engine.web.pages.page import BookerPage, Page, UserPage
from engine.web.pages.parts.outlook import OutlookAnswer, OutlookBooking, OutlookMailbox, OutlookPlayer
from engine.web.pages.times import QUARTERS

router = APIRouter()

WEEKS_MAX = 52
GUESTS_MAX = 100
EventId = Annotated[str, Field(max_length=1000)]


class OutlookQuery(Sent):
    """Whose calendar, which week, and what is open beside it."""

    who: Line = ""
    day: Day | None = None
    event: EventId = ""
    new: bool = False


class NewMeeting(Sent):
    who: Line
    day: Day
    start: Clock
    end: Clock
    subject: Line = ""
    room: list[Line] = Field(default=[], max_length=GUESTS_MAX)
    guest: list[Line] = Field(default=[], max_length=GUESTS_MAX)
    private: bool = False
    weeks: Annotated[int, Field(ge=1, le=WEEKS_MAX), WHOLE] = 1
    csrf: str = ""


class EventForm(Sent):
    """What names one event in one calendar; `at` is the day that was looked at."""

    who: Line
    event: EventId
    at: Day
    csrf: str = ""


class MoveForm(EventForm):
    day: Day
    start: Clock
    end: Clock


class AnswerForm(EventForm):
    answer: OutlookAnswer


@dataclass(slots=True)
class DeskLine:
    """One loan as the desk shows it, with its rooms."""

    entry: BoardEntry
    reads: bool
    rooms: list[tuple[str, str]] = field(default_factory=list)
    """Name and state."""


def player_of(page: Page) -> OutlookPlayer:
    """Return who plays Outlook. Raises 404 with a real tenant."""
    if page.parts.outlook is None:
        raise HTTPException(404)
    return page.parts.outlook


@router.get("/outlook")
def show_calendar(page: UserPage, wanted: Annotated[OutlookQuery, Query()]) -> Response:
    """Show one calendar's week, and the desk's view of it."""
    player = player_of(page)
    mailboxes = player.mailboxes()
    who = _choose(page, mailboxes, wanted.who)
    day = wanted.day or page.now.astimezone(page.parts.zone).date()
    span = span_of(View.WEEK, day, page.parts.zone)
    events = player.view(who.address, span.interval) if who else ()
    return page.render(
        "outlook.html",
        here="outlook",
        wanted=wanted,
        mailboxes=mailboxes,
        who=who,
        day=day,
        span=span,
        today=page.now.astimezone(page.parts.zone).date(),
        days=lay_out(events, span),
        opened=next((event for event in events if event.id == wanted.event), None),
        loans=list_loans(page, who, span) if who else (),
        quarters=QUARTERS,
        link=lambda **more: _link(who, **{"day": day, **more}),
    )


def _choose(page: Page, mailboxes: Sequence[OutlookMailbox], wanted: str) -> OutlookMailbox | None:
    """Return the mailbox asked for, else the reader's own, else the first."""
    assert page.user is not None
    by_address = {fold_address(one.address): one for one in mailboxes}
    found = by_address.get(fold_address(wanted)) or by_address.get(fold_address(page.user.address))
    return found or next(iter(mailboxes), None)


def list_loans(page: Page, who: OutlookMailbox, span: Span) -> list[DeskLine]:
    """Return what the desk knows of one person's, or one room's, week."""
    assert page.user is not None
    rooms = {room.id: room for room in page.parts.web.rooms.load_rooms()}
    own = {room.id for room in rooms.values() if fold_address(who.address) in room.addresses}
    lines: dict[LoanNumber, DeskLine] = {}
    entries = page.parts.board.entries(span.interval)
    theirs = {e.number for e in entries if e.room_id in own or fold_address(e.address) == fold_address(who.address)}
    for entry in sorted(entries, key=lambda entry: (entry.interval, entry.number)):
        if entry.number in theirs:
            reads = page.user.may_read(entry.address, private=entry.private)
            line = lines.setdefault(entry.number, DeskLine(entry, reads))
            line.rooms.append((rooms[entry.room_id].name, entry.state.value))
    return list(lines.values())


@router.post("/outlook/book")
def book(page: BookerPage, form: Annotated[NewMeeting, Form()]) -> Response:
    """Book a meeting as somebody at Outlook."""
    made = player_of(page).book(
        form.who,
        OutlookBooking(
            subject=form.subject,
            interval=_interval(page, form.day, form.start, form.end),
            rooms=tuple(form.room),
            people=tuple(form.guest),
            private=form.private,
            weeks=form.weeks,
        ),
    )
    return _back(page, form.who, form.day, event="" if form.weeks > 1 else made)


@router.post("/outlook/move")
def move(page: BookerPage, form: Annotated[MoveForm, Form()]) -> Response:
    """Give a meeting another time."""
    player_of(page).move(form.who, form.event, _interval(page, form.day, form.start, form.end))
    return _back(page, form.who, form.day, event=form.event)


@router.post("/outlook/cancel")
def cancel(page: BookerPage, form: Annotated[EventForm, Form()]) -> Response:
    """Cancel a meeting, or take it out of one's own calendar."""
    player_of(page).cancel(form.who, form.event)
    return _back(page, form.who, form.at)


@router.post("/outlook/answer")
def answer(page: BookerPage, form: Annotated[AnswerForm, Form()]) -> Response:
    """Answer an invitation."""
    player_of(page).answer(form.who, form.event, form.answer)
    return _back(page, form.who, form.at, event="" if form.answer is OutlookAnswer.DECLINE else form.event)


def _interval(page: Page, day: date, start: str, end: str) -> Interval:
    """Return from one time of the day to another; to midnight when it ends at 00:00."""
    opens, closes = parse_clock(start), parse_clock(end)
    assert opens is not None
    assert closes is not None
    begins = datetime.combine(day, opens, page.parts.zone)
    ends = datetime.combine(day + timedelta(days=1) if closes == time(0) else day, closes, page.parts.zone)
    if ends <= begins:
        raise Invalid(Fault("end", "before_start", "the end must come after the start"))
    return Interval(begins, ends)


def _link(who: OutlookMailbox | None, **more: object) -> str:
    named = {"who": who.address if who else "", **more}
    return "/outlook?" + urlencode({key: value for key, value in named.items() if value not in ("", None)})


def _back(page: Page, who: str, day: date, *, event: str = "") -> Response:
    named = {"who": who, "day": str(day), **({"event": event} if event else {})}
    return page.go("/outlook?" + urlencode(named))

"""Why?: a room and a moment, and what happened there, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from engine.errors import NotFound
from engine.ids import ID_MAX, BookableId, LoanNumber
from engine.interval import floor_to_grid
from engine.loans.loan import Decision, Loan
from engine.reconcile.actions import Note
from engine.reconcile.telling.why import Answer
from engine.reconcile.words.local import say_fact
from engine.rooms.room import sort_by_name
from engine.web.api.wire import WHOLE
from engine.web.pages.forms import Clock, Day, Sent, parse_clock
from engine.web.pages.loans.loan import title_of
from engine.web.pages.page import Page, ViewerPage
from engine.web.pages.times import QUARTERS
from engine.web.translations import N_

router = APIRouter()

NAMING = frozenset({
    "changed_in_app", "both_changed", "organizer_changed", "organizer_renamed", "organizer_cannot_change",
    "default_user_stands_in", "title_changed_in_outlook", "title_kept",
})  # fmt: skip
"""Reasons whose sentences may name people: not told of a private booking to others."""


class Verdict(StrEnum):
    """The answer in a word."""

    BOOKED = "booked"
    OUTLOOK = "outlook"
    UNSEEN = "unseen"
    FREE = "free"


VERDICTS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.BOOKED: N_("Booked"),
        Verdict.OUTLOOK: N_("Taken in Outlook, and no loan"),
        Verdict.UNSEEN: N_("Nobody can tell: the room is not followed then"),
        Verdict.FREE: N_("Not booked"),
    }
)

_IN_OUTLOOK = frozenset({"why_meeting_rejected", "why_meeting_listed", "why_meeting_waits"})
_UNSEEN = frozenset({
    "why_room_excluded", "why_room_suspended", "why_room_missing", "why_room_not_read", "why_beyond_horizon",
    "why_before_window",
})  # fmt: skip
_FRESH = ("why_read_subscribed", "why_read_quiet", "why_read_unsubscribed", "why_never_read")


@dataclass(slots=True)
class Strand:
    """One thing that has to do with the moment, told in `notes`: a loan, a meeting, or the room itself."""

    notes: list[Note] = field(default_factory=list)
    loan: Loan | None = None
    title: str = ""
    history: Sequence[Decision] = ()


class WhyQuery(Sent):
    """The room and the moment, on the building's clocks."""

    room: Annotated[int, Field(ge=0, le=ID_MAX), WHOLE] = 0
    day: Day | None = None
    at: Clock | None = None


@router.get("/why")
def show_why(page: ViewerPage, wanted: Annotated[WhyQuery, Query()]) -> Response:
    """Ask for a room and a moment; tell what is known of it."""
    soon = floor_to_grid(page.now).astimezone(page.parts.zone)
    day, at = wanted.day or soon.date(), parse_clock(wanted.at) or soon.time()
    rooms = sort_by_name(page.parts.web.rooms.load_rooms())
    answer = None
    if wanted.room:
        answer = page.parts.web.why.ask(BookableId(wanted.room), datetime.combine(day, at, page.parts.zone))
    return page.render(
        "why.html",
        here="why",
        rooms=rooms,
        wanted=wanted,
        day=day,
        at=at,
        times=sorted({*QUARTERS, at}),
        answer=answer,
        verdict=decide_verdict(answer.notes) if answer else None,
        verdicts=VERDICTS,
        strands=tell(page, answer) if answer else (),
        say_fact=say_fact,
        freshness=answer.notes[-1] if answer and answer.notes[-1].code in _FRESH else None,
    )


def decide_verdict(notes: Iterable[Note]) -> Verdict:
    """Return the answer in a word."""
    codes = [note.code for note in notes]
    if any(code.startswith("why_held_") for code in codes):
        return Verdict.BOOKED
    if _IN_OUTLOOK & set(codes):
        return Verdict.OUTLOOK
    return Verdict.UNSEEN if _UNSEEN & set(codes) else Verdict.FREE


def split(notes: Iterable[Note]) -> list[Strand]:
    """Part an answer into what belongs together: each sentence about a loan or a meeting begins a new strand."""
    strands: list[Strand] = []
    for note in notes:
        if note.code in _FRESH:
            continue
        is_first = note.code.startswith("why_") and note.code != "why_decided"
        if is_first or not strands:
            strands.append(Strand())
        strands[-1].notes.append(note)
    return strands


def tell(page: Page, answer: Answer) -> list[Strand]:
    """Return the strands of an answer, loans with their history; with what the reader may know."""
    strands = split(answer.notes)
    user = page.user
    assert user is not None
    for strand in strands:
        number = strand.notes[0].facts.get("loan")
        if not isinstance(number, int):
            continue
        try:
            loan = page.parts.web.register.find(LoanNumber(number))
        except NotFound:
            continue
        reads = user.may_read(loan.requester.address, private=loan.private)
        strand.loan, strand.title = loan, title_of(page, loan, reads=reads)
        if reads:
            strand.history = page.parts.web.register.history(loan.number)
        else:
            strand.notes = [note for note in strand.notes if note.code not in NAMING]
    return strands

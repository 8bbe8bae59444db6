"""Cases: what disagrees or was not taken over, why, and the ways out of it, one click each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, HTTPException, Path, Query
from pydantic import Field, StringConstraints
from starlette.responses import RedirectResponse, Response

from engine.errors import DeskError, NotFound
from engine.ids import ID_MAX, BookableId, StoreId
from engine.interval import Interval
from engine.loans.loan import Case, Home
from engine.reconcile.cases.listing import CaseFilter, CaseLine, Shelf, Topic
from engine.reconcile.cases.ways import CaseView, Way, say_way
from engine.reconcile.over import OVER
from engine.reconcile.words.local import say_fact
from engine.reconcile.words.reasons import without_loans
from engine.rooms.room import sort_by_name
from engine.web.api.wire import STORABLE, WHOLE
from engine.web.pages.errors import Trouble, describe
from engine.web.pages.forms import Sent
from engine.web.pages.loans.case_words import CHANGED, LACKS, NAMES_PEOPLE, TITLES, TOPIC_WORDS
from engine.web.pages.page import Page, StaffPage, ViewerPage

router = APIRouter()

PAGE_SIZE = 25
RULING: Mapping[str, str] = {Way.KEEP_OUTLOOK: "outlook", Way.KEEP_LOAN: "app"}
HOMES = tuple(home.value for home in Home)

Number = Annotated[int, Path(ge=1, le=ID_MAX)]
WayOut = Annotated[str, Form(max_length=64, pattern=r"^[a-z_]+(:[1-9][0-9]{0,9})?$")]
"""A way, and for `move_room` the room: `move_room:12`."""
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000), STORABLE, Form()]


class CaseQuery(Sent):
    """Which cases to show."""

    shelf: Shelf = Shelf.OPEN
    topic: Topic | None = None
    room: Annotated[int, Field(ge=0, le=ID_MAX), WHOLE] = 0
    store: Annotated[int, Field(ge=0, le=ID_MAX), WHOLE] = 0
    before: Annotated[int, Field(ge=0, le=ID_MAX), WHOLE] = 0
    since: Annotated[int, Field(ge=0, le=ID_MAX), WHOLE] = 0
    """For the news only: the newest case that the page knows."""

    @property
    def filter(self) -> CaseFilter:
        return CaseFilter(
            self.shelf,
            self.topic,
            BookableId(self.room) if self.room else None,
            StoreId(self.store) if self.store else None,
            self.before or None,
            PAGE_SIZE + 1,
        )

    @property
    def is_narrow(self) -> bool:
        return bool(self.topic or self.room or self.store)

    def link(self, path: str = "/cases", **changes: object) -> str:
        """Return the address of the list with some things changed; it begins anew unless told where to go on."""
        values = {**self.model_dump(exclude_defaults=True, exclude={"before", "since"}), **changes}
        query = urlencode({key: value for key, value in values.items() if value})
        return f"{path}?{query}" if query else path


@dataclass(frozen=True, slots=True)
class Side:
    """What one side wants, in words. `rules`: this is what both say now."""

    home: str
    text: str
    rules: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A case as the pages show it."""

    view: CaseView
    title: str
    text: str
    sides: tuple[Side, ...]
    what: str
    when: Interval | None
    rooms: tuple[str, ...]
    settlement: str
    is_stuck: bool
    """Whether looking again is all that helps."""
    is_of_meeting: bool = False
    """Whether it is about a meeting that has no loan; the loan that `view` has is in its way then."""


# --- looking


@router.get("/cases")
def show_cases(page: ViewerPage, wanted: Annotated[CaseQuery, Query()]) -> Response:
    """Show the cases of one shelf."""
    found = page.parts.cases.list_cases(wanted.filter)
    counts = page.parts.cases.count(wanted.filter)
    return page.render(
        "cases.html",
        here="cases",
        wanted=wanted,
        cards=[make_card(page, line) for line in found[:PAGE_SIZE]],
        last=found[PAGE_SIZE - 1].view.case.id if len(found) > PAGE_SIZE else None,
        counts=counts,
        topics={topic: page.say(word) for topic, word in TOPIC_WORDS.items()},
        rooms=sort_by_name(page.parts.web.rooms.load_rooms()),
        stores=page.parts.web.register.list_stores(),
        newest=page.parts.cases.newest(),
        say_way=say_way,
        lacks=LACKS,
    )


@router.get("/cases/news")
def show_news(page: ViewerPage, wanted: Annotated[CaseQuery, Query()]) -> Response:
    """Say whether cases were opened since a page was made."""
    newest = page.parts.cases.newest()
    return page.render("case_news.html", wanted=wanted, newest=newest, is_new=newest > wanted.since)


@router.get("/cases/{number}")
def show_case(page: ViewerPage, number: Number) -> Response:
    """Show one case."""
    return render_case(page, page.parts.cases.show(number))


# --- settling


@router.post("/cases/{number}/settle")
def settle(page: StaffPage, number: Number, way: WayOut) -> Response:
    """Take a way out."""
    _find_to_settle(page, number)
    word, _, room = way.partition(":")
    if word not in tuple(Way):
        raise HTTPException(422)
    assert page.user is not None
    actor = page.user.actor
    return _try(page, number, lambda: page.parts.web.cases.settle(number, Way(word), room_id=_room(room), actor=actor))


@router.post("/cases/{number}/close")
def close(page: StaffPage, number: Number, words: Words) -> Response:
    """Close a case, saying how it was settled by other means."""
    _find_to_settle(page, number)
    assert page.user is not None
    actor = page.user.actor
    return _try(page, number, lambda: page.parts.web.register.settle_case(number, settlement=words, actor=actor))


@router.post("/cases/{number}/retry")
def retry(page: StaffPage, number: Number) -> Response:
    """Have the engine look again at what it gave up; when that goes well the case closes by itself."""
    line = _find_to_settle(page, number)
    if line.key is None:
        raise HTTPException(404)
    page.parts.web.enqueue(*line.key)
    return render_case(page, line, is_retried=True) if page.is_fragment else RedirectResponse(f"/cases/{number}", 303)


@router.post("/cases/{number}/undo")
def undo(page: StaffPage, number: Number) -> Response:
    """Take a settlement back."""
    _find_to_settle(page, number)
    assert page.user is not None
    actor = page.user.actor
    return _try(page, number, lambda: page.parts.web.cases.undo(number, actor=actor))


def _find_to_settle(page: Page, number: int) -> CaseLine:
    """Return a case that is the reader's to settle. Raises NotFound, and 403 for one of a store that others keep."""
    line = page.parts.cases.show(number)
    assert page.user is not None
    if not page.user.may_settle(line.view.loan):
        raise HTTPException(403)
    return line


def _room(text: str) -> BookableId | None:
    if not text:
        return None
    if int(text) > ID_MAX:
        raise HTTPException(422)
    return BookableId(int(text))


def _try(page: Page, number: int, step: Callable[[], object]) -> Response:
    """Take *step* and show the case as it is then; a refusal is told on its card."""
    try:
        step()
    except NotFound:
        raise
    except DeskError as error:
        return render_case(page, page.parts.cases.show(number), trouble=describe(page, error))
    if not page.is_fragment:
        return RedirectResponse(f"/cases/{number}", 303)
    return render_case(page, page.parts.cases.show(number), is_answer=True)


def render_case(
    page: Page, line: CaseLine, *, trouble: Trouble | None = None, is_answer: bool = False, is_retried: bool = False
) -> Response:
    """Return a case's page, or with htmx its card. *is_answer*: the reader has just settled or opened it."""
    return page.render(
        "case_piece.html" if page.is_fragment else "case.html",
        trouble.status if trouble else 200,
        here="cases",
        card=make_card(page, line),
        say_way=say_way,
        lacks=LACKS,
        trouble=trouble,
        is_answer=is_answer,
        is_retried=is_retried,
    )


# --- words


def make_card(page: Page, line: CaseLine) -> Card:
    """Return a case as *page* shows it, with what its reader may know."""
    view, case, loan = line.view, line.view.case, line.view.loan
    user = page.user
    assert user is not None
    reads = loan is None or user.may_read(loan.requester.address, private=loan.private)
    hides = not reads and case.facts.get("field") in NAMES_PEOPLE
    name = loan.title or loan.requester.name if loan is not None else ""
    facts = without_loans(case.facts) if view.loans else case.facts
    text = page.say("Who it is for differs. The booking is private.") if hides else page.explain(case.code, facts)
    title = say_title(page, case)
    return Card(
        view=view,
        title=title,
        text=without_title(text, title),
        sides=() if hides else _sides(page, case),
        what=name if reads else page.say("Private booking"),
        when=line.meeting.interval if line.meeting is not None else loan.interval if loan is not None else None,
        rooms=_rooms(page, line),
        settlement=_settlement(page, view),
        is_stuck=case.code == "key_parked" and line.key is not None,
        is_of_meeting=line.meeting is not None,
    )


def say_title(page: Page, case: Case) -> str:
    """Return what *case* is, in a few words that name nobody."""
    field = case.facts.get("field")
    if case.code == "both_changed" and field in CHANGED:
        return page.say(CHANGED[field])
    return page.say(TITLES.get(case.code, case.code))


def without_title(text: str, title: str) -> str:
    """Return the sentence of a case below its *title*: `Title: what was found` has its first words said already."""
    said, colon, rest = text.partition(":")
    return rest.strip()[:1].upper() + rest.strip()[1:] if colon and said.strip() == title else text


def _sides(page: Page, case: Case) -> tuple[Side, ...]:
    """Return what both sides wanted, Outlook first; nothing when it is no such case."""
    winner = case.facts.get("winner")
    if winner not in HOMES:
        return ()
    kept, lost = (say_fact(case.facts.get(key), page.formats) for key in ("kept", "lost"))
    rules = RULING.get(case.settlement or "", winner)
    return tuple(Side(home, kept if home == winner else lost, home == rules) for home in HOMES)


def _rooms(page: Page, line: CaseLine) -> tuple[str, ...]:
    """Return the names of the rooms and things a case is about."""
    loan, case = line.view.loan, line.view.case
    if line.meeting is not None:
        return line.meeting.rooms
    if loan is not None:
        return tuple(item.name for item in loan.items)
    if case.room is None and line.key is not None and line.key[0] == "room":
        return tuple(room.name for room in page.parts.web.rooms.load_rooms() if str(room.id) == line.key[1])
    return (case.room,) if case.room else ()


def _settlement(page: Page, view: CaseView) -> str:
    """Return how a case was settled, in words."""
    said = view.case.settlement or ""
    if said == "cause_gone":
        return page.say("Its cause is gone")
    if said == OVER:
        return page.say("The booking is over")
    return say_way(Way(said), page.language) if said in tuple(Way) else said

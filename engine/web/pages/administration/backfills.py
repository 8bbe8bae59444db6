"""Backfills: what was there before the connection, seen first, carried out in whole or part, and taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Path, Query
from pydantic import Field
from starlette.responses import Response

from engine.errors import DeskError, Fault, Invalid, NotFound
from engine.ids import ID_MAX, BookableId
from engine.interval import Interval
from engine.reconcile.backfill.book import Backfill, BackfillState, MeetingState, Selection
from engine.reconcile.backfill.proposal import Step
from engine.rooms.room import sort_by_name
from engine.web.api.wire import WHOLE, Id
from engine.web.pages.errors import Trouble, describe
from engine.web.pages.forms import Day, Sent
from engine.web.pages.occupancy.timeline import shown_rooms
from engine.web.pages.page import AdminPage, Page, ViewerPage
from engine.web.translations import N_

router = APIRouter()

Number = Annotated[int, Path(ge=1, le=ID_MAX)]

PAGE_SIZE = 100
ROOMS_MAX = 5000
DAYS_AHEAD = 180
"""How far the form offers to look: half a year, a term with its holidays."""

STATES: Mapping[BackfillState, str] = MappingProxyType(
    {
        BackfillState.PLANNING: N_("The preview is being made"),
        BackfillState.PLANNED: N_("Preview: nothing was changed yet"),
        BackfillState.APPLYING: N_("Being brought in"),
        BackfillState.APPLIED: N_("Brought in"),
        BackfillState.UNDOING: N_("Being taken back"),
        BackfillState.UNDONE: N_("Taken back"),
    }
)
STEPS: Mapping[Step, str] = MappingProxyType(
    {
        Step.CREATE: N_("New loans"),
        Step.LINK: N_("Tied to a loan there is"),
        Step.CONFLICT: N_("In conflict"),
        Step.SKIP: N_("Left out"),
    }
)
"""Steps in the order in which people care."""

LINE_STEPS: Mapping[Step, str] = MappingProxyType(
    {
        Step.CREATE: N_("New loan"),
        Step.LINK: N_("Tie"),
        Step.CONFLICT: N_("Conflict"),
        Step.SKIP: N_("Nothing to do"),
    }
)
"""The step of one meeting."""

OUTCOMES: Mapping[MeetingState, str] = MappingProxyType(
    {
        MeetingState.PLANNED: N_("to decide"),
        MeetingState.CHOSEN: N_("under way"),
        MeetingState.DONE: N_("brought in"),
        MeetingState.FAILED: N_("came too late"),
        MeetingState.UNDOING: N_("being taken back"),
        MeetingState.UNDONE: N_("taken back"),
    }
)


class BackfillForm(Sent):
    """What to look at: whole days, the last one included. No rooms: all that are followed."""

    first: Annotated[Day, Field(alias="from")]
    last: Annotated[Day, Field(alias="to")]
    room: list[Id] = Field(default=[], max_length=ROOMS_MAX)
    csrf: str = ""


class ApplyForm(Sent):
    """Which part of a plan to carry out; what is left out means all that can be."""

    room: Id | None = None
    only: Step | None = None
    without: list[Annotated[str, Field(max_length=2000)]] = Field(default=[], max_length=PAGE_SIZE)
    csrf: str = ""


class PlanQuery(Sent):
    """Which lines of a plan to show."""

    step: Step | None = None
    after: Annotated[int, Field(ge=0, le=ID_MAX), WHOLE] = 0

    def link(self, number: int, **changes: object) -> str:
        values = {"step": self.step, **changes}
        query = urlencode({key: value for key, value in values.items() if value})
        return f"/backfills/{number}?{query}" if query else f"/backfills/{number}"


# --- all of them


@router.get("/backfills")
def show_backfills(page: ViewerPage) -> Response:
    """List the backfills, and offer a new one."""
    return _render_all(page)


@router.post("/backfills")
def plan(page: AdminPage, form: Annotated[BackfillForm, Form()]) -> Response:
    """Order a preview. Nothing is changed by it."""
    assert page.user is not None
    try:
        made = page.parts.backfills.create(_window(page, form), _rooms(page, form.room), actor=page.user.actor)
    except DeskError as error:
        return _render_all(page, trouble=describe(page, error), form=form)
    return page.go(f"/backfills/{made.number}")


def _render_all(page: Page, *, trouble: Trouble | None = None, form: BackfillForm | None = None) -> Response:
    today = page.now.astimezone(page.parts.zone).date()
    return page.render(
        "backfills.html",
        trouble.status if trouble else 200,
        here="activity",
        backfills=page.parts.backfills.list_backfills(),
        first=form.first if form else today,
        last=form.last if form else today + timedelta(days=DAYS_AHEAD),
        chosen=form.room if form else (),
        rooms=sort_by_name(shown_rooms(page.parts.web.rooms.load_rooms())),
        states=STATES,
        trouble=trouble,
    )


def _window(page: Page, form: BackfillForm) -> Interval:
    """Return the whole days of a form. Raises Invalid."""
    if form.last < form.first:
        raise Invalid(Fault("to", "before_start", "the last day lies before the first"))
    start, end = (
        datetime.combine(day, time(0), page.parts.zone) for day in (form.first, form.last + timedelta(days=1))
    )
    return Interval(start, end)


def _rooms(page: Page, wanted: list[int]) -> list[BookableId]:
    """Return the rooms of a form, all of which exist. Raises NotFound."""
    known = {room.id for room in page.parts.web.rooms.load_rooms()}
    if not known.issuperset(wanted):
        raise NotFound("there is no such room")
    return [BookableId(room) for room in wanted]


# --- one of them


@router.get("/backfills/{number}")
def show_backfill(page: ViewerPage, number: Number, wanted: Annotated[PlanQuery, Query()]) -> Response:
    """Show a plan and how far it is."""
    return _render(page, number, wanted)


@router.post("/backfills/{number}/apply")
def carry_out(page: AdminPage, number: Number, form: Annotated[ApplyForm, Form()]) -> Response:
    """Order a plan, or part of it, to be carried out."""
    assert page.user is not None
    rooms = _rooms(page, [form.room] if form.room else [])
    selection = Selection(tuple(rooms), form.only, tuple(form.without))
    try:
        page.parts.backfills.order_apply(number, selection, actor=page.user.actor)
    except NotFound:
        raise
    except DeskError as error:
        return _render(page, number, PlanQuery(), trouble=describe(page, error))
    return page.go(f"/backfills/{number}")


@router.post("/backfills/{number}/undo")
def take_back(page: AdminPage, number: Number) -> Response:
    """Order everything a plan did to be taken back, except what somebody changed since."""
    assert page.user is not None
    try:
        page.parts.backfills.order_undo(number, actor=page.user.actor)
    except NotFound:
        raise
    except DeskError as error:
        return _render(page, number, PlanQuery(), trouble=describe(page, error))
    return page.go(f"/backfills/{number}")


def _render(page: Page, number: int, wanted: PlanQuery, *, trouble: Trouble | None = None) -> Response:
    found = page.parts.backfills.find(number)
    lines = page.parts.backfills.list_meetings(
        number, step=wanted.step, state=None, after=wanted.after, limit=PAGE_SIZE + 1
    )
    rooms = page.parts.web.rooms.load_rooms()
    return page.render(
        "backfill.html",
        trouble.status if trouble else 200,
        here="activity",
        found=found,
        done=found.size - found.remaining,
        wanted=wanted,
        lines=lines[:PAGE_SIZE],
        following=lines[PAGE_SIZE - 1].position if len(lines) > PAGE_SIZE else None,
        names={room.id: room.name for room in rooms},
        choosable=count_choosable(found),
        undoable=count_undoable(found),
        states=STATES,
        steps=STEPS,
        line_steps=LINE_STEPS,
        outcomes=OUTCOMES,
        trouble=trouble,
    )


def count_undoable(found: Backfill) -> int:
    """Return how many meetings would be taken back, or called off."""
    return found.by_state.get(MeetingState.DONE, 0) + found.by_state.get(MeetingState.CHOSEN, 0)


def count_choosable(found: Backfill) -> int:
    """Return how many meetings could still be brought in, at most."""
    wanted = found.by_step.get(Step.CREATE, 0) + found.by_step.get(Step.LINK, 0)
    dealt = (MeetingState.DONE, MeetingState.CHOSEN, MeetingState.UNDOING)
    return max(0, wanted - sum(found.by_state.get(state, 0) for state in dealt))

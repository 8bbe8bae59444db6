"""Routes of backfill: order a preview of what was there before us, carry it out in whole or part, take it back.

Ordering answers at once with 202; the service does the work through its queue, after everything people wait for, and
`GET` tells how far it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from engine.errors import Fault, Invalid
from engine.ids import ID_MAX, BookableId
from engine.reconcile.backfill.book import (
    Backfill,
    BackfillBook,
    BackfillMeeting,
    BackfillState,
    MeetingState,
    Selection,
)
from engine.reconcile.backfill.proposal import Step
from engine.web.access import Admin, Viewer
from engine.web.api.app import PROBLEMS
from engine.web.api.models import Explain, Listing, parse_interval, render_page
from engine.web.api.wire import WHOLE, Id, Incoming, Instant, Outgoing, Page, Spoken
from engine.web.language import Language
from engine.web.parts import Parts, WebParts

Number = Annotated[int, Path(ge=1, le=ID_MAX, description="The backfill's number.")]
ROOMS_MAX = 5000


class BackfillIn(Incoming):
    """What to look at: meetings that overlap the stretch. No rooms: all that are followed."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    rooms: list[Id] = Field(default=[], max_length=ROOMS_MAX)


class SelectionIn(Incoming):
    """Which part of a plan to carry out; what is left out means all that can be."""

    rooms: list[Id] = Field(default=[], max_length=ROOMS_MAX)
    only: Step | SkipJsonSchema[None] = Field(default=None, description="create or link.")
    without: list[str] = Field(default=[], alias="except", max_length=10_000)

    def parse(self) -> Selection:
        if self.only not in (None, Step.CREATE, Step.LINK):
            raise Invalid(Fault("only", "step_unknown", "must be create or link: nothing else is ever carried out"))
        return Selection(tuple(BookableId(room) for room in self.rooms), self.only, tuple(self.without))


class BackfillQuery(Spoken):
    step: Step | SkipJsonSchema[None] = None
    state: MeetingState | SkipJsonSchema[None] = None
    after: Annotated[int, Field(ge=0, le=ID_MAX), WHOLE] = 0
    limit: Page = 100


class BackfillOut(Outgoing):
    """A backfill and how far it is. `remaining` of `meetings` are ordered and not yet dealt with."""

    number: int
    state: BackfillState
    from_: datetime = Field(serialization_alias="from")
    to: datetime
    rooms: list[int]
    rooms_unread: int
    meetings: int
    steps: dict[Step, int]
    states: dict[MeetingState, int]
    remaining: int
    left: int
    created_at: datetime
    created_by: str


def render_backfill(found: Backfill) -> BackfillOut:
    return BackfillOut(
        number=found.number,
        state=found.state,
        from_=found.window.start.astimezone(UTC),
        to=found.window.end.astimezone(UTC),
        rooms=list(found.rooms),
        rooms_unread=found.rooms_unread,
        meetings=found.size,
        steps={step: found.by_step.get(step, 0) for step in Step},
        states={state: found.by_state.get(state, 0) for state in MeetingState},
        remaining=found.remaining,
        left=found.left,
        created_at=found.created_at.astimezone(UTC),
        created_by=found.created_by,
    )


class BackfillMeetingOut(Outgoing):
    """One meeting of a plan. `text` says why, `outcome` what came in between."""

    position: int
    key: str
    start: datetime | None
    end: datetime | None
    rooms: list[str]
    organizer: str
    step: Step
    code: str
    text: str
    facts: dict[str, object]
    loan: int | None
    state: MeetingState
    outcome: str | None


def render_meeting(line: BackfillMeeting, names: Mapping[int, str], explain: Explain) -> BackfillMeetingOut:
    return BackfillMeetingOut(
        position=line.position,
        key=line.key,
        start=line.interval.start.astimezone(UTC) if line.interval else None,
        end=line.interval.end.astimezone(UTC) if line.interval else None,
        rooms=[names.get(room, f"room {room}") for room in line.rooms],
        organizer=line.organizer,
        step=line.step,
        code=line.code,
        text=explain(line.code, line.facts),
        facts=dict(line.facts),
        loan=line.loan_number,
        state=line.state,
        outcome=explain(line.outcome, line.outcome_facts) if line.outcome else None,
    )


def build_backfills(backfills: BackfillBook) -> APIRouter:
    """Return the routes over *backfills*."""
    router = APIRouter(prefix="/api/backfills", tags=["backfill"], responses=PROBLEMS)

    @router.post("", status_code=202)
    def plan_backfill(parts: Parts, caller: Admin, wanted: BackfillIn, response: Response) -> BackfillOut:
        """Order a preview. Nothing is changed by it."""
        _check_rooms(parts, wanted.rooms)
        window = parse_interval(wanted.from_, wanted.to, fields=("from", "to"))
        made = backfills.create(window, [BookableId(room) for room in wanted.rooms], actor=caller.actor)
        response.headers["Location"] = f"{parts.base_address}/api/backfills/{made.number}"
        return render_backfill(made)

    @router.get("")
    def list_backfills(caller: Viewer) -> Listing[BackfillOut]:
        """List the backfills, the newest first."""
        return Listing(items=[render_backfill(found) for found in backfills.list_backfills()])

    @router.get("/{number}")
    def show_backfill(caller: Viewer, number: Number) -> BackfillOut:
        """Show one backfill: what it would do, and how far it is."""
        return render_backfill(backfills.find(number))

    @router.get("/{number}/meetings")
    def list_meetings(
        parts: Parts, caller: Viewer, number: Number, language: Language, wanted: Annotated[BackfillQuery, Query()]
    ) -> Listing[BackfillMeetingOut]:
        """List the meetings of a backfill: what would be done with each and why, and what became of it."""
        found = backfills.list_meetings(
            number, step=wanted.step, state=wanted.state, after=wanted.after, limit=wanted.limit + 1
        )
        page, following = render_page(found, wanted.limit, lambda line: line.position)
        names = {int(room.id): room.name for room in parts.rooms.load_rooms()}
        say = _say_in(parts, language)
        return Listing(items=[render_meeting(line, names, say) for line in page], next=following)

    @router.post("/{number}/apply", status_code=202)
    def apply_backfill(parts: Parts, caller: Admin, number: Number, wanted: SelectionIn | None = None) -> BackfillOut:
        """Order a plan, or part of it, to be carried out. Repeating it does no harm."""
        selection = (wanted or SelectionIn()).parse()
        _check_rooms(parts, list(selection.rooms))
        return render_backfill(backfills.order_apply(number, selection, actor=caller.actor))

    @router.post("/{number}/undo", status_code=202)
    def undo_backfill(caller: Admin, number: Number) -> BackfillOut:
        """Order everything a plan did to be taken back, except what somebody changed since."""
        return render_backfill(backfills.order_undo(number, actor=caller.actor))

    return router


def _say_in(parts: WebParts, language: str) -> Callable[[str, Mapping[str, object]], str]:
    return lambda code, facts: parts.explain(code, facts, language)


def _check_rooms(parts: WebParts, wanted: list[int]) -> None:
    known = {room.id for room in parts.rooms.load_rooms()}
    unknown = sorted(set(wanted) - known)
    if unknown:
        raise Invalid(Fault("rooms", "room_unknown", f"there is no room {unknown[0]}"))

"""The rooms: how well each is followed, what the directory says of it, by which rules it is lent; importing now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query
from starlette.responses import Response

from engine.errors import NotFound
from engine.folding import holds_words
from engine.ids import ID_MAX, BookableId, StoreId
from engine.reconcile.actions import Note
from engine.rooms.health import LIGHTS, HealthCode, Light, RoomHealth, judge
from engine.rooms.room import Room, RoomState, natural
from engine.subscriptions.plan import content_asked_again_at
from engine.web.access import Role
from engine.web.api.rooms import IMPORT
from engine.web.api.wire import Incoming, Line
from engine.web.pages.bookables.rules_form import RulesForm, show_days
from engine.web.pages.page import AdminPage, Page, ViewerPage

router = APIRouter()

RoomNumber = Annotated[int, Path(ge=1, le=ID_MAX)]


class Show(StrEnum):
    """Which rooms the list shows."""

    ALL = "all"
    ATTENTION = "attention"
    LEFT_OUT = "left-out"


SHOWN_LIGHTS = {
    Show.ALL: frozenset(Light),
    Show.ATTENTION: frozenset((Light.BAD, Light.WARN, Light.WAIT)),
    Show.LEFT_OUT: frozenset((Light.OFF,)),
}


@dataclass(frozen=True, slots=True)
class RoomLine:
    """One room of the list."""

    room: Room
    health: RoomHealth
    code: HealthCode
    store: str

    @property
    def light(self) -> Light:
        return LIGHTS[self.code]

    def mentions(self, words: str) -> bool:
        """Tell whether each of *words* is in the name, the address, the building, the store or a tag."""
        room = self.room
        texts = (room.name, room.address, room.building or "", self.store, *room.tags, *room.features)
        return holds_words(" ".join(texts), words)


def list_lines(page: Page) -> list[RoomLine]:
    """Return every room with its light, those that somebody should look at first."""
    stores = {store.id: store.name for store in page.parts.web.register.list_stores()}
    health = {one.room_id: one for one in page.parts.room_board.all_rooms()}
    rooms = [room for room in page.parts.web.rooms.load_rooms() if room.id in health]
    rule = page.parts.follow
    lines = [
        RoomLine(room, health[room.id], judge(health[room.id], rule, now=page.now), stores.get(room.store_id, ""))
        for room in rooms
    ]
    order = (Light.BAD, Light.WARN, Light.WAIT, Light.GOOD, Light.OFF)
    return sorted(lines, key=lambda line: (order.index(line.light), natural(line.room.name)))


def count_read(lines: Iterable[RoomLine]) -> tuple[int, int]:
    """Return how many of the rooms that take part were read once, and how many take part."""
    followed = [line.health for line in lines if line.room.state is RoomState.ACTIVE]
    return sum(room.contacted for room in followed), len(followed)


class RoomsQuery(Incoming):
    show: Show = Show.ALL
    q: Line = ""


@router.get("/rooms")
def show_rooms(page: ViewerPage, wanted: Annotated[RoomsQuery, Query()]) -> Response:
    """List the rooms."""
    lines, found = list_lines(page), page.parts.room_board.last_import()
    read, followed = count_read(lines)
    shown = [line for line in lines if line.light in SHOWN_LIGHTS[wanted.show] and line.mentions(wanted.q)]
    return page.render(
        "rooms.html",
        here="rooms",
        wanted=wanted,
        lines=shown,
        counts=_count(lines),
        left_out=found.left_out if wanted.show is not Show.ATTENTION and not wanted.q else (),
        found=found,
        read=read,
        followed=followed,
        without_content=without_content(page),
        refused=[line for line in lines if line.health.content == "refused"],
        is_busy=(found.is_under_way and not found.parked) or read < followed,
    )


def without_content(page: Page) -> Note | None:
    """Return why notifications bring no events, to administrators; None where they do, or where there are none."""
    is_told = page.user is not None and page.user.role.includes(Role.ADMIN) and page.parts.follow.push
    return page.parts.without_content if is_told else None


def _count(lines: Sequence[RoomLine]) -> dict[Show, int]:
    lights = Counter(line.light for line in lines)
    return {show: sum(lights[light] for light in wanted) for show, wanted in SHOWN_LIGHTS.items()}


@router.post("/rooms/import")
def import_now(page: AdminPage) -> Response:
    """Ask for a new look at the directory's list of rooms."""
    page.parts.web.enqueue(*IMPORT)
    return page.go("/rooms")


@router.get("/rooms/{id}")
def show_room(page: ViewerPage, id: RoomNumber, done: str = "") -> Response:
    """Show one room."""
    line = _find(page, id)
    stores = page.parts.web.register.list_stores()
    store = next(store for store in stores if store.id == line.room.store_id)
    rules = page.parts.inventory.rules_of(line.room.id)
    return page.render(
        "room.html",
        here="rooms",
        line=line,
        stores=stores,
        store=store,
        rules=rules,
        merged=rules.over(store.rules),
        days=show_days(rules, store.rules),
        history=page.parts.room_board.room_history(line.room.id),
        without_content=without_content(page),
        asked_again_at=content_asked_again_at(line.health.content_refused_at, line.health.content_refusal),
        done=done,
    )


@router.post("/rooms/{id}/rules")
def set_rules(page: AdminPage, id: RoomNumber, form: Annotated[RulesForm, Form()]) -> Response:
    """Set a room's own rules."""
    assert page.user is not None
    room = _find(page, id).room
    page.parts.web.register.set_rules(form.parse(), store_id=None, item_id=room.id, actor=page.user.actor)
    return page.go(f"/rooms/{id}?done=rules#rules")


@router.post("/rooms/{id}/store")
def set_store(page: AdminPage, id: RoomNumber, store: Annotated[int, Form(ge=1, le=ID_MAX)]) -> Response:
    """Let a room belong to another store."""
    assert page.user is not None
    page.parts.inventory.move_room(BookableId(id), StoreId(store), actor=page.user.actor)
    return page.go(f"/rooms/{id}?done=store")


def _find(page: Page, number: int) -> RoomLine:
    found = next((line for line in list_lines(page) if line.room.id == number), None)
    if found is None:
        raise NotFound(f"there is no room {number}")
    return found

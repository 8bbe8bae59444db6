"""What the API accepts and answers about settling cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import Field, RootModel, model_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from engine.reconcile.cases.ways import CaseView, Way, say_way
from engine.rooms.ranking import RankedRoom
from engine.web.api.models import CaseOut, render_case
from engine.web.api.wire import STORABLE, Id, Incoming, Outgoing
from engine.web.translations import N_

Explain = Callable[[str, Mapping[str, object], str], str]
Policy = dict[str, Way]


class PolicyIn(RootModel[dict[Annotated[str, Field(max_length=64)], Way]]):
    """Kind of case -> way out, for example `{"room_declined": "move_room"}`."""


class SettlementIn(Incoming):
    """Either `way`, one of those the case names (with `room`, a number, for `move_room`), or `settlement`: how it was
    settled by other means, in a word or a sentence."""

    way: Way | SkipJsonSchema[None] = None
    room: Id | SkipJsonSchema[None] = None
    settlement: Annotated[str, Field(min_length=1, max_length=2000), STORABLE] | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def check_one_of(self) -> SettlementIn:
        if (self.way is None) == (self.settlement is None):
            raise PydanticCustomError("one_of", N_("name either a way or, in words, how it was settled"))
        return self


class RoomChoiceOut(Outgoing):
    id: int
    name: str
    capacity: int | None
    building: str | None
    floor: str | None
    lacks: list[str]
    """Compared with the room it stands in for: store, seats, building, floor, features."""


class ChoiceOut(Outgoing):
    way: Way
    text: str
    rooms: list[RoomChoiceOut]


class CaseViewOut(CaseOut):
    """A case with its ways out; `no_undo` says why its settlement cannot be undone, null when it can."""

    ways: list[ChoiceOut]
    no_undo: str | None
    loans: list[int]


def render_view(view: CaseView, explain: Explain, language: str) -> CaseViewOut:
    loan = view.loan
    case = render_case(
        view.case,
        lambda code, facts: explain(code, facts, language),
        lambda _number: loan is not None and loan.private,
    )
    return CaseViewOut(
        **dict(case),
        ways=[
            ChoiceOut(
                way=choice.way,
                text=say_way(choice.way, language),
                rooms=[render_choice(ranked) for ranked in choice.rooms],
            )
            for choice in view.choices
        ],
        no_undo=explain(view.no_undo.code, view.no_undo.facts, language) if view.no_undo else None,
        loans=list(view.loans),
    )


def render_choice(ranked: RankedRoom) -> RoomChoiceOut:
    """Return a room to move to, and what it lacks."""
    room = ranked.room
    return RoomChoiceOut(
        id=room.id,
        name=room.name,
        capacity=room.capacity,
        building=room.building,
        floor=room.floor,
        lacks=list(ranked.lacks),
    )


def render_policy(policy: Mapping[str, Way]) -> Policy:
    return dict(policy)

"""Whoever brings in what was there before the engine, by plans, and changes their mind: in worlds whose calendars were
full when it first read them (docs/backfill.md)."""

from __future__ import annotations

import random

from engine.interval import Interval
from engine.prove.people.people import Crowd
from engine.prove.world.world import World
from engine.reconcile.backfill.book import MeetingState, Selection
from engine.reconcile.backfill.proposal import Step

LIST = {"ENGINE_SYNC__FIRST_CONTACT": "list"}
"""How an engine is set up whose meetings from before wait for a plan."""

FROM_BEFORE = ("meet", "meet", "meet", "meet_privately", "meet_daily")
"""Verbs by which calendars are filled before the engine first reads them: it is not there to ask."""

MEETINGS_MAX = 7

PLANS = ("plan_backfill", "apply_backfill", "apply_backfill", "undo_backfill")
"""Verbs of such worlds, drawn in place of others."""
CHANCE = 0.35
"""Of a step to be one of them."""

BY = "app:test"


def draw_from_before(chance: random.Random) -> tuple[str, ...]:
    """Return what people did before the engine came."""
    return tuple(chance.choice(FROM_BEFORE) for _ in range(chance.randint(3, MEETINGS_MAX)))


def draw_plan(chance: random.Random) -> str | None:
    """Return what is done about plans in place of a step; None: nothing, the step is taken."""
    return chance.choice(PLANS) if chance.random() < CHANCE else None


def plan_backfill(crowd: Crowd) -> None:
    """Order a plan, for all rooms or one of them."""
    if not crowd.is_from_before:
        return
    rooms = (crowd.world.item(crowd.draw_room()).id,) if crowd.random.random() < 0.3 else ()
    number = crowd.world.office.backfills.create(_window(crowd.world), rooms, actor=BY).number
    crowd.tell(f"plans backfill {number} of {rooms or 'all rooms'}")


def apply_backfill(crowd: Crowd) -> None:
    """Order a plan to be carried out: all of it, what one room holds, or what is to be created."""
    number = _pick(crowd)
    if number is None:
        return
    match crowd.random.choice(["all", "all", "room", "create"]):
        case "room":
            part = Selection(rooms=(crowd.world.item(crowd.draw_room()).id,))
        case "create":
            part = Selection(only=Step.CREATE)
        case _:
            part = Selection()
    crowd.tell(f"applies backfill {number}: rooms {part.rooms or 'all'}, {part.only or 'all steps'}")
    crowd.world.office.backfills.order_apply(number, part, actor=BY)


def undo_backfill(crowd: Crowd) -> None:
    """Order everything that a plan did to be taken back."""
    number = _pick(crowd)
    if number is not None:
        crowd.tell(f"undoes backfill {number}")
        crowd.world.office.backfills.order_undo(number, actor=BY)


def bring_in_the_rest(world: World) -> list[str]:
    """
    Take every plan back and bring everything in; return which meetings another plan finds that were left out.

    Twice: only the organizer's copy, read after its loan is made, may tell that a room had declined; what was in
    conflict with it is free then. What the last plan skips, or finds in conflict, it explains.
    """
    backfills = world.office.backfills
    for found in list(backfills.list_backfills()):
        backfills.order_undo(found.number, actor=BY)
        world.settle()
    for _ in range(2):
        number = backfills.create(_window(world), (), actor=BY).number
        world.settle()
        backfills.order_apply(number, Selection(), actor=BY)
        world.heal()
    last = backfills.create(_window(world), (), actor=BY).number
    world.settle()
    lines = backfills.list_meetings(last, step=None, state=None, after=0, limit=1000)
    linked = set(world.links().values())
    world.untold.left_by_plan = {
        line.key
        for line in lines
        if line.step in (Step.SKIP, Step.CONFLICT) and (line.code != "backfill_has_loan" or line.key in linked)
    }
    return [
        line.key for line in lines if line.step in (Step.CREATE, Step.LINK) or line.state is not MeetingState.PLANNED
    ]


def _pick(crowd: Crowd) -> int | None:
    """Return a plan; None where there is none."""
    found = crowd.world.office.backfills.list_backfills()
    return crowd.random.choice(found).number if found else None


def _window(world: World) -> Interval:
    return Interval(world.at(0, days=-1), world.at(0, days=400))

"""Random worlds that were there before the engine: plans are made, applied and undone while people edit both sides,
requests fail and the engine is killed. The promises are those of `test_random_world.py`.

`ACCORD_WORLDS=500 ACCORD_SEED=1 pytest tests/simulation/test_backfill_at_random.py` runs more of them.
"""

from __future__ import annotations

import os
import random

import pytest

from engine.errors import DeskError
from engine.interval import Interval
from engine.prove import staff
from engine.prove.directory import put_in_order
from engine.prove.invariants import check_always, check_quiet
from engine.prove.people import Crowd
from engine.prove.store import Databases, OpenDatabase, in_memory
from engine.prove.verbs import draw_verb
from engine.prove.weather import Weather, draw_gusts, draw_weather
from engine.prove.world import World
from engine.reconcile.backfill import Step
from engine.reconcile.backfill_book import MeetingState, Selection
from tests.simulation.test_backfill import BY, LIST

WORLDS = int(os.environ.get("ACCORD_WORLDS", "10"))
FIRST_SEED = int(os.environ.get("ACCORD_SEED", "1"))
STEPS = 20
FROM_BEFORE = 6


class Importer:
    """Whoever brings in what was there before, and changes their mind."""

    def __init__(self, world: World, crowd: Crowd, chance: random.Random) -> None:
        self._world = world
        self._crowd = crowd
        self._random = chance

    def act(self) -> None:
        """Order one thing; what is refused at this moment is refused."""
        found = self._world.office.backfills.list_backfills()
        verb = self._random.choice(["plan", "apply", "apply", "undo"]) if found else "plan"
        number = self._random.choice(found).number if found else 0
        try:
            match verb:
                case "plan":
                    self.plan()
                case "apply":
                    self.apply(number, self._some())
                case _:
                    self.undo(number)
        except DeskError as error:
            self._crowd.log.append(f"  refused: {error}")

    def _some(self) -> Selection:
        """Choose everything, or what one room holds."""
        room = self._random.randint(1, len(self._world.room_addresses))
        return Selection(rooms=(self._world.item(room).id,)) if self._random.random() < 0.3 else Selection()

    def plan(self) -> int:
        window = Interval(self._world.at(0, days=-1), self._world.at(0, days=30))
        number = self._world.office.backfills.create(window, (), actor=BY).number
        self._tell(f"plans backfill {number}")
        return number

    def apply(self, number: int, selection: Selection) -> None:
        self._world.office.backfills.order_apply(number, selection, actor=BY)
        self._tell(f"applies backfill {number} to {selection.rooms or 'all'}")

    def undo(self, number: int) -> None:
        self._world.office.backfills.order_undo(number, actor=BY)
        self._tell(f"undoes backfill {number}")

    def _tell(self, text: str) -> None:
        self._crowd.log.append(f"{self._world.loop.time():9.2f} {text}")


def live_through(seed: int, database: OpenDatabase = in_memory.open) -> None:
    """Live through one world: meetings from before, then edits, orders and faults at once, then quiet."""
    chance = random.Random(seed)
    rooms, people = chance.randint(1, 3), chance.randint(1, 3)
    world = World(rooms=rooms, people=people, seed=seed, settings=LIST, database=database)
    crowd = Crowd(world, chance)
    try:
        for _ in range(FROM_BEFORE):
            chance.choice([crowd.meet, crowd.meet, crowd.meet_daily])()
            world.wait(2.0)
        world.open()
        world.furnish(staff.THINGS)
        _live(world, crowd, chance)
    except AssertionError as error:
        told = "\n".join([*crowd.log, *(world.tell(loan) for loan in world.loans)])
        raise AssertionError(f"seed {seed}: {error}\n{told}") from error
    finally:
        world.close()


def _live(world: World, crowd: Crowd, chance: random.Random) -> None:
    withdrawn: set[int] = set()
    importer = Importer(world, crowd, chance)
    weather = Weather(world, draw_weather(chance))
    crowd.log.append(f"weather: {', '.join(front.name for front in weather.fronts)}")
    importer.act()
    for _ in range(STEPS):
        if chance.random() < 0.4:
            importer.act()
        else:
            verb = draw_verb(chance)
            crowd.act(verb.name, verb.act)
        world.wait(chance.choice([0.01, 0.3, 1.0, 5.0, 20.0]))
        weather.blow(draw_gusts(weather.fronts, chance), chance)
        check_always(world, withdrawn)
    weather.clear()
    put_in_order(world)
    world.heal()
    crowd.believe_everything()
    world.heal()
    _import_the_rest(world, importer)
    check_always(world, withdrawn)
    _check_quiet(world, crowd, importer)
    assert world.watcher.parked_keys == [], world.watcher.parked_keys


def _import_the_rest(world: World, importer: Importer) -> None:
    """Take everything back and bring it in again. Twice: only the organizer's copy, read after the loan is made, may
    tell that a room had declined; what was in conflict with it is free then."""
    for number in [found.number for found in world.office.backfills.list_backfills()]:
        importer.undo(number)
        world.settle()
    for _ in range(2):
        number = importer.plan()
        world.settle()
        importer.apply(number, Selection())
        world.heal()


def _check_quiet(world: World, crowd: Crowd, importer: Importer) -> None:
    """What is no loan now, another plan must explain: it is skipped or in conflict, and says why."""
    number = importer.plan()
    world.settle()
    lines = world.office.backfills.list_meetings(number, step=None, state=None, after=0, limit=1000)
    told = {line.key for line in lines if line.step in (Step.SKIP, Step.CONFLICT)}
    left = [line for line in lines if line.key not in told]
    assert not left, f"a plan was applied and another finds more: {left}"
    assert all(line.state is MeetingState.PLANNED for line in lines)
    explained = world.is_explained
    world.is_explained = lambda uid, **named: uid in told or explained(uid, **named)  # type: ignore[method-assign]
    check_quiet(world, crowd)


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WORLDS))
def test_backfills_keep_the_promises_in_any_world(seed: int) -> None:
    """Whatever is imported, taken back and edited: no double booking, nothing doubled, lost or resurrected."""
    live_through(seed)


def test_they_do_on_postgresql_too(postgresql_url: str) -> None:
    """One of these worlds on the other database."""
    with Databases(postgresql_url) as databases:
        live_through(FIRST_SEED, databases.open)

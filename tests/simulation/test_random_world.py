"""Random worlds: people edit both sides while everything fails, and the promises hold (I1-I10).

`ACCORD_WORLDS=2000 ACCORD_SEED=1 pytest tests/simulation/test_random_world.py` runs more of them. A failure prints
its seed and what people did; `ACCORD_WORLDS=1 ACCORD_SEED=<seed>` lives through it again.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime

import pytest

from engine.database.connection import Database
from engine.simulator.storm import raise_storm
from tests.simulation.invariants import check_always, check_quiet
from tests.simulation.people import Crowd
from tests.simulation.world import World

OpenDatabase = Callable[[Callable[[], datetime]], Database]

WORLDS = int(os.environ.get("ACCORD_WORLDS", "60"))
FIRST_SEED = int(os.environ.get("ACCORD_SEED", "1"))
BLOCK = 5
STORM_FAULTS = 8
EMPTIED = "its calendar came back empty"
"""What parks a room's key on purpose until its calendar is seen again: a storm may hide it once."""
STEPS = 25


class Weather:
    """What goes wrong, drawn from the world's seed; every kind of fault has its own chance in each world."""

    KINDS = (
        "lose", "duplicate", "late", "reorder", "throttle", "busy", "lost_answer", "gone", "replay", "lag", "crash",
        "touch", "storm",
    )  # fmt: skip

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._random = chance
        self.kinds = [kind for kind in self.KINDS if chance.random() < 0.4]
        self._set_faults()

    def _set_faults(self) -> None:
        faults = self._world.tenant.faults
        for kind in self.kinds:
            rate = self._random.choice([0.05, 0.2])
            match kind:
                case "lose" | "duplicate" | "late" | "reorder":
                    faults.add(effect=kind, probability=rate, seconds=30.0)
                case "throttle":
                    faults.add(
                        effect="error", status=429, code="ApplicationThrottled", retry_after="3", probability=rate
                    )
                case "busy":
                    faults.add(effect="error", status=503, code="serviceNotAvailable", probability=rate)
                case "lost_answer":
                    faults.add(effect="drop_after", probability=rate)
                case "gone":
                    faults.add(effect="gone", probability=rate)
                case "replay" | "lag":
                    faults.add(effect=kind, probability=rate)
                case "storm":
                    raise_storm(faults, self._random.randrange(1_000_000), STORM_FAULTS)
                case _:
                    pass

    def blow(self) -> None:
        """Let something happen between two steps."""
        if "crash" in self.kinds and self._random.random() < 0.15:
            self._world.kill()
            self._world.wait(self._random.choice([0.5, 20.0]))
            self._world.start()
        if "touch" in self.kinds and self._random.random() < 0.1:
            self._world.lose_delta(self._random.randint(1, len(self._world.room_addresses)))

    def clear(self) -> None:
        self._world.tenant.faults.clear()


def live_through(seed: int, database: OpenDatabase | None = None) -> None:
    """Live through one world: edits under faults, then quiet, then a restart that must find nothing to do."""
    chance = random.Random(seed)
    world = World(rooms=chance.randint(1, 3), people=chance.randint(1, 3), seed=seed, database=database).open()
    crowd = Crowd(world, chance)
    try:
        _live(world, crowd, chance)
    except AssertionError as error:
        told = "\n".join([*crowd.log, *(world.tell(loan) for loan in world.loans)])
        raise AssertionError(f"seed {seed}: {error}\n{told}") from error
    finally:
        world.close()


def _live(world: World, crowd: Crowd, chance: random.Random) -> None:
    withdrawn: set[int] = set()
    weather = Weather(world, chance)
    crowd.log.append(f"weather: {weather.kinds}")
    for _ in range(STEPS):
        crowd.act()
        world.wait(chance.choice([0.01, 0.3, 1.0, 5.0]))
        weather.blow()
        check_always(world, withdrawn)
    weather.clear()
    world.heal()
    crowd.believe_everything()
    world.heal()
    check_always(world, withdrawn)
    check_quiet(world, crowd)
    assert world.office.queue.depth().parked == 0
    parked = [error for _, _, error in world.watcher.parked_keys if not error.startswith(EMPTIED)]
    assert parked == [], parked

    before = world.count_writes()
    world.kill()
    world.start()
    for room in range(1, len(world.room_addresses) + 1):
        world.lose_delta(room)
    world.heal()
    assert world.count_writes() == before, "I8/I9: a restart after everything agreed wrote to Outlook"
    check_quiet(world, crowd)


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + WORLDS, BLOCK))
def test_the_promises_hold_in_any_world(first: int) -> None:
    """Whatever people do and whatever fails, once it is over both sides agree and nothing was lost or doubled."""
    for seed in range(first, min(first + BLOCK, FIRST_SEED + WORLDS)):
        live_through(seed)


@pytest.mark.parametrize("seed", [FIRST_SEED, FIRST_SEED + 1])
def test_they_hold_on_postgresql_too(seed: int, postgresql_url: str) -> None:
    """The same worlds on the other database."""
    live_through(seed, lambda now: Database(postgresql_url, clock=now))

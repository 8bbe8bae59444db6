"""A room that is broken for good delays no other (I15)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.prove.world.world import World
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld

MEETINGS = 40
STEP = 0.05
"""Virtual seconds between two looks at the desk."""
PATIENCE = 60.0
SLOWER_MOST = 1.1
BROKEN = {
    "closed": {"effect": "error", "status": 403},
    "throttled": {"effect": "error", "status": 429, "retry_after": "120"},
    "failing": {"effect": "error", "status": 503, "code": "serviceNotAvailable"},
    "hanging": {"effect": "delay", "seconds": 25.0},
}


def measure(world: World) -> Sequence[float]:
    """Return how long each meeting in rooms 1 and 2 took to be a loan, sorted. Before each, one asks for room 3."""
    found = []
    for number in range(MEETINGS):
        day, hour, room = number // 8 + 1, 9 + number % 8, number % 2 + 1
        world.meet(1, hour, hour + 0.5, 3, days=day)
        began = world.loop.time()
        uid = world.meet(2, hour, hour + 0.5, room, days=day)["iCalUId"]
        while world.loan_of(uid) is None and world.loop.time() < began + PATIENCE:
            world.wait(STEP)
        found.append(world.loop.time() - began)
    return sorted(found)


def break_room(world: World, how: str) -> World:
    world.tenant.faults.add(**BROKEN[how], mailbox=world.room_addresses[2])
    return world


@pytest.fixture
def usual(worlds: MakeWorld) -> Sequence[float]:
    """How long it takes where every room answers."""
    return measure(worlds(rooms=3, people=2))


@pytest.mark.parametrize("how", sorted(BROKEN))
def test_a_broken_room_delays_no_other(worlds: MakeWorld, usual: Sequence[float], how: str) -> None:
    """C10: the 99th percentile of the others grows by less than a tenth."""
    seen = measure(break_room(worlds(rooms=3, people=2), how))
    assert _p99(seen) - STEP <= SLOWER_MOST * _p99(usual)


def test_which_is_noticed_where_one_pass_at_a_time_is_made(worlds: MakeWorld, usual: Sequence[float]) -> None:
    """With one worker everybody waits for the room that hangs."""
    world = worlds(rooms=3, people=2, settings={"ENGINE_SYNC__WORKERS": "1"} | WITHOUT_CONTENT)
    assert _p99(measure(break_room(world, "hanging"))) > SLOWER_MOST * _p99(usual) + STEP


def _p99(waits: Sequence[float]) -> float:
    return waits[int(0.99 * len(waits))]

"""What goes wrong in a random world: the one table of it. To add a fault, add a line."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.prove.world import backups
from engine.prove.world.backups import back_up
from engine.prove.world.world import World
from engine.simulator.weather.storm import raise_storm

STORM_FAULTS = 8
LEASE_SECONDS = 10
"""Shorter than the setting's default, so that people act while an engine sleeps past its leases."""
RIVAL = "rival"
CHANCE = 0.4
"""Of each kind of fault to be there in a world at all: rare combinations come up, and calm worlds too."""
RATES = (0.05, 0.2)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    A kind of fault.

    Args:
        name: its name in a schedule that was kept.
        rule: the simulated tenant's rule, in force as long as the weather lasts, but for its probability.
        blow: does something between two steps instead, drawing from what it is given.
        chance: of `blow` between two steps.
    """

    name: str
    rule: dict[str, Any] | None = None
    blow: Callable[[World, random.Random], None] | None = None
    chance: float = 0.0


def kill(world: World, chance: random.Random) -> None:
    """End the engine in the middle of what it is doing, and start it after a while."""
    world.wait(chance.choice([0.0, chance.uniform(0.0, 0.05), chance.uniform(0.0, 0.6)]))
    world.kill()
    world.wait(chance.choice([0.5, 20.0]))
    world.start()


def restore(world: World, chance: random.Random) -> None:
    """Take a backup; or, once there is one, put it in place of the store (F19)."""
    if world.backup is None:
        world.backup = back_up(world)
        return
    world.kill()
    backups.restore(world, world.backup)
    world.backup = None
    world.wait(chance.choice([0.5, 20.0]))
    world.start()


def rival(world: World, chance: random.Random) -> None:
    """Let another engine work on the same store; or let one of the two end, which may be the first one (F24)."""
    if world.is_sole:
        return  # its fault has been left out of this world
    if len(world.lives) < 2:
        world.start()
    else:
        world.end(world.lives[chance.randint(0, 1)])


def oversleep(world: World, chance: random.Random) -> None:
    """Stop an engine at its next request, or when its answer comes, for longer than its leases last (F24)."""
    awake = [life for life in world.lives if not world.loop.is_asleep(life)]
    if awake:
        seconds = chance.choice([3.0, 1.1 * LEASE_SECONDS, 4 * LEASE_SECONDS])
        chance.choice(awake).sleeps_at = chance.choice(["before", "after"]), seconds


def lose_delta(world: World, chance: random.Random) -> None:
    """Let the tenant forget the delta tokens of a room."""
    world.lose_delta(chance.randint(1, len(world.room_addresses)))


def touch(world: World, chance: random.Random) -> None:
    """Let a background assistant save a room's copy again: another version, and nothing else."""
    room = chance.choice(world.room_addresses)
    copies = world.run(world.room(world.room_addresses.index(room) + 1).events())
    if copies:
        world.tenant.office.touch(room, chance.choice(copies)["iCalUId"])


FAULTS: tuple[Fault, ...] = (
    Fault("lose", {"effect": "lose"}),
    Fault("duplicate", {"effect": "duplicate"}),
    Fault("late", {"effect": "late", "seconds": 30.0}),
    Fault("reorder", {"effect": "reorder"}),
    Fault("throttle", {"effect": "error", "status": 429, "code": "ApplicationThrottled", "retry_after": "3"}),
    Fault("busy", {"effect": "error", "status": 503, "code": "serviceNotAvailable"}),
    Fault("lost_answer", {"effect": "drop_after"}),
    Fault("gone", {"effect": "gone"}),
    Fault("replay", {"effect": "replay"}),
    Fault("lag", {"effect": "lag", "seconds": 20.0}),
    Fault("storm"),
    Fault("crash", blow=kill, chance=0.15),
    Fault("lose_delta", blow=lose_delta, chance=0.1),
    Fault("touch", blow=touch, chance=0.3),
    Fault("restore", blow=restore, chance=0.15),
    Fault(RIVAL, blow=rival, chance=0.15),
    Fault("oversleep", blow=oversleep, chance=0.1),
)
OF_CONTENT: tuple[Fault, ...] = (
    Fault("garble_content", {"effect": "garble_content"}),
    Fault("cut_content", {"effect": "cut_content"}),
    Fault("unknown_key", {"effect": "unknown_key"}),
    Fault("refuse_content", {"effect": "refuse_content"}),
)
"""What befalls notifications that bring their event, or are to."""
BY_NAME = {fault.name: fault for fault in (*FAULTS, *OF_CONTENT)}

DEAD_ROOM = "room-dead@example.org"
LASTING: dict[str, dict[str, Any]] = {
    "deaf": {"effect": "lose"},
    "throttled": {"effect": "error", "status": 429, "retry_after": "3", "probability": 0.25},
    "forgetful": {"effect": "gone", "probability": 0.5},
    "dead_room": {"effect": "error", "status": 403, "mailbox": DEAD_ROOM},
    "busy_room": {"effect": "error", "status": 429, "mailbox": DEAD_ROOM},
}
"""What may go on for ever, in worlds that ask whether all else gets on (I15, I16): rules of the simulated tenant."""
UNSTEADY = frozenset({"throttled", "forgetful"})
"""Those that keep failing what is asked anywhere, now and then."""


@dataclass(frozen=True, slots=True)
class Front:
    """A kind of fault in one world: how often it strikes, and the seed of what it draws once."""

    name: str
    rate: float
    seed: int


def draw_weather(chance: random.Random, faults: Sequence[Fault] = FAULTS) -> tuple[Front, ...]:
    """Return which of *faults* go wrong in one world."""
    return tuple(
        Front(fault.name, chance.choice(RATES), chance.randrange(1_000_000))
        for fault in faults
        if chance.random() < CHANCE
    )


def draw_gusts(fronts: tuple[Front, ...], chance: random.Random) -> tuple[str, ...]:
    """Return which kinds of fault blow between two steps."""
    return tuple(front.name for front in fronts if chance.random() < BY_NAME[front.name].chance)


class Weather:
    """The faults in force in one world."""

    def __init__(self, world: World, fronts: tuple[Front, ...]) -> None:
        self._world = world
        self.fronts = fronts
        faults = world.tenant.faults
        for front in fronts:
            rule = BY_NAME[front.name].rule
            if front.name == "storm":
                raise_storm(faults, front.seed, STORM_FAULTS)
            elif rule is not None:
                faults.add(**rule, probability=front.rate)

    def blow(self, gusts: tuple[str, ...], chance: random.Random) -> None:
        """Let happen what was drawn for the time between two steps."""
        for name in gusts:
            blow = BY_NAME[name].blow
            assert blow is not None, name
            blow(self._world, chance)

    def clear(self, lasting: str = "") -> None:
        """Let the sun come out, but for what lasts."""
        self._world.tenant.faults.clear()
        self.last(lasting)

    def last(self, lasting: str) -> None:
        """Let something of `LASTING` go on for ever."""
        if lasting:
            self._world.tenant.faults.add(**LASTING[lasting])

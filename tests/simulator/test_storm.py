"""Faults by seed: a mix that can be had again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.simulator.weather.faults import (
    AFTER,
    BEFORE,
    CONSENT,
    CONTENT,
    DELTA,
    DUPLICATE,
    EFFECTS,
    NOTICES,
    PAGE_LINK,
    REFUSAL,
)
from engine.simulator.weather.storm import KINDS, draw
from tests.simulator.test_booking import AULA
from tests.simulator.virtual import SimulatedWorld


def documents(seed: int) -> list[dict[str, Any]]:
    return [rule.as_document() for rule in draw(seed)]


def test_the_same_seed_the_same_weather() -> None:
    """Replayable; another seed is another mix."""
    assert documents(7) == documents(7)
    assert documents(7) != documents(8)
    assert len({rule["effect"] for rule in documents(7)}) > 5


def test_all_weather_passes() -> None:
    """No fault is without end."""
    assert all(rule.times is not None and rule.probability <= 0.2 for seed in range(50) for rule in draw(seed, 33))


def test_nearly_every_effect_may_be_drawn() -> None:
    """Only what breaks for good is left out, and what a storm of a known seed did not draw from."""
    left_out = {"empty_list", "drop_endpoint"} | CONSENT | DUPLICATE | REFUSAL | CONTENT
    assert {kind["effect"] for kind in KINDS} == EFFECTS - left_out
    assert BEFORE | AFTER | DELTA | PAGE_LINK | NOTICES | DUPLICATE | REFUSAL | CONSENT | {"delay"} == EFFECTS


def test_a_fault_is_shown_with_what_it_heeds(make_world: Callable[..., SimulatedWorld]) -> None:
    """A status belongs to what answers, seconds to what waits."""
    world = make_world()
    for rule in ({"effect": "lose"}, {"effect": "late", "seconds": 5.0}, {"effect": "html", "status": 502}):
        world.call("POST", "/sim/faults", rule)

    told = {rule["effect"]: rule for rule in world.call("GET", "/sim/faults").json()}

    heeded = {"status", "code", "message", "retry_after", "seconds", "count"}
    assert {effect: sorted(heeded & rule.keys()) for effect, rule in told.items()} == {
        "lose": [],
        "late": ["seconds"],
        "html": ["retry_after", "status"],
    }
    assert (told["late"]["seconds"], told["html"]["status"]) == (5.0, 502)


def test_from_the_start_or_through_the_control_room(make_world: Callable[..., SimulatedWorld]) -> None:
    """An option of the tenant, or POST /sim/faults/storm."""
    from_start = make_world(fault_seed=7).call("GET", "/sim/faults").json()
    world = make_world()
    later = world.call("POST", "/sim/faults/storm", {"seed": 7}).json()

    assert from_start == later == world.call("GET", "/sim/faults").json()
    assert world.call("POST", "/sim/faults/storm", {"sead": 7}).status == 400


def test_a_whole_storm_is_replayed(make_world: Callable[..., SimulatedWorld]) -> None:
    """The same calls under the same seeds meet the same failures, answer by answer."""

    def weather() -> list[int]:
        world = make_world(fault_seed=3)
        world.tenant.faults.rules = [rule for rule in world.tenant.faults.rules if not rule.effect.startswith("drop")]
        return [world.call("GET", f"/users/{AULA}/events").status for _ in range(200)]

    first = weather()
    assert first == weather()
    assert first.count(200) > 100
    assert len(set(first)) > 1

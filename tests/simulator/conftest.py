"""The worlds these tests play in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.simulator.virtual import SimulatedWorld


@pytest.fixture
def make_world() -> Iterator[Callable[..., SimulatedWorld]]:
    """Make worlds with options; they are closed afterwards."""
    made: list[SimulatedWorld] = []

    def make(**options: Any) -> SimulatedWorld:
        made.append(SimulatedWorld(**options))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(make_world: Callable[..., SimulatedWorld]) -> SimulatedWorld:
    """A tenant with two rooms and two people, on virtual time."""
    return make_world()

"""Worlds to try the engine in: `worlds(rooms=3)` makes one, as many as a test wants, and all are closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from engine.prove.world import World

MakeWorld = Callable[..., World]
"""Takes what `World` takes; `start=False` leaves its engine for the test to start."""


@pytest.fixture
def worlds() -> Iterator[MakeWorld]:
    with ExitStack() as stack:

        def make(*, start: bool = True, **options: Any) -> World:
            world = World(**options)
            stack.callback(world.close)
            return world.open() if start else world

        yield make

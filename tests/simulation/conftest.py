"""Worlds to try the engine in: `worlds(rooms=3)` makes one, as many as a test wants, and all are closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from engine.prove.crash.mortal import READ_ROOMS
from engine.prove.world.world import World

SELDOM_SECONDS = 3600.0

WITHOUT_CONTENT = READ_ROOMS
"""For stories about what a reading shows, and when."""

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


@pytest.fixture
def long_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an idle engine sleep for an hour, where months pass: each of its short looks would cost as much as a change.

    Ask for it before `worlds`.
    """
    monkeypatch.setattr("engine.worker.loop.IDLE_SECONDS_MAX", SELDOM_SECONDS)
    monkeypatch.setattr("engine.worker.loop.Loop._keep_leases", _keep_nothing)


async def _keep_nothing(loop: Any) -> None:
    """Leases need no keeping: passes of a world take no time."""

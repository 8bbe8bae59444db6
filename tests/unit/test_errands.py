"""Errands of the command line: what they do when a service is busy with the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from engine.app import errands
from engine.errors import Unreachable
from engine.settings import load_settings


class BusyBackfill:
    """A backfill that ends once it was tried often enough."""

    is_at_work = False

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.tries = 0

    async def advance(self, _number: int, *, at_once: int) -> BusyBackfill:
        assert at_once > 0
        self.tries += 1
        if self.tries <= self.busy:
            raise Unreachable("the database is busy")
        return self


@pytest.fixture
def carry_on(monkeypatch: pytest.MonkeyPatch) -> object:
    """Carry on with a backfill; returns what was told."""
    monkeypatch.setattr(errands, "BACKFILL_PAUSE_SECONDS", 0.0)

    def run(backfill: BusyBackfill) -> list[object]:
        @asynccontextmanager
        async def open_engine(_settings: object) -> AsyncIterator[object]:
            yield SimpleNamespace(backfill_pass=backfill)

        monkeypatch.setattr(errands, "_open_engine", open_engine)
        told: list[object] = []
        asyncio.run(errands.carry_on_backfill(load_settings(None, {}), 1, told.append))
        return told

    return run


class TestABackfill:
    def test_waits_while_the_service_writes(self, carry_on) -> None:
        """A busy database is no reason to leave in the middle."""
        backfill = BusyBackfill(busy=errands.BACKFILL_TRIES - 1)
        assert carry_on(backfill) == [backfill]

    def test_gives_up_when_nothing_moves(self, carry_on) -> None:
        """And says so; what was done stays done."""
        with pytest.raises(Unreachable, match="busy"):
            carry_on(BusyBackfill(busy=1000))

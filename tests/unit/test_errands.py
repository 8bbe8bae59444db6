"""Errands of the command line: what they do when a service is busy with the same."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.app import errands
from engine.errors import Unreachable
from engine.settings import Settings, load_settings


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


class TestASimulatedTenantThatNobodyRuns:
    @pytest.mark.parametrize(
        "errand",
        [
            errands.import_rooms,
            errands.try_permissions,
            lambda settings: errands.plan_sync(settings, None, apply=False, language="en"),
        ],
    )
    def test_is_told_with_what_to_do(
        self, tmp_path: Path, errand: Callable[[Settings], Coroutine[Any, Any, Any]]
    ) -> None:
        """A connection error of the HTTP client was told; `sync`, without rooms, said that both sides agree."""
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))  # and does not listen
            port = held.getsockname()[1]
            environment = {
                "ENGINE_SIMULATOR__PORT": str(port),
                "ENGINE_DATABASE__URL": f"sqlite:///{tmp_path}/accord.db",
            }
            with pytest.raises(Unreachable, match=f"no simulated tenant answers on port {port}; start it with run"):
                asyncio.run(errand(load_settings(None, environment)))

        assert not list(tmp_path.iterdir())

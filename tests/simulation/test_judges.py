"""Each judge of the random worlds, shown an engine with a bug that breaks its promise (docs/proof.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from engine.database import settle
from engine.database.ledger import SyncLedger
from engine.prove.campaign import promise_of
from engine.prove.schedule import draw_schedule, run_schedule
from engine.reconcile import merge
from engine.worker.loop import Loop

Plant = Callable[[pytest.MonkeyPatch], None]


def believes_everything_gone(patch: pytest.MonkeyPatch) -> None:
    """Takes every copy that a whole reading misses for gone, and misses some."""


PROMISES: dict[str, tuple[Plant, Sequence[str], range]] = {}

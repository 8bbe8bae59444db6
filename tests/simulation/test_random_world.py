"""Random worlds: people edit both sides while everything fails, and the promises hold (I1-I10).

`ACCORD_WORLDS=2000 ACCORD_SEED=1 pytest tests/simulation/test_random_world.py` runs more of them. A failure prints
its seed and what people did; `ACCORD_WORLDS=1 ACCORD_SEED=<seed>` lives through it again.
"""

from __future__ import annotations

import os

import pytest

from engine.prove.schedule import run_schedule
from engine.prove.world.store import Databases

WORLDS = int(os.environ.get("ACCORD_WORLDS", "20"))
FIRST_SEED = int(os.environ.get("ACCORD_SEED", "1"))
BLOCK = 5


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + WORLDS, BLOCK))
def test_the_promises_hold_in_any_world(first: int) -> None:
    """Whatever people do and whatever fails, once it is over both sides agree and nothing was lost or doubled."""
    for seed in range(first, min(first + BLOCK, FIRST_SEED + WORLDS)):
        outcome = run_schedule(seed)
        assert outcome.is_kept, outcome


@pytest.mark.parametrize("seed", [FIRST_SEED, FIRST_SEED + 1])
def test_they_hold_on_postgresql_too(seed: int, postgresql_url: str) -> None:
    """The same worlds on the other database."""
    with Databases(postgresql_url) as databases:
        outcome = run_schedule(seed, database=databases.open)
    assert outcome.is_kept, outcome

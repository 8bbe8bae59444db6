"""A schedule is all there is to a world: the same one goes the same way, wherever and whenever it is lived through."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.prove.schedule import run_schedule

SEEDS = range(101, 105)
CODE = f"""
from engine.prove.schedule import run_schedule
for seed in {list(SEEDS)}:
    print(run_schedule(seed).trace)
"""


@pytest.mark.slow
def test_a_seed_goes_the_same_way_in_another_process() -> None:
    """Every request and answer, every decision and every second: other hashes, another order, other worlds before."""
    root = Path(__file__).parents[2]
    environ = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(root)}
    elsewhere = subprocess.run([sys.executable, "-c", CODE], cwd=root, env=environ, capture_output=True, text=True)
    assert elsewhere.returncode == 0, elsewhere.stderr

    here = {seed: run_schedule(seed).trace for seed in reversed(SEEDS)}

    assert elsewhere.stdout.split() == [here[seed] for seed in SEEDS]


def test_another_seed_goes_another_way() -> None:
    assert run_schedule(101).trace != run_schedule(102).trace

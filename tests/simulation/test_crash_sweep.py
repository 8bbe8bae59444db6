"""A slice of the crash sweep: some stories, the engine dying at every point of each. `scripts/crash-sweep` does all."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.system.harness import ROOT, clean_environment


def sweep(*arguments: str) -> str:
    """Sweep in a process of its own, which forks at every point; return what it printed."""
    command = [sys.executable, "-m", "engine.prove.crash", "--jobs", "1", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "story",
    [
        "wide loan: desk moves and gives away",
        "meeting: desk moves, outlook cancels",
        "app series: desk rerooms following | outlook cancels one",
    ],
)
def test_a_death_at_any_point_is_survived(story: str) -> None:
    told = sweep("--story", story)

    assert int(re.findall(r"(\d+) deaths, 0 ended badly", told)[0]) > 10, told

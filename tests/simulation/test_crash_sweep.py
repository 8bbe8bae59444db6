"""A slice of the crash sweep: some stories, the engine dying at every point of each. `scripts/crash-sweep` does all."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from engine.prove.crash import sweep as sweep_module
from engine.prove.crash.stories import tell_stories
from engine.prove.crash.sweep import Sweep
from tests.system.harness import ROOT, clean_environment

STORIES = (
    "wide loan: desk moves and gives away",
    "meeting: desk moves, outlook cancels",
    "loan: desk gives away | outlook rerooms",
    "loan: outlook leaves the room | outlook rerooms",
    "meeting: desk rerooms | outlook rerooms",
    "app series: desk rerooms following | outlook cancels one",
    "meeting: desk moves | outlook moves before the new subscription is made",
)


def run_sweep(*arguments: str) -> str:
    """Sweep in a process of its own, which forks at every point; return what it printed."""
    command = [sys.executable, "-m", "engine.prove.crash", "--jobs", "1", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_death_at_any_point_is_survived() -> None:
    told = run_sweep("--story", *STORIES)

    assert told.startswith(f"{len(STORIES)} stories, "), told
    assert int(re.findall(r"(\d+) deaths, 0 ended badly", told)[0]) > 50, told


@pytest.mark.slow
def test_a_death_at_any_point_is_survived_where_notifications_bring_their_event() -> None:
    told = run_sweep("--content", "--story", *STORIES[:3])

    assert int(re.findall(r"(\d+) deaths, 0 ended badly", told)[0]) > 20, told


@pytest.mark.slow
def test_many_deaths_in_a_row_are_survived() -> None:
    """Seeds 1006 and 1061 lost what the desk had said last: rooms showed what was before it."""
    for seed in ("1006", "1061"):
        assert ", 0 ended badly" in run_sweep("--lives", "1", "--seed", seed)


def test_what_happens_meanwhile_happens_once_when_the_engine_dies_in_the_last_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It happened twice: the stranger's second meeting was declined by the room and called lost."""
    monkeypatch.setattr(sweep_module, "LOOKS", 1)
    monkeypatch.setattr(sweep_module, "LOOK_SECONDS", 15.0)
    sweep = Sweep(tell_stories()["meeting: outlook moves | a stranger meets"], only=(2,))

    told = sweep.live()

    assert told.failures == []
    assert sweep.died, "the story has become too short for this test"
    assert len(sweep.scene.memory.bookings) == 2

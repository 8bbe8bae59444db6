"""The table of planted bugs, and some of them shown to the crash sweep. `scripts/mutants` shows all to every layer."""

from __future__ import annotations

import subprocess
import sys

from engine.prove.crash.stories import tell_stories
from tests.mutants.table import load_bugs
from tests.system.harness import ROOT, clean_environment

SHOWN = (
    "forgets_transaction_id",
    "ignores_if_match",
    "rebuilds_attendees",
    "saves_the_token_first",
    "forgets_marks_of_running_keys",
    "lets_an_edit_beat_a_cancellation",
    "drops_the_loser",
    "adopts_a_strangers_event",
    "keeps_no_intents",
    "loses_a_late_edit",
)
"""One of each kind; together they take some seconds."""


def test_the_table_is_long_and_says_what_each_bug_does() -> None:
    bugs = load_bugs().values()

    assert len(bugs) >= 40
    assert all(bug.what.endswith(".") for bug in bugs)
    assert {bug.story for bug in bugs if bug.story} <= set(tell_stories())
    assert all((ROOT / bug.tests).is_file() for bug in bugs if bug.tests)


def test_the_crash_sweep_notices_planted_bugs() -> None:
    """Without them the same stories end well: what is noticed is the bug."""
    command = [sys.executable, "-m", "tests.mutants", "--quick", "--bug", *SHOWN]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=400, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(SHOWN)} of {len(SHOWN)} planted bugs noticed" in done.stdout

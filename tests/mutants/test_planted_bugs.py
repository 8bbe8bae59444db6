"""The table of planted bugs, and some of them shown to the crash sweep. `scripts/mutants` shows all to every layer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.mutants.table import load_bugs
from tests.system.harness import ROOT, clean_environment


def test_the_table_is_long_and_says_what_each_bug_does() -> None:
    bugs = load_bugs()

    assert len(bugs) >= 40
    assert all(bug.what.endswith(".") for bug in bugs.values())


@pytest.mark.parametrize(
    ("bug", "story"),
    [
        ("forgets_transaction_id", "loan: is made"),
        ("keeps_no_intents", "meeting: desk moves"),
        ("saves_the_token_first", "meeting: is made"),
        ("loses_a_late_edit", "loan: desk gives away | outlook rerooms"),
    ],
)
def test_a_planted_bug_is_noticed_by_the_crash_sweep(bug: str, story: str) -> None:
    """And without it the story ends well each time: see tests/simulation/test_crash_sweep.py."""
    command = [sys.executable, "-m", "tests.mutants", "--bug", bug, "--layers", "crashes", "--story", story]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 planted bugs noticed" in done.stdout
    assert f"{story} / " in done.stdout

"""The table of planted bugs, and some of them shown to the crash sweep. `scripts/prove` shows all of them."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from engine.prove.crash.stories import tell_stories
from tests.mutants import __main__ as mutants
from tests.mutants.table import Bug, load_bugs, replace_in
from tests.system.harness import ROOT, clean_environment

SHOWN = ("forgets_transaction_id", "leaves_a_gap_before_the_subscription", "overlooks_what_came_and_went")
"""One for a story, one for a story of bad weather, one for a file of tests."""


def test_the_table_is_long_and_says_what_each_bug_does() -> None:
    bugs = load_bugs().values()

    assert len(bugs) >= 40
    assert all(bug.what.endswith(".") for bug in bugs)
    assert {bug.story for bug in bugs if bug.story} <= set(tell_stories())
    assert all((ROOT / bug.tests).is_file() for bug in bugs if bug.tests)


def test_each_bug_is_called_as_what_it_replaces() -> None:
    """One that is called with other arguments is noticed for that, whatever it does."""
    owner = SimpleNamespace(add=lambda left, right=0, *, sign=1: sign * (left + right))

    replace_in(owner, "add", lambda add: lambda *given, **options: add(*given, **options))
    for other in (lambda left, *, sign=1: 0, lambda left, right: 0, lambda left, right, more, *, sign=1: 0):
        with pytest.raises(TypeError):
            replace_in(owner, "add", lambda _add, other=other: other)

    assert owner.add(1, 2, sign=-1) == -3


def show(*arguments: str) -> tuple[int, str]:
    """Plant bugs as the command does; return its exit status and what it printed."""
    command = [sys.executable, "-m", "tests.mutants", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=400, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_planted_bugs_are_noticed() -> None:
    """Without them the same stories end well and the same tests pass: what is noticed is the bug."""
    status, told = show("--quick", "--bug", *SHOWN)

    assert status == 0, told
    assert f"{len(SHOWN)} of {len(SHOWN)} planted bugs noticed (100 %)" in told


@pytest.mark.slow
def test_a_survivor_fails_the_command_unless_fewer_are_asked_for() -> None:
    """Asked in no world at all, nobody notices anything."""
    blind = ("--bug", SHOWN[0], "--layers", "worlds", "--share", "0")

    for least, wanted in (("90", 1), ("0", 0)):
        status, told = show(*blind, "--least", least)
        assert status == wanted, told
        assert f"survived: {SHOWN[0]}" in told


def test_one_that_cannot_be_planted_fails_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it changes has moved. It counted as not noticed, which a score of less than 100 % let pass."""

    def miss() -> None:
        raise AttributeError("moved")

    monkeypatch.setattr(mutants, "load_bugs", lambda: {"lost": Bug("lost", "Nothing.", miss, "", "nowhere")})

    with pytest.raises(SystemExit, match=r"cannot be planted, .*: lost"):
        mutants.main(["--least", "0"])

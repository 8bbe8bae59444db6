"""The layers of tests a planted bug is shown to. Each returns what noticed it, or None."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence

import pytest

from engine.prove.crash.lives import Lives
from engine.prove.crash.stories import tell_stories
from engine.prove.crash.sweep import Sweep
from engine.prove.schedule import run_schedule
from tests.system.harness import ROOT

TESTS = ("tests/unit/reconcile", "tests/unit/graph", "tests/unit/test_interval.py", "tests/simulation/test_brake.py")


def ask_tests(_share: float) -> str | None:
    """Tests of the pure planner, of what is read from Graph and written to it, and of the brake."""
    return ask_files(TESTS)


def ask_files(files: Sequence[str]) -> str | None:
    """Tests of these files and folders."""
    told = io.StringIO()
    watch = _Watch()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        where = [str(ROOT / each) for each in files]
        code = pytest.main([*_QUIETLY, *where], plugins=[watch])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(f"the tests could not be run: {told.getvalue()[-500:]}")
    return watch.failed


_QUIETLY = (
    "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning",
)  # fmt: skip


class _Watch:
    failed: str | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


def ask_crashes(share: float) -> str | None:
    """*share* of the stories: first as they are, then with a death at every point of each."""
    names = list(tell_stories())[:: max(1, round(1 / share))]
    for deaths in (0, 1):
        for name in names:
            told = ask_story(name, deaths=deaths)
            if told is not None:
                return told
    return None


def ask_story(name: str, *, deaths: int = 1, at: tuple[int, ...] = ()) -> str | None:
    """One story; with *at*, with a death there and nowhere else."""
    found = Sweep(tell_stories()[name], deaths=deaths, only=at, is_hasty=True).live()
    if not found.failures:
        return None
    where, what = found.failures[0]
    return f"{name} / {where}: {what.strip().splitlines()[-1][:160]}"


def ask_worlds(share: float) -> str | None:
    """Random worlds: *share* of a thousand."""
    for seed in range(1, round(1000 * share) + 1):
        found = run_schedule(seed)
        if found.broken is not None:
            return f"seed {seed}: {found.broken.splitlines()[-1][:160]}"
    return None


def ask_lives(share: float) -> str | None:
    """Worlds of many deaths in a row: *share* of a thousand."""
    for seed in range(1, round(1000 * share) + 1):
        told = Lives(seed).live()
        if told is not None:
            return f"seed {seed}: {told.splitlines()[0][:160]}"
    return None


LAYERS: dict[str, Callable[[float], str | None]] = {
    "tests": ask_tests,
    "crashes": ask_crashes,
    "lives": ask_lives,
    "worlds": ask_worlds,
}

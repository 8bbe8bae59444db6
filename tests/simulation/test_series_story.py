"""A series made and changed from either side, as `scripts/show-series` tells it: right after each step, costs exact."""

from __future__ import annotations

import pytest

from engine.bench.series import Step, tell_series


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    return tell_series()


def test_the_loans_are_right_after_every_step(steps: list[Step]) -> None:
    assert [(step.side, step.what) for step in steps if not step.is_right] == []
    assert len(steps) == 8


def test_each_step_costs_just_so_many_requests(steps: list[Step]) -> None:
    """Delta pages, reads and writes: a series is booked with one write, whatever its length."""
    costs = [(step.side, step.deltas, step.reads, step.writes) for step in steps]

    assert costs == [
        ("Outlook", 1, 1, 0),
        ("Outlook", 1, 0, 0),
        ("Outlook", 1, 1, 0),
        ("Outlook", 2, 3, 0),
        ("App", 1, 0, 1),
        ("App", 1, 1, 1),
        ("App", 1, 1, 1),
        ("App", 2, 3, 2),
    ]


def test_clocks_change_on_the_way(steps: list[Step]) -> None:
    assert {start[11:] for start, _, _ in steps[4].loans} == {"13:00"}
    assert steps[4].loans[2][0] < "2027-03-28" < steps[4].loans[3][0]

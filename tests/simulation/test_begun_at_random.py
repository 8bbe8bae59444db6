"""Random worlds in which bookings begin and end while people edit both sides: what is over stays as it was (P53).

`ACCORD_WORLDS=500 ACCORD_SEED=1 pytest tests/simulation/test_begun_at_random.py` lives through more of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from engine.loans.loan import Loan
from engine.prove.people.begun import AMONG
from engine.prove.people.verbs import BY_NAME
from engine.prove.schedule import Outcome, Schedule, draw_schedule, run_schedule
from engine.prove.world.world import World
from engine.reconcile import plan
from engine.reconcile.actions import Plan, Situation
from engine.reconcile.merge import plan_merge
from engine.reconcile.views import Base
from tests.simulation.conftest import MakeWorld

pytestmark = pytest.mark.slow

WORLDS = int(os.environ.get("ACCORD_WORLDS", "24"))
FIRST_SEED = int(os.environ.get("ACCORD_SEED", "1"))


LATE = ("meet_soon", "sleep_over_the_clock", "move_soon", "lengthen")
"""Meetings are moved after their end, and no loan is closed."""


def draw(seed: int, among: tuple[str, ...] = AMONG) -> Schedule:
    return draw_schedule(seed, among=among, steps=30)


def live_calmly(seeds: range, among: tuple[str, ...] = AMONG) -> Iterator[Outcome]:
    """Live through worlds in which nothing fails, one by one as their outcomes are asked for."""
    for seed in seeds:
        calm = replace(draw(seed, among), weather=())
        yield run_schedule(replace(calm, steps=tuple(replace(step, gusts=()) for step in calm.steps)))


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WORLDS))
def test_what_begins_and_ends_keeps_the_promises(seed: int) -> None:
    """Whatever is edited before, while and after a booking takes place, and whatever fails meanwhile."""
    outcome = run_schedule(draw(seed))
    assert outcome.is_kept, outcome


def test_bookings_do_begin_and_end_in_them() -> None:
    """Loans are checked out and closed by the clock, rooms nobody checks in to are given back, and people go on."""
    codes: list[str] = []

    def hear(world: World) -> None:
        codes.extend(code for loan in world.loans for code in world.history(loan.number))

    for seed in range(1, 9):
        run_schedule(draw(seed), at_end=hear)

    assert {"checked_out", "closed", "all_rooms_released", "moved_in_outlook", "changed_in_app"} <= set(codes)


def test_other_worlds_stay_as_they_were() -> None:
    """Such verbs are drawn where a schedule names them, and nowhere else: a seed goes on standing for its world."""
    alone = {name for name in AMONG if BY_NAME[name].weight == 0}

    assert {"meet_soon", "book_soon", "let_minutes_pass", "lengthen"} <= alone
    assert not alone & {step.verb for seed in range(1, 60) for step in draw_schedule(seed).steps}


class TestAPlantedBug:
    """Each is noticed in worlds without any fault, which are kept without it."""

    def test_is_not_there_by_itself(self) -> None:
        assert all(outcome.is_kept for among in (AMONG, LATE) for outcome in live_calmly(range(1, 4), among))

    def test_follows_what_is_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody looks whether a loan is over: its past is written anew."""

        def follow(situation: Situation, loan: Loan, base: Base) -> Plan:
            return plan_merge(situation, loan, base) if loan.blocks else Plan()

        monkeypatch.setattr(plan, "_plan_frozen", follow)

        assert any("P53" in (outcome.broken or "") for outcome in live_calmly(range(1, 7), LATE))

    def test_says_nothing_of_a_meeting_that_leaves_the_past(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A room is taken by a meeting whose loan is over, and nobody hears of it."""
        monkeypatch.setattr(plan, "_plan_frozen", lambda *_given: Plan())

        assert any("I3" in (outcome.broken or "") for outcome in live_calmly(range(1, 13)))


def test_a_meeting_whose_loan_the_clock_has_closed_is_told_when_it_moves_ahead(worlds: MakeWorld) -> None:
    """Found by these worlds: rooms' loans close by themselves, and from then on nobody looked at their meetings."""
    world = worlds()
    event = world.meet(2, 7.25, 7.5, 1, days=0)
    world.settle()
    world.wait(3600.0)
    world.office.desk.run_clock()
    (before,) = world.loans

    world.run(world.person(2).move(event["id"], world.at(9), world.at(10)))
    world.settle()

    (after,) = world.loans
    assert (after.interval, after.status) == (before.interval, before.status)
    assert world.cases() == ["past_loan_frozen"]

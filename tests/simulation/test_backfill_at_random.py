"""Random worlds that were there before the engine: plans are made, applied in part or whole, undone and applied again
while people edit both sides, requests fail and the engine is killed. The promises are those of all worlds.

`python -m engine prove` draws such worlds among the others; `ACCORD_WORLDS=500 ACCORD_SEED=1 pytest
tests/simulation/test_backfill_at_random.py` runs nothing else.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from engine.prove.found import read_schedule, write_schedule
from engine.prove.schedule import draw_schedule, run_schedule
from engine.prove.shrink import Shrinking
from engine.prove.world.store import Databases
from engine.reconcile.backfill.proposal import Proposal, Step

pytestmark = pytest.mark.slow

WORLDS = int(os.environ.get("ACCORD_WORLDS", "10"))
FIRST_SEED = int(os.environ.get("ACCORD_SEED", "1"))


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + WORLDS))
def test_backfills_keep_the_promises_in_any_world(seed: int) -> None:
    """Whatever is imported, taken back and edited: no double booking, nothing doubled, lost or resurrected."""
    outcome = run_schedule(draw_schedule(seed, is_from_before=True))
    assert outcome.is_kept, outcome


def test_they_do_on_postgresql_too(postgresql_url: str) -> None:
    """One of these worlds on the other database."""
    with Databases(postgresql_url) as databases:
        outcome = run_schedule(draw_schedule(FIRST_SEED, is_from_before=True), database=databases.open)
    assert outcome.is_kept, outcome


class TestTheOneVocabulary:
    def test_draws_such_worlds_among_the_others(self) -> None:
        drawn = [draw_schedule(seed) for seed in range(1, 201)]
        from_before = [schedule for schedule in drawn if schedule.before]
        verbs = Counter(step.verb for schedule in from_before for step in schedule.steps)

        assert 20 <= len(from_before) <= 60
        assert verbs["plan_backfill"] > 20
        assert verbs["apply_backfill"] > verbs["undo_backfill"] > 20
        assert not any(schedule.before for schedule in (draw_schedule(seed, is_lasting=True) for seed in range(1, 50)))

    def test_leaves_the_other_worlds_as_they_are(self) -> None:
        """What people did before is drawn last, so that a seed stands for the same edits and faults either way."""
        without, beside = (draw_schedule(5, is_from_before=before) for before in (False, True))

        assert (without.weather, without.rooms, without.people) == (beside.weather, beside.rooms, beside.people)
        assert [step.seed for step in without.steps] == [step.seed for step in beside.steps]
        assert any(step.verb.endswith("_backfill") for step in beside.steps)
        assert not any(step.verb.endswith("_backfill") for step in without.steps)

    def test_notices_a_meeting_that_no_plan_brings_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Planted: whatever is listed is said to have a loan. The last plan says so too, and is not believed."""

        def skip(*_given: object, **_more: object) -> Proposal:
            return Proposal(Step.SKIP, "backfill_has_loan")

        monkeypatch.setattr("engine.database.backfill.scene.classify", skip)
        drawn = (draw_schedule(seed, steps=6, is_from_before=True) for seed in range(1, 4))
        broken = [outcome for outcome in map(run_schedule, drawn) if not outcome.is_kept]
        assert broken

    def test_writes_such_a_world_to_a_file_and_shortens_it(self, tmp_path: Path) -> None:
        drawn = draw_schedule(3, is_from_before=True)
        write_schedule(tmp_path / "kept.json", drawn)
        assert read_schedule(tmp_path / "kept.json") == drawn

        shortest = Shrinking(lambda schedule: bool(schedule.before)).shrink(drawn)
        assert (len(shortest.before), shortest.steps) == (1, ())

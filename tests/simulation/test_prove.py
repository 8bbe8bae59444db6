"""The proving command: schedules are drawn, judged, shortened, written down and lived through again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.main import make_app
from engine.database.rooms.directory import RoomDirectory
from engine.errors import Malformed
from engine.prove import schedule
from engine.prove.campaign import live_through, promise_of, shrink
from engine.prove.found import read_schedule, write_schedule
from engine.prove.judges import invariants
from engine.prove.judges.invariants import Broken
from engine.prove.schedule import OPERATIONS, Outcome, Schedule, draw_schedule, run_schedule
from engine.prove.shrink import Shrinking
from engine.prove.weather import LASTING
from engine.prove.world.world import World
from tests.system.harness import eventually

FOUND = sorted((Path(__file__).parent / "found").glob("*.json"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_once_stays_mended(path: Path) -> None:
    """Each of these schedules broke a promise once."""
    outcome = run_schedule(read_schedule(path))
    assert outcome.is_kept, outcome


class TestASchedule:
    def test_is_the_same_after_it_was_written_and_read(self, tmp_path: Path) -> None:
        drawn = draw_schedule(3)
        write_schedule(tmp_path / "new" / "seed-3.json", drawn)
        assert read_schedule(tmp_path / "new" / "seed-3.json") == drawn

    @pytest.mark.parametrize("text", ["", "{}", "[1]"])
    def test_that_cannot_be_read_says_so(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "seed.json"
        path.write_text(text)
        with pytest.raises(Malformed, match=r"seed\.json holds no schedule"):
            read_schedule(path)

    def test_of_another_time_says_what_is_not_known_any_more(self, tmp_path: Path) -> None:
        drawn = draw_schedule(3)
        write_schedule(tmp_path / "seed.json", replace(drawn, steps=(replace(drawn.steps[0], verb="juggle"),)))
        with pytest.raises(Malformed, match="juggle"):
            read_schedule(tmp_path / "seed.json")


def test_a_world_holds_thirty_operations_or_as_many_as_told() -> None:
    """What finds nothing to do it to is no operation: somebody does something else instead."""
    assert [run_schedule(seed).verbs.total() for seed in (201, 202)] == [OPERATIONS, OPERATIONS]
    assert run_schedule(draw_schedule(201, operations=8)).verbs.total() == 8


class TestShrinking:
    def test_keeps_only_what_it_takes_to_break(self) -> None:
        """Two steps and one fault of a long schedule are to blame: nothing else is left."""
        drawn = draw_schedule(8, steps=30)
        blamed, front = {drawn.steps[4].seed, drawn.steps[21].seed}, drawn.weather[0]

        def is_broken(shorter: Schedule) -> bool:
            return front in shorter.weather and blamed <= {step.seed for step in shorter.steps}

        shortest = Shrinking(is_broken).shrink(drawn)

        assert {step.seed for step in shortest.steps} == blamed
        assert shortest.weather == (front,)
        assert all(set(step.gusts) <= {front.name} for step in shortest.steps)

    def test_gives_up_in_time(self) -> None:
        tried: list[Schedule] = []
        drawn = draw_schedule(8, steps=30)
        assert Shrinking(lambda shorter: bool(tried.append(shorter)), tries_max=5).shrink(drawn) == drawn
        assert len(tried) == 5


def calm(schedule: Schedule) -> Schedule:
    """Return the schedule without weather."""
    return replace(schedule, weather=(), steps=tuple(replace(step, gusts=()) for step in schedule.steps))


@pytest.fixture
def hates_cancelling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a judge for whom a cancelled loan is a broken promise."""

    def judge(world: World, withdrawn: set[int]) -> None:
        invariants.check_always(world, withdrawn)
        if any(not loan.blocks for loan in world.loans):
            raise Broken("I99: a loan was cancelled")

    monkeypatch.setattr(schedule, "check_always", judge)


@pytest.mark.usefixtures("hates_cancelling")
class TestABrokenPromise:
    def find(self) -> Outcome:
        tally = next(tally for tally in live_through(range(1, 40)) if tally.broken)
        return tally.broken[0]

    def test_is_shortened_to_a_few_steps_that_break_it_again(self) -> None:
        verbs = ("book", "move_loan", "meet", "cancel_loan")  # others cancel loans in ways that take some steps
        lived = (run_schedule(calm(draw_schedule(seed, among=verbs))) for seed in range(1, 10))
        outcome = next(outcome for outcome in lived if not outcome.is_kept)
        assert promise_of(outcome) == "I99"

        shortest = shrink(outcome.schedule)

        assert len(shortest.steps) <= 4
        assert promise_of(run_schedule(shortest)) == "I99"

    def test_is_told_written_and_replayed(self, tmp_path: Path) -> None:
        seed = self.find().schedule.seed
        asked = ["prove", "--schedules", "1", "--seed", str(seed), "--no-shrinks", "--found", str(tmp_path)]

        told = CliRunner().invoke(make_app(), asked)
        again = CliRunner().invoke(make_app(), ["prove", "--replay", str(tmp_path / f"seed-{seed}.json")])

        assert told.exit_code == again.exit_code == 1
        assert "I99: a loan was cancelled" in told.output
        assert "--replay" in told.output
        assert f"seed {seed}: I99: a loan was cancelled" in again.output

    def test_tells_each_request_between_what_people_did(self, tmp_path: Path) -> None:
        asked = ["prove", "--schedules", "1", "--seed", str(self.find().schedule.seed), "--no-shrinks"]
        CliRunner().invoke(make_app(), [*asked, "--found", str(tmp_path)])
        (path,) = tmp_path.glob("*.json")

        plain = CliRunner().invoke(make_app(), ["prove", "--replay", str(path)]).output.splitlines()
        full = CliRunner().invoke(make_app(), ["prove", "--replay", str(path), "--requests"]).output.splitlines()

        left = iter(full)
        assert all(line in left for line in plain)  # in this order
        assert sum("/v1.0/users/" in line for line in full) > sum("/v1.0/users/" in line for line in plain)


class TestSomethingThatLastsForEver:
    @pytest.mark.parametrize("lasting", sorted(LASTING))
    def test_leaves_the_rest_to_get_on(self, lasting: str) -> None:
        """I15, I16: no notification ever, a room that is closed for good, half of all requests throttled."""
        outcome = run_schedule(replace(draw_schedule(1), lasting=lasting))
        assert outcome.is_kept, outcome
        assert outcome.struck, "nothing was struck"

    def test_is_noticed_where_the_rest_does_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An engine that reads no room by the timer hears of nothing when no notification comes."""
        monkeypatch.setattr(RoomDirectory, "mark_rooms", lambda self, **options: 0)
        schedules = (replace(draw_schedule(seed), weather=(), lasting="deaf") for seed in range(1, 6))
        broken = [promise_of(run_schedule(each)) for each in schedules]
        assert set(broken) & {"I3", "I6", "I7"}, broken


def test_a_kept_promise_is_counted(tmp_path: Path) -> None:
    told = CliRunner().invoke(make_app(), ["prove", "--schedules", "2", "--coverage", "--found", str(tmp_path)])
    assert told.exit_code == 0, told.output
    assert "2 of 2 schedules, 0 broken" in told.output
    assert "meet" in told.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_several_processes_share_the_seeds_and_leave_nothing_behind(tmp_path: Path) -> None:
    *_, tally = live_through(range(1, 100), jobs=2, url=f"sqlite:///{tmp_path / 'worlds.db'}", seconds_max=0.0)
    assert tally.schedules == 1, "time was up after the first"
    assert tally.broken == []
    assert list(tmp_path.iterdir()) == []


def _check_work_in(folder: Path, *, is_under_way: bool) -> None:
    assert any(folder.iterdir()) is is_under_way


@pytest.mark.slow
def test_processes_end_and_leave_nothing_behind_when_the_one_that_began_them_is_killed(tmp_path: Path) -> None:
    many = ["prove", "--schedules", "100000", "--jobs", "2", "--found", str(tmp_path)]
    command = [sys.executable, "-m", "engine", *many, "--database", f"sqlite:///{tmp_path / 'worlds.db'}"]
    begun = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: _check_work_in(tmp_path, is_under_way=True))
    begun.kill()
    begun.wait()
    eventually(lambda: _check_work_in(tmp_path, is_under_way=False))


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://here/worlds", "no such database as mysql"),
        ("postgresql://nobody@127.0.0.1:1/worlds", "the database does not answer now"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_in_a_line(jobs: str, url: str, said: str, tmp_path: Path) -> None:
    told = CliRunner().invoke(
        make_app(), ["prove", "--schedules", "2", "--jobs", jobs, "--database", url, "--found", str(tmp_path)]
    )
    assert told.exit_code not in (0, 1), told.output
    assert told.stderr.startswith(f"error: {said}")
    assert told.stderr.count("\n") == 1

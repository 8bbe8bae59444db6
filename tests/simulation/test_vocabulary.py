"""What people of the random world do, held against the features they are to try (docs/proof.md)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from engine.graph import calendar, parse, render
from engine.loans.recurrence import Recurrence, Week
from engine.prove.people.verbs import BY_NAME
from engine.prove.schedule import draw_schedule, run_schedule
from engine.rooms.event import Answer
from engine.worker.writes import Writes

PAGE = Path(__file__).parents[2] / "docs" / "proof.md"


def told_features() -> dict[str, list[str]]:
    """Return the verbs that the page tells of each feature."""
    table = PAGE.read_text(encoding="utf-8").partition("| feature | verbs |")[2].partition("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")]
    return {feature.strip(): re.findall(r"`(\w+)`", named) for feature, named in rows}


class TestTheTableOfFeatures:
    def test_names_a_verb_for_each(self) -> None:
        features = told_features()

        assert len(features) > 20
        assert all(features.values()), [feature for feature, named in features.items() if not named]

    def test_names_only_verbs_that_people_know(self) -> None:
        """A verb that vanishes, or is called otherwise, leaves a feature untried."""
        told = {name for named in told_features().values() for name in named}

        assert told <= set(BY_NAME), f"nobody does this any more: {sorted(told - set(BY_NAME))}"

    def test_names_every_verb(self) -> None:
        """A new verb says which feature it tries."""
        told = {name for named in told_features().values() for name in named}

        assert set(BY_NAME) <= told, f"not told: {sorted(set(BY_NAME) - told)}"


def wait_for_an_answer_of_nobody(patch: pytest.MonkeyPatch) -> None:
    """An event without guests waits for the answer of its own organizer."""
    patch.setattr(parse, "_own_answer", lambda item: Answer.NONE if not item.attendees else Answer.ACCEPTED)


def take_drafts_for_meetings(patch: pytest.MonkeyPatch) -> None:
    """Drafts become loans."""
    read = parse.parse_event

    def misread(item: Any) -> Any:
        return replace(read(item), is_draft=False)

    for module in (parse, calendar):
        patch.setattr(module, "parse_event", misread)


def leave_rooms_taken(patch: pytest.MonkeyPatch) -> None:
    """A meeting of nobody of ours stays in its rooms when its loan is cancelled."""

    async def do_nothing(*_given: Any) -> None:
        return None

    patch.setattr(Writes, "_decline_for_rooms", do_nothing)


def take_the_first_of_its_weekday(patch: pytest.MonkeyPatch) -> None:
    """The last Friday of each month is asked for as the first."""
    written = render.render_recurrence

    def misrender(recurrence: Recurrence) -> Any:
        return written(replace(recurrence, week=Week.FIRST) if recurrence.week is not None else recurrence)

    patch.setattr(render, "render_recurrence", misrender)


def take_exceptions_for_plain_dates(patch: pytest.MonkeyPatch) -> None:
    """A date that was moved by itself is taken where its series has it."""
    shown = parse.show_change

    def misread(item: Any) -> Any:
        return None if item.type == "exception" else shown(item)

    patch.setattr(calendar, "show_change", misread)


def forget_times(patch: pytest.MonkeyPatch) -> None:
    """Have times parsed each time: those that recur are kept, and would outlive the bug."""
    patch.setattr(parse, "_shared_times", parse._shared_times.__wrapped__)


def choke_on_odd_times(patch: pytest.MonkeyPatch) -> None:
    """One date that cannot be read stops the reading of its page."""
    forget_times(patch)
    patch.setattr(parse, "_naive", datetime.fromisoformat)


def move_by_odd_times(patch: pytest.MonkeyPatch) -> None:
    """A zone that nobody knows is taken for another one."""
    forget_times(patch)
    patch.setattr(parse, "find_zone", lambda name: timezone(timedelta(hours=5)))


def take_waiting_for_yes(patch: pytest.MonkeyPatch) -> None:
    """A request that waits for a delegate is taken for accepted."""
    patch.setattr(parse, "_ANSWERS", {**parse._ANSWERS, "tentativelyAccepted": Answer.ACCEPTED})


PLANTED: tuple[tuple[Callable[[pytest.MonkeyPatch], None], tuple[str, ...]], ...] = (
    (wait_for_an_answer_of_nobody, ("write_into_room",)),
    (take_drafts_for_meetings, ("write_into_room",)),
    (take_the_first_of_its_weekday, ("book_by_pattern",)),
    (take_exceptions_for_plain_dates, ("meet_by_pattern", "move_date")),
    (choke_on_odd_times, ("garble_times", "meet")),
    (move_by_odd_times, ("garble_times", "meet")),
    (take_waiting_for_yes, ("ask_delegates", "let_hours_pass")),
    (leave_rooms_taken, ("write_into_room", "ask_from_outside", "cancel_loan")),
)
"""Bugs, and what people must do for anybody to notice."""


@pytest.mark.parametrize(("plant", "among"), PLANTED, ids=[plant.__name__ for plant, _ in PLANTED])
def test_what_people_do_is_noticed(
    plant: Callable[[pytest.MonkeyPatch], None], among: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each verb is there for what nobody else would notice: calm worlds of it are kept, and broken by its bug."""
    worlds = [replace(draw_schedule(seed, steps=12, among=among), weather=()) for seed in range(1, 5)]
    calm = [replace(world, steps=tuple(replace(step, gusts=()) for step in world.steps)) for world in worlds]
    assert all(run_schedule(world).is_kept for world in calm[:1])

    plant(monkeypatch)

    assert any(not run_schedule(world).is_kept for world in calm)

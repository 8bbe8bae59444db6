"""The mode `shadow`: a day of random edits on both sides, nothing done about any of them, and all of it told."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from engine.loans.loan import Case, CaseState, Loan
from engine.loans.register import LoanFilter
from engine.prove.people.directory import put_in_order
from engine.prove.people.people import Crowd, parse_instant
from engine.prove.people.staff import THINGS
from engine.prove.people.verbs import VERBS
from engine.prove.world.world import World
from engine.reconcile.words.reasons import LANGUAGES, explain

STEPS = 60
EDITS = [verb for verb in VERBS if verb.name != "set_mode"]
"""What people do, but for leaving the mode that is tried here."""
INTERNAL = ("NewLoan", "LoanEdit", "CreateEvent", "ChangeEvent", "DeleteEvent", "?", "[", "{")
"""What nobody should have to read."""


def all_loans(world: World) -> tuple[Loan, ...]:
    """Return the loans, but for what their rooms are called: names and addresses are the directory's, in every mode."""
    found = world.office.desk.list_loans(LoanFilter(limit=1000))
    return tuple(
        replace(loan, items=tuple(replace(item, name="", address=None) for item in loan.items)) for loan in found
    )


def told(world: World) -> list[Case]:
    """Return every case that nobody's edit closed: the open ones, and those somebody chose to ignore."""
    found = world.office.desk.list_cases(state=None, after=None, limit=10_000)
    return [case for case in found if case.state is not CaseState.CLOSED or case.settlement != "cause_gone"]


def meetings_in_rooms(world: World) -> dict[str, Any]:
    """Return the meetings that a room's calendar shows as accepted. An organizer's copy still says so, too, of a room
    that was released, or set up anew and empty; nobody who reads the rooms hears of those, nor of what lies beyond the
    horizon."""
    answers = world.room_answers()
    return {
        event["iCalUId"]: event
        for event in world.all_events()
        if not event["isCancelled"]
        and "accepted" in answers.get(event["iCalUId"], {}).values()
        and not world.is_beyond(parse_instant(event["start"]))
    }


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 9))])
def test_a_day_of_edits_changes_nothing_and_lists_what_it_would_do(seed: int) -> None:
    """Not one write to Outlook, not one loan made or changed but by the desk; and every loan without its event, every
    meeting without its loan has a case that says in both languages what would have been done, or why not."""
    chance = random.Random(seed)
    world = World(rooms=2, people=3, seed=seed, settings={"ENGINE_SYNC__MODE": "shadow"}).open()
    try:
        world.furnish(THINGS)
        crowd = Crowd(world, chance)
        for _ in range(STEPS):
            verb = chance.choices(EDITS, [each.weight for each in EDITS])[0]
            crowd.act(verb.name, verb.act)
            before = all_loans(world)
            world.wait(chance.choice([1.0, 60.0, 900.0]))
            assert all_loans(world) == before
        put_in_order(world)
        world.heal()

        assert all_loans(world) == before
        assert world.count_writes() == 0
        cases = told(world)
        assert {case.code for case in cases} >= {"shadowed"}
        due = {loan.number for loan in before if loan.blocks and loan.rooms}
        assert due <= {case.loan_number for case in cases}
        assert meetings_in_rooms(world).keys() <= {case.ical_uid for case in cases}
        for case in cases:
            for language in LANGUAGES:
                text = explain(case.code, case.facts, language)
                assert not [word for word in INTERNAL if word in text], text
    finally:
        world.close()

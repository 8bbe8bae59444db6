"""The mode `shadow`: a day of random edits on both sides, nothing done about any of them, and all of it told."""

from __future__ import annotations

import random
from typing import Any

import pytest

from engine.loans.loan import Case, CaseState, Loan
from engine.loans.register import LoanFilter
from engine.prove.people import Crowd
from engine.prove.verbs import draw_verb
from engine.prove.world import World
from engine.reconcile.reasons import LANGUAGES, explain

STEPS = 60
INTERNAL = ("NewLoan", "LoanEdit", "CreateEvent", "ChangeEvent", "DeleteEvent", "?", "[", "{")
"""What nobody should have to read."""


def all_loans(world: World) -> tuple[Loan, ...]:
    return tuple(world.office.desk.list_loans(LoanFilter(limit=1000)))


def told(world: World) -> list[Case]:
    """Return every case that nobody's edit closed: the open ones, and those somebody chose to ignore."""
    found = world.office.desk.list_cases(state=None, after=None, limit=10_000)
    return [case for case in found if case.state is not CaseState.CLOSED or case.settlement != "cause_gone"]


def meetings_in_rooms(world: World) -> dict[str, Any]:
    """Return the meetings to come that some room has accepted."""
    return {
        event["iCalUId"]: event
        for event in world.all_events()
        if not event["isCancelled"]
        and any(
            attendee["status"]["response"] == "accepted" and attendee["emailAddress"]["address"] in world.room_addresses
            for attendee in event["attendees"]
        )
    }


@pytest.mark.parametrize("seed", range(1, 9))
def test_a_day_of_edits_changes_nothing_and_lists_what_it_would_do(seed: int) -> None:
    """Not one write to Outlook, not one loan made or changed but by the desk; and every loan without its event, every
    meeting without its loan has a case that says in both languages what would have been done, or why not."""
    chance = random.Random(seed)
    world = World(rooms=2, people=3, seed=seed, settings={"ENGINE_SYNC__MODE": "shadow"}).open()
    try:
        crowd = Crowd(world, chance)
        for _ in range(STEPS):
            verb = draw_verb(chance)
            crowd.act(verb.name, verb.act)
            before = all_loans(world)
            world.wait(chance.choice([1.0, 60.0, 900.0]))
            assert all_loans(world) == before
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

"""A term that was in the calendars before the engine first ran, brought in, taken back, and brought in again.

A made-up timetable stands for a real one, which `scripts/show-backfill` takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.interval import Interval
from engine.loans.loan import Loan
from engine.prove.world.world import World
from engine.reconcile.backfill.book import Backfill, BackfillState
from engine.reconcile.backfill.proposal import Step
from engine.simulator.timetable import TimetableEvent, load_series, load_timetable, pour, room_address
from tests.simulation.test_backfill import LIST, apply, plan, undo
from tests.simulation.test_series_cost import CLASSES, DATES, HEAD, SERIES

Poured = tuple[World, tuple[TimetableEvent, ...], int]
"""A world whose tenant holds the term, each of its dates, and of how many meetings they are."""


@pytest.fixture(params=["single events", "weekly series"])
def poured(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Poured]:
    """A tenant with a term in it; then the engine meets it for the first time."""
    file = tmp_path / "timetable.csv"
    file.write_text("\n".join((HEAD, *CLASSES)) + "\n")
    world = World(rooms=1, settings=LIST)
    today = world.loop.now().date()
    monday = today + timedelta(days=7 - today.weekday())
    dates = load_timetable(file, 14, monday)
    made = pour(world.tenant, load_series(file, 14, monday) if request.param == "weekly series" else dates)
    world.open()
    yield world, dates, made
    world.close()


def places(loans: tuple[Loan, ...]) -> Counter[tuple[str, object, object]]:
    """Return how many loans each room has at each time."""
    return Counter((str(loan.rooms[0].address), loan.interval.start, loan.interval.end) for loan in loans)


def is_the_term(world: World, dates: tuple[TimetableEvent, ...]) -> bool:
    """Tell whether each date is one loan, and each loan a date."""
    return places(world.live_loans) == Counter((room_address(each.room), each.start, each.end) for each in dates)


def term(world: World) -> Interval:
    return Interval(world.at(0, days=0), world.at(0, days=120))


def planned(world: World) -> Backfill:
    found = plan(world, term(world))
    assert found.by_step == {Step.CREATE: DATES}
    return found


class TestATermFromBefore:
    def test_is_only_shown_at_first(self, poured: Poured) -> None:
        world, _, made = poured
        assert made in (DATES, SERIES)
        assert world.loans == ()

        planned(world)

        assert world.loans == ()
        assert world.office.status.listed_meetings() == DATES

    def test_becomes_a_loan_for_each_date_and_back_and_again(self, poured: Poured) -> None:
        """Preview, apply, undo, apply again: each date one loan, none doubled, and nothing written to Outlook."""
        world, dates, _ = poured
        number = planned(world).number

        assert apply(world, number).state is BackfillState.APPLIED
        assert is_the_term(world, dates)
        undone = undo(world, number)
        assert (undone.state, undone.left, world.loans) == (BackfillState.UNDONE, 0, ())
        apply(world, number)
        assert is_the_term(world, dates)

        world.heal()
        assert is_the_term(world, dates)
        assert {loan.title[:6] for loan in world.loans} == {"Class "}
        assert len(set(world.linked_uids())) == DATES
        assert world.count_writes() == 0

    def test_a_second_plan_finds_nothing_left(self, poured: Poured) -> None:
        world, dates, _ = poured
        apply(world, planned(world).number)

        again = plan(world, term(world))

        assert again.by_step.get(Step.CREATE, 0) == again.by_step.get(Step.LINK, 0) == 0
        apply(world, again.number)
        assert is_the_term(world, dates)

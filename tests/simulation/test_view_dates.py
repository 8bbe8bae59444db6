"""Random people about the edge of the view's dates: nothing beyond comes over, and all of it once the edge is gone."""

from __future__ import annotations

import random

import pytest

from engine.loans.loan import Home, Loan
from engine.prove.judges.invariants import check_always, check_quiet
from engine.prove.people.people import Crowd
from engine.prove.people.verbs import BY_NAME
from engine.prove.schedule import SETTINGS
from engine.prove.world.world import World
from engine.reconcile.dates import Dates, Outside

VERBS = (
    "meet", "meet", "meet", "move_meeting", "reroom_meeting", "cancel_meeting", "meet_daily", "move_series",
    "book", "book", "book", "move_loan", "reroom_loan", "give_loan", "cancel_loan", "book_series", "change_series",
)  # fmt: skip
STEPS = 20
DAYS_AHEAD = 1
"""People book one to three days ahead, so that many bookings lie beyond, and many are moved over the edge."""


def live(seed: int) -> int:
    """Live through one world; return how many loans of the desk lay beyond the dates when they were made."""
    world = World(rooms=2, people=3, seed=seed, settings={**SETTINGS, "ENGINE_VIEW__DAYS_AHEAD": str(DAYS_AHEAD)})
    crowd, chance, withdrawn = Crowd(world, random.Random(seed)), random.Random(seed), set[int]()
    try:
        world.open()
        for _ in range(STEPS):
            verb = chance.choice(VERBS)
            crowd.act(verb, BY_NAME[verb].act)
            world.wait(chance.choice((0.01, 0.3, 1.0, 5.0)))
            check_always(world, withdrawn)
        world.heal()
        crowd.believe_everything()
        world.office.mark_reached()
        world.heal()
        check_edge(world)
        world.kill()
        unlimited = world.settings.view.model_copy(update={"days_ahead": 0})
        world.settings = world.settings.model_copy(update={"view": unlimited})
        world.start()
        world.office.mark_reached()
        world.heal()
        if crowd.believe_everything():
            world.heal()
        check_always(world, withdrawn)
        check_quiet(world, crowd)
        assert world.office.mark_reached() == 0
        return sum("beyond_view" in world.history(loan.number) for loan in world.loans)
    except BaseException:
        print(*crowd.log, *(world.tell(loan) for loan in world.loans), sep="\n")
        raise
    finally:
        world.close()


def check_edge(world: World) -> None:
    """What has come over was inside at some time, and what is inside has come over."""
    dates, now, links = Dates(days_ahead=DAYS_AHEAD), world.loop.now(), world.links()
    for loan in world.live_loans:
        is_beyond = dates.outside(loan.interval, now) is Outside.BEYOND
        if loan.number not in links:
            assert is_beyond, f"loan {loan.number} is inside and has no event"
            assert "beyond_view" in world.history(loan.number)
        elif is_beyond:
            assert was_moved(world, loan), f"loan {loan.number} came over although it lay beyond"


def was_moved(world: World, loan: Loan) -> bool:
    """Tell whether it may have been inside once, or is a date of a series of the desk that begins inside."""
    moves = {"changed_in_app", "moved_in_outlook", "both_changed", "settled_keep_outlook", "settled_keep_loan"}
    return bool(moves & set(world.history(loan.number))) or (loan.home is Home.APP and loan.series is not None)


@pytest.mark.parametrize("seeds", [range(4), range(4, 8), range(8, 12)])
def test_bookings_about_the_edge_come_over_once_it_is_gone(seeds: range) -> None:
    assert sum(live(seed) for seed in seeds) > 0

"""Worlds compared with their twins: `prove --twin` does it with many."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from engine.cli.main import make_app
from engine.loans.status import LoanAction
from engine.prove import twins
from engine.prove.schedule import draw_schedule, run_schedule
from engine.prove.world.store import in_memory
from engine.prove.world.world import World


@pytest.mark.slow
@pytest.mark.parametrize("twin", twins.TWINS)
def test_a_world_and_its_twin_agree(twin: str) -> None:
    told = CliRunner().invoke(make_app(), ["prove", "--schedules", "1", "--seed", "3", "--no-shrinks", "--twin", twin])
    assert told.exit_code == 0, told.output
    assert "1 of 1 schedules, 0 broken" in told.output


@pytest.mark.parametrize("loses", [False, True])
def test_what_was_withdrawn_and_left_its_room_is_known_of_no_more(loses: bool) -> None:
    """Its organizer moves a booking to where its room is taken, which drops it, and the desk cancels it unheard."""
    world = World(rooms=1, people=2).open()
    try:
        world.meet(2, 13, 14, 1)
        loan = world.book(1, 9, 10, 1)
        world.settle()
        event = next(each for each in world.all_events() if each["iCalUId"] == world.links()[loan.number])
        world.tenant.faults.add(effect="lose")
        world.run(world.person(1).move(event["id"], world.at(13), world.at(14)))
        world.wait(5.0)
        world.act(loan, LoanAction.CANCEL)
        world.settle()
        if loses:
            world.lose_delta(1)
        world.heal()

        twins._compare_with_fresh(world, in_memory.open)
    finally:
        world.close()


def test_what_a_room_has_under_another_id_is_known_once() -> None:
    """It was set up anew, and is invited again when its organizer moves the meeting."""
    world = World(rooms=1, people=2).open()
    try:
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.add(effect="lose")
        world.tenant.office.remove_room(world.room_addresses[0])
        world.tenant.office.add_room(world.room_addresses[0], "Room 1")
        world.run(world.person(2).move(event["id"], world.at(13), world.at(14)))
        world.wait(5.0)
        world.office.enqueue("places", "all")
        world.heal()

        twins._compare_with_fresh(world, in_memory.open)
    finally:
        world.close()


def test_a_clock_that_is_set_back_does_not_hold_up_the_end_of_an_event() -> None:
    """Right after its start an engine doubts that an event of its own is gone; not for the day its clock goes back."""
    world = World(rooms=1, people=2).open()
    try:
        loan = world.book(1, 9, 10, 1, days=3)
        world.settle()
        world.skew = twins.BEHIND
        (event,) = world.run(world.person(1).events())
        world.run(world.person(1).delete(event["id"]))
        world.settle()

        assert not world.loan(loan.number).blocks
    finally:
        world.close()


def test_an_unknown_twin_is_refused() -> None:
    told = CliRunner().invoke(make_app(), ["prove", "--twin", "evil"])
    assert told.exit_code == 2
    assert "same, clock, reference" in told.output


def test_a_store_that_knows_less_than_a_new_one_is_noticed() -> None:
    def forget(world: World) -> None:
        with world.database.write() as transaction:
            transaction.connection.execute(text("DELETE FROM room_copy"))
        twins._compare_with_fresh(world, in_memory.open)

    found = run_schedule(draw_schedule(1, among=("meet",)), at_end=forget)
    assert (found.broken or "").startswith("C11"), found.broken


def test_a_schedule_that_goes_another_way_the_second_time_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = World.settle

    def dawdle(world: World, most: float = 3600.0) -> None:
        world.wait(dawdle.__dict__.setdefault("seconds", 0.0))
        dawdle.__dict__["seconds"] += 0.01
        settle(world, most)

    monkeypatch.setattr(World, "settle", dawdle)
    found = twins.live_twice(draw_schedule(1, steps=3, among=("meet",)), database=in_memory.open)
    assert (found.broken or "").startswith("C5"), found.broken

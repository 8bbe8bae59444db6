"""What the judges look at: overlaps, doubled meetings, texts that stand anywhere, work that waits."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from engine.interval import Interval
from engine.prove.judges.invariants import Broken, check_always
from engine.prove.world.glance import Glance, codes_of, find_text, is_work_due, look
from engine.prove.world.virtual import START
from tests.simulation.conftest import MakeWorld


def at(start: float, end: float) -> Interval:
    return Interval(START + timedelta(hours=start), START + timedelta(hours=end))


@pytest.mark.parametrize(
    ("held", "overlap"),
    [
        ([], None),
        ([(1, 10, at(0, 1)), (1, 11, at(1, 2)), (2, 12, at(0, 2))], None),
        ([(1, 10, at(0, 2)), (2, 11, at(1, 3))], None),
        ([(1, 10, at(0, 2)), (1, 11, at(1, 3))], (1, 10, 11)),
        ([(1, 10, at(0, 9)), (1, 11, at(9, 10)), (1, 12, at(9, 11))], (1, 11, 12)),
        ([(1, 10, at(0, 1)), (2, 11, at(0, 9)), (2, 12, at(1, 2))], (2, 11, 12)),
    ],
)
def test_an_overlap_is_two_loans_that_hold_one_item_at_once(
    held: list[tuple[int, int, Interval]], overlap: tuple[int, int, int] | None
) -> None:
    assert Glance({}, tuple(held), ()).find_overlap() == overlap


def test_a_double_booking_that_stands_in_the_tables_is_seen(worlds: MakeWorld) -> None:
    world = worlds(rooms=1)
    first, second = world.book(1, 9.0, 10.0, 1), world.book(2, 10.0, 11.0, 1)
    check_always(world, set())

    with world.database.write() as transaction:
        moved = {"start": "2026-11-24T09:30:00.000000+00:00", "number": second.number}
        transaction.connection.execute(text("UPDATE loan SET start_at = :start WHERE number = :number"), moved)

    with pytest.raises(Broken, match=f"I1: item 1 is held by loans {first.number} and {second.number}"):
        check_always(world, set())


def test_what_nobody_wrote_to_is_not_looked_at_again(worlds: MakeWorld) -> None:
    world = worlds(rooms=1)
    world.book(1, 9.0, 10.0, 1)
    seen = world.look()
    world.office.desk.list_cases(state=None, after=None, limit=1)
    assert world.look() is seen

    world.book(1, 10.0, 11.0, 1)
    assert len(world.look().held) == len(seen.held) + 1


def test_a_loan_that_comes_back_is_seen(worlds: MakeWorld) -> None:
    world = worlds(rooms=1)
    loan = world.book(1, 9.0, 10.0, 1)
    assert look(world.database).blocks == {loan.number: True}
    with pytest.raises(Broken, match="I6"):
        check_always(world, {loan.number})


def test_a_text_is_found_wherever_it_stands(worlds: MakeWorld) -> None:
    world = worlds(rooms=1)
    world.meet(1, 9.0, 10.0, 1, subject="Chess club")
    world.settle()
    assert "loan.title" in find_text(world.database, "Chess club")
    assert {"person.address", "room_copy.payload"} <= set(find_text(world.database, world.people[0]))
    assert find_text(world.database, "Checkers") == []


def test_work_that_waits_is_seen_and_what_is_due_later_is_not(worlds: MakeWorld) -> None:
    world = worlds(rooms=1)
    assert not is_work_due(world.database)
    world.office.enqueue("room", "1", delay=30.0)
    assert not is_work_due(world.database)
    world.office.enqueue("room", "1")
    assert is_work_due(world.database)


def test_a_loan_without_a_case_has_no_codes(worlds: MakeWorld) -> None:
    world = worlds(rooms=1)
    assert codes_of(world.database, world.book(1, 9.0, 10.0, 1).number) == set()

"""The field map at work: what reaches Outlook, what comes back, and that both come to rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.loans.loan import Loan
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.prove.world import World

MAPPED = {
    "ENGINE_FIELDS__TITLE": "#{number} {title} ({requester})",
    "ENGINE_FIELDS__TITLE_BACK": "true",
    "ENGINE_FIELDS__BODY": "title, items, link",
    "ENGINE_FIELDS__CATEGORIES": "{store}",
    "ENGINE_FIELDS__SHOW_AS": "oof",
    "ENGINE_FIELDS__LOCATION": "Ask at {store}",
    "ENGINE_FIELDS__CUSTOM": "Store={store}",
}
Make = Callable[..., World]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[World] = []

    def open_world(**settings: str) -> World:
        made.append(World(rooms=2, people=2, settings=settings).open())
        return made[-1]

    yield open_world
    for world in made:
        world.close()


def event_of(world: World, loan: Loan) -> dict[str, Any]:
    (found,) = world.run(world.person(1).events())
    assert f"#{loan.number}" in found["subject"]
    return found  # type: ignore[no-any-return]


def compare(world: World) -> None:
    """Compare by night: titles alone are noticed then."""
    world.office.mark_comparisons()
    world.settle()


def book(world: World) -> Loan:
    loan = world.book(1, 10, 11, 1)
    world.change(loan.number, LoanChange(title="Tea"))
    world.settle()
    return loan


def test_every_field_reaches_the_event(make: Make) -> None:
    world = make(**MAPPED)
    loan = book(world)

    event = event_of(world, loan)

    assert event["subject"] == f"#{loan.number} Tea (Person 1)"
    assert "<p>Tea</p><ul><li>Room 1</li></ul><p><a " in event["body"]["content"]
    assert event["categories"] == ["Main desk"]
    assert event["showAs"] == "oof"
    assert event["location"]["displayName"] == "Ask at Main desk"
    assert [state.value for state in (item.state for item in world.loan(loan.number).items)] == ["accepted"]


def test_an_own_location_stays_when_rooms_are_swapped(make: Make) -> None:
    world = make(**MAPPED)
    loan = book(world)

    world.change(loan.number, LoanChange(items=(world.item(2),)))
    world.settle()

    assert event_of(world, loan)["location"]["displayName"] == "Ask at Main desk"


def test_a_title_goes_both_ways_and_comes_to_rest(make: Make) -> None:
    """Changed here, changed there, changed on both sides (ours stays): and no write for what is equal."""
    world = make(**MAPPED)
    loan = book(world)

    world.change(loan.number, LoanChange(title="Coffee"))
    world.settle()
    assert event_of(world, loan)["subject"] == f"#{loan.number} Coffee (Person 1)"

    rename(world, loan, f"#{loan.number} Cake (Person 1)")
    compare(world)
    assert world.loan(loan.number).title == "Cake"
    assert "title_changed_in_outlook" in world.history(loan.number)

    rename(world, loan, f"#{loan.number} Biscuits (Person 1)")
    world.change(loan.number, LoanChange(title="Soup"))
    compare(world)
    assert world.loan(loan.number).title == "Soup"
    assert event_of(world, loan)["subject"] == f"#{loan.number} Soup (Person 1)"

    before = world.count_writes()
    compare(world)
    world.heal()
    assert world.count_writes() == before


def test_a_title_of_somebodys_own_is_left_to_them(make: Make) -> None:
    world = make(**MAPPED)
    loan = book(world)
    before = world.count_writes()

    rename(world, loan, f"Cake (#{loan.number})")
    compare(world)

    assert world.loan(loan.number).title == "Tea"
    assert event_of(world, loan)["subject"] == f"Cake (#{loan.number})"
    assert world.count_writes() == before


def test_categories_that_people_add_stay_and_start_no_quarrel(make: Make) -> None:
    world = make(**MAPPED)
    loan = book(world)
    before = world.count_writes()

    world.run(world.person(1).change(event_of(world, loan)["id"], categories=["Main desk", "Mine"]))
    compare(world)

    assert event_of(world, loan)["categories"] == ["Main desk", "Mine"]
    assert world.count_writes() == before


def test_the_defaults_write_what_they_always_wrote(make: Make) -> None:
    """H52-H54; a title alone is not written to Outlook."""
    world = make()
    loan = book(world)

    event = event_of(world, loan)

    assert event["subject"] == f"#{loan.number} Person 1"
    assert (event["categories"], event["showAs"]) == ([], "busy")
    assert event["location"]["displayName"] == "Room 1"
    assert world.count_writes() == 1


@pytest.mark.parametrize(
    "view",
    [{"ENGINE_VIEW__STORES": "Workshop"}, {"ENGINE_VIEW__STATUSES": "out"}, {"ENGINE_VIEW__ROOMS": "Room 2"}],
)
def test_what_is_out_of_view_gets_no_event_and_says_so_once(make: Make, view: dict[str, str]) -> None:
    world = make(**view)
    loan = book(world)
    world.heal()

    assert world.run(world.person(1).events()) == []
    assert world.history(loan.number).count("left_out_of_view") == 1
    assert world.cases() == []


def test_a_status_that_comes_into_view_brings_the_event(make: Make) -> None:
    world = make(ENGINE_VIEW__STATUSES="new", ENGINE_LOANS__APPROVAL="true")
    loan = book(world)
    assert world.run(world.person(1).events()) == []

    world.act(loan, LoanAction.APPROVE)
    world.settle()

    assert event_of(world, loan)["subject"] == f"#{loan.number} Person 1"


def rename(world: World, loan: Loan, subject: str) -> None:
    world.run(world.person(1).change(event_of(world, loan)["id"], subject=subject))
    world.settle()


@pytest.mark.parametrize("effect", ["drop", "drop_after"])
@pytest.mark.parametrize("field", [{"ENGINE_FIELDS__CATEGORIES": "{title}"}, {"ENGINE_FIELDS__BODY": "title, link"}])
def test_a_change_whose_answer_is_lost_arrives(make: Make, effect: str, field: dict[str, str]) -> None:
    """Neither times nor title tell whether a change of text or categories was carried out."""
    world = make(**field)
    loan = book(world)
    world.tenant.faults.add(effect=effect, method="PATCH", times=1)

    world.change(loan.number, LoanChange(title="Coffee"))
    world.wait(60)
    world.settle()

    event = event_of(world, loan)
    assert "Coffee" in (*event["categories"], event["body"]["content"].partition("<p>")[2].partition("</p>")[0])
    before = world.count_writes()
    compare(world)
    assert world.count_writes() == before

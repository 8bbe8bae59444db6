"""The field map at work: what reaches Outlook, what comes back, and that both come to rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.loans.loan import Loan
from engine.loans.recurrence import Repeat, recur
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.prove.people.series import at
from engine.prove.world.world import World
from engine.reconcile.series.book import SeriesOrder

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


def test_what_is_too_far_ahead_comes_over_from_both_sides_once_it_is_near(make: Make) -> None:
    """G13: nothing is written before, and desk and reading go on as ever; the job brings in what time has reached."""
    world = make(ENGINE_VIEW__DAYS_AHEAD="30")
    loan = world.book(1, 10, 11, 1, days=40)
    world.meet(2, 14, 15, 2, days=40)
    near = world.book(1, 10, 11, 1, days=20)
    world.settle()

    assert [event["subject"] for event in world.run(world.person(1).events())] == [f"#{near.number} Person 1"]
    assert len(world.loans) == 2
    assert world.history(loan.number) == ["booked_in_app", "beyond_view"]
    assert why(world, 1) == ["why_held_unasked", "beyond_view"]
    assert why(world, 2) == ["why_meeting_rejected", "beyond_view"]
    assert world.office.mark_reached() == 0
    before = world.count_decisions()
    world.heal()
    assert world.count_decisions() == before

    world.wait(11 * 86400)
    assert world.office.mark_reached() == 2
    world.settle()

    assert len(world.run(world.person(1).events())) == 2
    assert [each.requester.name for each in world.loans] == ["Person 1", "Person 1", "Person 2"]
    assert world.office.mark_reached() == 0
    assert world.cases() == []


def why(world: World, room: int) -> list[str]:
    at = world.at(10.5 if room == 1 else 14.5, days=40)
    return [note.code for note in world.office.why.ask(world.item(room).id, at).notes][:2]


def test_calendars_are_read_as_far_as_the_view_reaches(make: Make) -> None:
    """The window is opened anew each month, so it is opened a month further."""
    assert make(ENGINE_VIEW__DAYS_AHEAD="500").office.rules.horizon.days > 530
    assert make(ENGINE_VIEW__DAYS_AHEAD="30").office.rules.horizon.days == 400


def test_the_room_of_a_meeting_too_far_ahead_is_taken_at_the_desk(make: Make) -> None:
    world = make(ENGINE_VIEW__DAYS_AHEAD="30")
    world.meet(2, 14, 15, 2, days=40)
    world.settle()

    with pytest.raises(Unavailable):
        world.book(1, 14, 15, 2, days=40)


@pytest.mark.slow
def test_a_series_is_written_by_its_first_date_and_then_as_a_whole(make: Make) -> None:
    world = make(ENGINE_VIEW__DAYS_AHEAD="30")
    near = book_series(world, first=25)
    far = book_series(world, first=31)
    world.settle()

    assert {len(world.dates(1, event["id"])) for event in world.run(world.person(1).events())} == {3}
    assert all("beyond_view" not in world.history(number) for number in near)
    assert all("beyond_view" in world.history(number) for number in far)

    world.wait(25 * 86400)
    assert world.office.mark_reached() == 3
    world.settle()

    subjects = {event["subject"] for event in world.all_events()}
    assert {f"#{number} Person 1" for number in far} <= subjects


def book_series(world: World, *, first: int) -> list[int]:
    """Book a weekly series of three dates whose first lies *first* days ahead; return its loans' numbers."""
    day = world.at(0, days=first).date()
    recurrence = recur(Repeat.WEEKLY, at(day, 9), at(day, 10), "Europe/Paris", count=3)
    order = SeriesOrder(world.requester(1), recurrence, (world.item(1 if first < 30 else 2),))
    return [loan.number for loan in world.office.series.book(order, actor="app:test").loans]


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

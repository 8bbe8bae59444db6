"""
Every pair of changes, one on each side, times what is valid, times what the rooms have answered.

`test_small_worlds.py` tries every value of every field; here are the ends of bookings and the answers of rooms, which
it leaves alone. One look must bring both sides to the same, and no side is favoured but by being home.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from itertools import product

from engine.ids import BookableId
from engine.loans.loan import Home
from engine.loans.status import ItemState, LoanStatus
from engine.reconcile.actions import Plan
from tests.unit.reconcile.building import (
    AFTERNOON,
    BOB,
    CARA,
    GONE,
    NOON,
    ONE,
    THREE,
    TWO,
    make_base,
    make_loan,
    make_meeting,
)
from tests.unit.reconcile.model import World

ROOMS = frozenset({ONE, TWO})
OTHER_HOME = {Home.OUTLOOK: Home.APP, Home.APP: Home.OUTLOOK}


class Change(Enum):
    """What one side did since both agreed."""

    NOTHING = "nothing"
    MOVED = "moved to noon"
    MOVED_ELSEWHERE = "moved to the afternoon"
    ANOTHER_ROOM = "room three for room two"
    FEWER_ROOMS = "without room two"
    GIVEN_AWAY = "given to somebody else"
    ENDED = "cancelled"


class Taken(Enum):
    """Which rooms somebody else holds."""

    NONE = frozenset[BookableId]()
    THE_NEW_ONE = frozenset({THREE})
    THE_OLD_ONES = frozenset({ONE, TWO})
    ALL = frozenset({ONE, TWO, THREE})


ANSWERS = tuple(product((ItemState.ACCEPTED, ItemState.REQUESTED, ItemState.DECLINED), repeat=2))
"""Of rooms one and two."""


@dataclass(frozen=True)
class Case:
    """One small world."""

    home: Home
    outlook: Change
    app: Change
    taken: Taken
    answers: tuple[ItemState, ItemState]

    @property
    def world(self) -> World:
        answers = dict(zip((ONE, TWO), self.answers, strict=True))
        meeting = make_meeting(answers=answers)
        world = World(meeting, make_loan(home=self.home, rooms=ROOMS), make_base(rooms=ROOMS))
        world = _in_outlook(_in_app(world, self.app), self.outlook)
        return replace(world, clashing=self.taken.value)

    @property
    def mirrored(self) -> Case:
        return replace(self, home=OTHER_HOME[self.home], outlook=self.app, app=self.outlook)


def _in_app(world: World, change: Change) -> World:
    match change:
        case Change.MOVED:
            return world.edit_loan(interval=NOON)
        case Change.MOVED_ELSEWHERE:
            return world.edit_loan(interval=AFTERNOON)
        case Change.ANOTHER_ROOM:
            return world.edit_loan(rooms={ONE, THREE})
        case Change.FEWER_ROOMS:
            return world.edit_loan(rooms={ONE})
        case Change.GIVEN_AWAY:
            return world.edit_loan(requester=BOB)
        case Change.ENDED:
            assert world.loan is not None
            items = tuple(replace(item, state=ItemState.CANCELLED) for item in world.loan.items)
            return replace(world, loan=replace(world.loan, status=LoanStatus.CANCELLED, items=items))
    return world


def _in_outlook(world: World, change: Change) -> World:
    match change:
        case Change.MOVED:
            return world.edit_meeting(interval=NOON)
        case Change.MOVED_ELSEWHERE:
            return world.edit_meeting(interval=AFTERNOON)
        case Change.ANOTHER_ROOM:
            return world.edit_meeting(rooms={ONE, THREE})
        case Change.FEWER_ROOMS:
            return world.edit_meeting(rooms={ONE})
        case Change.GIVEN_AWAY:
            return world.edit_meeting(organizer=CARA)
        case Change.ENDED:
            return replace(world, meeting=GONE)
    return world


@dataclass(frozen=True)
class Told:
    case: Case
    made: Plan
    after: World


def _tell(case: Case) -> Told:
    world = case.world
    made = world.plan()
    return Told(case, made, world.carry_out(made))


@cache
def every_told() -> tuple[Told, ...]:
    return tuple(_tell(Case(*each)) for each in product(Home, Change, Change, Taken, ANSWERS))


def is_over(world: World) -> bool:
    """Tell whether the loan has ended."""
    assert world.loan is not None
    return world.loan.status is not LoanStatus.NEW


def may_agree_on(world: World) -> frozenset[BookableId]:
    """Return the rooms the meeting has and may go on having: those that have not declined."""
    return frozenset(room for room, answer in world.meeting.answers.items() if answer is not ItemState.DECLINED)


def has_no_willing_room(told: Told) -> bool:
    """Tell whether one side left the booking nothing but a room that has declined: it takes a second look to end it."""
    return not is_over(told.after) and not may_agree_on(told.after)


def settled(told: Told) -> World:
    """Return the world after the second look, where one is due."""
    return told.after.carry_out(told.after.plan()) if has_no_willing_room(told) else told.after


def test_is_every_pair() -> None:
    """Nothing is left out by accident; a second look is due in one world of eighty."""
    assert len(every_told()) == 2 * 7 * 7 * 4 * 9 == 3528
    assert sum(map(has_no_willing_room, every_told())) == 44


def test_one_look_is_enough() -> None:
    """Looking again after carrying out finds nothing to do, or ends what no room is left of."""
    for told in every_told():
        assert told.after.rests is not has_no_willing_room(told), told
        assert settled(told).rests, told


def test_both_sides_say_the_same() -> None:
    """Times, people and rooms are equal, but for rooms that left the loan because others hold them; or all is over."""
    for told in every_told():
        world = settled(told)
        assert world.loan is not None
        if is_over(world):
            assert not world.linked, told
            continue
        assert world.meeting.interval == world.loan.interval, told
        assert world.meeting.organizer is not None
        assert world.meeting.organizer.address == world.loan.requester.address, told
        held = {item.id for item in world.loan.held_items}
        assert held, told
        assert held <= may_agree_on(world), told
        assert may_agree_on(world) - held <= told.case.taken.value, told


def test_an_end_on_either_side_is_the_end() -> None:
    """Whatever the other side changed meanwhile, wherever the booking was born, whatever its rooms say (I6)."""
    for told in every_told():
        if Change.ENDED in (told.case.outlook, told.case.app):
            assert is_over(told.after), told
            assert not told.after.linked, told
            still = [room for room, answer in told.after.meeting.answers.items() if answer is not ItemState.DECLINED]
            assert told.after.meeting == GONE or (told.case.home is Home.OUTLOOK and not still), told


def test_with_swapped_sides_both_agree_on_the_same() -> None:
    """No side is favoured but by being home. Organizers cannot change in Outlook, and only Outlook's rooms answer."""
    compared = 0
    for told in every_told():
        case = told.case
        if Change.GIVEN_AWAY in (case.outlook, case.app) or case.taken is not Taken.NONE:
            continue
        if ItemState.DECLINED in case.answers:
            continue
        compared += 1
        here, there = told.after, _tell(case.mirrored).after
        assert is_over(here) is is_over(there), told
        if is_over(here):
            continue
        assert here.loan is not None
        assert there.loan is not None
        assert here.loan.interval == there.loan.interval, told
        assert {item.id for item in here.loan.held_items} == {item.id for item in there.loan.held_items}, told
    assert compared == 2 * 6 * 6 * 4


def test_nothing_is_said_of_a_disagreement_where_one_side_did_nothing() -> None:
    """No false alarm, whatever the rooms answer."""
    for told in every_told():
        if Change.NOTHING in (told.case.outlook, told.case.app):
            assert not [note for note in told.made.conflicts if note.code == "both_changed"], told

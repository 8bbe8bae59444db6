"""
Every small world there is: one meeting, its loan, and every way in which either side may have changed since.

A base in the morning for Anna with rooms one and two; either side may have moved it, given it to somebody else and
chosen other rooms; born here or there; rooms taken by others; allowed to write or not. What must hold, holds for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

import pytest

from engine.ids import Address, BookableId
from engine.interval import Interval
from engine.loans.loan import Home, Requester
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.reconcile.actions import ChangeEvent, CreateEvent, DeleteEvent, LoanEdit, Note, Plan
from engine.reconcile.told import tell_writes
from engine.reconcile.words.reasons import REASONS, name_items
from tests.unit.reconcile.building import (
    AFTERNOON,
    ANNA,
    BOB,
    CARA,
    MORNING,
    NOON,
    ONE,
    THREE,
    TWO,
    make_base,
    make_loan,
    make_meeting,
    powerset,
)
from tests.unit.reconcile.model import World, ends

OTHER_HOME = {Home.OUTLOOK: Home.APP, Home.APP: Home.OUTLOOK}
AGREED = frozenset({ONE, TWO})
ROOMS = tuple(powerset((ONE, TWO, THREE)))


def _is_first(rooms: tuple[frozenset[BookableId], ...]) -> bool:
    """Whether *rooms* come before the same with one and two swapped: being alike, each stands for both."""
    swapped = {ONE: TWO, TWO: ONE, THREE: THREE}
    return [sorted(some) for some in rooms] <= [sorted(swapped[room] for room in some) for some in rooms]


# what became of a field on either side: in Outlook, in the app
TIMES = ((MORNING, MORNING), (NOON, MORNING), (MORNING, NOON), (NOON, NOON), (NOON, AFTERNOON))
PEOPLE = ((ANNA, ANNA), (BOB, ANNA), (ANNA, BOB), (BOB, BOB), (BOB, CARA))


@dataclass(frozen=True)
class Case:
    """One small world, told by what became of it on either side."""

    home: Home
    times: tuple[Interval, Interval] = (MORNING, MORNING)
    rooms: tuple[frozenset[BookableId], frozenset[BookableId]] = (AGREED, AGREED)
    people: tuple[Address, Address] = (ANNA, ANNA)
    taken: frozenset[BookableId] = frozenset()
    may_write: bool = True

    @property
    def world(self) -> World:
        start = World(make_meeting(answers=AGREED), make_loan(home=self.home, rooms=AGREED), make_base(rooms=AGREED))
        edited = start.edit_meeting(
            interval=self.times[0] if self.times[0] != MORNING else None, rooms=self.rooms[0], organizer=self.people[0]
        ).edit_loan(interval=self.times[1], rooms=self.rooms[1], requester=self.people[1])
        return replace(edited, clashing=self.taken, may_write=self.may_write)

    @property
    def outlook_touched(self) -> bool:
        return (self.times[0], self.rooms[0], self.people[0]) != (MORNING, AGREED, ANNA)

    @property
    def app_touched(self) -> bool:
        return (self.times[1], self.rooms[1], self.people[1]) != (MORNING, AGREED, ANNA)

    @property
    def contested(self) -> dict[str, str]:
        """The fields both sides changed otherwise, or that exclude each other: with who wins."""
        winner = "outlook" if self.home is Home.OUTLOOK else "app"
        pairs = {"interval": (MORNING, self.times), "rooms": (AGREED, self.rooms), "requester": (ANNA, self.people)}
        found = {
            name
            for name, (agreed, (there, here)) in pairs.items()
            if there != here and there != agreed and here != agreed
        }
        return dict.fromkeys(found | self._excluded, winner)

    @property
    def _excluded(self) -> frozenset[str]:
        """The field that only the other side than the home's changed, where every room is taken if both are to hold."""
        mine, other = (0, 1) if self.home is Home.OUTLOOK else (1, 0)
        values = {"interval": (MORNING, self.times), "rooms": (AGREED, self.rooms)}
        homes = {name for name, (agreed, said) in values.items() if said[mine] != agreed and said[0] != said[1]}
        others = {name for name, (agreed, said) in values.items() if said[other] != agreed and said[mine] == agreed}
        if not homes or not others:
            return frozenset()
        time, rooms = (said[other if name in others else mine] for name, (_, said) in values.items())
        asked = rooms if time != self.times[1] else rooms - self.rooms[1]
        return frozenset(others) if asked & self.taken and rooms <= asked & self.taken else frozenset()

    @property
    def mirrored(self) -> Case:
        return replace(
            self,
            home=OTHER_HOME[self.home],
            times=(self.times[1], self.times[0]),
            rooms=(self.rooms[1], self.rooms[0]),
            people=(self.people[1], self.people[0]),
        )


@dataclass(frozen=True)
class Told:
    """A small world, what is planned for it, and what it is like when the plan was carried out."""

    case: Case
    world: World
    made: Plan
    after: World


@cache
def every_told() -> tuple[Told, ...]:
    """Every small world: all fields, all rooms that may be taken, the mode that writes nothing."""
    changed = tuple(product(Home, TIMES, filter(_is_first, product(ROOMS, ROOMS))))
    free = [Case(*fields, people) for fields, people in product(changed, PEOPLE)]
    taken = [
        Case(home, times, (there, here), taken=taken)
        for home, times, (there, here, taken) in product(Home, TIMES, filter(_is_first, product(ROOMS, repeat=3)))
        if taken
    ]
    silent = [Case(*fields, people, may_write=False) for fields, people in product(changed, PEOPLE[::2])]
    return tuple(_tell(case) for case in (*free, *taken, *silent))


def _tell(case: Case) -> Told:
    world = case.world
    made = world.plan()
    return Told(case, world, made, world.carry_out(made))


def every_case() -> Iterator[tuple[Case, World, Plan]]:
    return ((told.case, told.world, told.made) for told in every_told())


def writing() -> Iterator[tuple[Case, Plan, World]]:
    return ((told.case, told.made, told.after) for told in every_told() if told.case.may_write)


def withheld() -> Iterator[tuple[Case, Plan, World]]:
    return ((told.case, told.made, told.after) for told in every_told() if not told.case.may_write)


def conflicts(made: Plan, code: str = "both_changed") -> dict[str, Note]:
    return {str(note.facts["field"]): note for note in made.conflicts if note.code == code}


def edit_of(made: Plan) -> LoanEdit:
    assert made.loan is None or isinstance(made.loan, LoanEdit)
    return made.loan or LoanEdit()


class TestEverySmallWorld:
    def test_is_many(self) -> None:
        """Nothing is left out by accident: the count is what the product of all changes says."""
        assert len(every_told()) == 2 * 5 * (40 * 5 + (288 - 40) + 40 * 3)

    def test_that_nobody_touched_rests(self) -> None:
        """Unchanged on both sides: nothing is done, said or remembered."""
        still = [(case, made) for case, _, made in every_case() if not case.outlook_touched and not case.app_touched]

        assert len(still) == 2 * (1 + 5 + 1)
        for case, made in still:
            assert made == Plan(), case

    def test_never_writes_to_an_untouched_outlook_side_of_its_own_accord(self) -> None:
        """What nobody changed in the app is never written to Outlook; only an ended loan takes its event along."""
        for case, _, made in every_case():
            if case.app_touched:
                continue
            assert not any(isinstance(write, ChangeEvent | CreateEvent) for write in made.writes), case
            if DeleteEvent() in made.writes:
                assert case.home is Home.APP, case
                assert edit_of(made).action is LoanAction.REFUSE, case

    def test_never_edits_the_loan_when_outlook_did_not_change(self) -> None:
        """The loan takes over answers of its rooms, and gets an organizer back that cannot change: nothing else."""
        for case, world, made in every_case():
            if case.outlook_touched:
                continue
            edit = edit_of(made)
            assert world.loan is not None
            rooms = {item.id for item in world.loan.rooms}
            assert edit.interval is None, case
            assert edit.action is None, case
            assert edit.states.keys() <= rooms, case
            assert ItemState.CANCELLED not in edit.states.values(), case
            assert edit.requester is None or case.home is Home.OUTLOOK, case

    def test_never_repeats_to_outlook_what_it_says_already(self) -> None:
        """Each write mails people: equal values are never sent."""
        for case, world, made in every_case():
            for write in made.writes:
                if not isinstance(write, ChangeEvent):
                    continue
                there = frozenset(world.meeting.answers)
                assert write != ChangeEvent(), case
                assert write.interval != world.meeting.interval, case
                assert not write.add_rooms & there, case
                assert write.drop_rooms <= there, case

    def test_writes_one_thing_at_most(self) -> None:
        """One edit, a bounded number of writes: one change, or one deletion, or a deletion and a creation."""
        shapes = {tuple(type(write).__name__ for write in made.writes) for _, _, made in every_case()}

        assert shapes <= {(), ("ChangeEvent",), ("DeleteEvent",), ("DeleteEvent", "CreateEvent")}

    def test_tells_only_what_there_are_words_for(self) -> None:
        """Every note, case and conflict has its sentence."""
        for _, _, made in every_case():
            for note in (*made.notes, *made.cases, *made.conflicts):
                assert note.code in REASONS, note


class TestWhatBothSidesChanged:
    def test_leaves_exactly_one_conflict_per_field_with_the_losers_value(self) -> None:
        """The home side wins; what the other side said is kept for a person to see."""
        for case, _, made in every_case():
            if (ends(made) and not conflicts(made)) or _parts_with_its_rooms(case):
                continue  # over: there is nothing left to disagree about
            counted = Counter(note.facts["field"] for note in made.conflicts if note.code == "both_changed")
            assert set(counted) == set(case.contested), case
            assert set(counted.values()) <= {1}, case
            for name, note in conflicts(made).items():
                assert note.facts["winner"] == case.contested[name], case

    def test_keeps_the_very_value_that_lost(self) -> None:
        """Times, rooms and people as they are told to people."""
        said = {
            MORNING: "2026-11-23 09:00 - 2026-11-23 10:00",
            NOON: "2026-11-23 12:00 - 2026-11-23 13:00",
            AFTERNOON: "2026-11-23 15:00 - 2026-11-23 16:00",
        }
        for case, _, made in every_case():
            here_wins = case.home is Home.APP
            for name, note in conflicts(made).items():
                there, here = {
                    "interval": tuple(said.get(time) for time in case.times),
                    "requester": case.people,
                    "rooms": tuple(_names(rooms) for rooms in case.rooms),
                }[name]
                facts = name_items(note.facts, lambda room: f"room {room}")
                kept, lost = str(facts["kept"]).casefold(), str(facts["lost"]).casefold()
                assert (kept, lost) == ((here, there) if here_wins else (there, here)), case

    def test_never_conflicts_where_only_one_side_changed(self) -> None:
        """No false alarm: what one side did alone, or both did alike, is agreed on in silence."""
        for case, _, made in every_case():
            assert conflicts(made).keys() <= case.contested.keys(), case

    def test_of_an_organizer_is_told_when_it_cannot_be_done(self) -> None:
        """A meeting made in Outlook keeps its organizer; the app's wish becomes a conflict."""
        for case, _, made in every_case():
            told = conflicts(made, "organizer_cannot_change")
            wished = case.people == (ANNA, BOB) and case.home is Home.OUTLOOK
            if wished and not ends(made):
                assert told["requester"].facts["lost"] == BOB, case
                assert edit_of(made).requester == Requester(ANNA, "Anna"), case
            assert wished or not told, case


def _names(rooms: frozenset[BookableId]) -> str:
    return ", ".join(f"room {room}" for room in sorted(rooms)) or "-"


class TestCarriedOut:
    def test_once_it_rests(self) -> None:
        """One pass is enough: planning again after carrying out finds nothing to do."""
        for case, made, after in writing():
            if _parts_with_its_rooms(case):
                continue
            assert after.rests, (case, made, after.plan())

    def test_both_sides_say_the_same(self) -> None:
        """Times, people and rooms agree, but for rooms that left the loan because they were taken."""
        for case, made, after in writing():
            if ends(made) or not after.linked or _parts_with_its_rooms(case):
                continue
            assert after.loan is not None
            assert after.base is not None
            assert after.meeting.interval == after.loan.interval, case
            assert after.meeting.organizer is not None
            assert after.meeting.organizer.address == after.loan.requester.address, case
            here = {item.id for item in after.loan.rooms}
            there = set(after.meeting.answers)
            assert here <= there, case
            assert there - here <= case.taken, case
            assert after.base.outlook.rooms == there, case
            assert after.base.loan.rooms == here, case
            assert after.base.outlook.interval == after.base.loan.interval == after.loan.interval, case

    def test_nothing_is_there_that_nobody_wanted(self) -> None:
        """No value is invented: times, people and rooms come from one of the sides."""
        for case, _made, after in writing():
            assert after.loan is not None
            assert after.loan.interval in case.times, case
            assert after.loan.requester.address in case.people, case
            assert {item.id for item in after.loan.rooms} <= case.rooms[0] | case.rooms[1], case

    def test_no_edit_is_lost_without_a_word(self) -> None:
        """Whatever a side changed is there afterwards, or stands in a conflict, or the booking is over."""
        for case, made, after in writing():
            if ends(made) or not after.linked:
                continue
            assert after.loan is not None
            told = {*conflicts(made), *conflicts(made, "organizer_cannot_change")}
            rooms = {item.id for item in after.loan.rooms} | case.taken
            for side in (0, 1):
                if case.times[side] != MORNING:
                    assert after.loan.interval == case.times[side] or "interval" in told, case
                if case.people[side] != ANNA:
                    assert after.loan.requester.address == case.people[side] or "requester" in told, case
                if case.rooms[side] != AGREED and "rooms" not in told:
                    assert rooms == case.rooms[side] | case.taken, case

    def test_a_taken_room_is_never_held(self) -> None:
        """What the loan gains, by a new room or a new time, is free; a room that is not leaves the loan (H47)."""
        for case, _made, after in writing():
            asked = case.world.loan
            assert asked is not None
            assert after.loan is not None
            before = {item.id for item in asked.held_items}
            held = {item.id for item in after.loan.held_items}
            gained = held if after.loan.interval not in (case.times[1],) else held - before
            assert not gained & case.taken, case

    def test_a_room_dropped_as_taken_is_told_once_and_not_asked_for(self) -> None:
        """Each dropped room leaves one conflict, and is not added to the event in the same breath."""
        for case, made, _after in writing():
            dropped = Counter(note.room_id for note in made.conflicts if note.code == "item_unavailable")
            assert set(dropped.values()) <= {1}, case
            assert set(dropped) <= case.taken, case
            for write in made.writes:
                if isinstance(write, ChangeEvent):
                    assert not write.add_rooms & set(dropped), case

    def test_with_swapped_sides_both_agree_on_the_same(self) -> None:
        """No side is favoured but by being home: in the mirrored world the same times and rooms are agreed on."""
        for case, _made, after in writing():
            if case.taken or case.people != (ANNA, ANNA) or not all(case.rooms):
                continue
            here, there = after, _tell(case.mirrored).after
            assert here.base is not None
            assert there.base is not None
            assert here.base.loan.interval == there.base.outlook.interval, case
            assert here.base.loan.rooms == there.base.outlook.rooms, case
            assert here.base.outlook.rooms == there.base.loan.rooms, case

    def test_without_any_room_left_the_booking_is_over(self) -> None:
        """Outlook took the last room away: a loan born there is cancelled, one born here refused, its event deleted."""
        for case, made, after in writing():
            if case.rooms[0] or case.rooms[1] - AGREED or case.times[1] != MORNING or not case.rooms[1]:
                continue
            assert after.loan is not None
            assert not after.linked, case
            if case.home is Home.OUTLOOK:
                assert (after.loan.status, made.writes) == (LoanStatus.CANCELLED, ()), case
            else:
                assert (after.loan.status, made.writes) == (LoanStatus.REFUSED, (DeleteEvent(),)), case

    def test_an_ended_booking_says_so_and_nothing_else_of_its_event(self) -> None:
        """The history tells of the deletion when there is one, and never of a change that is not made."""
        told_of = {"ChangeEvent": "event_changed", "DeleteEvent": "event_deleted"}
        replaced = ["former_event_deleted", "event_replaced"]
        for case, _, made in every_case():
            written = [type(write).__name__ for write in made.writes]
            codes = [note.code for note in tell_writes(made.writes)]
            expected = [told_of[each] for each in written] if len(written) < 2 else replaced
            assert codes == expected, case
            assert not {note.code for note in made.notes} & {*expected}, "told when it is done, not before"

    def test_a_loan_always_holds_a_room_or_is_over(self) -> None:
        """A loan that lost its last room does not stay behind as an empty shell."""
        for case, _made, after in writing():
            if not case.rooms[1]:
                continue
            assert after.loan is not None
            assert bool(after.loan.held_items) == (after.loan.status is LoanStatus.NEW), case


def _parts_with_its_rooms(case: Case) -> bool:
    """A loan from which the app took every room: it has nothing to do with Outlook any more, in a second pass."""
    return not case.rooms[1]


class TestInAModeThatWritesNothing:
    def test_nothing_is_written_and_a_case_says_what(self) -> None:
        """The writes are taken out; what stays undone is told."""
        for case, made, _after in withheld():
            writes = _tell(replace(case, may_write=True)).made.writes
            told = [note for note in made.cases if note.code == "write_withheld"]
            assert made.writes == (), case
            assert made.base_after is None, case
            assert bool(told) == bool(writes), case

    def test_the_loan_follows_outlook_all_the_same(self) -> None:
        """Outlook to the app goes on: the loan's side of the plan is the same."""
        for case, made, _after in withheld():
            assert made.loan == _tell(replace(case, may_write=True)).made.loan, case

    def test_another_pass_edits_nothing_more(self) -> None:
        """What waits to be written waits quietly: the loan is not touched again, the case stays the same."""
        for case, _made, after in withheld():
            if _parts_with_its_rooms(case):
                continue
            again = after.plan()
            assert again.loan is None, (case, again)
            assert after.carry_out(again) == after, case

    def test_allowed_to_write_again_it_catches_up(self) -> None:
        """Nothing was forgotten meanwhile: one pass, and both agree."""
        for case, _made, after in withheld():
            if _parts_with_its_rooms(case):
                continue
            allowed = replace(after, may_write=True)
            settled = allowed.carry_out(allowed.plan())
            assert settled.rests, case


@pytest.mark.parametrize("home", Home)
class TestALoanWithoutRooms:
    def test_lets_go_of_its_meeting(self, home: Home) -> None:
        """Every room taken out in the app: its own event is deleted; a person's meeting merely loses the rooms."""
        case = Case(home, rooms=(AGREED, frozenset()))

        made = case.world.plan()

        if home is Home.APP:
            assert (made.writes, made.end_link) == ((DeleteEvent(),), True)
        else:
            assert made.writes == (ChangeEvent(drop_rooms=AGREED),)

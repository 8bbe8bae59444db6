"""This date, this and the following, all: several dates of a series changed at once in the app."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine.errors import NotAllowed, Unavailable
from engine.interval import Interval
from engine.loans.recurrence_words import say_day, say_recurrence
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.prove.people.people import parse_instant
from engine.prove.people.series import at, book_series, recurrence, starts
from engine.prove.world.world import World
from engine.reconcile.series.book import DateChoice, Scope
from tests.simulation.conftest import MakeWorld
from tests.simulation.test_app_series import WEEK, book, first_day, masters, shown, states, utc
from tests.simulation.test_app_to_outlook import Interloper
from tests.simulation.test_request_counts import PUNCTUAL


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=3, tenant=PUNCTUAL)


def settle(world: World) -> int:
    """Let everything arrive; return how many writes that took."""
    before = world.count_writes()
    world.settle()
    world.heal()
    return world.count_writes() - before


def to(day: date, hour: float) -> LoanChange:
    return LoanChange(start=at(day, hour), end=at(day, hour + 1))


class TestAll:
    def test_moved_to_another_hour_is_one_write(self, world: World) -> None:
        made = book(world)
        world.settle()

        world.office.series.change(made.loans[2].number, to(first_day(world) + 2 * WEEK, 14), Scope.ALL, actor="app:t")

        assert settle(world) == 1
        assert shown(world) == utc(world, 14, 14, 14, 14)
        now = world.office.series.find(made.id).recurrence
        assert now is not None
        assert now.start.hour == 14
        assert starts(world.live_loans) == [at(first_day(world) + number * WEEK, 14) for number in range(4)]
        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans]
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert world.cases() == []

    def test_taken_to_another_room_is_one_write(self, world: World) -> None:
        made = book(world)
        world.settle()

        world.office.series.change(made.loans[0].number, LoanChange(items=(world.item(2),)), Scope.ALL, actor="app:t")

        assert settle(world) == 1
        assert {loan.rooms[0].name for loan in world.live_loans} == {"Room 2"}
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert len(masters(world)) == 1

    def test_taken_out_of_a_room_that_has_another_address_by_now_is_one_write(self, world: World) -> None:
        """The series invites the room by its former address.

        It stayed there, and came back into every loan."""
        made = book(world, 1, 2)
        world.settle()
        world.readdress(2, "salon@example.org")
        world.office.enqueue("places", "all")
        world.settle()

        world.office.series.change(made.loans[0].number, LoanChange(items=(world.item(1),)), Scope.ALL, actor="app:t")

        assert settle(world) == 1
        assert {item.name for loan in world.live_loans for item in loan.held_items} == {"Room 1"}
        (master,) = masters(world)
        assert [each["emailAddress"]["address"] for each in master["attendees"]] == ["room-1@example.org"]

    def test_cancelled_is_one_write(self, world: World) -> None:
        made = book(world)
        world.settle()

        world.office.series.cancel(made.loans[3].number, Scope.ALL, actor="app:t")

        assert settle(world) == 1
        assert world.live_loans == ()
        assert masters(world) == []

    def test_moved_to_another_day(self, world: World) -> None:
        made = book(world)
        world.settle()
        day = first_day(world) + timedelta(days=1)

        world.office.series.change(made.loans[0].number, to(day, 10), Scope.ALL, actor="app:t")

        assert settle(world) == 2
        assert starts(world.live_loans) == [at(day + number * WEEK, 10) for number in range(4)]
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert len(masters(world)) == 1

    def test_given_to_somebody_else(self, world: World) -> None:
        made = book(world)
        world.settle()

        change = LoanChange(requester=world.requester(3))
        world.office.series.change(made.loans[0].number, change, Scope.ALL, actor="app:t")

        assert settle(world) == 2
        assert (masters(world, 2), len(masters(world, 3))) == ([], 1)
        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans]

    @pytest.mark.parametrize("first", [0, 2], ids=["all", "following"])
    def test_given_to_somebody_else_waits_for_a_slow_room_to_let_go(self, worlds: MakeWorld, first: int) -> None:
        """Mails overtake each other: the room heard of the new series first, still had the old one, and declined."""
        world = worlds(rooms=1, seed=7300008, tenant={"attendant_delay": (0.2, 3.0)})
        made = book(world)
        world.settle()

        change = LoanChange(requester=world.requester(3))
        world.office.series.change(made.loans[first].number, change, Scope.FOLLOWING, actor="app:t")
        settle(world)

        assert len(masters(world, 3)) == 1
        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans]
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert world.cases() == []

    def test_given_to_somebody_else_and_cancelled_while_its_rooms_let_go_is_not_made(self, world: World) -> None:
        made = book(world)
        world.settle()
        world.is_receiver_down = True

        change = LoanChange(requester=world.requester(3))
        with_one_write = world.count_writes() + 1
        world.office.series.change(made.loans[0].number, change, Scope.ALL, actor="app:t")
        world.wait(5.0)
        assert (world.count_writes(), masters(world, 2), masters(world, 3)) == (with_one_write, [], [])
        world.office.series.cancel(made.loans[0].number, Scope.ALL, actor="app:t")
        world.wait(60.0)

        assert (world.count_writes(), masters(world, 3)) == (with_one_write, [])
        assert world.live_loans == ()

    def test_with_a_date_left_out_leaves_it_out_after_a_move(self, world: World) -> None:
        """Other hours would bring back what was cancelled: the rest is a series of its own."""
        day = first_day(world)
        made = book(world, choices=(DateChoice(day + WEEK, None),))
        world.settle()

        world.office.series.change(made.loans[0].number, to(day, 14), Scope.ALL, actor="app:t")
        settle(world)

        assert starts(world.live_loans) == [at(day + number * WEEK, 14) for number in (0, 2, 3)]
        assert len(shown(world)) == 3
        assert len(world.loans) == 3


class TestThisAndTheFollowing:
    def test_in_another_room_goes_on_as_a_series(self, world: World) -> None:
        made = book(world)
        world.settle()

        change = LoanChange(items=(world.item(2),))
        world.office.series.change(made.loans[2].number, change, Scope.FOLLOWING, actor="app:t")

        assert settle(world) == 2
        assert len(masters(world)) == 2
        assert sorted(shown(world)) == utc(world, 9, 9, 9, 9)
        assert [loan.rooms[0].name for loan in world.live_loans] == ["Room 1", "Room 1", "Room 2", "Room 2"]
        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans]
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert world.cases() == []

    def test_each_title_names_its_own_loans(self, world: World) -> None:
        made = book(world, times=5)
        world.settle()

        world.office.series.change(
            made.loans[3].number, LoanChange(items=(world.item(2),)), Scope.FOLLOWING, actor="app:t"
        )
        settle(world)

        assert [each["subject"] for each in masters(world)] == ["#1-3 Person 2", "#4-5 Person 2"]

    def test_a_title_of_its_organizer_stays(self, world: World) -> None:
        made = book(world)
        world.settle()
        (master,) = masters(world)
        world.run(world.person(2).change(master["id"], subject="Choir"))
        world.settle()

        world.office.series.cancel(made.loans[2].number, Scope.FOLLOWING, actor="app:t")
        settle(world)

        assert [each["subject"] for each in masters(world)] == ["Choir"]

    def test_at_another_hour(self, world: World) -> None:
        made = book(world)
        world.settle()
        day = first_day(world)

        world.office.series.change(made.loans[1].number, to(day + WEEK, 14), Scope.FOLLOWING, actor="app:t")

        assert settle(world) == 2
        assert sorted(shown(world)) == utc(world, 9, 14, 14, 14)
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        numbers = sorted({int(loan.series or 0) for loan in world.live_loans})
        words = [say_recurrence(found) for each in numbers if (found := world.office.series.find(each).recurrence)]
        assert [said.split(", ")[1:] for said in words] == [
            ["09:00–10:00", f"until {say_day(day + WEEK - timedelta(days=1), 'en')}"],
            ["14:00–15:00", "3 times"],
        ]

    def test_cancelled_is_one_write(self, world: World) -> None:
        made = book(world)
        world.settle()

        world.office.series.cancel(made.loans[2].number, Scope.FOLLOWING, actor="app:t")

        assert settle(world) == 1
        assert shown(world) == utc(world, 9, 9)
        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans[:2]]

    def test_can_be_changed_again(self, world: World) -> None:
        made = book(world)
        world.settle()
        day = first_day(world)
        world.office.series.change(made.loans[1].number, to(day + WEEK, 14), Scope.FOLLOWING, actor="app:t")
        world.settle()

        world.office.series.change(made.loans[3].number, to(day + 3 * WEEK, 16), Scope.FOLLOWING, actor="app:t")
        settle(world)

        hours = enumerate((9, 14, 14, 16))
        assert starts(world.live_loans) == [at(day + number * WEEK, hour) for number, hour in hours]
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    def test_leaves_what_has_begun(self, world: World) -> None:
        made = book(world)
        world.settle()
        day = first_day(world)
        world.wait((at(day, 9.5) - world.loop.now()).total_seconds())

        with pytest.raises(NotAllowed):
            world.office.series.change(made.loans[0].number, to(day, 14), Scope.FOLLOWING, actor="app:t")
        world.office.series.change(made.loans[1].number, to(day + WEEK, 14), Scope.ALL, actor="app:t")
        settle(world)

        assert starts(world.loans) == [at(day + number * WEEK, hour) for number, hour in enumerate((9, 14, 14, 14))]


class TestWhatIsInTheWay:
    def test_of_any_date_refuses_the_change_of_all(self, world: World) -> None:
        made = book(world)
        day = first_day(world)
        other = world.book_at(3, Interval(at(day + 2 * WEEK, 14), at(day + 2 * WEEK, 15)), 1)
        world.settle()

        with pytest.raises(Unavailable) as refusal:
            world.office.series.change(made.loans[0].number, to(day, 14), Scope.ALL, actor="app:t")

        assert [clash.loan_number for clash in refusal.value.clashes] == [other.number]
        assert settle(world) == 0
        assert len(starts(world.live_loans)) == 5

    def test_is_never_another_date_of_the_same_series(self, world: World) -> None:
        """Each date moves to where the next one was."""
        made = book(world)
        world.settle()
        day = first_day(world) + WEEK

        world.office.series.change(made.loans[0].number, to(day, 9), Scope.ALL, actor="app:t")
        settle(world)

        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(4)]
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    def test_is_not_the_day_that_another_date_has_moved_to(self, world: World) -> None:
        """Two dates come to the same hour of one day, in two rooms: the one that was of that day goes on as it."""
        made = book(world, times=2)
        world.settle()
        first, second = made.loans
        day = first_day(world) + WEEK
        change = LoanChange(start=at(day, 12), end=at(day, 13), items=(world.item(2),))

        world.change(first.number, change)
        world.office.series.change(second.number, to(day, 8), Scope.ALL, actor="app:t")
        settle(world)

        assert starts(world.live_loans) == [at(day, 8)] * 2
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert world.cases() == []


class TestBothSidesAtOnce:
    """What somebody did in Outlook a moment ago is merged, date by date, and not overwritten."""

    @pytest.mark.parametrize("scope", [Scope.FOLLOWING, Scope.ALL])
    def test_what_was_cut_off_in_outlook_stays_cancelled(self, world: World, scope: Scope) -> None:
        made = book(world)
        world.settle()
        day = first_day(world)
        (master,) = masters(world)

        world.run(world.person(2).change(master["id"], recurrence=recurrence(day, until=day + WEEK)))
        change = LoanChange(items=(world.item(2),))
        world.office.series.change(
            made.loans[1 if scope is Scope.FOLLOWING else 0].number, change, scope, actor="app:t"
        )
        settle(world)

        assert starts(world.live_loans) == [at(day, 9), at(day + WEEK, 9)]
        assert world.live_loans[1].rooms[0].name == "Room 2"
        assert sorted(shown(world)) == utc(world, 9, 9)

    @pytest.mark.parametrize("kind", ["hour", "day", "room", "requester"])
    @pytest.mark.parametrize("scope", [Scope.FOLLOWING, Scope.ALL])
    def test_a_date_cancelled_in_outlook_is_not_booked_again(self, world: World, scope: Scope, kind: str) -> None:
        """Its loan is cancelled as if nothing else had happened, and the others are changed (I6)."""
        made = book(world)
        world.settle()
        day = first_day(world)
        (master,) = masters(world)
        lost = made.loans[2].number

        world.run(world.person(2).cancel(world.dates(2, master["id"])[2]["id"]))
        changes = {
            "hour": to(day + WEEK, 14),
            "day": to(day + WEEK + timedelta(days=1), 9),
            "room": LoanChange(items=(world.item(2),)),
            "requester": LoanChange(requester=world.requester(3)),
        }
        world.office.series.change(made.loans[1].number, changes[kind], scope, actor="app:t")
        settle(world)

        assert [loan.number for loan in world.live_loans] == [each.number for each in made.loans if each.number != lost]
        assert world.loan(lost).status is LoanStatus.CANCELLED
        assert "cancelled_in_outlook" in world.history(lost)
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert sorted(parse_instant(event["start"]) for event in world.all_events()) == starts(world.live_loans)

    def test_a_date_moved_in_outlook_stays_moved_when_all_change_rooms(self, world: World) -> None:
        made = book(world)
        world.settle()
        day = first_day(world)
        (master,) = masters(world)
        second = world.dates(2, master["id"])[1]

        world.run(world.person(2).move(second["id"], at(day + WEEK, 15), at(day + WEEK, 16)))
        world.office.series.change(
            made.loans[1].number, LoanChange(items=(world.item(2),)), Scope.FOLLOWING, actor="app:t"
        )
        settle(world)

        hours = enumerate((9, 15, 9, 9))
        assert starts(world.live_loans) == [at(day + number * WEEK, hour) for number, hour in hours]
        assert [loan.rooms[0].name for loan in world.live_loans] == ["Room 1", "Room 2", "Room 2", "Room 2"]
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    def test_a_date_moved_otherwise_in_outlook_goes_where_the_desk_put_it_and_a_case_says_so(
        self, world: World
    ) -> None:
        """The rule of all bookings: the side where it was born wins, and what lost is kept in a case."""
        made = book(world)
        world.settle()
        day = first_day(world)
        (master,) = masters(world)

        third = world.dates(2, master["id"])[2]
        world.run(world.person(2).move(third["id"], at(day + 2 * WEEK, 16), at(day + 2 * WEEK, 17)))
        world.office.series.change(made.loans[1].number, to(day + WEEK, 14), Scope.FOLLOWING, actor="app:t")
        settle(world)

        assert starts(world.live_loans) == [at(day + n * WEEK, hour) for n, hour in enumerate((9, 14, 14, 14))]
        assert sorted(shown(world)) == utc(world, 9, 14, 14, 14)
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert world.cases_of(made.loans[2].number) == {"both_changed"}

    @pytest.mark.parametrize("verb", ["move", "cancel"])
    def test_a_series_cancelled_in_outlook_just_before_its_end_arrives_stays_cancelled(
        self, worlds: MakeWorld, verb: str
    ) -> None:
        interloper = Interloper("PATCH")
        world = worlds(rooms=3, tenant=PUNCTUAL, on_request=interloper)
        made = book(world)
        world.settle()
        (master,) = masters(world)
        second, series, person = made.loans[1].number, world.office.series, world.person(2)

        interloper.deed = lambda: person.cancel(master["id"])
        if verb == "move":
            series.change(second, to(first_day(world) + WEEK, 14), Scope.FOLLOWING, actor="app:t")
        else:
            series.cancel(second, Scope.FOLLOWING, actor="app:t")
        settle(world)

        assert (world.live_loans, world.all_events(), world.cases()) == ((), [], [])
        assert world.watcher.parked_keys == []


class TestASeriesOfOutlook:
    def test_cancelled_from_a_date_on_is_shortened(self, world: World) -> None:
        day = first_day(world)
        master = book_series(world, 2, day, 9, 1)
        world.settle()

        world.office.series.cancel(world.loans[2].number, Scope.FOLLOWING, actor="app:t")

        assert settle(world) == 1
        assert starts(world.live_loans) == [at(day, 9), at(day + WEEK, 9)]
        assert len(world.dates(2, master["id"])) == 2

    def test_is_changed_date_by_date(self, world: World) -> None:
        """Its text and its guests are its organizer's: no other series takes its place."""
        day = first_day(world)
        master = book_series(world, 2, day, 9, 1)
        world.settle()

        change = LoanChange(items=(world.item(2),))
        world.office.series.change(world.loans[2].number, change, Scope.FOLLOWING, actor="app:t")

        assert settle(world) in (2, 3)  # dates share a version: the second may be refused once, and written again
        assert [loan.rooms[0].name for loan in world.live_loans] == ["Room 1", "Room 1", "Room 2", "Room 2"]
        assert len(world.dates(2, master["id"])) == 4


def test_a_loan_by_itself_has_no_following_ones(world: World) -> None:
    loan = world.book(2, 9, 10, 1)

    with pytest.raises(NotAllowed):
        world.office.series.cancel(loan.number, Scope.FOLLOWING, actor="app:t")


def test_a_date_changed_by_itself_before_keeps_to_the_rule(world: World) -> None:
    """One date was moved to the afternoon; then all go to another room."""
    made = book(world)
    world.settle()
    day = first_day(world)
    world.change(made.loans[1].number, to(day + WEEK, 15))
    world.settle()

    world.office.series.change(made.loans[0].number, LoanChange(items=(world.item(3),)), Scope.ALL, actor="app:t")
    settle(world)

    assert {loan.rooms[0].name for loan in world.live_loans} == {"Room 3"}
    assert starts(world.live_loans) == [at(day + number * WEEK, hour) for number, hour in enumerate((9, 15, 9, 9))]
    assert states(world.live_loans) == {ItemState.ACCEPTED}
    world.act_on(made.loans[1].number, LoanAction.CANCEL)
    settle(world)
    assert len(shown(world)) == 3

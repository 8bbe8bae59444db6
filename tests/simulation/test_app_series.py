"""Series booked in the app: one event in Outlook for all dates, and right after every change on either side."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from engine.database.reports.board import Board
from engine.database.settling.shelves import CaseList
from engine.interval import Interval
from engine.loans.loan import Case, CaseState, Loan
from engine.loans.recurrence import Repeat, recur
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.prove.people.series import at, starts
from engine.prove.world.world import World
from engine.reconcile.cases.ways import Way
from engine.reconcile.series.book import AppSeries, DateChoice, Scope, SeriesOrder
from engine.reconcile.words.reasons import explain
from engine.web.pages.parts.settings import SettingKey
from tests.simulation.conftest import MakeWorld

WEEK = timedelta(days=7)


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=3)


def first_day(world: World) -> date:
    return (world.loop.now() + timedelta(days=2)).date()


def book(
    world: World, *rooms: int, times: int = 4, choices: tuple[DateChoice, ...] = (), repeat: Repeat = Repeat.WEEKLY
) -> AppSeries:
    """Book a weekly series for person 2 at nine in the app."""
    day = first_day(world)
    recurrence = recur(repeat, at(day, 9), at(day, 10), "Europe/Paris", count=times)
    items = tuple(world.item(room) for room in rooms or (1,))
    order = SeriesOrder(world.requester(2), recurrence, items, choices=choices)
    return world.office.series.book(order, actor="app:test")


def masters(world: World, person: int = 2) -> list[dict[str, Any]]:
    return [event for event in world.run(world.person(person).events()) if event["type"] == "seriesMaster"]


def shown(world: World, person: int = 2) -> list[str]:
    """Return the starts of every date of every series in somebody's calendar, in UTC."""
    return [
        event["start"]["dateTime"][:16] for each in masters(world, person) for event in world.dates(person, each["id"])
    ]


def utc(world: World, *hours: float) -> list[str]:
    """Return one start a week at *hours* of the wall clock, as Graph shows them."""
    day = first_day(world)
    return [f"{at(day + number * WEEK, hour):%Y-%m-%dT%H:%M}" for number, hour in enumerate(hours)]


def states(loans: tuple[Loan, ...]) -> set[ItemState]:
    return {item.state for loan in loans for item in loan.rooms}


class TestBooking:
    def test_makes_one_series_and_hears_the_room_say_yes_to_every_date(self, world: World) -> None:
        made = book(world)
        world.settle()

        assert len(masters(world)) == 1
        assert shown(world) == utc(world, 9, 9, 9, 9)
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans]
        assert world.count_writes() == 1
        assert world.cases() == []

    def test_says_whose_it_is(self, world: World) -> None:
        made = book(world)
        world.settle()

        (master,) = masters(world)
        assert master["subject"] == f"#{made.loans[0].number}-{made.loans[-1].number} Person 2"
        assert f"/series/{made.id}" in master["body"]["content"]

    def test_stays_at_its_hour_when_clocks_change(self, world: World) -> None:
        book(world, times=20)
        world.settle()

        assert starts(world.live_loans) == [at(first_day(world) + number * WEEK, 9) for number in range(20)]
        assert shown(world) == utc(world, *[9] * 20)

    def test_is_quiet_afterwards(self, world: World) -> None:
        book(world, 1, 2)
        world.settle()
        before = [(loan.number, loan.version) for loan in world.loans]

        world.heal()

        assert [(loan.number, loan.version) for loan in world.loans] == before
        assert world.count_writes() == 1

    def test_leaves_a_date_out_before_any_room_is_asked(self, world: World) -> None:
        """A room that is taken on one date would decline them all."""
        day = first_day(world)
        world.book_at(3, _hour(day + WEEK, 9), 1)
        world.settle()
        before = world.count_writes()

        book(world, choices=(DateChoice(day + WEEK, None),))
        world.settle()
        world.heal()

        mine = tuple(loan for loan in world.live_loans if loan.series)
        assert starts(mine) == [at(day + number * WEEK, 9) for number in (0, 2, 3)]
        assert states(mine) == {ItemState.ACCEPTED}
        assert len(shown(world)) == 3
        assert world.count_writes() - before == 3

    def test_takes_another_room_on_one_date(self, world: World) -> None:
        day = first_day(world)
        world.book_at(3, _hour(day + WEEK, 9), 1)
        world.settle()
        before = world.count_writes()

        book(world, choices=(DateChoice(day + WEEK, (world.item(2),)),))
        world.settle()
        world.heal()

        mine = tuple(loan for loan in world.live_loans if loan.series)
        assert [loan.rooms[0].name for loan in mine] == ["Room 1", "Room 2", "Room 1", "Room 1"]
        assert states(mine) == {ItemState.ACCEPTED}
        assert shown(world) == utc(world, 9, 9, 9, 9)
        assert world.count_writes() - before == 3
        assert world.cases() == []

    def test_of_one_date_is_a_single_event(self, world: World) -> None:
        book(world, times=1)
        world.settle()

        assert masters(world) == []
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    def test_changed_before_it_is_written_is_written_as_it_is_now(self, world: World) -> None:
        made = book(world)
        day = first_day(world)
        world.act_on(made.loans[0].number, LoanAction.CANCEL)
        world.change(made.loans[2].number, LoanChange(start=at(day + 2 * WEEK, 14), end=at(day + 2 * WEEK, 15)))
        world.settle()
        world.heal()

        assert starts(world.live_loans) == [at(day + WEEK, 9), at(day + 2 * WEEK, 14), at(day + 3 * WEEK, 9)]
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert shown(world) == [utc(world, 9, 9, 9, 9)[index] for index in (1, 3)]


@pytest.mark.usefixtures("long_sleeps")
class TestALongSeries:
    def test_hears_of_later_dates_when_the_window_reaches_them(self) -> None:
        """What lies beyond the horizon is not read: no answer from there is no silence."""
        world = World(rooms=1, settings={"ENGINE_SYNC__HORIZON_DAYS": "60"}).open()
        world.tenant.office.set_processing(world.room_addresses[0], BookingWindowInDays=365)
        book(world, times=20)
        world.settle()
        world.wait(2 * 24 * 3600.0)
        world.settle()
        answered = [loan for loan in world.live_loans if states((loan,)) == {ItemState.ACCEPTED}]

        world.wait(timedelta(days=40).total_seconds())
        world.office.rooms.mark_rooms(priority=2)
        world.settle()

        later = [loan for loan in world.loans if states((loan,)) == {ItemState.ACCEPTED}]
        assert 0 < len(answered) < len(later)
        assert "room_does_not_answer" not in world.cases()
        assert len(shown(world)) == len(world.live_loans) == 20
        world.close()


class TestADateBeyondWhatIsRead:
    def test_is_changed_in_outlook_and_its_room_heard_when_calendars_are_read_as_far(self, worlds: MakeWorld) -> None:
        """It is asked for by its day, whatever is read: the desk was told that the organizer cannot be reached."""
        world = worlds(rooms=2, settings={"ENGINE_SYNC__HORIZON_DAYS": "30"})
        last = book(world, times=14).loans[-1]
        world.settle()
        day = first_day(world) + 13 * WEEK

        world.change(last.number, LoanChange(start=at(day, 14), end=at(day, 15)))
        world.heal()

        assert "event_changed" in world.history(last.number)
        assert (world.loan(last.number).interval.start, world.cases()) == (at(day, 14), [])
        world.override(SettingKey.HORIZON, "120")
        world.heal()
        kept = world.loan(last.number)
        assert (kept.interval.start, states((kept,))) == (at(day, 14), {ItemState.ACCEPTED})


class TestARoomThatSaysNo:
    def test_to_one_date_ends_that_loan(self, world: World) -> None:
        """Below the limits a series is accepted and single dates are declined (B34)."""
        day = first_day(world)
        world.tenant.office.set_processing(
            world.room_addresses[0], ConflictPercentageAllowed=50, MaximumConflictInstances=2
        )
        world.is_receiver_down = True  # so that the desk does not know that the room is taken
        world.run(world.person(3).book(at(day + WEEK, 9), at(day + WEEK, 10), rooms=[world.room_addresses[0]]))
        made = book(world)
        world.is_receiver_down = False
        world.settle()
        world.heal()

        refused = [loan.number for loan in world.loans if loan.status is LoanStatus.REFUSED]
        assert refused == [made.loans[1].number]
        assert [loan.interval.start for loan in world.live_loans if loan.series is None] == [at(day + WEEK, 9)]
        assert len(shown(world)) == 3

    def test_to_the_whole_series_ends_all_loans_at_once(self, world: World) -> None:
        """Beyond a room's booking window it declines them all: one more write, and one case."""
        world.tenant.office.set_processing(world.room_addresses[0], BookingWindowInDays=30)

        made = book(world, times=10)
        world.settle()
        world.heal()

        assert {loan.status for loan in world.loans} == {LoanStatus.REFUSED}
        assert {item.state for loan in world.loans for item in loan.items} == {ItemState.DECLINED}
        assert masters(world) == []
        assert world.count_writes() == 2
        assert world.cases() == ["room_declined"]
        assert world.history(made.loans[9].number)[-2:] == ["all_rooms_declined", "event_deleted"]


class TestADateChanged:
    def test_in_the_app_is_one_write(self, world: World) -> None:
        made = book(world)
        world.settle()
        day = first_day(world)

        world.change(made.loans[1].number, LoanChange(start=at(day + WEEK, 14), end=at(day + WEEK, 15)))
        world.settle()
        world.heal()

        assert shown(world) == utc(world, 9, 14, 9, 9)
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert world.count_writes() == 2

    def test_in_the_app_to_another_room(self, world: World) -> None:
        made = book(world)
        world.settle()

        world.change(made.loans[1].number, LoanChange(items=(world.item(2),)))
        world.settle()
        world.heal()

        assert [loan.rooms[0].name for loan in world.live_loans] == ["Room 1", "Room 2", "Room 1", "Room 1"]
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert world.count_writes() == 2

    def test_given_to_somebody_just_before_all_take_other_rooms_goes_to_them(self, world: World) -> None:
        """The write about the whole series says nothing of requesters: whose the date is stays to be written."""
        first, *_, last = book(world, 1, 2).loans
        world.settle()
        world.change(first.number, LoanChange(requester=world.requester(1)))
        change = LoanChange(items=(world.item(1),))
        world.office.series.change(last.number, change, Scope.ALL, actor="app:test")
        world.settle()

        assert len(shown(world)) == 3
        (event,) = world.run(world.person(1).events())
        assert event["subject"].startswith(f"#{first.number} ")
        assert [each["emailAddress"]["address"] for each in event["attendees"]] == [world.room_addresses[0]]

    def test_given_to_somebody_frees_its_room_although_the_former_calendar_closes_first(self, world: World) -> None:
        """
        By then the loan has an event of its own: its room is asked for the date as it was.

        It kept that, and declined the new event.
        """
        made = book(world)
        world.settle()
        world.tenant.faults.add(effect="error", method="DELETE", path="events/", status=503, times=9)
        world.change(made.loans[1].number, LoanChange(requester=world.requester(3)))
        world.wait(2.0)
        world.set_mailbox(2, "disabled")
        world.tenant.faults.clear()
        world.settle()
        world.heal()

        assert "declined_for_room" in world.history(made.loans[1].number)
        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans]
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert world.cases() == []

    def test_moved_just_before_all_take_another_room_is_moved_for_all_that(self, world: World) -> None:
        """Nothing was written of it yet: the write of all is of rooms alone, and its own follows."""
        made = book(world)
        world.settle()
        day = first_day(world) + WEEK
        moved, rerooms = LoanChange(start=at(day, 14), end=at(day, 15)), LoanChange(items=(world.item(2),))

        world.change(made.loans[1].number, moved)
        world.office.series.change(made.loans[0].number, rerooms, Scope.ALL, actor="app:test")
        world.settle()

        assert starts(world.live_loans) == [at(first_day(world) + n * WEEK, (9, 14, 9, 9)[n]) for n in range(4)]
        assert {loan.rooms[0].name for loan in world.live_loans} == {"Room 2"}
        assert sorted(shown(world)) == utc(world, 9, 14, 9, 9)
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    @pytest.mark.parametrize("sent", [0, 1])
    def test_given_a_room_more_just_before_all_give_up_the_first_keeps_that(self, world: World, sent: int) -> None:
        """The room more may not be in Outlook yet, or on some dates only: the write of all asks it then."""
        made = book(world)
        world.settle()

        for number, loan in enumerate(made.loans):
            if number == sent > 0:
                world.settle()
            world.change(loan.number, LoanChange(items=(world.item(1), world.item(3))))
        change = LoanChange(items=(world.item(3),))
        world.office.series.change(made.loans[0].number, change, Scope.ALL, actor="app:test")
        world.settle()
        world.heal()

        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans]
        assert {room.name for loan in world.live_loans for room in loan.rooms} == {"Room 3"}
        assert states(world.live_loans) == {ItemState.ACCEPTED}
        assert shown(world) == utc(world, 9, 9, 9, 9)

    def test_given_another_room_each_by_itself_before_all_take_a_third_are_in_that(self, world: World) -> None:
        """The series itself still has the first room: its dates do not follow it any more."""
        made = book(world)
        world.settle()
        for loan in made.loans:
            world.change(loan.number, LoanChange(items=(world.item(2),)))
        world.settle()

        change = LoanChange(items=(world.item(3),))
        world.office.series.change(made.loans[0].number, change, Scope.ALL, actor="app:test")
        world.settle()
        world.heal()

        assert [loan.rooms[0].name for loan in world.live_loans] == ["Room 3"] * 4
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    def test_cancelled_in_the_app_frees_rooms_not_heard_of_when_its_calendar_is_closed(self, world: World) -> None:
        """The rooms' answers were not read yet: they are looked into, and only that date is declined."""
        world.tenant.faults.add(effect="lose", probability=1.0)
        made = book(world, 1, 2)
        world.wait(5.0)
        world.set_mailbox(2, "denied")

        world.act_on(made.loans[1].number, LoanAction.CANCEL)
        world.heal()

        dates = [date for room in (1, 2) for date in world.run(world.room(room).view(*world.judged()))]
        taken = [date["start"]["dateTime"][:16] for date in dates if date["responseStatus"]["response"] == "accepted"]
        first, _, *others = utc(world, 9, 9, 9, 9)
        assert sorted(taken) == sorted(2 * [first, *others])

    def test_cancelled_in_the_app_leaves_the_others(self, world: World) -> None:
        made = book(world)
        world.settle()

        world.act_on(made.loans[1].number, LoanAction.CANCEL)
        world.settle()
        world.heal()

        assert len(shown(world)) == 3
        assert len(world.live_loans) == 3
        assert world.count_writes() == 2

    def test_cancelled_in_the_app_leaves_those_that_were_just_made_a_series_of_their_own(self, world: World) -> None:
        """The old series has ended before them, of which the answer was lost, and goes with its last date."""
        made = book(world)
        world.settle()
        fault = world.tenant.faults.add(effect="error_after", status=504, method="PATCH", times=1)
        change = LoanChange(items=(world.item(2),))
        world.office.series.change(made.loans[1].number, change, Scope.FOLLOWING, actor="app:test")
        world.wait(0.2)
        world.act_on(made.loans[0].number, LoanAction.CANCEL)
        world.settle()
        world.heal()

        assert fault.struck == fault.times
        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans[1:]]
        assert [loan.rooms[0].name for loan in world.live_loans] == ["Room 2"] * 3
        assert shown(world) == utc(world, 9, 9, 9, 9)[1:]

    @pytest.mark.parametrize("keeps_cancelled", [True, False])
    def test_goes_on_with_the_following_where_somebody_cancels_those_before(
        self, world: World, *, keeps_cancelled: bool
    ) -> None:
        """The end of the old series had arrived, unheard: what somebody cancels are the dates that stayed."""
        made = self._split_unheard(world, keeps_cancelled=keeps_cancelled)
        world.wait(1.0)  # the room shows the old series without them
        world.run(world.person(2).cancel(masters(world)[0]["id"]))
        world.settle()
        world.heal()

        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans[2:]]
        assert [loan.rooms[0].name for loan in world.live_loans] == ["Room 2"] * 2
        assert shown(world) == utc(world, 9, 9, 9, 9)[2:]

    @pytest.mark.parametrize("keeps_cancelled", [True, False])
    def test_is_cancelled_with_its_whole_series_before_that_ends(self, world: World, *, keeps_cancelled: bool) -> None:
        """The end of the old series got lost on its way: what somebody cancels in Outlook are all of its dates."""
        self._split_unheard(world, keeps_cancelled=keeps_cancelled, effect="error")
        world.wait(1.0)
        world.run(world.person(2).cancel(masters(world)[0]["id"]))
        world.settle()
        world.heal()

        assert world.live_loans == ()
        assert shown(world) == []

    def _split_unheard(self, world: World, *, keeps_cancelled: bool, effect: str = "error_after") -> AppSeries:
        """Take the third date of a series and those after it to another room, and lose the end or its answer."""
        world.tenant.office.set_processing(world.room_addresses[0], RemoveCanceledMeetings=not keeps_cancelled)
        made = book(world)
        world.settle()
        fault = world.tenant.faults.add(effect=effect, status=503, retry_after="5", method="PATCH", times=1)
        change = LoanChange(items=(world.item(2),))
        world.office.series.change(made.loans[2].number, change, Scope.FOLLOWING, actor="app:test")
        world.wait(0.2)
        assert fault.struck == fault.times
        return made

    def test_in_outlook_moves_the_one_loan(self, world: World) -> None:
        made = book(world)
        world.settle()
        day = first_day(world)
        (master,) = masters(world)
        second = world.dates(2, master["id"])[1]

        world.run(world.person(2).move(second["id"], at(day + WEEK, 14), at(day + WEEK, 15)))
        world.settle()

        assert world.loan(made.loans[1].number).interval.start == at(day + WEEK, 14)
        assert len(world.loans) == 4
        assert world.count_writes() == 1

    def test_in_outlook_the_whole_series_moves_every_loan(self, world: World) -> None:
        made = book(world)
        world.settle()
        day = first_day(world)
        (master,) = masters(world)

        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.settle()

        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(4)]
        assert [loan.number for loan in world.live_loans] == [loan.number for loan in made.loans]

    def test_in_outlook_cancelled_and_brought_back_by_a_move_of_all_is_a_new_loan(self, world: World) -> None:
        """Moving a series brings its cancelled dates back: the room holds one again, so there is a loan of it (I3)."""
        made = book(world)
        world.settle()
        day = first_day(world)
        (master,) = masters(world)
        world.run(world.person(2).cancel(world.dates(2, master["id"])[1]["id"]))
        world.settle()
        assert world.loan(made.loans[1].number).status is LoanStatus.CANCELLED

        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.settle()
        world.heal()

        assert world.loan(made.loans[1].number).status is LoanStatus.CANCELLED
        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(4)]
        assert len(world.loans) == 5
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    def test_cancelled_in_the_app_and_brought_back_by_a_move_of_all_is_a_new_loan(self, world: World) -> None:
        """The same of a date that the desk cancelled: its history says which loan it was."""
        made = book(world)
        world.settle()
        day = first_day(world)
        (master,) = masters(world)
        world.act_on(made.loans[1].number, LoanAction.CANCEL)
        world.settle()

        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.settle()
        world.heal()

        assert world.loan(made.loans[1].number).status is LoanStatus.CANCELLED
        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(4)]
        assert "date_brought_back" in world.history(world.loans[-1].number)
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    def test_given_away_and_brought_back_while_the_event_it_got_is_being_deleted_is_a_new_loan(
        self, world: World
    ) -> None:
        """That deletion is of another event: it is no reason to take the date for one that is about to go."""
        made = book(world)
        world.settle()
        day = first_day(world)
        (master,) = masters(world)
        world.change(made.loans[1].number, LoanChange(requester=world.requester(3)))
        world.settle()
        world.tenant.faults.add(effect="error", method="DELETE", path="events/", status=503, times=9)
        world.act_on(made.loans[1].number, LoanAction.CANCEL)
        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.wait(5.0)
        world.tenant.faults.clear()
        world.settle()
        world.heal()

        assert world.run(world.person(3).events()) == []
        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(4)]
        assert "date_brought_back" in world.history(world.loans[-1].number)

    @pytest.mark.parametrize("what", ["the series", "the date"])
    def test_given_away_just_as_its_organizer_cancels_it_in_outlook_stays_cancelled(
        self, world: World, what: str
    ) -> None:
        """One room cannot be asked for its answer, so the series has been read a while ago, and had the date then: it
        is asked for before it is made anew."""
        world.tenant.faults.add(effect="lose")
        world.tenant.faults.add(effect="error", method="GET", path="room-3.*events", status=503, times=99)
        made = book(world, 1, 3)
        world.wait(15.0)
        world.tenant.faults.clear()
        (master,) = masters(world)
        cancelled = master if what == "the series" else world.dates(2, master["id"])[1]

        world.change(made.loans[1].number, LoanChange(requester=world.requester(3)))
        world.run(world.person(2).cancel(cancelled["id"]))
        world.settle()
        world.heal()

        assert world.loan(made.loans[1].number).status is LoanStatus.CANCELLED
        assert world.run(world.person(3).events()) == []
        assert len(world.live_loans) == (0 if what == "the series" else 3)

    def test_in_outlook_the_whole_series_cancelled_cancels_every_loan(self, world: World) -> None:
        book(world)
        world.settle()
        (master,) = masters(world)

        world.run(world.person(2).cancel(master["id"]))
        world.settle()

        assert world.live_loans == ()


def _hour(day: date, hour: float) -> Interval:
    return Interval(at(day, hour), at(day, hour + 1))


class TestInAModeThatDoesNotWrite:
    @pytest.mark.parametrize(("mode", "code"), [("shadow", "shadowed"), ("read_only", "write_withheld")])
    def test_waits_and_each_date_says_so_until_it_may_be_written(self, mode: str, code: str) -> None:
        world = World(rooms=3, settings={"ENGINE_SYNC__MODE": mode}).open()
        try:
            book(world)
            world.settle()

            assert world.count_writes() == 0
            assert world.cases() == [code] * 4
            assert {each.loan_number for each in cases_of(world)} == {loan.number for loan in world.live_loans}
            assert all("Event created in Outlook." in explain(each.code, each.facts) for each in cases_of(world))

            world.kill()
            world.settings = world.settings.model_copy(
                update={"sync": world.settings.sync.model_copy(update={"mode": "two_way"})}
            )
            world.start()
            world.wait(400.0)
            assert shown(world) == utc(world, 9, 9, 9, 9)
            assert world.cases() == []
        finally:
            world.close()


def cases_of(world: World) -> list[Case]:
    return list(world.office.desk.list_cases(state=CaseState.OPEN, after=None, limit=100))


class TestASeriesThatOutlookRefused:
    @pytest.fixture
    def world(self, worlds: MakeWorld) -> World:
        """Nobody's mailbox stands in for that of person 2, which is closed."""
        world = worlds(rooms=3, settings={"ENGINE_LOANS__DEFAULT_USER": ""})
        world.set_mailbox(2, "denied")
        return world

    def test_was_asked_of_no_room_on_any_date_and_has_one_case(self, world: World) -> None:
        """Lists, board, the answer to why, and each loan say so of every date."""
        made = book(world)
        world.settle()

        numbers = [loan.number for loan in made.loans]
        assert unasked(world) == numbers
        weeks = Interval(at(first_day(world), 0), at(first_day(world) + 5 * WEEK, 0))
        board = Board(world.office.database).entries(weeks)
        assert {entry.state for entry in board} == {ItemState.NOT_ASKED}
        for loan in made.loans:
            answer = world.office.why.ask(world.item(1).id, loan.interval.start)
            assert [note.code for note in answer.notes][:2] == ["why_held_unasked", "write_refused"]
            assert [case.code for case in CaseList(world.office.database).open_of(loan.number)] == ["write_refused"]
            assert world.history(loan.number)[-1] == "write_refused"
        (case,) = cases_of(world)
        assert world.office.cases.find(case.id).loans == tuple(numbers)
        assert explain(case.code, case.facts).endswith(f" Loans: {', '.join(map(str, numbers))}.")

    def test_is_told_otherwise_of_each_date_that_is_made_after_all(self, world: World) -> None:
        """A date that somebody edits is tried anew by itself; the case closes with the last."""
        made = book(world)
        world.settle()
        first, second, *others = (loan.number for loan in made.loans)
        world.set_mailbox(2, "active")

        world.change(first, LoanChange(title="Once more"))
        world.settle()

        assert unasked(world) == [second, *others]
        assert world.loan(first).told_states == (ItemState.ACCEPTED,)
        (case,) = cases_of(world)
        assert (case.loan_number, world.office.cases.find(case.id).loans) == (second, (second, *others))
        assert CaseList(world.office.database).open_of(first) == []

        for number in (second, *others):
            world.change(number, LoanChange(title="All of them"))
        world.settle()

        assert (unasked(world), world.cases()) == ([], [])
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    def test_keeps_its_one_case_however_often_its_dates_are_refused(self, world: World) -> None:
        """Also where somebody settles it: then each date is tried anew."""
        made = book(world)
        world.settle()
        for loan in made.loans[1:]:
            world.change(loan.number, LoanChange(title="Once more"))
        world.settle()
        (case,) = cases_of(world)
        assert unasked(world) == [loan.number for loan in made.loans]

        world.office.cases.settle(case.id, Way.IGNORE, room_id=None, actor="app:test")
        world.settle()
        (again,) = cases_of(world)
        assert (again.id > case.id, len(world.office.cases.find(again.id).loans)) == (True, 4)

        world.set_mailbox(2, "active")
        world.office.cases.settle(again.id, Way.IGNORE, room_id=None, actor="app:test")
        world.settle()

        assert (unasked(world), world.cases()) == ([], [])
        assert states(world.live_loans) == {ItemState.ACCEPTED}

    def test_has_no_case_once_its_dates_are_cancelled(self, world: World) -> None:
        made = book(world)
        world.settle()
        first, *others = made.loans

        world.act(world.loan(first.number), LoanAction.CANCEL)
        world.settle()
        (case,) = cases_of(world)
        assert world.office.cases.find(case.id).loans == tuple(loan.number for loan in others)
        for loan in others:
            world.act(world.loan(loan.number), LoanAction.CANCEL)
        world.settle()

        assert (unasked(world), world.cases()) == ([], [])


def unasked(world: World) -> list[int]:
    """Return the loans that are told as not asked."""
    return [loan.number for loan in world.loans if set(loan.told_states) == {ItemState.NOT_ASKED}]

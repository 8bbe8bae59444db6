"""Series that people make in Outlook: each date a loan of its own, and right after every change."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from engine.errors import Stale
from engine.interval import Interval
from engine.loans.loan import Loan
from engine.loans.register import LoanChange, LoanFilter
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.prove.people.series import PARIS, at, book_series, recurrence, starts
from engine.prove.world.world import World
from engine.reconcile.actions import NewLoan, Plan
from engine.reconcile.ledger import Booking, Writing
from engine.worker.bookings import ECHO_SECONDS
from tests.simulation.conftest import MakeWorld
from tests.simulation.test_bad_input import spoil_events

WEEK = timedelta(days=7)


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=3)


def first_day(world: World) -> date:
    return (world.loop.now() + timedelta(days=2)).date()


def weekly(world: World, *rooms: int, times: int = 4, **more: Any) -> tuple[dict[str, Any], date]:
    """Book a weekly series of person 2 at nine, and let everything arrive."""
    day = first_day(world)
    master = book_series(world, 2, day, 9, *(rooms or (1,)), times=times, **more)
    world.settle()
    return master, day


def loan_on(world: World, day: date) -> Loan:
    (found,) = [loan for loan in world.loans if loan.interval.start.date() == day]
    return found


def decline_date(world: World, room: int, master: dict[str, Any], day: date) -> None:
    """Have somebody decline one date of a series in a room's own calendar."""
    own = world.run(world.room(room).by_ical(master["iCalUId"]))
    copy = world.run(world.room(room).date(own["id"], day))
    assert copy is not None
    world.run(world.room(room).answer(copy["id"], "decline"))


class TestAWeeklySeries:
    def test_is_a_loan_for_each_date(self, world: World) -> None:
        _, day = weekly(world)

        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(4)]
        assert {loan.title for loan in world.loans} == {"Standup"}
        assert len({loan.series for loan in world.loans}) == 1
        assert world.loans[0].series is not None
        assert {item.state for loan in world.loans for item in loan.items} == {ItemState.ACCEPTED}
        assert world.cases() == []

    def test_stays_at_its_hour_when_clocks_change(self, world: World) -> None:
        """Twenty-six weeks cross the end of March: the hour on the wall stays."""
        _, day = weekly(world, times=26)

        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(26)]

    def test_is_told_in_each_history(self, world: World) -> None:
        weekly(world)

        assert all("date_of_series" in world.history(loan.number) for loan in world.loans)

    def test_in_two_rooms_is_one_loan_per_date_with_both(self, world: World) -> None:
        weekly(world, 1, 2)

        assert [len(loan.items) for loan in world.live_loans] == [2, 2, 2, 2]

    def test_looked_at_again_writes_and_changes_nothing(self, world: World) -> None:
        weekly(world)
        before = [(loan.number, loan.version) for loan in world.loans]

        world.lose_delta(1)
        world.heal()

        assert [(loan.number, loan.version) for loan in world.loans] == before
        assert world.count_writes() == 0

    def test_can_be_listed_by_its_series(self, world: World) -> None:
        weekly(world)
        weekly(world, 2, times=3)
        (first, *_) = world.loans

        found = world.office.desk.list_loans(LoanFilter(series=first.series))

        assert [loan.number for loan in found] == [loan.number for loan in world.loans if loan.series == first.series]
        assert len(found) == 4


class TestOneDateChangedInOutlook:
    def test_moved_to_where_the_room_takes_it_though_it_declined_the_series(self, world: World) -> None:
        """The room has that date without its series; what was read of the organizer's dates before is out of date."""
        master, day = weekly(world)
        world.book_at(3, Interval(at(day, 14), at(day, 15)), 1)
        world.settle()
        world.run(world.person(2).move(master["id"], at(day, 14), at(day, 15)))
        world.wait(20.0)  # a refusal is asked for ten seconds later
        assert len(world.live_loans) == 1
        second = world.dates(2, master["id"])[1]

        world.run(world.person(2).move(second["id"], at(day + WEEK, 16), at(day + WEEK, 17)))
        world.settle()

        assert starts(world.live_loans) == [at(day, 14), at(day + WEEK, 16)]

    def test_moved_is_one_loan_moved(self, world: World) -> None:
        master, day = weekly(world)
        numbers = [loan.number for loan in world.loans]
        second = world.dates(2, master["id"])[1]

        world.run(world.person(2).move(second["id"], at(day + WEEK, 14), at(day + WEEK, 15)))
        world.settle()

        hours = [9, 14, 9, 9]
        assert starts(world.live_loans) == [at(day + number * WEEK, hour) for number, hour in enumerate(hours)]
        assert [loan.number for loan in world.loans] == numbers

    def test_cancelled_is_one_loan_cancelled(self, world: World) -> None:
        master, day = weekly(world)
        second = world.dates(2, master["id"])[1]

        world.run(world.person(2).cancel(second["id"]))
        world.settle()

        assert starts(world.live_loans) == [at(day, 9), at(day + 2 * WEEK, 9), at(day + 3 * WEEK, 9)]
        assert loan_on(world, day + WEEK).status is LoanStatus.CANCELLED

    def test_cancelled_without_a_word_is_found_all_the_same(self, world: World) -> None:
        """Delta may say nothing of a date that is gone: the series comes again without it (P13)."""
        world.tenant.faults.add(effect="resend_series")
        master, day = weekly(world)

        world.run(world.person(2).cancel(world.dates(2, master["id"])[1]["id"]))
        world.settle()

        assert starts(world.live_loans) == [at(day, 9), at(day + 2 * WEEK, 9), at(day + 3 * WEEK, 9)]

    def test_taken_to_another_room_keeps_its_loan(self, world: World) -> None:
        """The other room gets the one date by itself; it is the same booking."""
        master, day = weekly(world)
        second = world.dates(2, master["id"])[1]
        number = loan_on(world, day + WEEK).number

        world.run(world.person(2).set_rooms(second["id"], [world.room_addresses[1]]))
        world.settle()

        loan = world.loan(number)
        assert [(item.name, item.state) for item in loan.rooms] == [("Room 2", ItemState.ACCEPTED)]
        assert len(world.live_loans) == 4


class TestTheWholeSeriesChangedInOutlook:
    def test_moved_to_another_hour_moves_every_loan(self, world: World) -> None:
        master, day = weekly(world)
        numbers = [loan.number for loan in world.loans]

        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.settle()

        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(4)]
        assert [loan.number for loan in world.loans] == numbers

    def test_moved_to_another_weekday_makes_other_loans(self, world: World) -> None:
        """Thursdays are other dates than Wednesdays: those are cancelled, these are new, and none is held twice."""
        master, day = weekly(world)
        following = day + timedelta(days=1)
        times = {
            name: {"dateTime": f"{following}T{hour}:00:00", "timeZone": PARIS} for name, hour in
            (("start", "09"), ("end", "10"))
        }  # fmt: skip

        world.run(world.person(2).change(master["id"], **times, recurrence=recurrence(following)))
        world.settle()
        world.heal()

        assert starts(world.live_loans) == [at(following + number * WEEK, 9) for number in range(4)]
        assert [loan.status for loan in world.loans[:4]] == [LoanStatus.CANCELLED] * 4

    def test_cancelled_cancels_every_loan(self, world: World) -> None:
        master, _ = weekly(world)

        world.run(world.person(2).cancel(master["id"]))
        world.settle()

        assert world.live_loans == ()

    def test_cancelled_while_a_new_reading_shows_nothing_is_heard_of_later(self, world: World) -> None:
        """Its dates are asked for before its master has come again: what they say of themselves counts."""
        master, _ = weekly(world, times=2)
        world.tenant.faults.add(effect="gone", times=1)
        world.run(world.person(2).cancel(master["id"]))
        world.tenant.faults.add(effect="silent", times=1, path="delta", mailbox=world.room_addresses[0])

        world.settle()
        world.heal()

        assert world.live_loans == ()

    def test_cut_short_cancels_what_came_after(self, world: World) -> None:
        master, day = weekly(world)

        world.run(world.person(2).change(master["id"], recurrence=recurrence(day, until=day + WEEK)))
        world.settle()

        assert starts(world.live_loans) == [at(day, 9), at(day + WEEK, 9)]

    def test_this_and_following_in_another_room(self, world: World) -> None:
        """The old series is cut short, a new one goes on: nothing is booked twice, nothing is lost (P51)."""
        master, day = weekly(world)

        world.run(world.person(2).change(master["id"], recurrence=recurrence(day, until=day + WEEK)))
        book_series(world, 2, day + 2 * WEEK, 9, 2, times=2)
        world.settle()

        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(4)]
        rooms = {loan.interval.start: [item.name for item in loan.rooms] for loan in world.live_loans}
        assert rooms[at(day + 2 * WEEK, 9)] == rooms[at(day + 3 * WEEK, 9)] == ["Room 2"]

    def test_taken_to_another_room_keeps_its_loans(self, world: World) -> None:
        master, _ = weekly(world)
        numbers = [loan.number for loan in world.loans]

        world.run(world.person(2).set_rooms(master["id"], [world.room_addresses[1]]))
        world.settle()
        world.heal()

        assert [loan.number for loan in world.live_loans] == numbers
        assert {tuple(item.name for item in loan.rooms) for loan in world.live_loans} == {("Room 2",)}

    def test_given_another_room_gives_it_to_every_loan(self, world: World) -> None:
        """The added room answers for each date by itself (P52)."""
        master, day = weekly(world)
        world.run(world.person(3).book(at(day + WEEK, 9), at(day + WEEK, 10), rooms=[world.room_addresses[1]]))
        world.tenant.office.set_processing(
            world.room_addresses[1], ConflictPercentageAllowed=50, MaximumConflictInstances=2
        )
        world.settle()
        mine = [loan.number for loan in world.loans if loan.series is not None]

        world.run(world.person(2).set_rooms(master["id"], world.room_addresses[:2]))
        world.settle()
        world.heal()

        held = [sorted(item.name for item in world.loan(number).held_items) for number in mine]
        assert held == [["Room 1", "Room 2"], ["Room 1"], ["Room 1", "Room 2"], ["Room 1", "Room 2"]]

    @pytest.mark.parametrize("zone", ["", "tzone://Microsoft/Custom", "Customized Time Zone"])
    def test_laid_out_in_a_zone_nobody_knows_is_followed_all_the_same(self, world: World, zone: str) -> None:
        """Its dates are named by instants then; they keep their loans when all moves; both sides can change one."""
        spoil_zones(world, zone)
        master, day = weekly(world)
        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(4)]

        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.settle()
        world.heal()

        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(4)]
        assert len(world.loans) == 4

        world.change(world.loans[1].number, LoanChange(start=at(day + WEEK, 15), end=at(day + WEEK, 16)))
        world.run(world.person(2).cancel(world.dates(2, master["id"])[2]["id"]))
        world.settle()
        world.heal()

        expected = [at(day, 11), at(day + WEEK, 15), at(day + 3 * WEEK, 11)]
        assert starts(world.live_loans) == expected
        assert [event["start"]["dateTime"][:16] for event in world.dates(2, master["id"])] == [
            f"{start:%Y-%m-%dT%H:%M}" for start in expected
        ]
        assert world.watcher.parked_keys == []


def spoil_zones(world: World, zone: str) -> None:
    """Let Graph say *zone* for the zones in which series are laid out, everywhere."""

    def spoil(event: dict[str, Any]) -> None:
        for field in ("originalStartTimeZone", "originalEndTimeZone"):
            if field in event:
                event[field] = zone
        if event.get("recurrence"):
            event["recurrence"]["range"]["recurrenceTimeZone"] = zone

    spoil_events(world, spoil)


class TestARoomThatDeclinesSomeDates:
    def test_leaves_the_others_booked(self, world: World) -> None:
        """Below the limits a series is accepted and single dates are declined (B34)."""
        day = first_day(world)
        world.tenant.office.set_processing(
            world.room_addresses[0], ConflictPercentageAllowed=50, MaximumConflictInstances=2
        )
        world.run(world.person(3).book(at(day + WEEK, 9), at(day + WEEK, 10), rooms=[world.room_addresses[0]]))
        world.settle()

        weekly(world)
        world.wait(60)
        world.settle()

        mine = tuple(loan for loan in world.live_loans if loan.series is not None)
        assert starts(mine) == [at(day + number * WEEK, 9) for number in (0, 2, 3)]

    @pytest.mark.parametrize("processing", ["AutoAccept", "AutoUpdate"])
    def test_hours_later_is_heard_in_a_moment(self, worlds: MakeWorld, processing: str) -> None:
        """It leaves the room's calendar before the organizer hears of it: the dates are listed once more then, whether
        it looks like a release or like no answer yet."""
        world = worlds(rooms=2, tenant={"attendant_delay": (2.0, 2.0)})
        world.tenant.office.set_processing(world.room_addresses[0], AutomateProcessing=processing)
        master, day = weekly(world, 1, 2)
        world.wait(3 * 3600)

        decline_date(world, 1, master, day + WEEK)
        world.wait(1)
        before = {item.name: item.state for item in loan_on(world, day + WEEK).items}
        world.wait(45)

        assert before["Room 1"] in (ItemState.REQUESTED, ItemState.RELEASED)
        after = [{item.name: item.state for item in loan.items} for loan in world.live_loans]
        assert [each["Room 1"] is ItemState.DECLINED for each in after] == [False, True, False, False]
        assert {each["Room 2"] for each in after} == {ItemState.ACCEPTED}


class TestOneDateChangedInTheApp:
    def test_moved(self, world: World) -> None:
        master, day = weekly(world)
        loan = loan_on(world, day + WEEK)

        world.change(loan.number, LoanChange(start=at(day + WEEK, 14), end=at(day + WEEK, 15)))
        world.settle()
        world.heal()

        assert [event["start"]["dateTime"][:16] for event in world.dates(2, master["id"])] == [
            f"{at(day + number * WEEK, 14 if number == 1 else 9):%Y-%m-%dT%H:%M}" for number in range(4)
        ]
        assert world.loan(loan.number).interval.start == at(day + WEEK, 14)
        assert world.count_writes() == 1

    def test_cancelled(self, world: World) -> None:
        """One date goes, never the series."""
        master, day = weekly(world)

        world.act_on(loan_on(world, day + WEEK).number, LoanAction.CANCEL)
        world.settle()
        world.heal()

        assert len(world.dates(2, master["id"])) == 3
        assert starts(world.live_loans) == [at(day, 9), at(day + 2 * WEEK, 9), at(day + 3 * WEEK, 9)]
        assert world.count_writes() == 1

    def test_taken_to_another_room(self, world: World) -> None:
        master, day = weekly(world)
        loan = loan_on(world, day + WEEK)

        world.change(loan.number, LoanChange(items=(world.item(2),)))
        world.settle()
        world.heal()

        assert [(item.name, item.state) for item in world.loan(loan.number).rooms] == [("Room 2", ItemState.ACCEPTED)]
        second = world.dates(2, master["id"])[1]
        assert [each["emailAddress"]["address"] for each in second["attendees"]] == [world.room_addresses[1]]
        assert len(world.live_loans) == 4


def bring_back_where_its_room_refuses(world: World, master: dict[str, Any], day: date) -> Loan:
    """Cancel the second date at the desk, and let its organizer bring it back by moving the whole series, to times at
    which room 1 has what is returned, and refuses the series."""
    world.act_on(loan_on(world, day + WEEK).number, LoanAction.CANCEL)
    taken = world.book_at(3, Interval(at(day + 2 * WEEK, 11), at(day + 2 * WEEK, 12)), 1)
    world.settle()
    world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
    world.settle()
    return taken


class TestADateThatWasCancelledInTheApp:
    """Moving the whole series drops its exceptions and brings cancelled dates back (MS-OXOCAL 3.1.4.7.3.5)."""

    def test_and_that_its_organizer_brings_back_is_another_loan(self, world: World) -> None:
        """Its room is taken again, and says yes: nobody else may book it then. What was cancelled stays cancelled."""
        master, day = weekly(world)
        former = loan_on(world, day + WEEK)
        world.act_on(former.number, LoanAction.CANCEL)
        world.settle()

        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.settle()

        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(4)]
        (back,) = [loan for loan in world.live_loans if loan.interval.start == at(day + WEEK, 11)]
        assert [(item.name, item.state) for item in back.rooms] == [("Room 1", ItemState.ACCEPTED)]
        assert world.loan(former.number).status is LoanStatus.CANCELLED
        assert world.loan(former.number).interval.start == at(day + WEEK, 9)
        told = {entry.code: entry.facts for entry in world.office.desk.history(back.number)}
        assert told["date_brought_back"]["loan"] == former.number
        assert told["date_of_series"]["day"] == f"{day + WEEK}"

        writes = world.count_writes()
        world.heal()
        assert len(world.live_loans) == 4
        assert world.count_writes() == writes

    def test_and_comes_back_while_its_organizer_cannot_be_asked_is_what_its_room_goes_on_showing(
        self, world: World
    ) -> None:
        """Only the organizer's calendar tells an echo from a date brought back at once; the room does after a while."""
        master, day = weekly(world)
        former = loan_on(world, day + WEEK)
        world.act_on(former.number, LoanAction.CANCEL)
        world.settle()

        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.set_mailbox(2, "denied")
        world.settle()
        assert len(world.live_loans) == 3
        world.wait(ECHO_SECONDS)
        world.settle()

        assert starts(world.live_loans) == [at(day + number * WEEK, 11) for number in range(4)]
        assert "date_brought_back" in world.history(world.loans[-1].number)

    @pytest.mark.parametrize("is_closed", [False, True])
    def test_and_comes_back_to_a_room_that_refuses_its_series_is_another_loan(
        self, world: World, is_closed: bool
    ) -> None:
        """The room is asked for the one date by itself, and says yes: so it is one that came back, as in its series."""
        master, day = weekly(world)
        taken = bring_back_where_its_room_refuses(world, master, day)
        assert [loan.number for loan in world.live_loans] == [taken.number]

        date = world.dates(2, master["id"])[1]
        world.run(world.person(2).move(date["id"], at(day + WEEK, 14), at(day + WEEK, 15)))
        if is_closed:
            world.set_mailbox(2, "denied")
            world.settle()
            world.wait(ECHO_SECONDS)
        world.settle()

        (back,) = [loan for loan in world.live_loans if loan.number != taken.number]
        assert back.interval.start == at(day + WEEK, 14)
        assert [(item.name, item.state) for item in back.rooms] == [("Room 1", ItemState.ACCEPTED)]
        assert "date_brought_back" in world.history(back.number)

    def test_and_comes_back_to_a_room_that_had_it_by_itself_is_another_loan(self, world: World) -> None:
        """That room goes on showing the date under the id it had, as cancelled in between."""
        master, day = weekly(world)
        world.run(world.person(2).set_rooms(world.dates(2, master["id"])[1]["id"], [world.room_addresses[1]]))
        world.settle()
        taken = bring_back_where_its_room_refuses(world, master, day)

        date = world.dates(2, master["id"])[1]
        world.run(world.person(2).set_rooms(date["id"], [world.room_addresses[1]]))
        world.settle()

        (back,) = [loan for loan in world.live_loans if loan.number != taken.number]
        assert back.interval.start == at(day + WEEK, 11)
        assert [(item.name, item.state) for item in back.rooms] == [("Room 2", ItemState.ACCEPTED)]
        assert "date_brought_back" in world.history(back.number)

    def test_and_is_shown_as_cancelled_by_its_room_is_only_an_echo(self, world: World) -> None:
        """Its whole series was cancelled since, and its organizer cannot be asked: the room is, and tells the end. What
        it was read to show before counts for nothing."""
        master, day = weekly(world)
        (date,) = world.names_of(loan_on(world, day + WEEK).number)
        world.tenant.faults.add(effect="error", status=503, path="/calendarView/delta")
        world.act_on(loan_on(world, day + WEEK).number, LoanAction.CANCEL)
        world.wait(10)
        world.run(world.person(2).delete(master["id"]))
        world.set_mailbox(2, "denied")
        with world.database.write() as transaction:
            transaction.mark("meeting", date)
        world.wait(2 * ECHO_SECONDS)
        world.tenant.faults.clear()
        world.heal()

        assert len(world.loans) == 4
        assert not world.live_loans

    def test_and_leaves_its_room_while_it_is_read_is_looked_at_again(self, world: World) -> None:
        """Nobody is told that what we have ended is gone from a room: what is made of it must find it there."""
        _, day = weekly(world)
        former = loan_on(world, day + WEEK)
        (date,) = world.names_of(former.number)
        ledger = world.office.ledger
        before = ledger.load_booking("loan", str(former.number))
        assert before is not None
        world.act_on(former.number, LoanAction.CANCEL)
        world.settle()
        echo = Booking("meeting", date, None, None, before.copies, series=before.series, withdrawn=former.number)
        new = NewLoan(former.requester, former.interval, {world.item(1).id: ItemState.ACCEPTED}, "", private=False)

        with pytest.raises(Stale):
            ledger.save_plan(echo, Plan(loan=new), Writing())

    def test_waits_in_a_case_where_somebody_else_has_the_room(self, world: World) -> None:
        master, day = weekly(world)
        world.act_on(loan_on(world, day + WEEK).number, LoanAction.CANCEL)
        world.settle()
        world.tenant.office.set_processing(world.room_addresses[0], AllowConflicts=True)
        world.book_at(3, Interval(at(day + WEEK, 11), at(day + WEEK, 12)), 1)
        world.settle()

        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.settle()

        assert len(world.live_loans) == 4
        assert world.cases() == ["item_unavailable"]

    def test_is_cancelled_again_like_any_other(self, world: World) -> None:
        master, day = weekly(world)
        world.act_on(loan_on(world, day + WEEK).number, LoanAction.CANCEL)
        world.settle()
        world.run(world.person(2).move(master["id"], at(day, 11), at(day, 12)))
        world.settle()

        world.act_on(world.live_loans[-1].number, LoanAction.CANCEL)
        world.heal()
        assert len(world.dates(2, master["id"])) == 3

        world.run(world.person(2).move(master["id"], at(day, 14), at(day, 15)))
        world.heal()
        assert starts(world.live_loans) == [at(day + number * WEEK, 14) for number in range(4)]

    def test_and_is_still_shown_by_its_room_is_only_an_echo(self, world: World) -> None:
        """The room shows its copy once more before it has heard of the end: the organizer's calendar tells."""
        _, day = weekly(world)
        world.tenant.faults.add(effect="replay", probability=0.5)
        world.tenant.faults.add(effect="resend_series")
        world.act_on(loan_on(world, day + WEEK).number, LoanAction.CANCEL)
        for _ in range(5):
            world.wait(0.3)
            world.office.rooms.mark_rooms(priority=1)
        world.tenant.faults.clear()
        world.heal()

        assert len(world.loans) == 4
        assert len(world.live_loans) == 3


class TestADateThatHasBegun:
    """What is over, or under way, is history: a change of its series is written down and moves nothing (P53)."""

    @pytest.fixture
    def begun(self, world: World) -> tuple[World, dict[str, Any], date]:
        """A daily series of which the first date is over and the second is under way."""
        day = first_day(world)
        master = book_series(world, 2, day, 9, 1, kind="daily", times=4, length=2)
        world.settle()
        world.wait((at(day + timedelta(days=1), 9.5) - world.loop.now()).total_seconds())
        return world, master, day

    def test_does_not_move_with_its_series(self, begun: tuple[World, dict[str, Any], date]) -> None:
        world, master, day = begun

        world.run(world.person(2).move(master["id"], at(day, 14), at(day, 16)))
        world.settle()
        world.heal()

        hours = [9, 9, 14, 14]
        assert starts(world.loans) == [at(day + timedelta(days=number), hour) for number, hour in enumerate(hours)]
        assert [world.history(loan.number).count("begun_date_moved") for loan in world.loans] == [1, 1, 0, 0]

    def test_is_not_cancelled_with_its_series(self, begun: tuple[World, dict[str, Any], date]) -> None:
        world, master, _ = begun

        world.run(world.person(2).cancel(master["id"]))
        world.settle()
        world.heal()

        ended = [loan.status is LoanStatus.CANCELLED for loan in world.loans]
        assert ended == [False, False, True, True]
        assert [world.history(loan.number).count("begun_date_cancelled") for loan in world.loans] == [1, 1, 0, 0]

    def test_follows_an_edit_of_itself_while_it_runs(self, begun: tuple[World, dict[str, Any], date]) -> None:
        """Somebody makes the running meeting longer: that is meant for this very date."""
        world, master, day = begun
        running = day + timedelta(days=1)
        second = world.dates(2, master["id"])[1]

        world.run(world.person(2).move(second["id"], at(running, 9), at(running, 12)))
        world.settle()

        assert loan_on(world, running).interval.end == at(running, 12)


@pytest.mark.usefixtures("long_sleeps")
class TestALongSeries:
    def test_goes_on_as_the_window_moves(self) -> None:
        """An endless series is a loan per date as far as we look, and further when the window is opened anew."""
        world = World(rooms=1, settings={"ENGINE_SYNC__HORIZON_DAYS": "60"}).open()
        world.tenant.office.set_processing(
            world.room_addresses[0], EnforceSchedulingHorizon=False, BookingWindowInDays=365
        )
        day = first_day(world)
        book_series(world, 2, day, 9, 1, times=None)
        world.settle()
        before = len(world.loans)

        world.wait(timedelta(days=40).total_seconds())
        world.office.rooms.mark_rooms(priority=2)
        world.settle()

        assert before == 9
        assert starts(world.loans) == [at(day + number * WEEK, 9) for number in range(len(world.loans))]
        assert len(world.loans) >= before + 5
        world.close()

    def test_gives_no_more_loans_than_set(self) -> None:
        """The next dates become loans; the others wait, and a case says why."""
        world = World(rooms=1, settings={"ENGINE_SYNC__SERIES_DATES_MAX": "3"}).open()

        _, day = weekly(world, times=5)

        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(3)]
        assert world.cases().count("series_too_long") == 2
        world.close()


class TestWhatTheRoomShows:
    def test_wholly_in_pieces(self) -> None:
        """Pages that put stubs before their master, or bring them again, make the same loans."""
        world = World(rooms=1, tenant={"page_size": 1}).open()
        world.tenant.faults.add(effect="shuffle")

        _, day = weekly(world, times=6)
        world.heal()

        assert starts(world.live_loans) == [at(day + number * WEEK, 9) for number in range(6)]
        world.close()

    def test_that_was_there_before_us_is_left_alone_until_it_changes(self) -> None:
        world = World(rooms=1, settings={"ENGINE_SYNC__FIRST_CONTACT": "list"})
        day = first_day(world)
        master = book_series(world, 2, day, 9, 1)
        world.wait(5)
        world.open()
        assert world.loans == ()

        world.run(world.person(2).move(master["id"], at(day, 10), at(day, 11)))
        world.settle()

        assert starts(world.live_loans) == [at(day + number * WEEK, 10) for number in range(4)]
        world.close()

    def test_private_in_its_organizers_calendar_tells_no_title(self, world: World) -> None:
        day = first_day(world)
        body = {
            "subject": "Secret",
            "sensitivity": "private",
            "start": {"dateTime": f"{day}T09:00:00", "timeZone": "UTC"},
            "end": {"dateTime": f"{day}T10:00:00", "timeZone": "UTC"},
            "recurrence": recurrence(day),
            "attendees": [{"type": "resource", "emailAddress": {"address": world.room_addresses[0]}}],
        }

        world.run(world.person(2).call("POST", "/events", body))
        world.settle()

        assert [(loan.private, loan.title) for loan in world.live_loans] == [(True, "")] * 4


class TestBothSidesAtOnce:
    def test_one_date_moved_differently(self, world: World) -> None:
        """The rule of any other booking: born in Outlook, so Outlook wins, and the other value waits in a case."""
        master, day = weekly(world)
        loan, second = loan_on(world, day + WEEK), world.dates(2, master["id"])[1]

        world.run(world.person(2).move(second["id"], at(day + WEEK, 14), at(day + WEEK, 15)))
        world.change(loan.number, LoanChange(start=at(day + WEEK, 16), end=at(day + WEEK, 17)))
        world.settle()

        assert world.loan(loan.number).interval.start == at(day + WEEK, 14)
        assert world.cases() == ["both_changed"]

    def test_a_date_that_may_not_go_so_far_comes_back(self, world: World) -> None:
        """Exchange lets no date pass its neighbours (B57): the loan goes back, and a case says what was refused."""
        _, day = weekly(world)
        loan = loan_on(world, day + WEEK)

        world.change(loan.number, LoanChange(start=at(day + 3 * WEEK, 12), end=at(day + 3 * WEEK, 13)))
        world.settle()

        assert world.loan(loan.number).interval.start == at(day + WEEK, 9)
        assert world.cases() == ["write_refused"]

    def test_a_date_that_may_not_go_so_far_finds_its_former_time_taken(self, world: World) -> None:
        """Somebody booked the room there in between: as for any meeting that comes to a room that is taken, staff
        decide. What Exchange refused is asked once, and not for ever."""
        _, day = weekly(world)
        loan = loan_on(world, day + WEEK)

        loan_number = loan.number
        world.change(loan_number, LoanChange(start=at(day + 3 * WEEK, 12), end=at(day + 3 * WEEK, 13)))
        other = world.book_at(3, Interval(at(day + WEEK, 9), at(day + WEEK, 10)), 1)
        world.settle()

        assert [loan.status for loan in world.loans if loan.number in (loan_number, other.number)] == [
            LoanStatus.CANCELLED,
            LoanStatus.REFUSED,
        ]
        assert world.cases() == ["write_refused", "item_unavailable", "room_declined"]
        assert world.count_writes() == 3  # the change that was refused; the other's event, and its end

"""When meetings are, whatever their zones and the clocks say: clock changes, whole days, odd times, rooms far apart."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from engine.errors import Unavailable
from engine.interval import Interval
from engine.loans.loan import Loan
from engine.loans.status import ItemState
from engine.prove.people.series import at, book_series, starts
from engine.prove.world.world import World
from tests.simulation.conftest import MakeWorld

SPRING = date(2027, 3, 28)
"""Paris loses the hour from two to three."""

AUTUMN = date(2027, 10, 31)
"""Paris lives the hour from two to three twice."""

DAY = timedelta(days=1)


@pytest.fixture
def in_zones(worlds: MakeWorld) -> MakeWorld:
    def make(*zones: str, rooms: int = 2, tenant: dict[str, Any] | None = None) -> World:
        """Open a world whose rooms lie in *zones*; Paris where there are not enough."""
        world = worlds(rooms=rooms, settings={"ENGINE_ROOMS__TIME_ZONE": "Europe/Paris"}, tenant=tenant)
        for number, address in enumerate(world.room_addresses):
            world.tenant.office.set_processing(address, BookingWindowInDays=1080, MaximumDurationInMinutes=0)
            found = world.office.rooms.room_book().by_address(address)
            assert found is not None
            if number < len(zones):
                world.office.rooms.set_time_zone(found.id, zones[number])
        return world

    return make


@pytest.fixture
def world(in_zones: MakeWorld) -> World:
    return in_zones()


def meet(world: World, start: str, end: str, *rooms: int, zone: str = "Romance Standard Time", **more: Any) -> None:
    """Book a meeting of person 2 at wall-clock times of *zone*, and let everything arrive."""
    body = {
        "subject": "Meeting",
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        "attendees": [
            {"type": "resource", "emailAddress": {"address": world.room_addresses[room - 1]}} for room in rooms or (1,)
        ],
        **more,
    }
    world.run(world.person(2).call("POST", "/events", body))
    world.settle()


def only_loan(world: World) -> Loan:
    (loan,) = world.loans
    return loan


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestClockChanges:
    @pytest.mark.parametrize(
        ("start", "end", "first", "last"),
        [
            ("2027-03-28T01:00", "2027-03-28T04:00", "2027-03-28T00:00", "2027-03-28T02:00"),
            ("2027-10-31T01:00", "2027-10-31T04:00", "2027-10-30T23:00", "2027-10-31T03:00"),
            ("2027-03-27T23:00", "2027-03-28T09:00", "2027-03-27T22:00", "2027-03-28T07:00"),
            ("2027-10-30T23:00", "2027-10-31T09:00", "2027-10-30T21:00", "2027-10-31T08:00"),
        ],
    )
    def test_a_meeting_over_the_night(self, world: World, start: str, end: str, first: str, last: str) -> None:
        """Three hours on the wall are two in spring and four in autumn."""
        meet(world, start, end)

        assert only_loan(world).interval == Interval(utc(first), utc(last))

    @pytest.mark.parametrize("zone", ["Romance Standard Time", "Europe/Paris"])
    @pytest.mark.parametrize("weekend", [SPRING, AUTUMN])
    def test_a_daily_series_keeps_its_hour(self, world: World, weekend: date, zone: str) -> None:
        """At nine before and after; twenty-three or twenty-five hours lie between."""
        book_series(world, 2, weekend - 2 * DAY, 9, 1, kind="daily", times=5, zone=zone)
        world.settle()

        assert starts(world.live_loans) == [at(weekend + number * DAY, 9) for number in range(-2, 3)]

    @pytest.mark.parametrize("weekend", [SPRING, AUTUMN])
    @pytest.mark.parametrize("hour", [0, 1, 2, 2.5, 3, 23.5])
    def test_a_series_in_the_night_itself_has_every_date_once(self, world: World, weekend: date, hour: float) -> None:
        """Also at an hour that does not exist, or twice: as many loans as dates, whatever instant the clock gives."""
        book_series(world, 2, weekend - DAY, hour, 1, kind="daily", times=3, length=0.25)
        world.settle()
        world.lose_delta(1)
        world.heal()

        loans = world.live_loans
        assert len(loans) == 3
        assert starts(loans)[0] == at(weekend - DAY, hour)
        assert starts(loans)[2] == at(weekend + DAY, hour)

    def test_a_series_of_another_continent_follows_its_own_clock(self, world: World) -> None:
        """New York's clocks change two weeks before Paris': the room sees it an hour earlier in between."""
        book_series(world, 2, date(2027, 3, 8), 9, 1, times=4, zone="Eastern Standard Time")
        world.settle()

        assert [f"{start:%d %H:%M}" for start in starts(world.live_loans)] == [
            "08 14:00", "15 13:00", "22 13:00", "29 13:00"]  # fmt: skip

    def test_one_date_on_the_night_moved_and_back_in_the_app(self, world: World) -> None:
        master = book_series(world, 2, SPRING - DAY, 9, 1, kind="daily", times=3)
        world.settle()
        second = world.dates(2, master["id"])[1]

        world.run(world.person(2).move(second["id"], at(SPRING, 1), at(SPRING, 4)))
        world.settle()

        (_, moved, _) = world.loans
        assert moved.interval == Interval(at(SPRING, 1), at(SPRING, 4))
        assert len(world.live_loans) == 3


class TestWholeDays:
    @pytest.mark.parametrize(
        ("first", "after", "hours"),
        [
            (SPRING, SPRING + DAY, 23),
            (AUTUMN, AUTUMN + DAY, 25),
            (SPRING - DAY, SPRING + 2 * DAY, 71),
            (AUTUMN - DAY, AUTUMN + 2 * DAY, 73),
            (SPRING + DAY, SPRING + 2 * DAY, 24),
        ],
    )
    @pytest.mark.parametrize("zone", ["UTC", "Romance Standard Time", "Tokyo Standard Time"])
    def test_last_from_midnight_to_midnight(
        self, world: World, first: date, after: date, hours: int, zone: str
    ) -> None:
        """They float: whatever zone they were written in, the room's midnights count, 23 or 25 hours apart."""
        meet(world, f"{first}T00:00:00", f"{after}T00:00:00", zone=zone, isAllDay=True)

        loan = only_loan(world)
        assert loan.interval == Interval(at(first, 0), at(after, 0))
        assert loan.interval.end - loan.interval.start == timedelta(hours=hours)
        assert loan.interval.blocked() == loan.interval

    def test_stay_what_they_are_when_looked_at_again(self, world: World) -> None:
        meet(world, f"{SPRING}T00:00:00", f"{SPRING + DAY}T00:00:00", isAllDay=True)
        before = only_loan(world)

        world.lose_delta(1)
        world.heal()

        assert only_loan(world).version == before.version
        assert world.count_writes() == 0

    @pytest.mark.parametrize("weekend", [SPRING, AUTUMN])
    def test_in_a_series_are_days_of_their_own(self, world: World, weekend: date) -> None:
        """Day after day over the change of clocks: no gap, no overlap, no date lost."""
        body = {
            "recurrence": {
                "pattern": {"type": "daily", "interval": 1},
                "range": {"type": "numbered", "startDate": f"{weekend - DAY}", "numberOfOccurrences": 3},
            },
        }
        meet(world, f"{weekend - DAY}T00:00:00", f"{weekend}T00:00:00", isAllDay=True, **body)

        intervals = sorted((loan.interval for loan in world.live_loans), key=lambda interval: interval.start)
        assert intervals == [
            Interval(at(weekend + number * DAY, 0), at(weekend + (number + 1) * DAY, 0)) for number in (-1, 0, 1)
        ]

    def test_block_the_night_before_an_early_loan(self, world: World) -> None:
        """The day ends at the room's midnight: half past eleven at night is taken, midnight is free."""
        meet(world, "2027-07-01T00:00:00", "2027-07-02T00:00:00", isAllDay=True)

        with pytest.raises(Unavailable):
            world.book_at(3, Interval(at(date(2027, 7, 1), 23.5), at(date(2027, 7, 2), 0)), 1)
        assert world.book_at(3, Interval(at(date(2027, 7, 2), 0), at(date(2027, 7, 2), 1)), 1).number


class TestRoomsFarApart:
    def test_have_days_of_their_own(self, in_zones: MakeWorld) -> None:
        """The same day begins six hours later in New York."""
        world = in_zones("Europe/Paris", "America/New_York")
        meet(world, "2027-01-11T00:00:00", "2027-01-12T00:00:00", 1, isAllDay=True)
        meet(world, "2027-01-11T00:00:00", "2027-01-12T00:00:00", 2, isAllDay=True)

        paris, york = sorted(world.loans, key=lambda loan: loan.items[0].name)
        assert paris.interval.start == utc("2027-01-10T23:00")
        assert york.interval.start == utc("2027-01-11T05:00")

    def test_share_an_instant(self, in_zones: MakeWorld) -> None:
        """A meeting with a time is at one instant everywhere."""
        world = in_zones("Europe/Paris", "America/New_York")
        meet(world, "2027-01-11T15:00:00", "2027-01-11T16:00:00", 1, 2)

        loan = only_loan(world)
        assert loan.interval.start == utc("2027-01-11T14:00")
        assert len(loan.held_items) == 2

    def test_meeting_on_a_whole_day_settle_on_one_loan(self, in_zones: MakeWorld) -> None:
        """A loan has one time, from the first of their midnights to the last; looking again changes nothing."""
        world = in_zones("Europe/Paris", "America/New_York")
        meet(world, "2027-01-11T00:00:00", "2027-01-12T00:00:00", 1, 2, isAllDay=True)
        before = only_loan(world)
        assert before.interval == Interval(utc("2027-01-10T23:00"), utc("2027-01-12T05:00"))

        world.lose_delta(1)
        world.lose_delta(2)
        world.heal()

        loan = only_loan(world)
        assert (loan.interval, loan.version) == (before.interval, before.version)
        assert {item.name for item in loan.held_items} == {"Room 1", "Room 2"}
        assert world.count_writes() == 0
        assert world.cases() == []

    def test_that_are_given_another_zone_take_their_days_along(self, in_zones: MakeWorld) -> None:
        """The loans of whole days move to the midnights of the new zone, the others stay; nothing is written."""
        world = in_zones("Europe/Paris")
        meet(world, "2027-01-11T00:00:00", "2027-01-12T00:00:00", 1, isAllDay=True)
        meet(world, "2027-01-13T09:00:00", "2027-01-13T10:00:00", 1)

        world.office.rooms.set_time_zone(world.item(1).id, "America/New_York")
        world.wait(3.0)

        days, hour = sorted(world.live_loans, key=lambda loan: loan.interval.start)
        assert days.interval == Interval(utc("2027-01-11T05:00"), utc("2027-01-12T05:00"))
        assert hour.interval.start == utc("2027-01-13T08:00")
        assert world.count_writes() == 0

    def test_follow_the_default_zone_when_it_is_another_after_a_start(self, in_zones: MakeWorld) -> None:
        """Rooms with a zone of their own, and meetings with hours, stay where they are; nothing is written."""
        world = in_zones("Europe/Paris")
        world.office.rooms.follow_default_zone()
        for room in (1, 2):
            meet(world, "2027-03-10T00:00:00", "2027-03-11T00:00:00", room, isAllDay=True)
            meet(world, "2027-03-11T09:00:00", "2027-03-11T10:00:00", room)
        paris = [loan.interval for loan in world.live_loans]

        world.kill()
        rooms = world.settings.rooms.model_copy(update={"time_zone": "America/New_York"})
        world.settings = world.settings.model_copy(update={"rooms": rooms})
        world.start()
        world.office.rooms.follow_default_zone()
        world.wait(30)
        world.settle()

        new_york = Interval(datetime(2027, 3, 10, 5, tzinfo=UTC), datetime(2027, 3, 11, 5, tzinfo=UTC))
        assert [loan.interval for loan in world.live_loans] == [*paris[:2], new_york, paris[3]]
        assert world.count_writes() == 0

    @pytest.mark.parametrize("first", [1, 2])
    def test_of_which_one_joins_a_whole_day_later(self, in_zones: MakeWorld, first: int) -> None:
        """The loan grows to hold both rooms' days, whichever came first, and shrinks when one leaves."""
        world = in_zones("Europe/Paris", "America/New_York")
        body = {"subject": "Fair", "isAllDay": True}
        meet(world, "2027-01-11T00:00:00", "2027-01-12T00:00:00", first, **body)
        event = world.all_events()[0]

        world.run(world.person(2).set_rooms(event["id"], world.room_addresses))
        world.settle()
        assert only_loan(world).interval == Interval(utc("2027-01-10T23:00"), utc("2027-01-12T05:00"))

        world.run(world.person(2).set_rooms(event["id"], [world.room_addresses[0]]))
        world.settle()
        world.heal()
        assert only_loan(world).interval == Interval(utc("2027-01-10T23:00"), utc("2027-01-11T23:00"))
        assert [item.name for item in only_loan(world).held_items] == ["Room 1"]

    def test_of_which_one_drops_a_whole_day(self, in_zones: MakeWorld) -> None:
        """It holds the day no more, though its organizer still reads that it accepted: the loan is as long as the other
        room's day, and nobody waits for an answer that was given."""
        world = in_zones("Europe/Paris", "America/New_York")
        meet(world, "2027-01-11T00:00:00", "2027-01-12T00:00:00", 1, 2, isAllDay=True)
        world.tenant.office.release(world.room_addresses[1], world.all_events()[0]["iCalUId"])
        world.heal()

        loan = only_loan(world)
        assert loan.interval == Interval(utc("2027-01-10T23:00"), utc("2027-01-11T23:00"))
        assert [item.state for item in loan.rooms] == [ItemState.ACCEPTED, ItemState.RELEASED]
        assert world.cases() == ["room_released"]

    def test_of_which_one_that_is_taken_declines_a_whole_day_late(self, in_zones: MakeWorld) -> None:
        """The loan lets go of it at once, and learns that it declined all the same: it holds no hour of that day."""
        world = in_zones("Europe/Paris", "America/New_York", tenant={"attendant_delay": (0.6, 0.6)})
        meet(world, "2027-01-11T09:00:00", "2027-01-11T10:00:00", 2)
        meet(world, "2027-01-12T09:00:00", "2027-01-12T10:00:00", 1, 2)
        event = next(event for event in world.all_events() if event["start"]["dateTime"].startswith("2027-01-12"))

        first, after = ({"dateTime": f"2027-01-{day}T00:00:00", "timeZone": "UTC"} for day in (11, 12))
        world.run(world.person(2).change(event["id"], isAllDay=True, start=first, end=after))
        world.settle()
        world.heal()

        loan = next(loan for loan in world.loans if world.room_addresses[0] in [item.address for item in loan.items])
        assert [item.name for item in loan.held_items] == ["Room 1"]
        assert loan.interval == Interval(utc("2027-01-10T23:00"), utc("2027-01-11T23:00"))


class TestOddTimes:
    def test_several_days_are_one_loan(self, world: World) -> None:
        meet(world, "2027-03-26T10:00:00", "2027-03-29T12:00:00")

        assert only_loan(world).interval == Interval(at(date(2027, 3, 26), 10), at(date(2027, 3, 29), 12))

    @pytest.mark.parametrize("minutes", [(7, 52), (0, 1), (14, 16)])
    def test_off_the_grid_are_kept_and_blocked_outwards(self, world: World, minutes: tuple[int, int]) -> None:
        first, last = minutes
        meet(world, f"2027-03-28T09:{first:02}:00", f"2027-03-28T09:{last:02}:00")

        loan = only_loan(world)
        nine = at(SPRING, 9)
        assert loan.interval == Interval(nine + timedelta(minutes=first), nine + timedelta(minutes=last))
        blocked = loan.interval.blocked()
        assert blocked.start <= loan.interval.start
        assert loan.interval.end <= blocked.end
        assert (blocked.start.minute % 15, blocked.end.minute % 15) == (0, 0)

    def test_of_no_length_in_a_series_make_no_loans(self, world: World) -> None:
        """Each date blocks nothing; made longer, each becomes a loan."""
        day = (world.loop.now() + 2 * DAY).date()
        master = book_series(world, 2, day, 9, 1, times=3, length=0.0)
        world.settle()
        assert world.loans == ()
        assert set(world.cases()) <= {"zero_length"}

        world.run(world.person(2).move(master["id"], at(day, 9), at(day, 10)))
        world.settle()

        assert len(world.live_loans) == 3
        assert world.cases() == []

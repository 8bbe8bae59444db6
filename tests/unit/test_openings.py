"""Whether a thing can be had, and when nearby it could be."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from engine.ids import BookableId, LoanNumber, StoreId
from engine.interval import Interval
from engine.loans.loan import ItemKind
from engine.loans.openings import Opening, common_shifts, find_openings, widen
from engine.loans.register import Availability, Busy
from engine.loans.rules import BookingRules, OpeningHours

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 11, 23, tzinfo=PARIS)
NOW = MONDAY - timedelta(days=3)


def hours(start: str, end: str) -> Interval:
    begin, finish = (MONDAY + timedelta(hours=int(at[:2]), minutes=int(at[3:])) for at in (start, end))
    return Interval(begin, finish)


def room(
    *taken: tuple[str, str], number: int = 1, rules: BookingRules | None = None, zone: str | None = None
) -> Availability:
    busy = tuple(Busy(BookableId(number), hours(*stretch), LoanNumber(7)) for stretch in taken)
    return Availability(
        ItemKind.ROOM,
        BookableId(number),
        f"Room {number}",
        8,
        not busy,
        busy,
        StoreId(1),
        rules or BookingRules(),
        zone,
    )


def judge(*rooms: Availability, now: datetime = NOW) -> list[Opening]:
    return list(find_openings(hours("10:00", "11:00"), rooms, now=now, zone=PARIS))


def starts(shifts: tuple[Interval, ...]) -> list[str]:
    return [f"{shift.start.astimezone(PARIS):%H:%M}" for shift in shifts]


class TestAFreeRoom:
    def test_is_open_and_its_shifts_come_the_nearest_first(self) -> None:
        (found,) = judge(room())

        assert found.is_open
        assert starts(found.shifts) == ["09:45", "10:15", "09:30", "10:30"]

    def test_what_only_touches_is_no_clash(self) -> None:
        (found,) = judge(room(("09:00", "10:00"), ("11:00", "12:00")))

        assert found.is_open
        assert found.shifts == ()


class TestATakenRoom:
    def test_names_what_takes_it_and_when_nearby_it_is_free(self) -> None:
        """Taken from 9 to 10:15: a quarter later, or half an hour later, it can be had."""
        (found,) = judge(room(("09:00", "10:15")))

        assert not found.is_open
        assert [busy.interval for busy in found.clashes] == [hours("09:00", "10:15")]
        assert starts(found.shifts) == ["10:15", "10:30"]

    def test_what_lies_beside_the_wish_is_no_clash_but_stops_shifts(self) -> None:
        (found,) = judge(room(("09:00", "09:45")))

        assert found.is_open
        assert starts(found.shifts) == ["09:45", "10:15", "10:30"]

    def test_no_shift_begins_in_the_past(self) -> None:
        """At 9:46 the quarter that has begun can still be booked, the one before it cannot."""
        (found,) = judge(room(), now=MONDAY + timedelta(hours=9, minutes=46))

        assert starts(found.shifts) == ["09:45", "10:15", "10:30"]

    def test_exactly_what_must_be_known_is_asked_for(self) -> None:
        assert widen(hours("10:00", "11:00")) == hours("09:30", "11:30")


class TestRules:
    def test_a_room_that_opens_later_is_not_open_but_a_shift_is(self) -> None:
        """Opening hours are meant in the room's own zone."""
        rules = BookingRules(opening_hours=OpeningHours({1: (time(10, 30), time(18))}))

        (here,) = judge(room(rules=rules))
        (london,) = judge(room(rules=rules, zone="Europe/London"))

        assert [breach.code for breach in here.breaches] == ["outside_opening_hours"]
        assert starts(here.shifts) == ["10:30"]
        assert london.shifts == ()

    def test_a_booking_too_long_finds_no_shift(self) -> None:
        (found,) = judge(room(rules=BookingRules(duration_minutes_max=45)))

        assert [breach.code for breach in found.breaches] == ["longer_than_maximum"]
        assert found.shifts == ()


class TestSeveralRooms:
    def test_a_shift_must_suit_them_all(self) -> None:
        openings = judge(room(("09:00", "10:15")), room(("11:15", "12:00"), number=2))

        assert starts(common_shifts(openings)) == ["10:15"]

    def test_nothing_chosen_has_no_shifts(self) -> None:
        assert common_shifts([]) == ()

    def test_utc_or_local_is_the_same(self) -> None:
        wish = Interval(datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC))

        (found,) = find_openings(wish, [room(("10:30", "12:00"))], now=NOW, zone=PARIS)

        assert not found.is_open

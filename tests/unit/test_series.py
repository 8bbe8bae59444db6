"""What names one date of a series, and what a stub stands for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.ids import Address, EventId, ICalUid
from engine.interval import Interval
from engine.rooms.event import Answer, Attendee, EventCopy, EventStub, EventType, Mailbox, TimeFault
from engine.rooms.series import day_key, day_of, hydrate, key_within, lone_key, occurrence_key, series_uid, split_key

SERIES = "040000008200E00074C5B7101A82E00800000000AABBCCDDEEFF00112233445566778899AABBCCDD"
ONE_DATE = "040000008200E00074C5B7101A82E00807EA0B15AABBCCDDEEFF00112233445566778899AABBCCDD"
"""The same, with the 21st of November 2026 written into it."""

NINE = datetime(2026, 11, 21, 9, tzinfo=UTC)


def make_master(**more: object) -> EventCopy:
    values: dict[str, object] = {
        "event_id": EventId("M"),
        "etag": "E1",
        "ical_uid": ICalUid(SERIES),
        "type": EventType.MASTER,
        "organizer": Mailbox(Address("amelie@example.org"), "Amélie"),
        "interval": Interval(NINE, NINE + timedelta(hours=1)),
        "attendees": (Attendee(Address("room-1@example.org"), "Room 1", "resource", Answer.ACCEPTED),),
        "answer": Answer.ACCEPTED,
        "zone": "Europe/Paris",
    }
    return EventCopy(**{**values, **more})  # type: ignore[arg-type]


def make_stub(start: datetime, hours: float = 1.0) -> EventStub:
    return EventStub(EventId("S"), "E2", EventId("M"), Interval(start, start + timedelta(hours=hours)))


class TestTheKey:
    def test_is_the_day_in_the_zone_of_the_series(self) -> None:
        """Half past midnight in Paris is the day before in UTC: the series' own calendar counts."""
        late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

        assert occurrence_key("U", late, "Europe/Paris") == "U@20261121"
        assert occurrence_key("U", late, "UTC") == "U@20261120"

    def test_is_the_instant_where_nobody_knows_the_zone(self) -> None:
        assert occurrence_key("U", NINE, "") == "U@20261121T090000Z"

    @pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Pacific/Auckland", "Pacific/Kiritimati"])
    @pytest.mark.parametrize("hour", [0, 1, 2, 3, 12, 23])
    def test_of_a_daily_series_is_another_one_each_day_of_a_year(self, zone: str, hour: int) -> None:
        """No clock change makes two dates one: days are counted on the wall, not in UTC."""
        first = datetime(2026, 1, 1, hour, 30, tzinfo=ZoneInfo(zone))
        days = [first + timedelta(days=number) for number in range(366)]

        assert len({occurrence_key("U", day, zone) for day in days}) == 366

    def test_says_what_it_names(self) -> None:
        key = day_key("some@uid", date(2026, 11, 21))

        assert split_key(key) == ("some@uid", "20261121")
        assert day_of(key) == date(2026, 11, 21)

    @pytest.mark.parametrize(
        "uid",
        [SERIES, "a@example.org", "x@2026", "", "7kukuqrfedlm2f9t0g6@google.com", "x@20261399", "x@２０２６１１２３"],
    )
    def test_of_a_single_event_is_its_uid(self, uid: str) -> None:
        assert (split_key(uid), day_of(uid)) == (None, None)

    def test_stays_when_the_whole_series_moves_to_another_hour(self) -> None:
        master = make_master()

        assert key_within(master, make_stub(NINE), "Europe/Paris") == key_within(
            master, make_stub(NINE + timedelta(hours=5)), "Europe/Paris"
        )

    def test_of_a_moved_date_is_where_the_pattern_put_it(self) -> None:
        moved = make_master(type=EventType.EXCEPTION, original_start=NINE, interval=Interval(
            NINE + timedelta(days=2), NINE + timedelta(days=2, hours=1)))  # fmt: skip

        assert key_within(make_master(), moved, "Europe/Paris") == f"{SERIES}@20261121"

    @pytest.mark.parametrize(
        "start",
        [
            datetime(2026, 11, 21, tzinfo=UTC),  # floating, as it is shown in UTC
            datetime(2026, 11, 20, 23, tzinfo=UTC),  # midnight in Paris
        ],
    )
    def test_of_an_all_day_date_is_its_day(self, start: datetime) -> None:
        master = make_master(all_day=(date(2026, 11, 14), date(2026, 11, 15)), interval=None)
        moved = make_master(type=EventType.EXCEPTION, original_start=start)

        assert key_within(master, moved, "Europe/Paris") == f"{SERIES}@20261121"

    def test_is_unknown_for_a_date_without_any_time(self) -> None:
        stub = EventStub(EventId("S"), "E", EventId("M"), None, time_fault=TimeFault("dates_invalid", "?"))

        assert key_within(make_master(), stub, "UTC") is None


class TestAGlobalObjectId:
    def test_of_one_date_names_series_and_day(self) -> None:
        """A date mailed by itself joins the series' other rooms (MS-OXOCAL 2.2.1.27)."""
        assert series_uid(ONE_DATE) == SERIES
        assert lone_key(ONE_DATE) == f"{SERIES}@20261121"

    @pytest.mark.parametrize(
        "uid", [SERIES, "a@example.org", "", SERIES[:-30], SERIES.replace("00000000AA", "FFFFFFFFAA")]
    )
    def test_of_anything_else_is_left_alone(self, uid: str) -> None:
        assert series_uid(uid) == uid
        assert lone_key(uid) is None


class TestAStub:
    def test_has_the_masters_values_and_its_own_times(self) -> None:
        week_later = NINE + timedelta(days=7)

        copy = hydrate(make_stub(week_later), make_master())

        assert (copy.event_id, copy.etag, copy.type) == ("S", "E2", EventType.OCCURRENCE)
        assert copy.interval == Interval(week_later, week_later + timedelta(hours=1))
        assert (copy.answer, copy.organizer, copy.attendees) == (
            Answer.ACCEPTED, make_master().organizer, make_master().attendees)  # fmt: skip

    def test_of_an_all_day_series_floats(self) -> None:
        master = make_master(all_day=(date(2026, 11, 14), date(2026, 11, 15)), interval=None)

        copy = hydrate(make_stub(datetime(2026, 11, 21, tzinfo=UTC), hours=48), master)

        assert (copy.interval, copy.all_day) == (None, (date(2026, 11, 21), date(2026, 11, 23)))

    def test_of_no_length_keeps_its_instant(self) -> None:
        stub = EventStub(EventId("S"), "E", EventId("M"), None, instant=NINE)

        copy = hydrate(stub, make_master())

        assert (copy.interval, copy.instant) == (None, NINE)
        assert key_within(make_master(), stub, "UTC") == f"{SERIES}@20261121"

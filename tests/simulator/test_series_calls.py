"""What people do with series: book one, and change one date, this and the following, or all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.cli.outlook import SimulatedOutlook
from engine.cli.series import Repeat, parse_part, render_recurrence
from engine.errors import Invalid, NotFound
from engine.simulator.series_calls import recur, shift
from tests.simulator.series import AULA, STUDIO, instances, room_view, starts
from tests.simulator.virtual import SimulatedWorld

TEN = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZONE = "Europe/Paris"


def book(world: SimulatedWorld, **more: object) -> dict[str, object]:
    given: dict[str, object] = {"times": 4, "zone": ZONE, "rooms": [AULA], **more}
    made: dict[str, object] = world.run(world.alex.book_series(TEN, TEN + HOUR, **given))  # type: ignore[arg-type]
    world.settle()
    return made


class TestRecur:
    def test_says_what_the_start_says(self) -> None:
        """The day of the week, of the month and the month are those of the start unless given."""
        start = date(2026, 11, 30)

        assert recur(start)["pattern"]["daysOfWeek"] == ["monday"]
        assert recur(start, "absoluteMonthly")["pattern"]["dayOfMonth"] == 30
        yearly = recur(start, "relativeYearly", index="last")["pattern"]
        assert (yearly["month"], yearly["index"], yearly["daysOfWeek"]) == (11, "last", ["monday"])
        assert recur(start)["range"] == {"type": "noEnd", "startDate": "2026-11-30"}

    @pytest.mark.parametrize(("days", "expected"), [(1, ["tuesday", "friday"]), (-1, ["sunday", "wednesday"]),
                                                    (7, ["monday", "thursday"])])  # fmt: skip
    def test_shifted_by_days(self, days: int, expected: list[str]) -> None:
        shifted = shift(recur(date(2026, 11, 30), days=("monday", "thursday")), days)

        assert shifted["pattern"]["daysOfWeek"] == expected
        assert shifted["range"]["startDate"] == (date(2026, 11, 30) + timedelta(days=days)).isoformat()


class TestOneDate:
    def test_found_by_the_day_the_pattern_put_it_on(self, world: SimulatedWorld) -> None:
        master = book(world)
        found = world.run(world.alex.date(master["id"], date(2026, 12, 7)))
        world.run(world.alex.move(found["id"], TEN + timedelta(days=8), TEN + timedelta(days=8) + HOUR))

        again = world.run(world.alex.date(master["id"], date(2026, 12, 7)))
        assert (again["id"], again["type"]) == (found["id"], "exception")
        assert world.run(world.alex.date(master["id"], date(2026, 12, 8))) is None


class TestB56Following:
    def test_in_another_room(self, world: SimulatedWorld) -> None:
        """B56: the dates before stay where they are."""
        master = book(world)
        attendees = [{"type": "resource", "emailAddress": {"address": STUDIO, "name": "Studio"}}]
        rest = world.run(world.alex.change_following(master["id"], date(2026, 12, 14), attendees=attendees))
        world.settle()

        assert rest["id"] != master["id"]
        assert starts(room_view(world)) == ["2026-11-30T09:00", "2026-12-07T09:00"]
        assert starts(room_view(world, STUDIO)) == ["2026-12-14T09:00", "2026-12-21T09:00"]

    def test_at_another_time_and_day(self, world: SimulatedWorld) -> None:
        master = book(world, until=date(2026, 12, 24), times=None)
        start = {"dateTime": "2026-12-15T14:00:00", "timeZone": ZONE}
        end = {"dateTime": "2026-12-15T15:00:00", "timeZone": ZONE}
        world.run(world.alex.change_following(master["id"], date(2026, 12, 14), start=start, end=end))
        world.settle()

        assert starts(room_view(world)) == [
            "2026-11-30T09:00", "2026-12-07T09:00", "2026-12-15T13:00", "2026-12-22T13:00"
        ]  # fmt: skip

    def test_from_the_first_on_is_a_new_series_for_the_old(self, world: SimulatedWorld) -> None:
        world.tenant.office.set_processing(AULA, RemoveCanceledMeetings=True)
        master = book(world)
        rest = world.run(world.alex.change_following(master["id"], date(2026, 11, 30), subject="Anew"))
        world.settle()

        assert [item["subject"] for item in instances(world, rest)] == ["Anew"] * 4
        assert world.run(world.alex.events())[0]["id"] == rest["id"]

    def test_cancelled(self, world: SimulatedWorld) -> None:
        master = book(world)
        world.run(world.alex.cancel_following(master["id"], date(2026, 12, 14)))
        world.settle()

        assert len(room_view(world)) == 2

    def test_over_the_change_of_clocks(self, world: SimulatedWorld) -> None:
        """B59: the rest keeps the hour of the wall clock."""
        master = book(world, times=20)
        rest = world.run(world.alex.change_following(master["id"], date(2027, 3, 29), subject="Summer"))

        assert starts(instances(world, rest))[0] == "2027-03-29T08:00"

    def test_an_all_day_series(self, world: SimulatedWorld) -> None:
        midnight = datetime(2026, 11, 29, 23, 0, tzinfo=UTC)
        master = world.run(
            world.alex.book_series(midnight, midnight + timedelta(days=1), times=3, zone=ZONE, isAllDay=True)
        )
        rest = world.run(world.alex.change_following(master["id"], date(2026, 12, 7), subject="Rest"))

        assert starts(instances(world, rest)) == ["2026-12-07T00:00", "2026-12-14T00:00"]


class TestAll:
    def test_moved_to_another_weekday_and_hour(self, world: SimulatedWorld) -> None:
        master = book(world)
        later = TEN + timedelta(days=8, hours=4)
        world.run(world.alex.move_series(master["id"], date(2026, 12, 7), later, later + HOUR))
        world.settle()

        assert starts(room_view(world)) == [
            "2026-12-01T13:00", "2026-12-08T13:00", "2026-12-15T13:00", "2026-12-22T13:00"
        ]  # fmt: skip


class TestFromTheCommandLine:
    """What `simulate` does about series, past the reading of its options."""

    def outlook(self, world: SimulatedWorld) -> SimulatedOutlook:
        def ask(method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
            answer = world.call(method, url, body or b"")
            return answer.status, answer.body

        return SimulatedOutlook("https://graph.microsoft.com", ask)

    def booked(self, world: SimulatedWorld) -> tuple[SimulatedOutlook, dict[str, object]]:
        outlook = self.outlook(world)
        series = render_recurrence(
            Repeat.WEEKLY, TEN, TEN + HOUR, ZoneInfo(ZONE), every=1, on=[], week="first", until=None, times=4
        )
        outlook.book("alex@example.org", [AULA], TEN, TEN + HOUR, "Choir", series)
        world.settle()
        return outlook, outlook.find_event("alex@example.org", "Choir")

    def test_one_date(self, world: SimulatedWorld) -> None:
        outlook, found = self.booked(world)
        parse_part("2026-12-07", False).change(outlook, "alex@example.org", found, subject="Choir")
        parse_part("2026-12-14", False).cancel(outlook, "alex@example.org", found, "")
        world.settle()

        assert outlook.find_event("alex@example.org", "Choir")["id"] == found["id"]
        dates = outlook.dates("alex@example.org", found["id"], date(2026, 11, 1), date(2027, 1, 1))
        assert starts(dates) == ["2026-11-30T09:00", "2026-12-07T09:00", "2026-12-21T09:00"]
        with pytest.raises(NotFound):
            parse_part("2026-12-14", False).cancel(outlook, "alex@example.org", found, "")

    def test_this_and_the_following(self, world: SimulatedWorld) -> None:
        outlook, found = self.booked(world)
        rest = parse_part("2026-12-14", True).change(outlook, "alex@example.org", found, subject="Big choir")
        parse_part("2026-12-21", True).cancel(outlook, "alex@example.org", rest, "")
        world.settle()

        assert starts([item for item in room_view(world) if not item["isCancelled"]]) == [
            "2026-11-30T09:00", "2026-12-07T09:00", "2026-12-14T09:00"
        ]  # fmt: skip

    def test_all(self, world: SimulatedWorld) -> None:
        outlook, found = self.booked(world)
        later = TEN + timedelta(days=1, hours=4)
        outlook.move_series("alex@example.org", found["id"], later, later + HOUR)  # type: ignore[arg-type]
        world.settle()
        assert starts(room_view(world))[:2] == ["2026-12-01T13:00", "2026-12-08T13:00"]

        parse_part(None, False).cancel(outlook, "alex@example.org", found, "")
        world.settle()
        assert {item["isCancelled"] for item in room_view(world)} == {True}

    def test_the_following_of_what(self) -> None:
        with pytest.raises(Invalid):
            parse_part(None, True)
        with pytest.raises(Invalid):
            parse_part("soon", False)

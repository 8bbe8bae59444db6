"""What rooms make of series: taken whole, taken in part, cut at the horizon, refused, or invited to one date only."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from engine.simulator.people import event_path
from tests.simulator.series import (
    ALEX,
    AULA,
    STUDIO,
    at,
    book_series,
    change,
    instances,
    remove,
    response_of,
    room_master,
    room_view,
    starts,
    weekly,
)
from tests.simulator.virtual import SimulatedWorld

KIM = "/users/kim@example.org"


def configure(world: SimulatedWorld, **options: Any) -> None:
    world.tenant.office.set_processing(AULA, **options)


def take(world: SimulatedWorld, *days: str) -> None:
    """Let Alex have the aula on some days, at the hour of every series here."""
    for day in days:
        weekday = ("monday", "tuesday", "wednesday")[0]
        book_series(world, weekly(weekday, times=1, start=day))


def answers(world: SimulatedWorld, master: dict[str, Any], of: str = KIM, room: str = AULA) -> list[str]:
    return [response_of(item, room) for item in instances(world, master, of=of)]


def whole_answer(world: SimulatedWorld, master: dict[str, Any], of: str = KIM) -> str:
    return response_of(world.get(f"{of}{event_path(master['id'])}"))


class TestAccepted:
    def test_a_room_takes_the_whole_series(self, world: SimulatedWorld) -> None:
        """B1, B4: one copy under the organizer's name, every date accepted."""
        master = book_series(world, weekly(times=3))

        copy = room_master(world)
        assert copy["iCalUId"] == master["iCalUId"]
        assert copy["recurrence"] == master["recurrence"]
        view = room_view(world)
        assert {(item["responseStatus"]["response"], item["subject"]) for item in view} == {("accepted", "Alex Doe")}
        assert answers(world, master, ALEX) == ["accepted"] * 3

    def test_first_tentatively(self, world: SimulatedWorld) -> None:
        """B3: every date shows the two steps."""
        world.call("POST", f"{ALEX}/events", {**_body(weekly(times=2))})
        world.wait(2.0)

        assert {(item["subject"], item["showAs"]) for item in room_view(world)} == {("Standup", "tentative")}

    def test_a_series_keeps_others_out_on_each_date(self, world: SimulatedWorld) -> None:
        """B2 against an occurrence that is only computed."""
        book_series(world, weekly(times=3))
        late = book_series(world, weekly(times=1, start="2026-12-14"), by=KIM)

        assert whole_answer(world, late) == "declined"

    def test_an_exception_is_rewritten_like_the_rest(self, world: SimulatedWorld) -> None:
        """B24 for one date."""
        master = book_series(world, weekly(times=3))
        change(world, instances(world, master)[1], subject="Secret plan", sensitivity="private")

        assert {(item["subject"], item["sensitivity"]) for item in room_view(world)} == {("Alex Doe", "normal")}

    def test_b65_two_rooms_decide_alone(self, world: SimulatedWorld) -> None:
        """B65: one takes the series, the other is taken."""
        take(world, "2026-12-07")
        master = book_series(world, weekly(times=3), by=KIM, rooms=(AULA, STUDIO))

        assert answers(world, master) == ["declined"] * 3
        assert answers(world, master, room=STUDIO) == ["accepted"] * 3


class TestB34Conflicts:
    def test_by_default_one_conflict_declines_all(self, world: SimulatedWorld) -> None:
        """B34: both limits are zero."""
        take(world, "2026-12-07")
        master = book_series(world, weekly(times=4), by=KIM)

        assert whole_answer(world, master) == "declined"
        assert answers(world, master) == ["declined"] * 4
        assert len(room_view(world)) == 1

    def test_below_both_limits_only_the_conflicts_are_declined(self, world: SimulatedWorld) -> None:
        """B34: the series is accepted, the dates in conflict are answered one by one."""
        configure(world, ConflictPercentageAllowed=50, MaximumConflictInstances=2)
        take(world, "2026-12-07", "2026-12-21")
        master = book_series(world, weekly(times=4), by=KIM)

        assert whole_answer(world, master) == "accepted"
        assert answers(world, master) == ["accepted", "declined", "accepted", "declined"]
        types = [item["type"] for item in instances(world, master, of=KIM)]
        assert types == ["occurrence", "exception", "occurrence", "exception"]
        mine = [item for item in room_view(world) if item["subject"] == "Kim Ito"]
        assert starts(mine) == ["2026-11-30T09:00", "2026-12-14T09:00"]

    @pytest.mark.parametrize(
        ("percentage", "instances_max"), [(0, 5), (100, 0), (40, 5), (100, 1)]
    )  # two of four dates are 50 percent
    def test_either_limit_exceeded_declines_all(
        self, world: SimulatedWorld, percentage: int, instances_max: int
    ) -> None:
        """B34: ConflictPercentageAllowed and MaximumConflictInstances, whichever is lower."""
        configure(world, ConflictPercentageAllowed=percentage, MaximumConflictInstances=instances_max)
        take(world, "2026-12-07", "2026-12-21")
        master = book_series(world, weekly(times=4), by=KIM)

        assert whole_answer(world, master) == "declined"

    def test_b34_counts_the_dates_to_come(self, world: SimulatedWorld) -> None:
        """B39 for a date: what is over is not looked at."""
        master = book_series(world, weekly(times=4, start="2026-11-09"), by=KIM)

        assert whole_answer(world, master) == "accepted"
        over = book_series(world, weekly(times=2, start="2026-11-02"), by=KIM, hour=7)
        assert whole_answer(world, over) == "none"

    def test_b35_conflicts_allowed(self, world: SimulatedWorld) -> None:
        """B35: everything is accepted, the limits count for nothing."""
        configure(world, AllowConflicts=True)
        take(world, "2026-12-07")
        master = book_series(world, weekly(times=4), by=KIM)

        assert answers(world, master) == ["accepted"] * 4
        assert len(room_view(world)) == 5

    def test_b36_out_of_policy_requests_wait(self, world: SimulatedWorld) -> None:
        """B36: with AllRequestOutOfPolicy the whole series waits, conflicts or not; a delegate takes it (TC2)."""
        configure(world, AllRequestOutOfPolicy=True)
        take(world, "2026-12-07")
        master = book_series(world, weekly(times=3), by=KIM)
        assert answers(world, master) == ["tentativelyAccepted"] * 3

        world.tenant.office.settle(AULA, master["iCalUId"], approve=True)
        world.settle()
        assert answers(world, master) == ["accepted"] * 3

    def test_a_declined_date_can_be_asked_for_again(self, world: SimulatedWorld) -> None:
        """Moved to a free slot of its day, the room takes the date after all."""
        configure(world, ConflictPercentageAllowed=50, MaximumConflictInstances=2)
        take(world, "2026-12-07")
        master = book_series(world, weekly(times=3), by=KIM)
        second = instances(world, master, of=KIM)[1]

        change(world, second, by=KIM, start=at("2026-12-07", 16), end=at("2026-12-07", 17))

        assert answers(world, master) == ["accepted"] * 3
        assert "2026-12-07T15:00" in starts(room_view(world))

    def test_an_update_asks_not_again_for_what_was_declined(self, world: SimulatedWorld) -> None:
        """B24: a new subject changes no answer."""
        configure(world, ConflictPercentageAllowed=50, MaximumConflictInstances=2)
        take(world, "2026-12-07")
        master = book_series(world, weekly(times=3), by=KIM)

        change(world, master, by=KIM, subject="Renamed")

        assert answers(world, master) == ["accepted", "declined", "accepted"]
        assert len(room_view(world)) == 3


def _body(recurrence: dict[str, Any]) -> dict[str, Any]:
    from tests.simulator.series import series_body

    return series_body(recurrence)


class TestB33Horizon:
    @pytest.mark.parametrize("recurrence", [weekly(), weekly(until="2027-09-01")])
    def test_beyond_the_window_all_is_declined(self, world: SimulatedWorld, recurrence: dict[str, Any]) -> None:
        """B33: EnforceSchedulingHorizon, endless series included."""
        master = book_series(world, recurrence, by=KIM)

        assert whole_answer(world, master) == "declined"
        assert room_view(world) == []

    @pytest.mark.parametrize("recurrence", [weekly(), weekly(until="2027-09-01")])
    def test_not_enforced_the_rooms_copy_is_cut(self, world: SimulatedWorld, recurrence: dict[str, Any]) -> None:
        """B33: accepted, and the room's copy is shorter than the organizer's."""
        configure(world, EnforceSchedulingHorizon=False, BookingWindowInDays=30)
        master = book_series(world, recurrence, by=KIM)

        assert whole_answer(world, master) == "accepted"
        assert starts(room_view(world)) == [f"2026-{day}T09:00" for day in ("11-30", "12-07", "12-14", "12-21")]
        assert room_master(world)["recurrence"]["range"]["endDate"] == "2026-12-23"
        assert len(instances(world, master, of=KIM)) > 30

    def test_not_enforced_the_first_date_must_still_be_inside(self, world: SimulatedWorld) -> None:
        configure(world, EnforceSchedulingHorizon=False, BookingWindowInDays=5)
        master = book_series(world, weekly(times=3), by=KIM)

        assert whole_answer(world, master) == "declined"

    def test_no_recurring_meetings(self, world: SimulatedWorld) -> None:
        """AllowRecurringMeetings: a series is declined, a single meeting is not."""
        configure(world, AllowRecurringMeetings=False)
        master = book_series(world, weekly(times=3), by=KIM)
        single = {name: value for name, value in _body(weekly(times=3)).items() if name != "recurrence"}
        alone = world.call("POST", f"{KIM}/events", single).json()
        world.settle()

        assert whole_answer(world, master) == "declined"
        assert whole_answer(world, alone) == "accepted"

    def test_b32_the_length_of_each_date_counts(self, world: SimulatedWorld) -> None:
        """B32: not the length of the series."""
        configure(world, MaximumDurationInMinutes=60)
        fine = book_series(world, weekly(times=3), by=KIM)
        long = book_series(world, weekly(times=3), by=KIM, hour=13, end=at("2026-11-30", 15))

        assert (whole_answer(world, fine), whole_answer(world, long)) == ("accepted", "declined")

    def test_work_hours_count_on_each_date(self, world: SimulatedWorld) -> None:
        """ScheduleOnlyDuringWorkHours: Saturday is none."""
        configure(world, ScheduleOnlyDuringWorkHours=True)
        fine = book_series(world, weekly("monday", "friday", times=4), by=KIM)
        odd = book_series(world, weekly("monday", "saturday", times=4), by=KIM, hour=13)

        assert (whole_answer(world, fine), whole_answer(world, odd)) == ("accepted", "declined")


class TestOtherAttendants:
    def test_b29_an_auto_update_room_never_answers(self, world: SimulatedWorld) -> None:
        """B29: tentative for ever, every date."""
        configure(world, AutomateProcessing="AutoUpdate")
        master = book_series(world, weekly(times=3))

        assert {item["showAs"] for item in room_view(world)} == {"tentative"}
        assert answers(world, master, ALEX) == ["none"] * 3

    def test_b30_no_processing_no_copy(self, world: SimulatedWorld) -> None:
        """B30."""
        configure(world, AutomateProcessing="None")
        book_series(world, weekly(times=3))

        assert room_view(world) == []

    def test_b40_free_dates_block_nobody(self, world: SimulatedWorld) -> None:
        """B40 for a series."""
        book_series(world, weekly(times=3), showAs="free")
        master = book_series(world, weekly(times=3), by=KIM)

        assert whole_answer(world, master) == "accepted"

    def test_people_answer_for_one_date(self, world: SimulatedWorld) -> None:
        """An attendee declines one date: gone there, declined for the organizer on that date only (B8, B22)."""
        kim = {"type": "required", "emailAddress": {"address": "kim@example.org"}}
        master = book_series(world, weekly(times=3), attendees=[kim])
        second = world.get(f"{KIM}/calendarView?startDateTime=2026-12-07&endDateTime=2026-12-08")["value"][0]
        assert world.call("POST", f"{KIM}{event_path(second['id'])}/decline", {"sendResponse": True}).status == 202
        world.settle()

        found = instances(world, master)
        assert [response_of(item, "kim@example.org") for item in found] == ["none", "declined", "none"]
        assert [item["type"] for item in found] == ["occurrence", "exception", "occurrence"]
        own = world.get(f"{KIM}/calendarView?startDateTime=2026-11-01&endDateTime=2027-01-01")["value"]
        assert starts(own) == ["2026-11-30T09:00", "2026-12-14T09:00"]

    def test_b22_a_room_declines_one_date_later(self, world: SimulatedWorld) -> None:
        """B22: the same for a room that gives one date back."""
        master = book_series(world, weekly(times=3))
        world.run(world.aula.answer(room_view(world)[1]["id"], "decline"))
        world.settle()

        assert answers(world, master, ALEX) == ["accepted", "declined", "accepted"]
        assert len(room_view(world)) == 2

    def test_b21_a_date_deleted_in_the_room_is_not_noticed(self, world: SimulatedWorld) -> None:
        """B21: the organizer still believes the room accepted it."""
        master = book_series(world, weekly(times=3))
        remove(world, room_view(world)[1], by=f"/users/{AULA}")

        assert answers(world, master, ALEX) == ["accepted"] * 3
        assert len(room_view(world)) == 2

    def test_b62_a_date_released_by_the_room(self, world: SimulatedWorld) -> None:
        """B62 for one date."""
        master = book_series(world, weekly(times=3))
        world.tenant.office.release(AULA, room_view(world)[1]["iCalUId"])

        assert answers(world, master, ALEX) == ["accepted"] * 3
        assert len(room_view(world)) == 2

    def test_b50_a_background_touch_makes_no_exception(self, world: SimulatedWorld) -> None:
        """B50: a new change key, the same fields."""
        book_series(world, weekly(times=3))
        before = room_view(world)
        world.tenant.office.touch(AULA, before[1]["iCalUId"])

        after = room_view(world)
        assert after[1]["changeKey"] != before[1]["changeKey"]
        assert [item["type"] for item in after] == ["occurrence"] * 3


class TestChangedOrganizer:
    def test_a_series_goes_to_its_heir_with_its_exceptions(self, world: SimulatedWorld) -> None:
        """Invoke-ChangeMeetingOrganizer: copies everybody knows get another organizer, silently."""
        master = book_series(world, weekly(times=3))
        first, second, _ = instances(world, master)
        remove(world, first)
        change(world, second, subject="Special")

        world.tenant.office.change_organizer("alex@example.org", master["iCalUId"], "kim@example.org")

        [heir] = world.get(f"{KIM}/events")["value"]
        assert heir["iCalUId"] == master["iCalUId"]
        assert [item["subject"] for item in instances(world, heir, of=KIM)] == ["Special", "Standup"]
        assert world.get(f"{ALEX}/events")["value"] == []
        organizers = {item["organizer"]["emailAddress"]["address"] for item in room_view(world)}
        assert organizers == {"kim@example.org"}


class TestOneDateOnly:
    def invite(self, world: SimulatedWorld, event: dict[str, Any], *rooms: str) -> dict[str, Any]:
        listed = [{"type": "resource", "emailAddress": {"address": room}} for room in rooms]
        return change(world, event, attendees=listed)

    def test_a_room_invited_to_one_date_has_just_that(self, world: SimulatedWorld) -> None:
        """A single item whose iCalUId is that of the date; it belongs to no series there."""
        master = book_series(world, weekly(times=3), rooms=())
        second = instances(world, master)[1]

        self.invite(world, second, AULA)

        [copy] = room_view(world)
        assert (copy["type"], copy["seriesMasterId"], copy["iCalUId"]) == ("singleInstance", None, second["iCalUId"])
        assert copy["responseStatus"]["response"] == "accepted"
        assert response_of(instances(world, master)[1]) == "accepted"

    def test_one_date_in_another_room(self, world: SimulatedWorld) -> None:
        """B26, B39 for a date: the old room hears a cancellation of it, the new one a request for it."""
        master = book_series(world, weekly(times=3))
        second = instances(world, master)[1]

        self.invite(world, second, STUDIO)

        assert [item["isCancelled"] for item in room_view(world)] == [False, True, False]
        assert starts(room_view(world, STUDIO)) == ["2026-12-07T09:00"]
        assert response_of(instances(world, master)[1], STUDIO) == "accepted"

    def test_and_back_again(self, world: SimulatedWorld) -> None:
        world.tenant.office.set_processing(AULA, RemoveCanceledMeetings=True)
        world.tenant.office.set_processing(STUDIO, RemoveCanceledMeetings=True)
        master = book_series(world, weekly(times=3))
        second = instances(world, master)[1]

        self.invite(world, second, STUDIO)
        self.invite(world, second, AULA)

        assert len(room_view(world)) == 3
        assert room_view(world, STUDIO) == []
        assert answers(world, master, ALEX) == ["accepted"] * 3

    def test_comes_back_with_a_series_that_leaves_the_room_and_returns_at_once(self, world: SimulatedWorld) -> None:
        """
        The series takes the date's room for all, and then the former one again.

        Each message to the room is read by what the organizer's copy says by then; one that called the series off in
        between would have ended what was said of the date.
        """
        master = book_series(world, weekly(times=3))
        self.invite(world, instances(world, master)[1], STUDIO)
        studio, aula = ({"type": "resource", "emailAddress": {"address": room}} for room in (STUDIO, AULA))
        for attendees in ([studio], [aula, studio]):
            world.call("PATCH", f"{ALEX}/events/{quote(master['id'], safe='')}", {"attendees": attendees})
        world.settle()

        assert [item["isCancelled"] for item in room_view(world)] == [False] * 3
        assert answers(world, master, ALEX) == ["accepted"] * 3

    def test_moved_and_cancelled_like_a_single_meeting(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3), rooms=())
        second = instances(world, master)[1]
        self.invite(world, second, AULA)

        change(world, second, start=at("2026-12-09", 10), end=at("2026-12-09", 11))
        assert starts(room_view(world)) == ["2026-12-09T09:00"]

        remove(world, second)
        assert [item["isCancelled"] for item in room_view(world)] == [True]

    def test_it_ends_with_the_series(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3), rooms=())
        self.invite(world, instances(world, master)[1], AULA)

        remove(world, master)

        assert [item["isCancelled"] for item in room_view(world)] == [True]

    def test_it_ends_when_the_series_gets_other_times(self, world: SimulatedWorld) -> None:
        """Exceptions end with the pattern, and who was invited to one of them hears of it (MS-OXOCAL 3.1.4.7.3.5)."""
        master = book_series(world, weekly(times=3), rooms=())
        self.invite(world, instances(world, master)[1], AULA)

        change(world, master, start=at("2026-11-30", 15), end=at("2026-11-30", 16))

        assert [item["isCancelled"] for item in room_view(world)] == [True]

    def test_an_invitation_to_all_takes_the_single_date_in(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3), rooms=())
        self.invite(world, instances(world, master)[1], AULA)

        self.invite(world, master, AULA)

        assert len(room_view(world)) == 3
        assert {item["seriesMasterId"] for item in room_view(world)} == {room_master(world)["id"]}

    def test_a_no_to_all_takes_the_yes_to_the_single_date_back(self, world: SimulatedWorld) -> None:
        """The room has let go of that date, too: its organizer must not go on reading *accepted*."""
        master = book_series(world, weekly(), rooms=())
        self.invite(world, instances(world, master)[1], AULA)
        assert response_of(instances(world, master)[1]) == "accepted"

        self.invite(world, master, AULA)

        assert room_view(world) == []
        assert response_of(instances(world, master)[1]) == "declined"

    def test_a_room_added_later_is_not_asked_for_the_exceptions_it_is_not_in(self, world: SimulatedWorld) -> None:
        """The exception that goes to another room stays there."""
        master = book_series(world, weekly(times=3), rooms=())
        self.invite(world, instances(world, master)[1], STUDIO)

        self.invite(world, master, AULA)

        assert starts(room_view(world)) == ["2026-11-30T09:00", "2026-12-14T09:00"]
        assert starts(room_view(world, STUDIO)) == ["2026-12-07T09:00"]

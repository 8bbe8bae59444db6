"""Series as their organizer has them: counted out, changed as a whole, changed date by date, cut and ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.simulator.people import event_path
from tests.simulator.series import (
    ALEX,
    AULA,
    STUDIO,
    WINDOW,
    at,
    book_series,
    change,
    instances,
    remove,
    response_of,
    room_master,
    room_view,
    series_body,
    starts,
    weekly,
)
from tests.simulator.virtual import SimulatedWorld

DAILY = {"type": "daily", "interval": 1}


class TestB59WallClock:
    def test_the_hour_holds_over_the_change_of_clocks(self, world: SimulatedWorld) -> None:
        """B59: ten o'clock in Paris is nine UTC in winter and eight in summer."""
        master = book_series(world, weekly(start="2027-03-22", times=2))

        assert starts(instances(world, master)) == ["2027-03-22T09:00", "2027-03-29T08:00"]

    def test_a_series_in_utc_drifts_for_those_who_look_at_the_clock(self, world: SimulatedWorld) -> None:
        """B59: iOS writes UTC as the zone (Support: meetings-incorrectly-display-utc-timezone)."""
        times = {name: {"dateTime": f"2027-03-22T{hour}:00:00", "timeZone": "UTC"} for name, hour in
                 (("start", "10"), ("end", "11"))}  # fmt: skip
        master = book_series(world, weekly(start="2027-03-22", times=2), **times)

        assert starts(instances(world, master)) == ["2027-03-22T10:00", "2027-03-29T10:00"]

    def test_the_zone_of_the_recurrence_wins_over_that_of_the_start(self, world: SimulatedWorld) -> None:
        """B59: start in UTC, recurrenceTimeZone Paris: the wall clock of Paris."""
        recurrence = weekly(start="2027-03-22", times=2)
        recurrence["range"]["recurrenceTimeZone"] = "Europe/Paris"
        times = {name: {"dateTime": f"2027-03-22T{hour}:00:00", "timeZone": "UTC"} for name, hour in
                 (("start", "09"), ("end", "10"))}  # fmt: skip
        master = book_series(world, recurrence, **times)

        assert starts(instances(world, master)) == ["2027-03-22T09:00", "2027-03-29T08:00"]
        assert master["recurrence"]["range"]["recurrenceTimeZone"] == "Europe/Paris"

    @pytest.mark.parametrize("zone", ["", "tzone://Microsoft/Custom"])
    def test_a_zone_that_means_nothing_is_shown_as_it_is(self, world: SimulatedWorld, zone: str) -> None:
        """B58: then the zone of the start counts."""
        recurrence = weekly(start="2027-03-22", times=2)
        recurrence["range"]["recurrenceTimeZone"] = zone
        master = book_series(world, recurrence)

        assert master["recurrence"]["range"]["recurrenceTimeZone"] == zone
        assert starts(instances(world, master)) == ["2027-03-22T09:00", "2027-03-29T08:00"]

    def test_all_day_series_stay_at_midnight_in_any_zone(self, world: SimulatedWorld) -> None:
        """B41, B59: floating dates, on days of 23 and 25 hours too."""
        times = {"start": at("2027-03-27", 0), "end": at("2027-03-28", 0), "isAllDay": True}
        recurrence = {"pattern": DAILY, "range": {"type": "numbered", "startDate": "2027-03-27",
                                                  "numberOfOccurrences": 3}}  # fmt: skip
        master = book_series(world, recurrence, **times)

        assert starts(instances(world, master)) == [f"2027-03-{day}T00:00" for day in (27, 28, 29)]

    def test_a_night_over_the_change_keeps_both_ends(self, world: SimulatedWorld) -> None:
        """B59: start and end are both wall-clock times, so one night is an hour shorter."""
        times = {"start": at("2027-03-26", 23), "end": at("2027-03-27", 6)}
        recurrence = {"pattern": DAILY, "range": {"type": "numbered", "startDate": "2027-03-26",
                                                  "numberOfOccurrences": 3}}  # fmt: skip
        master = book_series(world, recurrence, **times)

        ends = [item["end"]["dateTime"][:16] for item in instances(world, master)]
        assert starts(instances(world, master)) == ["2027-03-26T22:00", "2027-03-27T22:00", "2027-03-28T21:00"]
        assert ends == ["2027-03-27T05:00", "2027-03-28T04:00", "2027-03-29T04:00"]


class TestShown:
    def test_lists_have_masters_and_views_have_dates(self, world: SimulatedWorld) -> None:
        """The collection of events holds masters, the view what they come to (Graph docs: event)."""
        book_series(world, weekly(times=3))

        assert [item["type"] for item in world.get(f"{ALEX}/events")["value"]] == ["seriesMaster"]
        view = world.get(f"{ALEX}/calendarView?{WINDOW}")["value"]
        assert [item["type"] for item in view] == ["occurrence"] * 3

    def test_a_date_knows_its_series(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))

        second = instances(world, master)[1]
        assert (second["seriesMasterId"], second["recurrence"]) == (master["id"], None)
        assert second["originalStart"] == "2026-12-07T09:00:00Z"
        assert second["subject"] == "Standup"
        assert world.get(f"{ALEX}{event_path(second['id'])}")["start"] == second["start"]

    def test_a_single_event_has_no_original_start(self, world: SimulatedWorld) -> None:
        """The property is not returned for single instances (Graph docs: event)."""
        single = {name: value for name, value in series_body(weekly(times=1)).items() if name != "recurrence"}

        assert "originalStart" not in world.call("POST", f"{ALEX}/events", single).json()

    def test_each_date_has_an_ical_uid_of_its_own(self, world: SimulatedWorld) -> None:
        """B5: the same in every mailbox, and different per date (Graph docs: event)."""
        master = book_series(world, weekly(times=3))

        own = [item["iCalUId"] for item in instances(world, master)]
        assert len({*own, master["iCalUId"]}) == 4
        assert [item["iCalUId"] for item in room_view(world)] == own

    def test_dates_may_share_one_ical_uid(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """B5: some developers see one iCalUId for all dates (graph-docs issues 17479 and 4447)."""
        world = make_world(occurrences_share_ical_uid=True)
        master = book_series(world, weekly(times=3))

        assert {item["iCalUId"] for item in instances(world, master)} == {master["iCalUId"]}

    def test_both_id_formats_open_a_date(self, world: SimulatedWorld) -> None:
        """B60: immutable ids of occurrences too."""
        master = book_series(world, weekly(times=2))
        path = f"{ALEX}{event_path(master['id'])}/instances?{WINDOW}"

        [first, _] = world.get(path, Prefer='IdType="ImmutableId"')["value"]
        plain = instances(world, master)[0]
        assert first["id"] != plain["id"]
        assert world.get(f"{ALEX}{event_path(first['id'])}")["id"] == plain["id"]

    @pytest.mark.parametrize("standard", [True, False])
    def test_ids_of_dates_work_in_either_alphabet(
        self, make_world: Callable[..., SimulatedWorld], *, standard: bool
    ) -> None:
        """B5: ids with `/` and `+`, or with `_` and `-`."""
        world = make_world(standard_base64_ids=standard)
        for number in range(8):
            recurrence = weekly(times=2, start=f"2026-12-{7 + number:02}")
            master = book_series(world, recurrence, rooms=())
            for item in instances(world, master):
                assert world.get(f"{ALEX}{event_path(item['id'])}")["id"] == item["id"]

    def test_instances_are_paged_and_selected(self, world: SimulatedWorld) -> None:
        """Event-list-instances takes `$top` and `$select`."""
        master = book_series(world, weekly(times=5))
        page = world.get(f"{ALEX}{event_path(master['id'])}/instances?{WINDOW}&$top=2&$select=subject,start")

        assert set(page["value"][0]) == {"@odata.etag", "id", "subject", "start"}
        found = page["value"]
        while "@odata.nextLink" in page:
            page = world.get(page["@odata.nextLink"])
            found += page["value"]
        assert starts(found) == starts(instances(world, master))

    def test_instances_need_a_window_and_a_master(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=2))
        path = f"{ALEX}{event_path(master['id'])}/instances"

        assert world.call("GET", path).status == 400
        occurrence = instances(world, master)[0]
        assert world.call("GET", f"{ALEX}{event_path(occurrence['id'])}/instances?{WINDOW}").status == 400

    def test_lost_and_changed_dates_only_when_asked_for(self, world: SimulatedWorld) -> None:
        """`cancelledOccurrences` by $select, `exceptionOccurrences` by $select and $expand (Graph docs: event)."""
        master = book_series(world, weekly(times=3))
        first, second, _ = instances(world, master)
        remove(world, first)
        change(world, second, subject="Special")

        path = f"{ALEX}{event_path(master['id'])}"
        wanted = "$select=cancelledOccurrences,exceptionOccurrences"
        shown = world.get(f"{path}?{wanted}&$expand=exceptionOccurrences")
        assert shown["cancelledOccurrences"] == [f"OID.{master['id']}.2026-11-30"]
        assert [item["id"] for item in shown["exceptionOccurrences"]] == [second["id"]]
        assert "exceptionOccurrences" not in world.get(f"{path}?{wanted}")
        assert "cancelledOccurrences" not in world.get(path)

    def test_a_view_can_be_filtered_by_the_ical_uid_of_a_date(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))
        second = instances(world, master)[1]

        found = world.get(f"{ALEX}/calendarView?{WINDOW}&$filter=iCalUId eq '{second['iCalUId']}'")["value"]
        assert [item["id"] for item in found] == [second["id"]]


class TestEndless:
    def test_a_window_holds_its_share(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(), rooms=())

        window = "startDateTime=2044-01-01T00:00:00Z&endDateTime=2044-02-01T00:00:00Z"
        found = world.get(f"{ALEX}{event_path(master['id'])}/instances?{window}")["value"]
        assert len(found) == 4

    def test_no_window_lies_too_far_away(self, world: SimulatedWorld) -> None:
        """The calendar ends, so even an endless series does. A view of more than five years is refused."""
        book_series(world, {"pattern": {"type": "absoluteYearly", "interval": 1, "month": 2, "dayOfMonth": 29},
                            "range": {"type": "noEnd", "startDate": "2028-02-29"}}, rooms=())  # fmt: skip

        window = "startDateTime=4496-01-02T00:00:00Z&endDateTime=4500-12-31T00:00:00Z"
        found = world.get(f"{ALEX}/calendarView?{window}")["value"]
        assert [event["start"]["dateTime"][:10] for event in found] == [
            "4496-02-29", "4497-02-28", "4498-02-28", "4499-02-28", "4500-02-28",
        ]  # fmt: skip

        five_years = "startDateTime=2027-01-01T00:00:00Z&endDateTime=2032-01-01T00:00:00Z"
        answer = world.call("GET", f"{ALEX}/calendarView?{five_years}")
        assert (answer.status, answer.json()["error"]["code"]) == (400, "ErrorInvalidRequest")


class TestOneDate:
    def test_a_moved_date_becomes_an_exception_with_the_same_id(self, world: SimulatedWorld) -> None:
        """B10: the id is stable, `originalStart` tells where the pattern put it."""
        master = book_series(world, weekly(times=4))
        second = instances(world, master)[1]

        moved = change(world, second, start=at("2026-12-08", 14), end=at("2026-12-08", 15))

        assert (moved["id"], moved["type"], moved["seriesMasterId"]) == (second["id"], "exception", master["id"])
        assert moved["iCalUId"] == second["iCalUId"]
        assert moved["originalStart"] == "2026-12-07T09:00:00Z"
        assert starts(room_view(world))[1] == "2026-12-08T13:00"
        assert [item["type"] for item in room_view(world)] == ["occurrence", "exception", "occurrence", "occurrence"]

    def test_the_room_answers_for_the_moved_date_alone(self, world: SimulatedWorld) -> None:
        """B23: the moved date is judged anew; the others keep their answer."""
        master = book_series(world, weekly(times=3))
        second = instances(world, master)[1]
        path = f"{ALEX}{event_path(second['id'])}"
        assert world.call("PATCH", path, {"start": at("2026-12-08", 14), "end": at("2026-12-08", 15)}).status == 200

        assert [response_of(item) for item in instances(world, master)] == ["accepted", "none", "accepted"]
        world.settle()
        assert [response_of(item) for item in instances(world, master)] == ["accepted"] * 3

    def test_moved_into_a_taken_slot_the_room_leaves_that_date(self, world: SimulatedWorld) -> None:
        """B23, B34: declined on the organizer's side for this date, and gone from the room."""
        book_series(world, weekly("tuesday", times=1, start="2026-12-08"), hour=14)
        master = book_series(world, weekly(times=3))
        second = instances(world, master)[1]

        change(world, second, start=at("2026-12-08", 14), end=at("2026-12-08", 15))

        assert [response_of(item) for item in instances(world, master)] == ["accepted", "declined", "accepted"]
        assert response_of(world.get(f"{ALEX}{event_path(master['id'])}")) == "accepted"
        assert len(instances(world, room_master_of(world, master), of=f"/users/{AULA}")) == 2

    def test_a_deleted_date_is_gone_for_the_organizer(self, world: SimulatedWorld) -> None:
        """B10: the organizer's is gone, the room keeps it as cancelled and free (RemoveCanceledMeetings)."""
        master = book_series(world, weekly(times=3))
        second = instances(world, master)[1]

        remove(world, second)

        assert starts(instances(world, master)) == ["2026-11-30T09:00", "2026-12-14T09:00"]
        assert world.call("GET", f"{ALEX}{event_path(second['id'])}").status == 404
        kept = [(item["isCancelled"], item["showAs"]) for item in room_view(world)]
        assert kept == [(False, "busy"), (True, "free"), (False, "busy")]

    def test_a_room_that_removes_cancelled_meetings_removes_dates(self, world: SimulatedWorld) -> None:
        """B19 for one date."""
        world.tenant.office.set_processing(AULA, RemoveCanceledMeetings=True)
        master = book_series(world, weekly(times=3))

        remove(world, instances(world, master)[1])

        assert starts(room_view(world)) == ["2026-11-30T09:00", "2026-12-14T09:00"]

    def test_a_date_can_be_cancelled_with_a_comment(self, world: SimulatedWorld) -> None:
        """Event-cancel knows occurrences."""
        master = book_series(world, weekly(times=3))
        path = f"{ALEX}{event_path(instances(world, master)[0]['id'])}/cancel"

        assert world.call("POST", path, {"comment": "holiday"}).status == 202
        assert len(instances(world, master)) == 2

    def test_only_the_organizer_cancels_a_date(self, world: SimulatedWorld) -> None:
        """B20 for one date."""
        book_series(world, weekly(times=3))
        path = f"/users/{AULA}{event_path(room_view(world)[0]['id'])}/cancel"

        assert world.call("POST", path, {}).status == 400

    def test_a_freed_date_can_be_booked(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))
        remove(world, instances(world, master)[1])

        other = book_series(world, weekly(times=1, start="2026-12-07"), by="/users/kim@example.org")

        assert response_of(world.get(f"/users/kim@example.org{event_path(other['id'])}")) == "accepted"

    def test_without_its_last_date_a_series_is_gone(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=2))
        for item in instances(world, master):
            remove(world, item)

        assert world.call("GET", f"{ALEX}{event_path(master['id'])}").status == 404

    @pytest.mark.parametrize(("day", "status"), [("2026-11-30", 400), ("2026-12-14", 400), ("2026-12-13", 200),
                                                 ("2026-12-20", 400), ("2026-12-01", 200)])  # fmt: skip
    def test_b57_a_date_cannot_cross_its_neighbours(self, world: SimulatedWorld, day: str, status: int) -> None:
        """B57: not to, and not past, the day of the one before or after."""
        master = book_series(world, weekly(times=3))
        second = instances(world, master)[1]
        body = {"start": at(day, 18), "end": at(day, 19)}

        answer = world.call("PATCH", f"{ALEX}{event_path(second['id'])}", body)

        assert answer.status == status
        if status == 400:
            assert answer.json()["error"]["code"] == "ErrorOccurrenceCrossingBoundary"
            assert starts(instances(world, master))[1] == "2026-12-07T09:00"

    def test_b57_neighbours_are_where_they_were_moved_to(self, world: SimulatedWorld) -> None:
        """B57: a neighbour that was moved makes room, one that was cancelled is none."""
        master = book_series(world, weekly(times=3))
        first, second, third = instances(world, master)
        change(world, third, start=at("2026-12-18", 10), end=at("2026-12-18", 11))
        remove(world, first)

        change(world, second, start=at("2026-12-17", 10), end=at("2026-12-17", 11))
        change(world, second, start=at("2026-11-26", 10), end=at("2026-11-26", 11))

    def test_a_date_has_no_recurrence_to_set(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))
        path = f"{ALEX}{event_path(instances(world, master)[0]['id'])}"

        assert world.call("PATCH", path, {"recurrence": weekly(times=2)}).status == 400

    def test_a_change_needs_the_newest_version(self, world: SimulatedWorld) -> None:
        """All dates share the change key of their series: they are one item in the mailbox."""
        master = book_series(world, weekly(times=3))
        first, second, _ = instances(world, master)
        change(world, second, subject="Special")

        path = f"{ALEX}{event_path(first['id'])}"
        stale = world.call("PATCH", path, {"subject": "x"}, If_Match=first["@odata.etag"])
        fresh = world.call("PATCH", path, {"subject": "x"}, If_Match=instances(world, master)[0]["@odata.etag"])
        assert (stale.status, fresh.status) == (412, 200)


def room_master_of(world: SimulatedWorld, master: dict[str, Any]) -> dict[str, Any]:
    [found] = world.get(f"/users/{AULA}/events?$filter=iCalUId eq '{master['iCalUId']}'")["value"]
    return dict(found)


class TestWholeSeries:
    def test_what_an_exception_did_not_change_follows_the_series(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3), sensitivity="normal")
        first, second, _ = instances(world, master)
        change(world, first, subject="Kick-off")
        change(world, second, start=at("2026-12-08", 14), end=at("2026-12-08", 15))

        change(world, master, subject="Weekly", importance="high")

        found = instances(world, master)
        assert [item["subject"] for item in found] == ["Kick-off", "Weekly", "Weekly"]
        assert [item["importance"] for item in found] == ["high"] * 3
        assert starts(found)[1] == "2026-12-08T13:00"

    def test_one_mail_for_the_series_and_one_per_exception(self, world: SimulatedWorld) -> None:
        """Graph docs, event-update: PATCH of a master with changed instances."""
        master = book_series(world, weekly(times=3))
        for item in instances(world, master)[:2]:
            change(world, item, subject="Special")
        world.tenant.world.mails = 0

        path = f"{ALEX}{event_path(master['id'])}"
        assert world.call("PATCH", path, {"importance": "high"}).status == 200
        assert world.tenant.world.mails == 3

    def test_new_times_take_back_every_exception(self, world: SimulatedWorld) -> None:
        """MS-OXOCAL 3.1.4.7.3.5: exceptions end with the pattern; cancelled dates are back."""
        master = book_series(world, weekly(times=3))
        first, second, _ = instances(world, master)
        remove(world, first)
        change(world, second, start=at("2026-12-08", 14), end=at("2026-12-08", 15))

        change(world, master, start=at("2026-11-30", 15), end=at("2026-11-30", 16))

        expected = ["2026-11-30T14:00", "2026-12-07T14:00", "2026-12-14T14:00"]
        assert starts(instances(world, master)) == expected
        assert starts(room_view(world)) == expected
        assert [item["id"] for item in instances(world, master)][:2] == [first["id"], second["id"]]

    def test_another_day_moves_the_range_with_it(self, world: SimulatedWorld) -> None:
        """A start on another date, with a pattern that allows it."""
        master = book_series(world, {"pattern": DAILY, "range": {"type": "numbered", "startDate": "2026-11-30",
                                                                 "numberOfOccurrences": 2}})  # fmt: skip

        moved = change(world, master, start=at("2026-12-02", 10), end=at("2026-12-02", 11))

        assert moved["recurrence"]["range"]["startDate"] == "2026-12-02"
        assert starts(instances(world, master)) == ["2026-12-02T09:00", "2026-12-03T09:00"]

    def test_another_pattern(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=3))

        change(world, master, recurrence=weekly("tuesday", times=2))

        assert starts(instances(world, master)) == ["2026-12-01T09:00", "2026-12-08T09:00"]
        assert starts(room_view(world)) == ["2026-12-01T09:00", "2026-12-08T09:00"]

    def test_a_move_into_a_conflict_frees_the_room_altogether(self, world: SimulatedWorld) -> None:
        """B23 for a series: one taken date is enough by default."""
        book_series(world, weekly(times=1, start="2026-12-07"), hour=15)
        master = book_series(world, weekly(times=3), by="/users/kim@example.org")

        change(world, master, by="/users/kim@example.org", start=at("2026-11-30", 15), end=at("2026-11-30", 16))

        shown = world.get(f"/users/kim@example.org{event_path(master['id'])}")
        assert response_of(shown) == "declined"
        assert starts(room_view(world)) == ["2026-12-07T14:00"]

    def test_another_room(self, world: SimulatedWorld) -> None:
        """B25, B26: the old room hears a cancellation, the new one a request."""
        world.tenant.office.set_processing(AULA, RemoveCanceledMeetings=True)
        master = book_series(world, weekly(times=3))

        change(world, master, attendees=[{"type": "resource", "emailAddress": {"address": STUDIO}}])

        assert room_view(world) == []
        assert len(room_view(world, STUDIO)) == 3
        assert [response_of(item, STUDIO) for item in instances(world, master)] == ["accepted"] * 3

    def test_cancelled_as_a_whole(self, world: SimulatedWorld) -> None:
        """B19: every date of the room's copy is cancelled and free."""
        master = book_series(world, weekly(times=3))
        change(world, instances(world, master)[1], subject="Special")

        remove(world, master)

        assert {(item["isCancelled"], item["showAs"]) for item in room_view(world)} == {(True, "free")}
        assert room_master(world)["isCancelled"] is True

    def test_a_single_event_becomes_a_series_and_back(self, world: SimulatedWorld) -> None:
        """PATCH recurrence on a single event, and null on a master."""
        body = series_body(weekly(times=3))
        single = world.call("POST", f"{ALEX}/events", {k: v for k, v in body.items() if k != "recurrence"}).json()
        world.settle()

        master = change(world, single, recurrence=weekly(times=3))
        assert (master["id"], master["type"]) == (single["id"], "seriesMaster")
        assert len(room_view(world)) == 3

        back = change(world, single, recurrence=None)
        assert back["type"] == "singleInstance"
        assert starts(room_view(world)) == ["2026-11-30T09:00"]

    @pytest.mark.parametrize(
        ("recurrence", "code"),
        [
            (weekly(times=2, start="2026-12-01"), "ErrorPropertyValidationFailure"),
            ({"pattern": {"type": "weekly"}, "range": {"type": "noEnd", "startDate": "2026-11-30"}},
             "ErrorPropertyValidationFailure"),
            ({"pattern": {"type": "daily"}}, "RequestBodyRead"),
            ("daily", "RequestBodyRead"),
            (weekly("tuesday", until="2026-11-30"), "ErrorRecurrenceHasNoOccurrence"),
        ],
    )  # fmt: skip
    def test_refused(self, world: SimulatedWorld, recurrence: Any, code: str) -> None:
        """A range that starts on another day than the event, and what cannot be read."""
        body = {**series_body(weekly(times=2)), "recurrence": recurrence}

        answer = world.call("POST", f"{ALEX}/events", body)

        assert (answer.status, answer.json()["error"]["code"]) == (400, code)
        assert world.get(f"{ALEX}/events")["value"] == []

    def test_b48_a_repeated_transaction_makes_no_second_series(self, world: SimulatedWorld) -> None:
        body = {**series_body(weekly(times=2)), "transactionId": "loan-1-g1"}

        one, other = (world.call("POST", f"{ALEX}/events", body).json() for _ in range(2))
        assert one["id"] == other["id"]


class TestB56ThisAndFollowing:
    def test_the_old_series_is_cut_and_a_new_one_begins(self, world: SimulatedWorld) -> None:
        """B56: other ids and iCalUIds, and a request of its own that the room judges anew."""
        master = book_series(world, weekly(times=4))
        change(world, instances(world, master)[0], subject="Kick-off")

        cut = change(world, master, recurrence=weekly(until="2026-12-13"))
        rest = book_series(world, weekly(times=2, start="2026-12-14"), rooms=(STUDIO,))

        assert starts(instances(world, cut)) == ["2026-11-30T09:00", "2026-12-07T09:00"]
        assert starts(room_view(world)) == ["2026-11-30T09:00", "2026-12-07T09:00"]
        assert starts(room_view(world, STUDIO)) == ["2026-12-14T09:00", "2026-12-21T09:00"]
        assert rest["iCalUId"] != master["iCalUId"]

    def test_a_series_that_is_cut_keeps_its_exceptions(self, world: SimulatedWorld) -> None:
        """Only another pattern drops them (MS-OXOCAL 3.1.4.7.3.5)."""
        master = book_series(world, weekly(times=4))
        first, second, *_ = instances(world, master)
        change(world, first, subject="Kick-off")
        remove(world, second)

        change(world, master, recurrence=weekly(until="2026-12-18"))

        assert [item["subject"] for item in instances(world, master)] == ["Kick-off", "Standup"]
        assert [response_of(item) for item in instances(world, master)] == ["accepted"] * 2

    def test_a_longer_series_is_asked_for_again(self, world: SimulatedWorld) -> None:
        master = book_series(world, weekly(times=2))

        change(world, master, recurrence=weekly(times=3))

        assert len(room_view(world)) == 3
        assert [response_of(item) for item in instances(world, master)] == ["accepted"] * 3

"""What a room does with the meetings it is invited to: one class per behaviour, by its B-number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from engine.simulator.people import Person, Refused
from tests.simulator.virtual import SimulatedWorld

NINE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
ELEVEN = NINE + timedelta(hours=2)
AULA = "aula@example.org"
STUDIO = "studio@example.org"


def book(
    world: SimulatedWorld, start: datetime = NINE, end: datetime = TEN, *, by: Person | None = None, **more: Any
) -> dict[str, Any]:
    more.setdefault("rooms", [AULA])
    created: dict[str, Any] = world.run((by or world.alex).book(start, end, **more))
    return created


def answers(world: SimulatedWorld, event: dict[str, Any], *, by: Person | None = None) -> list[str]:
    shown = world.run((by or world.alex).get(event["id"]))
    return [item["status"]["response"] for item in shown["attendees"]]


def copies(world: SimulatedWorld) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.run(world.aula.events())
    return found


def configure(world: SimulatedWorld, **options: Any) -> None:
    world.tenant.office.set_processing(AULA, **options)


class TestB1FreeSlot:
    def test_the_room_answers_later_than_the_creation(self, world: SimulatedWorld) -> None:
        """B1: 201 says nothing; the room's answer comes by itself."""
        event = book(world)

        assert answers(world, event) == ["none"]
        assert copies(world) == []

        world.settle()

        assert answers(world, event) == ["accepted"]
        assert copies(world)[0]["responseStatus"]["response"] == "accepted"


class TestB2TakenSlot:
    def test_the_meeting_lives_on_without_the_room(self, world: SimulatedWorld) -> None:
        """B2: also 201; the room declines, its item goes, the organizer's event stays."""
        book(world)
        world.settle()

        late = book(world, NINE + timedelta(minutes=30), ELEVEN, by=world.kim)
        world.settle()

        assert answers(world, late, by=world.kim) == ["declined"]
        assert len(copies(world)) == 1

    def test_back_to_back_is_no_conflict(self, world: SimulatedWorld) -> None:
        """Intervals are half-open."""
        book(world)
        after = book(world, TEN, ELEVEN, by=world.kim)
        world.settle()

        assert answers(world, after, by=world.kim) == ["accepted"]

    def test_of_two_at_once_exactly_one_wins(self, world: SimulatedWorld) -> None:
        """Two requests before either is judged: the attendant judges one after the other."""
        one, other = book(world), book(world, by=world.kim)
        world.settle()

        assert sorted([*answers(world, one), *answers(world, other, by=world.kim)]) == ["accepted", "declined"]


class TestB3TwoStages:
    def test_first_tentative_under_its_own_subject(self, world: SimulatedWorld) -> None:
        """B3: for a moment the room shows the subject as typed, tentatively."""
        book(world, subject="Secret plan")
        world.wait(2.0)

        first = copies(world)[0]
        world.settle()
        last = copies(world)[0]

        assert (first["subject"], first["showAs"]) == ("Secret plan", "tentative")
        assert first["responseStatus"]["response"] == "notResponded"
        assert (last["subject"], last["showAs"]) == ("Alex Doe", "busy")


class TestB4RewrittenCopy:
    BODY: ClassVar[dict[str, Any]] = {
        "body": {"contentType": "text", "content": "bring cake"},
        "sensitivity": "private",
    }

    def test_defaults_strip_subject_body_and_privacy(self, world: SimulatedWorld) -> None:
        """B4: the room keeps the organizer's name and nothing else."""
        book(world, subject="Birthday", **self.BODY)
        world.settle()

        copy = copies(world)[0]
        assert (copy["subject"], copy["bodyPreview"], copy["sensitivity"]) == ("Alex Doe", "", "normal")

    def test_each_rewriting_can_be_switched_off(self, world: SimulatedWorld) -> None:
        """B4: DeleteSubject, AddOrganizerToSubject, DeleteComments, RemovePrivateProperty."""
        configure(world, DeleteSubject=False, AddOrganizerToSubject=False, DeleteComments=False)
        configure(world, RemovePrivateProperty=False)
        book(world, subject="Birthday", **self.BODY)
        world.settle()

        copy = copies(world)[0]
        assert (copy["subject"], copy["bodyPreview"], copy["sensitivity"]) == ("Birthday", "bring cake", "private")

    def test_name_before_subject(self, world: SimulatedWorld) -> None:
        """B4: without DeleteSubject the name goes in front."""
        configure(world, DeleteSubject=False)
        book(world, subject="Birthday")
        world.settle()

        assert copies(world)[0]["subject"] == "Alex Doe Birthday"


class TestB5Ids:
    def test_one_meeting_two_ids_one_ical_uid(self, world: SimulatedWorld) -> None:
        """B5: ids belong to a mailbox, iCalUId to the meeting."""
        event = book(world)
        world.settle()

        copy = copies(world)[0]
        assert copy["id"] != event["id"]
        assert copy["iCalUId"] == event["iCalUId"]
        with pytest.raises(Refused, match="ErrorItemNotFound"):
            world.run(world.aula.get(event["id"]))

    def test_ids_are_case_sensitive(self, world: SimulatedWorld) -> None:
        """B5: a lower-cased id is another id."""
        event = book(world)
        with pytest.raises(Refused):
            world.run(world.alex.get(event["id"].swapcase()))


class TestB16RoomAsOrganizer:
    def test_nothing_is_checked_in_the_rooms_own_calendar(self, world: SimulatedWorld) -> None:
        """B16: created straight in the room, conflicts included; the room is its organizer, the subject stays."""
        book(world)
        world.settle()

        room = Person(world.tenant, AULA)
        book(world, by=room, rooms=[], subject="Blocked")
        world.settle()

        blocked = next(item for item in copies(world) if item["subject"] == "Blocked")
        assert blocked["isOrganizer"] is True
        assert len(copies(world)) == 2


class TestB17RoomAsLocation:
    def test_a_location_books_nothing(self, world: SimulatedWorld) -> None:
        """B17: a room that is only the location is not asked."""
        book(world, rooms=[], location={"displayName": "Aula", "locationEmailAddress": AULA})
        world.settle()

        assert copies(world) == []


class TestB18RequiredRoom:
    def test_the_kind_of_attendee_does_not_matter(self, world: SimulatedWorld) -> None:
        """B18: a room in the required list is processed all the same."""
        event = book(world, rooms=[], people=[AULA])
        world.settle()

        assert answers(world, event) == ["accepted"]


class TestB19CancelledCopiesStay:
    @pytest.mark.parametrize("verb", ["cancel", "delete"])
    def test_by_default_the_copy_stays(self, world: SimulatedWorld, verb: str) -> None:
        """B19: cancelled, free, its subject prefixed."""
        event = book(world)
        world.settle()
        world.run(getattr(world.alex, verb)(event["id"]))
        world.settle()

        copy = copies(world)[0]
        assert (copy["isCancelled"], copy["subject"], copy["showAs"]) == (True, "Canceled: Alex Doe", "free")
        with pytest.raises(Refused, match="404"):
            world.run(world.alex.get(event["id"]))

    def test_remove_canceled_meetings(self, world: SimulatedWorld) -> None:
        """B19: with RemoveCanceledMeetings it goes."""
        configure(world, RemoveCanceledMeetings=True)
        event = book(world)
        world.settle()
        world.run(world.alex.cancel(event["id"]))
        world.settle()

        assert copies(world) == []

    def test_the_slot_is_free_again(self, world: SimulatedWorld) -> None:
        """B19: a cancelled copy blocks nobody."""
        event = book(world)
        world.settle()
        world.run(world.alex.cancel(event["id"]))
        world.settle()
        again = book(world, by=world.kim)
        world.settle()

        assert answers(world, again, by=world.kim) == ["accepted"]

    def test_cancelled_before_it_arrived(self, world: SimulatedWorld) -> None:
        """A request that is overtaken by its cancellation leaves nothing behind."""
        event = book(world)
        world.run(world.alex.cancel(event["id"]))
        world.settle()

        assert copies(world) == []


class TestB20OnlyOrganizersCancel:
    def test_cancel_on_the_rooms_copy(self, world: SimulatedWorld) -> None:
        """B20: 400 with the documented words."""
        book(world)
        world.settle()
        with pytest.raises(Refused, match="You need to be an organizer to cancel a meeting") as refused:
            world.run(Person(world.tenant, AULA).cancel(copies(world)[0]["id"]))

        assert refused.value.status == 400


class TestB21RoomCopyDeleted:
    def test_the_organizer_does_not_hear_of_it(self, world: SimulatedWorld) -> None:
        """B21: gone in the room, still accepted on the organizer's copy."""
        event = book(world)
        world.settle()
        world.run(Person(world.tenant, AULA).delete(copies(world)[0]["id"]))
        world.settle()

        assert copies(world) == []
        assert answers(world, event) == ["accepted"]


class TestB22DeclinedOnTheRoomsCopy:
    def test_a_sent_decline_reaches_the_organizer(self, world: SimulatedWorld) -> None:
        """B22: the copy goes, the attendee is declined."""
        event = book(world)
        world.settle()
        world.run(world.aula.answer(copies(world)[0]["id"], "decline"))
        world.settle()

        assert copies(world) == []
        assert answers(world, event) == ["declined"]

    def test_an_unsent_one_does_not(self, world: SimulatedWorld) -> None:
        """B8, B22: without a response nobody hears."""
        event = book(world)
        world.settle()
        world.run(world.aula.answer(copies(world)[0]["id"], "decline", send=False))
        world.settle()

        assert answers(world, event) == ["accepted"]


class TestB23Moved:
    def test_to_a_free_time(self, world: SimulatedWorld) -> None:
        """B23: answers are taken back, the same copy moves, the room accepts again."""
        event = book(world)
        world.settle()
        before = copies(world)[0]["id"]
        world.run(world.alex.move(event["id"], ELEVEN, ELEVEN + timedelta(hours=1)))

        assert answers(world, event) == ["none"]
        world.settle()

        assert answers(world, event) == ["accepted"]
        assert [(item["id"], item["start"]["dateTime"][:16]) for item in copies(world)] == [
            (before, "2026-11-24T11:00")
        ]

    def test_to_a_taken_time(self, world: SimulatedWorld) -> None:
        """B23: declined, and the room's copy is gone."""
        book(world, TEN, ELEVEN, by=world.kim)
        event = book(world)
        world.settle()
        world.run(world.alex.move(event["id"], TEN, ELEVEN))
        world.settle()

        assert answers(world, event) == ["declined"]
        assert [item["subject"] for item in copies(world)] == ["Kim Ito"]

    def test_twice_in_a_hurry(self, world: SimulatedWorld) -> None:
        """An answer to an older time is stale and ignored."""
        event = book(world)
        world.run(world.alex.move(event["id"], TEN, ELEVEN))
        world.wait(1.5)
        world.run(world.alex.move(event["id"], ELEVEN, ELEVEN + timedelta(hours=1)))
        world.settle()

        assert answers(world, event) == ["accepted"]
        assert copies(world)[0]["start"]["dateTime"].startswith("2026-11-24T11:00")


class TestB24Renamed:
    def test_the_answer_stands_and_the_subject_is_stripped_again(self, world: SimulatedWorld) -> None:
        """B24: the room's copy shows the new subject for a moment only."""
        event = book(world)
        world.settle()
        version = copies(world)[0]["changeKey"]
        world.run(world.alex.rename(event["id"], "New words"))
        world.wait(2.0)
        between = copies(world)[0]
        world.settle()

        assert (between["subject"], between["responseStatus"]["response"]) == ("New words", "accepted")
        assert copies(world)[0]["subject"] == "Alex Doe"
        assert copies(world)[0]["changeKey"] != version
        assert answers(world, event) == ["accepted"]


class TestB25RoomAdded:
    def test_only_the_new_one_is_mailed(self, world: SimulatedWorld) -> None:
        """B25: attendees alone in the PATCH: the others hear nothing."""
        event = book(world, people=["kim@example.org"])
        world.settle()
        version = copies(world)[0]["changeKey"]
        mails = world.tenant.world.mails
        world.run(world.alex.set_rooms(event["id"], [AULA, STUDIO]))
        world.settle()

        assert answers(world, event)[1:] == ["accepted", "accepted"]
        assert copies(world)[0]["changeKey"] == version
        assert world.tenant.world.mails == mails + 2  # one request, one answer


class TestB26RoomLeftOut:
    def test_it_is_cancelled_there(self, world: SimulatedWorld) -> None:
        """B26: the list is replaced as a whole; who is missing is cancelled."""
        event = book(world)
        world.settle()
        world.run(world.alex.set_rooms(event["id"], [STUDIO]))
        world.settle()

        assert copies(world)[0]["isCancelled"] is True
        assert answers(world, event) == ["accepted"]


class TestB27Location:
    def test_location_replaces_locations_only(self, world: SimulatedWorld) -> None:
        """B27: attendees are untouched."""
        event = book(world)
        world.settle()
        changed = world.run(world.alex.change(event["id"], location={"displayName": "Garden"}))

        assert [item["displayName"] for item in changed["locations"]] == ["Garden"]
        assert answers(world, event) == ["accepted"]


class TestB28PendingApproval:
    @pytest.mark.parametrize(("approve", "answer", "left"), [(True, "accepted", 1), (False, "declined", 0)])
    def test_a_delegate_decides(self, world: SimulatedWorld, approve: bool, answer: str, left: int) -> None:
        """B28: tentative on both sides until then."""
        configure(world, AllBookInPolicy=False, AllRequestInPolicy=True)
        event = book(world)
        world.settle()

        assert answers(world, event) == ["tentativelyAccepted"]
        assert copies(world)[0]["showAs"] == "tentative"

        verb = "approve" if approve else "reject"
        waiting = world.call("GET", f"/sim/rooms/{AULA}/pending").json()
        world.call("POST", f"/sim/rooms/{AULA}/{verb}", {"ical_uid": waiting[0]["ical_uid"]})
        world.settle()

        assert answers(world, event) == [answer]
        assert len(copies(world)) == left

    def test_pending_may_look_free(self, world: SimulatedWorld) -> None:
        """B28: TentativePendingApproval off."""
        configure(world, AllBookInPolicy=False, AllRequestInPolicy=True, TentativePendingApproval=False)
        book(world)
        world.settle()

        assert copies(world)[0]["showAs"] == "free"


class TestB29AutoUpdate:
    def test_the_room_never_answers(self, world: SimulatedWorld) -> None:
        """B29: tentative for ever."""
        configure(world, AutomateProcessing="AutoUpdate")
        event = book(world, subject="Waiting")
        world.settle()

        assert answers(world, event) == ["none"]
        assert (copies(world)[0]["subject"], copies(world)[0]["showAs"]) == ("Waiting", "tentative")


class TestB30NoProcessing:
    def test_nothing_at_all(self, world: SimulatedWorld) -> None:
        """B30: no item, no answer."""
        configure(world, AutomateProcessing="None")
        event = book(world)
        world.settle()

        assert answers(world, event) == ["none"]
        assert copies(world) == []


class TestB31ToB37Policy:
    @pytest.mark.parametrize(
        ("options", "days", "hours", "expected"),
        [
            ({}, 179, 1, "accepted"),
            ({}, 182, 1, "declined"),
            ({"BookingWindowInDays": 400}, 182, 1, "accepted"),
            ({}, 1, 25, "declined"),
            ({"MaximumDurationInMinutes": 0}, 1, 25, "accepted"),
            ({"AllBookInPolicy": False}, 1, 1, "declined"),
            ({"AllBookInPolicy": False, "BookInPolicy": ["Alex@example.org"]}, 1, 1, "accepted"),
            ({"AllBookInPolicy": False, "RequestInPolicy": ["alex@example.org"]}, 1, 1, "tentativelyAccepted"),
            ({"AllRequestOutOfPolicy": True}, 182, 1, "tentativelyAccepted"),
            ({"ScheduleOnlyDuringWorkHours": True}, 1, 12, "declined"),
            ({"BookingType": "Reserved"}, 1, 1, "declined"),
        ],
    )
    def test_rules(self, world: SimulatedWorld, options: dict[str, Any], days: int, hours: int, expected: str) -> None:
        """B31 window, B32 duration, B36 out of policy, B37 who may book."""
        configure(world, **options)
        start = NINE + timedelta(days=days - 1)
        event = book(world, start, start + timedelta(hours=hours))
        world.settle()

        assert answers(world, event) == [expected]

    def test_b35_allow_conflicts(self, world: SimulatedWorld) -> None:
        """B35: everything is accepted."""
        configure(world, AllowConflicts=True)
        one, other = book(world), book(world, by=world.kim)
        world.settle()

        assert [*answers(world, one), *answers(world, other, by=world.kim)] == ["accepted", "accepted"]

    def test_b36_conflicts_wait_instead_of_being_declined(self, world: SimulatedWorld) -> None:
        """B36: AllRequestOutOfPolicy turns a conflict into a tentative item."""
        configure(world, AllRequestOutOfPolicy=True)
        book(world)
        world.settle()
        other = book(world, by=world.kim)
        world.settle()

        assert answers(world, other, by=world.kim) == ["tentativelyAccepted"]
        assert len(copies(world)) == 2

    def test_unknown_options_are_refused(self, world: SimulatedWorld) -> None:
        """A misspelt option must not pass silently."""
        assert world.call("POST", f"/sim/rooms/{AULA}/processing", {"AllowConflict": True}).status == 400


class TestB38External:
    EVENT: ClassVar[dict[str, Any]] = {
        "subject": "Visit",
        "start": {"dateTime": "2026-11-24T09:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-11-24T10:00:00", "timeZone": "UTC"},
        "attendees": [{"type": "resource", "emailAddress": {"address": AULA}}],
    }

    def send(self, world: SimulatedWorld) -> None:
        body = {"sender": "guest@elsewhere.net", "name": "Guest", "event": self.EVENT}
        assert world.call("POST", "/sim/outside", body).status == 200
        world.settle()

    def test_ignored_by_default(self, world: SimulatedWorld) -> None:
        """B38: requests from outside are not processed."""
        self.send(world)

        assert copies(world) == []

    def test_processed_on_request(self, world: SimulatedWorld) -> None:
        """B38: ProcessExternalMeetingMessages."""
        configure(world, ProcessExternalMeetingMessages=True)
        self.send(world)

        assert copies(world)[0]["organizer"]["emailAddress"]["address"] == "guest@elsewhere.net"
        assert world.call("GET", "/users/guest@elsewhere.net").status == 404


class TestB39Past:
    def test_nobody_judges_what_is_over(self, world: SimulatedWorld) -> None:
        """B39: it stays as it arrived."""
        event = book(world, NINE - timedelta(days=7), TEN - timedelta(days=7))
        world.settle()

        assert answers(world, event) == ["none"]
        assert copies(world)[0]["responseStatus"]["response"] == "notResponded"


class TestB40Free:
    def test_sent_as_free_stays_free(self, world: SimulatedWorld) -> None:
        """B40: accepted, free, and no obstacle to others."""
        event = book(world, showAs="free")
        world.settle()
        other = book(world, by=world.kim)
        world.settle()

        assert answers(world, event) == ["accepted"]
        assert copies(world)[0]["showAs"] == "free"
        assert answers(world, other, by=world.kim) == ["accepted"]


class TestB41AllDay:
    DAY: ClassVar[dict[str, Any]] = {"isAllDay": True, "zone": "Europe/Paris"}
    START = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)

    def test_midnight_in_any_zone(self, world: SimulatedWorld) -> None:
        """B41: the same two midnights whatever zone is asked for."""
        event = book(world, self.START, self.START + timedelta(days=1), **self.DAY)
        path = f"/users/alex@example.org/events/{event['id']}"

        for zone in ("UTC", "Asia/Tokyo", "Romance Standard Time"):
            shown = world.get(path, Prefer=f'outlook.timezone="{zone}"')
            assert shown["start"] == {"dateTime": "2026-11-25T00:00:00.0000000", "timeZone": zone}
            assert shown["end"] == {"dateTime": "2026-11-26T00:00:00.0000000", "timeZone": zone}

    def test_it_blocks_the_days_real_hours(self, world: SimulatedWorld) -> None:
        """B41: as instants it is the day of its own zone."""
        book(world, self.START, self.START + timedelta(days=1), **self.DAY)
        world.settle()
        early = book(world, self.START + timedelta(minutes=15), self.START + timedelta(hours=1), by=world.kim)
        world.settle()

        assert answers(world, early, by=world.kim) == ["declined"]

    def test_other_times_are_refused(self, world: SimulatedWorld) -> None:
        """B41: 400 unless both are midnights."""
        with pytest.raises(Refused, match="midnight"):
            book(world, NINE, TEN, isAllDay=True)


class TestB50BackgroundTouch:
    def test_only_versions_change(self, world: SimulatedWorld) -> None:
        """B50: new changeKey and lastModified, nothing else."""
        event = book(world)
        world.settle()
        before = copies(world)[0]
        world.wait(60)
        world.call("POST", f"/sim/mailboxes/{AULA}/touch", {"ical_uid": event["iCalUId"]})
        after = copies(world)[0]

        differing = {name for name in before if before[name] != after[name]}
        assert differing == {"@odata.etag", "changeKey", "lastModifiedDateTime"}


class TestB51Draft:
    def test_a_draft_invites_nobody_until_it_is_none(self, world: SimulatedWorld) -> None:
        """B51: announced, but not sent."""
        event = book(world, isDraft=True)
        world.settle()
        assert copies(world) == []

        world.run(world.alex.change(event["id"], isDraft=False))
        world.settle()
        assert answers(world, event) == ["accepted"]


class TestB52OrganizerGone:
    @pytest.mark.parametrize(
        ("state", "code"), [("disabled", "MailboxNotEnabledForRESTAPI"), ("removed", "ErrorInvalidUser")]
    )
    def test_the_rooms_copies_stay(self, world: SimulatedWorld, state: str, code: str) -> None:
        """B52: the organizer's calendar answers 404, the room stays booked."""
        event = book(world)
        world.settle()
        world.call("POST", "/sim/mailboxes/alex@example.org/state", {"state": state})

        with pytest.raises(Refused) as refused:
            world.run(world.alex.get(event["id"]))
        assert (refused.value.status, refused.value.code) == (404, code)
        assert copies(world)[0]["isCancelled"] is False


class TestB54HiddenAttendees:
    def test_a_room_sees_only_itself(self, world: SimulatedWorld) -> None:
        """B54: siblings are hidden on room copies."""
        book(world, rooms=[AULA, STUDIO], people=["kim@example.org"], hideAttendees=True)
        world.settle()

        assert [item["emailAddress"]["address"] for item in copies(world)[0]["attendees"]] == [AULA]


class TestB61RoomsChange:
    def test_old_items_keep_the_old_name_and_address(self, world: SimulatedWorld) -> None:
        """B61: renaming and re-addressing touch no meeting."""
        event = book(world)
        world.settle()
        world.call("POST", f"/sim/rooms/{AULA}/rename", {"name": "Great hall"})
        world.call("POST", f"/sim/mailboxes/{AULA}/readdress", {"address": "hall@example.org"})

        listed = world.get("/places/graph.room")["value"][0]
        shown = world.run(world.alex.get(event["id"]))
        assert (listed["displayName"], listed["emailAddress"]) == ("Great hall", "hall@example.org")
        assert shown["attendees"][0]["emailAddress"]["address"] == AULA
        assert len(copies(world)) == 1  # the old address is an alias now

    def test_made_again_it_is_empty(self, world: SimulatedWorld) -> None:
        """B61: the same address, another mailbox, another place."""
        book(world)
        world.settle()
        old = world.get(f"/places/{AULA}")["id"]
        world.call("DELETE", f"/sim/rooms/{AULA}")
        world.call("POST", "/sim/rooms", {"address": AULA, "name": "Aula"})

        assert copies(world) == []
        assert world.get(f"/places/{AULA}")["id"] != old


class TestB62AutoRelease:
    def test_the_item_goes_and_nobody_is_told(self, world: SimulatedWorld) -> None:
        """B62: released by the room."""
        event = book(world)
        world.settle()
        world.call("POST", f"/sim/mailboxes/{AULA}/release", {"ical_uid": event["iCalUId"]})
        world.settle()

        assert copies(world) == []
        assert answers(world, event) == ["accepted"]


class TestB65SeveralRooms:
    def test_each_decides_alone(self, world: SimulatedWorld) -> None:
        """B65: one accepts, one declines."""
        book(world, rooms=[STUDIO], by=world.kim)
        world.settle()
        event = book(world, rooms=[AULA, STUDIO])
        world.settle()

        assert answers(world, event) == ["accepted", "declined"]


class TestOrganizerChanged:
    def test_copies_are_updated_silently(self, world: SimulatedWorld) -> None:
        """Invoke-ChangeMeetingOrganizer: same iCalUId, same room copy, another organizer, no new answer."""
        event = book(world)
        world.settle()
        before = copies(world)[0]
        body = {"ical_uid": event["iCalUId"], "new": "kim@example.org"}
        world.call("POST", "/sim/mailboxes/alex@example.org/change-organizer", body)

        after = copies(world)[0]
        assert after["id"] == before["id"]
        assert after["organizer"]["emailAddress"]["address"] == "kim@example.org"
        assert world.run(world.kim.by_ical(event["iCalUId"]))["isOrganizer"] is True
        assert world.run(world.alex.by_ical(event["iCalUId"])) is None

    def test_an_heir_who_was_invited_has_the_meeting_once(self, world: SimulatedWorld) -> None:
        event = book(world, people=["kim@example.org"])
        world.settle()
        body = {"ical_uid": event["iCalUId"], "new": "kim@example.org"}
        world.call("POST", "/sim/mailboxes/alex@example.org/change-organizer", body)

        [own] = world.run(world.kim.events())
        assert own["isOrganizer"] is True
        assert [each["type"] for each in own["attendees"]] == ["resource"]


class TestPeopleAsAttendees:
    def test_a_person_gets_a_copy_and_answers_it(self, world: SimulatedWorld) -> None:
        """People's mailboxes place requests tentatively; answers are theirs to give."""
        event = book(world, rooms=[], people=["kim@example.org"], subject="Lunch")
        world.settle()
        copy = world.run(world.kim.by_ical(event["iCalUId"]))
        assert copy["responseStatus"]["response"] == "notResponded"

        world.run(world.kim.answer(copy["id"], "accept"))
        world.settle()

        assert answers(world, event) == ["accepted"]
        assert world.run(world.kim.by_ical(event["iCalUId"]))["subject"] == "Lunch"

"""Per-room options beyond the everyday ones: what is written back, delegates, check-in, workspaces."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.simulator.test_booking import AULA, ELEVEN, NINE, STUDIO, TEN, answers, book, configure, copies
from tests.simulator.virtual import SimulatedWorld

LOUNGE = "lounge@example.org"


def replies(world: SimulatedWorld) -> list[str]:
    """Return the texts of the answers rooms sent, oldest first."""
    return [letter["text"] for letter in world.call("GET", "/sim/mails").json() if letter["kind"] == "answer"]


class TestReasonsAreToldByMailOnly:
    def test_why_and_who(self, world: SimulatedWorld) -> None:
        """B2, EnableResponseDetails, OrganizerInfo: the mail says what is in the way, the event does not."""
        book(world)
        world.settle()
        late = book(world, by=world.kim, subject="Second")
        world.settle()

        assert "taken" in replies(world)[-1]
        assert "Alex Doe" in replies(world)[-1]
        assert "Alex" not in str(world.run(world.kim.get(late["id"])))

    @pytest.mark.parametrize(
        ("options", "shown", "hidden"),
        [
            ({"OrganizerInfo": False}, "taken", "Alex Doe"),
            ({"EnableResponseDetails": False}, "declined", "taken"),
            ({"AddAdditionalResponse": True, "AdditionalResponse": "Ask at the desk."}, "Ask at the desk.", "?"),
            ({"AdditionalResponse": "Ask at the desk."}, "taken", "Ask at the desk."),
        ],
    )
    def test_each_can_be_switched(
        self, world: SimulatedWorld, options: dict[str, Any], shown: str, hidden: str
    ) -> None:
        """OrganizerInfo, EnableResponseDetails, AddAdditionalResponse, AdditionalResponse."""
        configure(world, **options)
        book(world)
        world.settle()
        book(world, by=world.kim)
        world.settle()

        assert shown in replies(world)[-1]
        assert hidden not in replies(world)[-1]

    @pytest.mark.parametrize(
        ("options", "end", "word"),
        [
            ({"MaximumDurationInMinutes": 30}, TEN, "longer than 30"),
            ({"BookingWindowInDays": 0}, TEN, "at most 0 days"),
            ({"BookingType": "Reserved"}, TEN, "cannot be booked"),
            ({"AllBookInPolicy": False}, TEN, "not allowed"),
        ],
    )
    def test_b31_b32_b37_reasons(self, world: SimulatedWorld, options: dict[str, Any], end: Any, word: str) -> None:
        """B31, B32, B37: the reason is in the mail only."""
        configure(world, **options)
        event = book(world, NINE, end)
        world.settle()

        assert answers(world, event) == ["declined"]
        assert word in replies(world)[-1]


class TestB28Delegates:
    def pending(self, world: SimulatedWorld, **more: Any) -> dict[str, Any]:
        configure(world, AllBookInPolicy=False, AllRequestInPolicy=True, ResourceDelegates=["kim@example.org"], **more)
        event = book(world)
        world.settle()
        assert answers(world, event) == ["tentativelyAccepted"]
        return event

    def settle(self, world: SimulatedWorld, verb: str, event: dict[str, Any], **more: Any) -> Any:
        answer = world.call("POST", f"/sim/rooms/{AULA}/{verb}", {"ical_uid": event["iCalUId"], **more})
        world.settle()
        return answer

    @pytest.mark.parametrize(("forward", "asked"), [(True, ["kim@example.org"]), (False, [])])
    def test_the_request_is_passed_on(self, world: SimulatedWorld, forward: bool, asked: list[str]) -> None:
        """B28, ForwardRequestsToDelegates: the delegates are asked by mail, or nobody is."""
        self.pending(world, ForwardRequestsToDelegates=forward)
        letters = world.call("GET", "/sim/mails").json()
        assert [letter["to"] for letter in letters if letter["kind"] == "approval"] == asked

    @pytest.mark.parametrize(("verb", "expected"), [("approve", "accepted"), ("reject", "declined")])
    def test_a_delegate_decides(self, world: SimulatedWorld, verb: str, expected: str) -> None:
        """B28: tentative until then."""
        event = self.pending(world)
        assert self.settle(world, verb, event, by="kim@example.org").status == 200

        assert answers(world, event) == [expected]
        assert len(copies(world)) == (expected == "accepted")

    def test_nobody_else_may(self, world: SimulatedWorld) -> None:
        """B28: 400, and it goes on waiting."""
        event = self.pending(world)
        assert self.settle(world, "approve", event, by="alex@example.org").status == 400
        assert answers(world, event) == ["tentativelyAccepted"]

    def test_without_a_word_to_the_organizer(self, world: SimulatedWorld) -> None:
        """B28: the room is booked, the organizer's copy says tentative for ever (a shared mailbox as delegate)."""
        event = self.pending(world)
        self.settle(world, "approve", event, send=False)

        assert copies(world)[0]["responseStatus"]["response"] == "accepted"
        assert answers(world, event) == ["tentativelyAccepted"]

    def test_a_conflict_may_be_approved(self, world: SimulatedWorld) -> None:
        """B36: delegates can double-book by hand."""
        configure(world, AllRequestOutOfPolicy=True, ResourceDelegates=["kim@example.org"])
        first = book(world)
        world.settle()
        second = book(world, by=world.kim)
        world.settle()
        self.settle(world, "approve", second)

        assert answers(world, first) == answers(world, second, by=world.kim) == ["accepted"]

    def test_cancelled_while_it_waits(self, world: SimulatedWorld) -> None:
        """B28: nothing is left to decide."""
        event = self.pending(world)
        world.run(world.alex.cancel(event["id"]))
        world.settle()
        assert all(copy["isCancelled"] for copy in copies(world))


class TestB62CheckIn:
    def test_nobody_comes(self, world: SimulatedWorld) -> None:
        """B62, EnableAutoRelease: the room's copy goes, the organizer's still says accepted."""
        configure(world, EnableAutoRelease=True, PostReservationMaxClaimTimeInMinutes=15)
        event = book(world)
        world.settle()
        world.wait((NINE - world.loop.now()).total_seconds() + 14 * 60)
        assert len(copies(world)) == 1
        world.wait(120)

        assert copies(world) == []
        assert answers(world, event) == ["accepted"]

    def test_somebody_comes(self, world: SimulatedWorld) -> None:
        """B62: whoever checks in keeps the room."""
        configure(world, EnableAutoRelease=True)
        event = book(world)
        world.settle()
        told = world.call("POST", f"/sim/rooms/{AULA}/check-in", {"ical_uid": event["iCalUId"]}).json()
        world.wait((TEN - world.loop.now()).total_seconds())

        assert told == {"expected": True}
        assert len(copies(world)) == 1

    def test_a_moved_meeting_is_awaited_at_its_new_time(self, world: SimulatedWorld) -> None:
        """B62: the old claim is void."""
        configure(world, EnableAutoRelease=True)
        event = book(world)
        world.settle()
        world.run(world.alex.move(event["id"], TEN, ELEVEN))
        world.settle()
        world.wait((TEN - world.loop.now()).total_seconds() + 60)
        assert len(copies(world)) == 1
        world.wait(600)
        assert copies(world) == []

    def test_the_claim_survives_a_restart(self, make_world: Any, tmp_path: Any) -> None:
        """B62: and the tenant is quiet while it waits."""
        world = make_world(state_file=tmp_path / "tenant.db")
        configure(world, EnableAutoRelease=True)
        book(world)
        world.settle()
        world.tenant.close()
        world.tenant = world.open()
        world.aula.tenant = world.tenant
        assert world.tenant.is_quiet
        world.wait((TEN - world.loop.now()).total_seconds())

        assert copies(world) == []


class TestB63Workspace:
    def furnish(self, world: SimulatedWorld, **options: Any) -> None:
        world.call("POST", "/sim/rooms", {"address": LOUNGE, "name": "Lounge", "kind": "workspace", "capacity": 3})
        given = {"AllowConflicts": True, "EnforceCapacity": True, **options}
        assert world.call("POST", f"/sim/rooms/{LOUNGE}/processing", given).status == 200

    def test_seats_not_exclusivity(self, world: SimulatedWorld) -> None:
        """B63: bookings side by side until the seats are taken."""
        self.furnish(world)
        first = book(world, rooms=[LOUNGE], people=["kim@example.org"])
        second = book(world, rooms=[LOUNGE])
        world.settle()
        third = book(world, rooms=[LOUNGE])
        after = book(world, TEN, ELEVEN, rooms=[LOUNGE])
        world.settle()

        assert [answers(world, event)[0] for event in (first, second, third, after)] == [
            "accepted", "accepted", "declined", "accepted",
        ]  # fmt: skip

    def test_several_at_once_are_not_processed(self, world: SimulatedWorld) -> None:
        """B63: a request for two workspaces stays as it arrived."""
        self.furnish(world)
        world.call("POST", "/sim/rooms", {"address": "nook@example.org", "name": "Nook", "kind": "workspace"})
        event = book(world, rooms=[LOUNGE, "nook@example.org"])
        world.settle()

        assert answers(world, event)[0] == "none"

    def test_minimum_duration(self, world: SimulatedWorld) -> None:
        """B63, MinimumDurationInMinutes: workspaces only."""
        self.furnish(world, MinimumDurationInMinutes=120)
        configure(world, MinimumDurationInMinutes=120)
        event = book(world, rooms=[LOUNGE, AULA])
        world.settle()

        assert answers(world, event) == ["declined", "accepted"]

    def test_it_is_no_room_in_places(self, world: SimulatedWorld) -> None:
        """B63: the list of rooms leaves it out."""
        self.furnish(world)
        listed = [item["emailAddress"] for item in world.get("/places/graph.room")["value"]]
        assert LOUNGE not in listed
        assert AULA in listed


class TestB65SeveralResources:
    @pytest.mark.parametrize(("allowed", "expected"), [(True, "accepted"), (False, "declined")])
    def test_together_with_others(self, world: SimulatedWorld, allowed: bool, expected: str) -> None:
        """B65, AllowMultipleResources: out of policy in one room, in policy in the other."""
        configure(world, AllowMultipleResources=allowed)
        event = book(world, rooms=[AULA, STUDIO])
        world.settle()
        assert answers(world, event) == [expected, "accepted"]


class TestB52OrganizerLeft:
    @pytest.mark.parametrize(
        ("state", "code"), [("disabled", "MailboxNotEnabledForRESTAPI"), ("removed", "ErrorInvalidUser")]
    )
    def test_nothing_can_be_changed_any_more(self, world: SimulatedWorld, state: str, code: str) -> None:
        """B52: disabled or soft-deleted: every call on the event answers 404; the room stays booked."""
        event = book(world)
        world.settle()
        world.tenant.office.set_state("alex@example.org", state)
        path = f"/users/alex@example.org/events/{event['id']}"
        asked = [world.call("GET", path), world.call("PATCH", path, {"subject": "x"}), world.call("DELETE", path),
                 world.call("POST", f"{path}/cancel", {})]  # fmt: skip

        assert [(answer.status, answer.json()["error"]["code"]) for answer in asked] == [(404, code)] * 4
        assert copies(world)[0]["responseStatus"]["response"] == "accepted"

    def test_an_answer_to_nobody(self, world: SimulatedWorld) -> None:
        """B52: a room that answers after the organizer left still decides; a mailbox brought back was not told."""
        event = book(world)
        world.wait(0.5)
        world.tenant.office.set_state("alex@example.org", "disabled")
        world.settle()
        assert copies(world)[0]["responseStatus"]["response"] == "accepted"
        world.tenant.office.set_state("alex@example.org", "active")

        assert answers(world, event) == ["none"]

    def test_the_room_can_still_decline(self, world: SimulatedWorld) -> None:
        """B22, B52: the way left to free the room."""
        book(world)
        world.settle()
        world.tenant.office.set_state("alex@example.org", "removed")
        world.run(world.aula.answer(copies(world)[0]["id"], "decline"))
        world.settle()
        assert copies(world) == []


class TestB61Addresses:
    def test_updates_to_an_address_that_is_gone_do_not_arrive(self, world: SimulatedWorld) -> None:
        """B61: the alias dropped, the old meeting's moves never reach the room."""
        event = book(world)
        world.settle()
        world.tenant.office.readdress(AULA, "hall@example.org", keep_alias=False)
        world.run(world.alex.move(event["id"], NINE + timedelta(hours=3), TEN + timedelta(hours=3)))
        world.settle()

        room = world.get("/users/hall@example.org/events")["value"][0]
        assert room["start"]["dateTime"].startswith("2026-11-24T09:00")
        assert answers(world, event) == ["none"]


class TestPrivateMeetings:
    def test_shown_to_the_application_in_full(self, world: SimulatedWorld) -> None:
        """B4: with the flag kept on the room's copy, lists and single reads show it, free/busy marks it private."""
        configure(world, RemovePrivateProperty=False, DeleteSubject=False, AddOrganizerToSubject=False)
        book(world, subject="Doctor", sensitivity="private")
        world.settle()
        copy = copies(world)[0]
        body = {"schedules": [AULA], "startTime": {"dateTime": "2026-11-24T08:00:00", "timeZone": "UTC"},
                "endTime": {"dateTime": "2026-11-24T12:00:00", "timeZone": "UTC"}}  # fmt: skip
        busy = world.call("POST", f"/users/{AULA}/calendar/getSchedule", body).json()["value"][0]

        assert (copy["subject"], copy["sensitivity"]) == ("Doctor", "private")
        assert world.run(world.aula.get(copy["id"]))["subject"] == "Doctor"
        assert [item["isPrivate"] for item in busy["scheduleItems"]] == [True]

"""What comes in is broken, or does not come at all: one thing suffers, a message tells, and it heals by itself."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.app.timetable import plan_service_jobs
from engine.database.sql.connection import Database
from engine.errors import Unreachable
from engine.graph.transport import Request, Response
from engine.loans.loan import Loan
from engine.loans.register import LoanChange
from engine.loans.status import ItemState, LoanAction, LoanStatus
from engine.prove.world.world import World
from tests.simulation.conftest import WITHOUT_CONTENT, MakeWorld

Spoil = Callable[[dict[str, Any]], None]


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(settings=WITHOUT_CONTENT)


def spoil_events(world: World, spoil: Spoil) -> Callable[[], None]:
    """Let *spoil* have every event in Graph's answers to the engine; return what ends that."""
    transport = world.transports[-1]
    send = transport.send

    async def send_spoilt(request: Request) -> Response:
        answer = await send(request)
        if not answer.body.startswith(b"{") or answer.status >= 300:
            return answer
        document = json.loads(answer.body)
        for item in document.get("value", [document]):
            if isinstance(item, dict) and "iCalUId" in item:
                spoil(item)
        return Response(answer.status, answer.headers, json.dumps(document).encode())

    transport.send = send_spoilt  # type: ignore[method-assign]
    return lambda: setattr(transport, "send", send)


def only_loan(world: World) -> Loan:
    (loan,) = world.loans
    return loan


def states(loan: Loan) -> dict[str, ItemState]:
    return {item.name: item.state for item in loan.items}


def events_of(world: World, person: int) -> list[dict[str, Any]]:
    return [event for event in world.run(world.person(person).events()) if not event["isCancelled"]]


class TestNotifications:
    @pytest.mark.parametrize(
        "body",
        [
            b"", b"{", b"\xff\xfe", b"null", b"[]", b'{"value": 7}', b'{"value": [7, null, {}]}',
            b'{"value": [{"subscriptionId": "nobody", "clientState": "guess", "changeType": "updated"}]}',
            b'{"value": [{"subscriptionId": {"a": 1}, "clientState": ["x"]}]}',
            b'{"value": [' + b'{"a":' * 500 + b"1" + b"}" * 500 + b"]}",
        ],
    )  # fmt: skip
    def test_that_make_no_sense_change_nothing(self, world: World, body: bytes) -> None:
        """Whatever a stranger posts is turned away, and the next true one is heard."""
        before = world.office.read_status()["queue"]

        accepted = world.office.inbox.accept(body)

        assert accepted.stored == 0
        assert world.office.read_status()["queue"] == before
        world.meet(2, 9, 10, 1)
        world.settle()
        assert len(world.live_loans) == 1

    def test_of_a_kind_nobody_knows_yet_mean_look_there(self, world: World) -> None:
        """An unknown change type, and fields that are new, count as "updated": a hint is a hint."""
        world.tenant.faults.add(effect="lose")
        world.meet(2, 9, 10, 1)
        world.settle()
        assert world.loans == ()
        subscription = next(iter(world.tenant.subscriptions.all.values()))
        for each in world.tenant.subscriptions.all.values():
            subscription = each
            item = {
                "subscriptionId": each.id, "clientState": each.client_state, "changeType": "reimagined", "novel": {},
                "resourceData": {"id": "AAMk=", "@odata.etag": 7},
            }  # fmt: skip
            world.office.inbox.accept(json.dumps({"value": [item], "news": True}).encode())
        assert subscription is not None

        world.wait(10)
        world.settle()

        assert len(world.live_loans) == 1


class TestEvents:
    def test_with_fields_and_values_nobody_knows_yet(self, world: World) -> None:
        """Graph grows: unknown fields and unknown values of enumerations do not keep a meeting from its loan."""

        def spoil(event: dict[str, Any]) -> None:
            event["holographic"] = {"layers": [1, 2]}
            event["showAs"] = "daydreaming"
            event["importance"] = "cosmic"
            for attendee in event["attendees"]:
                attendee["type"] = "android"
                attendee["mood"] = None

        spoil_events(world, spoil)
        world.meet(2, 9, 10, 1, subject="Board")
        world.settle()

        assert (only_loan(world).title, states(only_loan(world))) == ("Board", {"Room 1": ItemState.ACCEPTED})

    @pytest.mark.parametrize(
        "start", [{"dateTime": "soon", "timeZone": "UTC"}, {"dateTime": "2026-11-24T09:00:00", "timeZone": "Mars"}]
    )
    def test_with_a_date_that_cannot_be_read(self, world: World, start: dict[str, str]) -> None:
        """One bad date in a page: the other meetings become loans, a case tells of this one, and it heals."""
        bad: list[str] = []

        def spoil(event: dict[str, Any]) -> None:
            if event["iCalUId"] in bad:
                event["start"] = start

        heal = spoil_events(world, spoil)
        world.tenant.faults.add(effect="lose")
        event = world.meet(2, 9, 10, 1)
        bad.append(event["iCalUId"])
        world.meet(3, 11, 12, 1)
        world.meet(3, 14, 15, 1)
        world.settle()
        world.tenant.faults.clear()

        world.office.rooms.mark_rooms(priority=1)
        world.wait(10)
        world.settle()

        assert sorted(loan.interval.start for loan in world.loans) == [world.at(11), world.at(14)]
        assert set(world.cases()) < {"dates_invalid", "zone_unknown"}
        heal()
        world.tenant.office.touch("room-1@example.org", event["iCalUId"])
        world.wait(10)
        world.settle()
        assert len(world.live_loans) == 3
        assert world.cases() == []

    def test_of_a_loan_whose_date_cannot_be_read_any_more(self, world: World) -> None:
        """A loan keeps its times until its meeting has readable ones again."""
        event = world.meet(2, 9, 10, 1)
        world.settle()

        def spoil(item: dict[str, Any]) -> None:
            item["start"] = {"dateTime": "99:99", "timeZone": "UTC"}

        heal = spoil_events(world, spoil)
        world.run(world.person(2).move(event["id"], world.at(11), world.at(12)))
        world.settle()
        assert (only_loan(world).blocks, only_loan(world).interval.start) == (True, world.at(9))
        assert world.cases() == ["dates_invalid"]

        heal()
        world.run(world.person(2).move(event["id"], world.at(14), world.at(15)))
        world.settle()
        assert only_loan(world).interval.start == world.at(14)
        assert world.cases() == []

    def test_of_a_loan_whose_date_cannot_be_read_are_joined_by_a_new_room(self, world: World) -> None:
        """The room shows the meeting at no time that anybody knows; it is not over for that."""
        room = world.set_up_room()
        event = world.meet(2, 9, 10, 1, room)
        world.settle()

        def spoil(item: dict[str, Any]) -> None:
            item["end"] = {"dateTime": "soon", "timeZone": "UTC"}

        spoil_events(world, spoil)
        world.run(world.person(2).change(event["id"], subject="Odd times"))
        world.settle()
        world.office.enqueue("places", "all")
        world.settle()

        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED, f"Room {room}": ItemState.ACCEPTED}
        assert only_loan(world).interval.start == world.at(9)
        assert world.cases() == ["dates_invalid"]

    def test_of_which_one_has_a_value_of_the_wrong_kind(self, world: World) -> None:
        """A number where a list belongs: the room's own acceptance says enough, and the others of the page count."""
        bad: list[str] = []

        def spoil(event: dict[str, Any]) -> None:
            if event["iCalUId"] in bad:
                event["attendees"] = 7

        heal = spoil_events(world, spoil)
        bad.append(world.meet(2, 9, 10, 1)["iCalUId"])
        world.meet(3, 11, 12, 1)
        world.wait(10)
        world.settle()

        assert {loan.interval.start for loan in world.live_loans} == {world.at(9), world.at(11)}
        assert world.watcher.parked_keys == []
        heal()
        world.tenant.office.touch("room-1@example.org", bad[0])
        world.wait(10)
        world.settle()
        assert len(world.live_loans) == 2
        assert world.cases() == []

    def test_of_which_one_is_no_event_at_all(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        """An item of a page that is no object is told in the log; the others of the page count."""
        transport = world.transports[-1]
        send = transport.send

        async def send_spoilt(request: Request) -> Response:
            answer = await send(request)
            if "/delta" not in request.url:
                return answer
            document = json.loads(answer.body)
            return Response(answer.status, answer.headers, json.dumps({**document, "value": [
                "what?", None, {}, *document["value"]]}).encode())  # fmt: skip

        transport.send = send_spoilt  # type: ignore[method-assign]
        world.meet(3, 11, 12, 1)
        with caplog.at_level(logging.WARNING, "engine"):
            world.wait(10)
            world.settle()

        assert [loan.interval.start for loan in world.live_loans] == [world.at(11)]
        assert any("could not be read" in record.message for record in caplog.records)
        assert world.watcher.parked_keys == []

    def test_with_five_hundred_people(self, world: World) -> None:
        """A town meeting is a meeting: only its rooms matter."""
        people = [f"guest-{number}@elsewhere.example" for number in range(499)]
        event = world.run(world.person(2).book(world.at(9), world.at(10), rooms=["room-1@example.org"], people=people))
        world.settle()
        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED}

        world.change(only_loan(world).number, LoanChange(start=world.at(11), end=world.at(12)))
        world.settle()

        found = world.run(world.person(2).get(event["id"]))
        assert len(found["attendees"]) == 500
        assert found["start"]["dateTime"].startswith(f"{world.at(11):%Y-%m-%dT%H}")

    def test_with_text_of_every_kind(self, world: World) -> None:
        """Emoji, right-to-left and markup in a title stay what they are."""
        subject = "<b>Réunion</b> \U0001f389 اجتماع '; DROP TABLE loan; --"
        world.meet(2, 9, 10, 1, subject=subject)
        world.settle()

        assert only_loan(world).title == subject


SILENT: list[dict[str, Any]] = [
    {"effect": "html"},
    {"effect": "drop"},
    {"effect": "error", "status": 500, "code": "UnknownError"},
    {"effect": "error", "status": 503, "code": "serviceNotAvailable", "retry_after": "5"},
    {"effect": "error", "status": 504, "code": "UnknownError"},
    {"effect": "error", "status": 429, "code": "TooManyRequests", "retry_after": "2.128"},
    {"effect": "error", "status": 429, "code": "ApplicationThrottled"},
    {"effect": "error", "status": 429, "code": "TooManyRequests", "retry_after": "soon"},
    {"effect": "error", "status": 401, "code": "InvalidAuthenticationToken"},
]


class TestGraphAnswersNothingOfUse:
    @pytest.mark.parametrize("fault", SILENT, ids=lambda fault: f"{fault.get('status', fault['effect'])}")
    def test_for_some_minutes(self, world: World, fault: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
        """Nothing is lost on either side: all is caught up with once Graph answers again, and nothing is doubled."""
        kept, ended = world.meet(2, 9, 10, 1), world.meet(2, 11, 12, 1)
        mine = world.book(3, 9, 10, 2)
        world.settle()

        with caplog.at_level(logging.WARNING, "engine"):
            world.tenant.faults.add(**fault)
            world.run(world.person(2).move(kept["id"], world.at(14), world.at(15)))
            world.run(world.person(2).cancel(ended["id"]))
            world.meet(3, 16, 17, 1)
            new = world.book(3, 11, 12, 2)
            world.act(mine, LoanAction.CANCEL)
            world.wait(300)

        assert world.loan(new.number).blocks
        assert any("will be tried again" in r.message or "is refused" in r.message for r in caplog.records)
        assert world.watcher.parked_keys == []
        world.tenant.faults.clear()
        world.wait(600)
        world.heal()
        assert sorted(loan.interval.start for loan in world.live_loans) == [world.at(11), world.at(14), world.at(16)]
        assert [event["subject"] for event in events_of(world, 3)] == ["Meeting", f"#{new.number} Person 3"]
        assert world.office.read_status()["queue"] == {
            **world.office.read_status()["queue"], "parked": 0, "due": 0, "running": 0
        }  # fmt: skip

    @pytest.mark.parametrize(
        "fault",
        [
            {"effect": "error_after", "status": 503, "code": "serviceNotAvailable"},
            {"effect": "error_after", "status": 500, "code": "UnknownError"},
            {"effect": "error_after", "status": 504, "code": "UnknownError"},
            {"effect": "html_after"},
            {"effect": "drop_after"},
        ],
        ids=lambda fault: f"{fault.get('status', fault['effect'])}",
    )
    @pytest.mark.parametrize("times", [1, 4, 12])
    def test_although_it_did_what_was_asked(self, world: World, fault: dict[str, Any], times: int) -> None:
        """A create that took effect and was not answered is repeated under its transaction id: exactly one event."""
        world.tenant.faults.add(method="POST", path="events$", times=times, **fault)

        loan = world.book(2, 9, 10, 1)
        world.wait(400)
        world.heal()

        (event,) = events_of(world, 2)
        assert event["subject"] == f"#{loan.number} Person 2"
        assert states(world.loan(loan.number)) == {"Room 1": ItemState.ACCEPTED}
        assert len(world.loans) == 1

    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_although_it_changed_or_deleted(self, world: World, method: str) -> None:
        loan = world.book(2, 9, 10, 1)
        world.settle()
        world.tenant.faults.add(effect="drop_after", method=method, times=2)

        world.change(loan.number, LoanChange(start=world.at(11), end=world.at(12)))
        world.wait(120)
        world.settle()
        assert events_of(world, 2)[0]["start"]["dateTime"].startswith(f"{world.at(11):%Y-%m-%dT%H}")
        world.act_on(loan.number, LoanAction.CANCEL)
        world.wait(120)
        world.settle()

        assert events_of(world, 2) == []
        assert world.watcher.parked_keys == []

    def test_to_the_import_of_rooms(self, world: World) -> None:
        """Half a list, a web page or a refusal makes no room missing."""
        world.meet(2, 9, 10, 1)
        world.settle()
        for fault in ({"effect": "html"}, {"effect": "error", "status": 403, "code": "Authorization_RequestDenied"}):
            world.tenant.faults.add(path="places", **fault)
            world.office.enqueue("places", "all")
            world.wait(30)
            assert world.office.read_status()["rooms"] == {"active": 2}
            world.tenant.faults.clear()

        world.office.enqueue("places", "all")
        world.wait(60)
        world.settle()

        assert world.office.read_status()["queue"]["parked"] == 0  # type: ignore[index]
        assert only_loan(world).blocks
        assert world.cases() == []


class TestOneMailboxIsClosed:
    @pytest.mark.parametrize("state", ["denied", "disabled"])
    def test_suspends_that_room_and_no_other(self, world: World, state: str) -> None:
        """403 or a mailbox that is not there: the room is suspended, told in a case, nothing of it is cancelled."""
        event = world.meet(2, 9, 10, 1)
        world.settle()
        world.tenant.office.set_state("room-1@example.org", state)

        world.office.rooms.mark_rooms(priority=1)
        world.meet(3, 9, 10, 2)
        world.settle()

        assert len(world.live_loans) == 2
        assert world.office.read_status()["rooms"] == {"active": 1, "suspended": 1}
        assert "room_suspended" in world.cases()
        world.tenant.office.set_state("room-1@example.org", "active")
        world.run(world.person(2).cancel(event["id"]))
        world.heal()
        assert world.office.read_status()["rooms"] == {"active": 2}
        assert world.cases() == []
        assert [loan.status for loan in world.loans] == [LoanStatus.CANCELLED, LoanStatus.NEW]

    @pytest.mark.parametrize("state", ["denied", "disabled", "removed"])
    def test_is_found_out_by_a_booking_that_it_does_not_answer(self, world: World, state: str) -> None:
        """A closed mailbox tells of nothing: its room was said not to accept automatically until the next sweep."""
        world.tenant.office.set_state("room-1@example.org", state)

        world.book(2, 9, 10, 1)
        world.wait(11 * 60)

        assert world.office.read_status()["rooms"] == {"active": 1, "suspended": 1}
        assert sorted(world.cases()) == ["room_does_not_answer", "room_suspended"]

    def test_suspends_a_room_that_is_not_listed_any_more(self, world: World) -> None:
        """What its mailbox answers says more than the list."""
        world.tenant.office.set_state("room-1@example.org", "removed")
        world.office.enqueue("places", "all")
        world.settle()
        world.office.rooms.mark_rooms(priority=1)
        world.settle()

        assert world.office.read_status()["rooms"] == {"active": 1, "suspended": 1}
        assert world.cases() == ["room_suspended"]
        assert world.watcher.parked_keys == []

    def test_is_taken_up_again_without_waiting_for_a_sweep(self, world: World) -> None:
        world.tenant.office.set_state("room-1@example.org", "denied")
        world.office.rooms.mark_rooms(priority=1)
        world.settle()
        world.tenant.office.set_state("room-1@example.org", "active")
        (retry,) = (job for job in plan_service_jobs(world.office.settings, world.office) if job.name == "retry_rooms")

        assert retry.task() == 1
        world.settle()

        assert world.office.read_status()["rooms"] == {"active": 2}
        assert world.cases() == []
        assert retry.task() == 0

    def test_is_logged_once(self, world: World, caplog: pytest.LogCaptureFixture) -> None:
        """It is tried again every five minutes."""
        world.tenant.office.set_state("room-1@example.org", "denied")

        for _ in range(3):
            world.office.rooms.mark_rooms(priority=1)
            world.settle()

        assert len([record for record in caplog.records if record.msg == "mailbox closed, room suspended"]) == 1
        assert world.watcher.parked_keys == []


class TestTheDatabaseIsBusy:
    def test_for_a_while(self, tmp_path: Path, worlds: MakeWorld) -> None:
        """Somebody else holds the database: nothing is lost, and all goes on after."""
        path = tmp_path / "accord.db"
        world = worlds(database=lambda now: Database(f"sqlite:///{path}", clock=now, busy_seconds=0.05))
        world.meet(2, 9, 10, 1)
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        subscription = next(iter(world.tenant.subscriptions.all.values()))
        item = {"subscriptionId": subscription.id, "clientState": subscription.client_state, "changeType": "updated"}

        with pytest.raises(Unreachable):
            world.office.inbox.accept(json.dumps({"value": [item]}).encode())
        with pytest.raises(Unreachable):
            world.book(3, 9, 10, 2)
        world.wait(1.0)
        holder.execute("ROLLBACK")
        holder.close()
        world.heal()

        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED}
        assert world.watcher.parked_keys == []

    def test_in_the_middle_of_a_pass(self, tmp_path: Path, worlds: MakeWorld) -> None:
        """Not even the failure of the pass can be written down: the engine lives on, and the key is free again when
        its lease ends."""
        path = tmp_path / "accord.db"
        held = threading.Event()
        holder = sqlite3.connect(path, isolation_level=None)

        def hold(_when: str, _request: Request) -> None:
            if held.is_set() and not holder.in_transaction:
                holder.execute("BEGIN IMMEDIATE")

        world = worlds(
            database=lambda now: Database(f"sqlite:///{path}", clock=now, busy_seconds=0.05), on_request=hold
        )
        held.set()
        world.meet(2, 9, 10, 1)
        world.wait(5.0)
        assert holder.in_transaction
        held.clear()
        holder.execute("ROLLBACK")
        holder.close()
        world.heal()

        assert states(only_loan(world)) == {"Room 1": ItemState.ACCEPTED}
        assert world.watcher.parked_keys == []

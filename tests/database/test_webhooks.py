"""What endpoints are owed: written with the change, per endpoint, in order, as it was; and looking after endpoints."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.database.cases.records import close_case, open_cases
from engine.database.outbox.messages import Outbox
from engine.database.outbox.webhooks import WebhookStore
from engine.database.rooms.book import RoomCache
from engine.database.rooms.directory import RoomDirectory
from engine.database.rooms.states import resume
from engine.database.sql.connection import Database
from engine.errors import Fault, Invalid, NotAllowed, NotFound, Unavailable
from engine.ids import BookableId
from engine.loans.loan import TextLevel
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.outbox.changes import LOAN, RETENTION, Event
from engine.outbox.message import Message, MessageFilter, MessageState, Receipt
from engine.reconcile.actions import Note
from engine.webhooks.endpoint import EndpointOrder
from engine.worker.outbox import OutboxPass
from tests.database.building import BY, Building, StandingClock, asset, hours, order, room, rows, update

URL = "https://receiver.example.org/hook"


@pytest.fixture
def webhooks(building: Building) -> WebhookStore:
    return WebhookStore(
        building.database,
        link=lambda n: f"https://x/loans/{n}",
        text_level=lambda: TextLevel.FULL,
        check_destination=lambda url: Fault("url", "address_not_public", "no way") if "private" in url else None,
    )


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


def add(webhooks: WebhookStore, **wanted: Any) -> int:
    return webhooks.add(EndpointOrder(**{"url": URL, "personal": True, **wanted}), secret=None, actor=BY).id


def owed(outbox: Outbox, **which: Any) -> list[dict[str, Any]]:
    """Return the bodies that were written so far, the oldest first."""
    found = outbox.list_messages(MessageFilter(limit=1000, **which))
    return [json.loads(message.letter.body) for message in reversed(found)]


def told(outbox: Outbox, **which: Any) -> list[tuple[str, str, str]]:
    """Return model, event and reason of each."""
    metas = (body["meta"] for body in owed(outbox, **which))
    return [(meta["model"], meta["event"], meta["webhook_reason"]) for meta in metas]


class TestLoans:
    def test_are_told_when_they_are_made_changed_and_cancelled(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        """Each with what it was at that moment, whatever came later."""
        add(webhooks)
        loan = building.desk.book(order(hours(1, 2), room(1), title="Tea"), actor=BY)
        building.desk.change(loan.number, LoanChange(title="Coffee"), actor=BY)
        building.desk.act(loan.number, LoanAction.CANCEL, actor=BY)

        assert told(outbox) == [("loan", "created", "user"), ("loan", "updated", "user"), ("loan", "updated", "user")]
        assert [body["data"]["title"] for body in owed(outbox)] == ["Tea", "Coffee", "Coffee"]
        assert [body["data"]["status"] for body in owed(outbox)] == ["new", "new", "cancelled"]
        assert owed(outbox)[0]["data"]["link"] == f"https://x/loans/{loan.number}"

    def test_are_told_when_the_clock_moves_them_on(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox, clock: StandingClock
    ) -> None:
        add(webhooks)
        building.desk.book(order(hours(1, 2), room(1)), actor=BY)
        clock.advance(hours=3)
        building.desk.run_clock()

        assert told(outbox)[-1] == ("loan", "updated", "clock")
        assert owed(outbox)[-1]["data"]["status"] == "completed"

    def test_that_were_refused_are_not_told(self, building: Building, webhooks: WebhookStore, outbox: Outbox) -> None:
        add(webhooks)
        building.desk.book(order(hours(1, 2), room(1)), actor=BY)
        with pytest.raises(Unavailable):
            building.desk.book(order(hours(1, 2), room(1)), actor=BY)

        assert len(owed(outbox)) == 1

    def test_that_stay_as_they_are_are_not_told(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        add(webhooks)
        loan = building.desk.book(order(hours(1, 2), room(1), title="Tea"), actor=BY)
        building.desk.change(loan.number, LoanChange(title="Tea"), actor=BY)

        assert len(owed(outbox)) == 1

    def test_that_are_taken_away_are_told_as_they_were(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        """What a destroyed says is put together before it is gone."""
        add(webhooks)
        loan = building.desk.book(order(hours(1, 2), asset(11), title="Projector"), actor=BY)
        with building.database.write() as transaction:
            transaction.changes.note(LOAN, loan.number, Event.DESTROYED, reason=RETENTION, was=loan)
            for table in ("decision", "loan_item"):
                transaction.connection.exec_driver_sql(f"DELETE FROM {table}")
            transaction.connection.exec_driver_sql("DELETE FROM loan")

        assert told(outbox)[-1] == ("loan", "destroyed", "retention")
        assert owed(outbox)[-1]["data"]["title"] == "Projector"

    def test_of_a_store_that_tells_less_tell_less(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        add(webhooks)
        update(building.database, "store", text_level="number_only")
        building.desk.book(order(hours(1, 2), room(1), title="Tea"), actor=BY)

        assert (owed(outbox)[0]["data"]["title"], owed(outbox)[0]["data"]["requester"]) == ("", None)


class TestRoomsCasesAndClosures:
    def test_a_room_that_is_suspended_has_a_closure_until_it_is_back(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        add(webhooks, models=("room", "closure"))
        directory = RoomDirectory(building.database, RoomCache(building.database))
        directory.suspend(BookableId(1), "403")
        with building.database.write() as transaction:
            resume(transaction, BookableId(1))

        assert told(outbox) == [
            ("room", "updated", "engine"),
            ("closure", "created", "engine"),
            ("room", "updated", "engine"),
            ("closure", "destroyed", "engine"),
        ]
        closure = owed(outbox)[1]["data"]
        assert (closure["room"]["name"], closure["cause"], closure["detail"]) == ("Room 1", "suspended", "403")

    def test_a_case_is_told_when_it_opens_and_when_it_closes(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        add(webhooks, models=("case",))
        note = Note("item_unavailable", {"item": "Room 1", "item_id": 1}, room_id=BookableId(1))
        with building.database.write() as transaction:
            open_cases(transaction, "meeting:a", [note], standing=True, ical_uid="a")
        (case,) = rows(building.database, "case")
        with building.database.write() as transaction:
            close_case(transaction, case.id, by="engine", settlement="cause_gone")

        assert told(outbox) == [("case", "created", "engine"), ("case", "updated", "engine")]
        assert [body["data"]["state"] for body in owed(outbox)] == ["open", "closed"]
        assert set(owed(outbox)[0]["data"]["text"]) == {"en", "fr"}

    @pytest.mark.parametrize(("level", "facts"), [("full", "Alex Doe"), ("number_only", None)])
    def test_a_case_without_a_loan_tells_what_the_store_of_its_room_lets_it(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox, level: str, facts: str | None
    ) -> None:
        add(webhooks, models=("case",))
        update(building.database, "store", text_level=level)
        note = Note("item_unavailable", {"item": "Room 1", "item_id": 1, "by": "Alex Doe"}, room_id=BookableId(1))
        with building.database.write() as transaction:
            open_cases(transaction, "meeting:a", [note], standing=True, ical_uid="a")

        (body,) = owed(outbox)
        assert body["data"]["facts"].get("by") == facts
        assert bool(body["data"]["text"]) is (level == "full")


class TestEndpoints:
    def test_hear_of_what_they_asked_for_and_as_much_as_they_may(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        whole, bare, other = add(webhooks), add(webhooks, personal=False), add(webhooks, models=("room",))
        building.desk.book(order(hours(1, 2), room(1), title="Tea"), actor=BY)

        assert owed(outbox, receiver=f"{whole}")[0]["data"]["requester"]["name"] == "Alex Doe"
        assert owed(outbox, receiver=f"{bare}")[0]["data"]["requester"] is None
        assert owed(outbox, receiver=f"{other}") == []

    def test_are_not_told_that_they_take_no_messages(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        """The case of a broken endpoint is news to the others."""
        broken, other = add(webhooks), add(webhooks, models=("case",))
        webhooks.ping(broken)
        (message,) = outbox.take_due("webhook", f"{broken}", 5).messages
        outbox.record(message, Receipt(1, 404, "", "HTTP 404", final=True))

        assert told(outbox, receiver=f"{broken}") == [("ping", "created", "ping")]
        assert told(outbox, receiver=f"{other}") == [("case", "created", "engine")]

    def test_that_are_switched_off_are_owed_nothing(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        number = add(webhooks)
        webhooks.change(number, EndpointOrder(enabled=False), actor=BY)
        building.desk.book(order(hours(1, 2), room(1)), actor=BY)

        assert owed(outbox) == []
        with pytest.raises(NotAllowed, match="switched off"):
            webhooks.ping(number)

    def test_that_are_removed_are_sent_nothing_more(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox
    ) -> None:
        number = add(webhooks)
        building.desk.book(order(hours(1, 2), room(1)), actor=BY)
        webhooks.remove(number, actor=BY)

        assert outbox.counts() == {MessageState.DROPPED: 1}
        assert webhooks.find_receiver(f"{number}") is None
        with pytest.raises(NotFound):
            webhooks.find(number)

    def test_have_two_live_secrets_while_a_receiver_changes_over(self, webhooks: WebhookStore) -> None:
        number = add(webhooks)
        (first,) = webhooks.find(number).secrets
        with pytest.raises(NotAllowed, match="only one"):
            webhooks.retire(number, actor=BY)

        second = webhooks.rotate(number, secret=None, actor=BY).secrets[-1]

        assert webhooks.find(number).secrets == (first, second)
        with pytest.raises(NotAllowed, match="two secrets"):
            webhooks.rotate(number, secret=None, actor=BY)
        assert webhooks.retire(number, actor=BY).secrets == (second,)

    def test_without_an_address_are_refused(self, webhooks: WebhookStore) -> None:
        with pytest.raises(Invalid, match="url: must be given"):
            webhooks.add(EndpointOrder(name="x"), secret=None, actor=BY)

    def test_are_not_made_for_an_address_that_nothing_would_be_sent_to(self, webhooks: WebhookStore) -> None:
        with pytest.raises(Invalid, match="url: no way"):
            add(webhooks, url="https://private.example.org/")
        number = add(webhooks)
        with pytest.raises(Invalid, match="url: no way"):
            webhooks.change(number, EndpointOrder(url="https://private.example.org/"), actor=BY)

        assert [each.url for each in webhooks.list_endpoints()] == [URL]

    def test_whose_address_leads_nowhere_by_now_can_still_be_changed(
        self, building: Building, webhooks: WebhookStore
    ) -> None:
        number = add(webhooks)
        later = WebhookStore(
            building.database,
            link=str,
            text_level=lambda: TextLevel.FULL,
            check_destination=lambda _url: Fault("url", "address_not_public", "no way"),
        )

        assert not later.change(number, EndpointOrder(url=URL, enabled=False), actor=BY).enabled

    def test_leave_a_line_of_history_without_the_secret(self, database: Database, webhooks: WebhookStore) -> None:
        number = add(webhooks)
        webhooks.rotate(number, secret="a-secret-of-my-own-1", actor=BY)
        webhooks.change(number, EndpointOrder(url="https://other.example.org/"), actor=BY)

        lines = rows(database, "decision")
        assert [line.code for line in lines] == ["webhook_added", "webhook_secret_added", "webhook_changed"]
        assert "a-secret" not in str(lines)


class TestEverythingOnceMore:
    def test_tells_a_new_receiver_what_there_is(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox, clock: StandingClock
    ) -> None:
        """As created, for reason `resend`; loans that had ended at the given time are left out."""
        building.desk.book(order(hours(1, 2), room(1)), actor=BY)
        loan = building.desk.book(order(hours(30, 31), room(2)), actor=BY)
        number = add(webhooks)
        clock.advance(hours=24)

        count = webhooks.resend(number, since=clock.now)

        assert count == 4
        assert told(outbox) == [("room", "created", "resend")] * 3 + [("loan", "created", "resend")]
        assert owed(outbox)[-1]["data"]["number"] == loan.number
        assert webhooks.resend(number, since=None) == 5

    def test_a_ping_tells_of_nothing(self, webhooks: WebhookStore, outbox: Outbox) -> None:
        message = webhooks.ping(add(webhooks))

        assert message.letter.topic == "ping"
        assert told(outbox) == [("ping", "created", "ping")]


@dataclass
class Receiver:
    """Takes messages when it is up."""

    is_up: bool = False
    bodies: list[dict[str, Any]] = field(default_factory=list)
    tries: int = 0

    async def send(self, message: Message) -> Receipt:
        self.tries += 1
        if not self.is_up:
            return Receipt(10_000, error="no whole answer within 10 s")
        self.bodies.append(json.loads(message.letter.body))
        return Receipt(3, 204)


class TestAReceiverThatIsDown:
    def test_gets_all_ten_changes_of_a_loan_in_order_once_it_is_back(
        self, building: Building, webhooks: WebhookStore, outbox: Outbox, clock: StandingClock
    ) -> None:
        """Three days later, none left out, none doubled, another loan's in between as they come."""
        receiver = Receiver()
        key = f"webhook:{add(webhooks)}"
        delivering = OutboxPass(outbox, {"webhook": receiver})
        loan = building.desk.book(order(hours(100, 101), room(1), title="0"), actor=BY)
        for step in range(1, 10):
            building.desk.change(loan.number, LoanChange(title=f"{step}"), actor=BY)
            asyncio.run(delivering.deliver(key))
            clock.advance(hours=8)
        building.desk.book(order(hours(110, 111), room(2), title="other"), actor=BY)
        clock.advance(days=1)

        receiver.is_up = True
        asyncio.run(delivering.deliver(key))

        titles: Sequence[str] = [body["data"]["title"] for body in receiver.bodies]
        assert [title for title in titles if title != "other"] == [f"{step}" for step in range(10)]
        assert sorted(titles) == sorted([*(f"{step}" for step in range(10)), "other"])
        assert outbox.counts() == {MessageState.SENT: 11}

    def test_is_not_stormed_by_what_waits(self, building: Building, webhooks: WebhookStore, outbox: Outbox) -> None:
        """Of fifty loans, a handful are tried before it counts as down; then one a minute."""
        receiver = Receiver()
        number = add(webhooks)
        for hour in range(50):
            building.desk.book(order(hours(hour + 1, hour + 2), room(1)), actor=BY)

        asyncio.run(OutboxPass(outbox, {"webhook": receiver}).deliver(f"webhook:{number}"))

        assert receiver.tries <= 5
        (row,) = [row for row in rows(building.database, "work") if row.kind == "outbox"]
        assert (row.ready_at - building.clock.now).total_seconds() <= 60

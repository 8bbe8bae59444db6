"""What becomes of notifications whose receiver is slow, whose subscription lapses, or that meet a fault."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from engine.simulator.notices.courier import ITEMS_MAX
from tests.simulator.test_booking import AULA, NINE, book
from tests.simulator.virtual import SimulatedWorld

MakeWorld = Callable[..., SimulatedWorld]
LIFE = {"lifecycleNotificationUrl": "https://sync.example.org/lifecycle"}


def book_many(world: SimulatedWorld, count: int, day: int = 24) -> None:
    """Book half hours one after the other; each reaches its receiver in POSTs of its own."""
    for number in range(count):
        start = NINE.replace(day=day, hour=0) + timedelta(minutes=30 * number)
        book(world, start, start + timedelta(minutes=30))
        world.wait(8)


class TestB12EndpointStates:
    def test_a_slow_receiver_hears_ten_minutes_later(self, make_world: MakeWorld) -> None:
        """B12, slow state: one answer in ten above three seconds; from the next ten minutes on, notices wait."""
        world = make_world(endpoint_sample_min=5)
        room = world.subscribe(AULA)
        world.receiver.seconds = 4.0
        book_many(world, 5)
        world.wait(600)
        world.receiver.seconds = 0.0
        known = len(world.receiver.changes(room))
        assert world.tenant.courier.endpoints.state("https://sync.example.org/notify") == "slow"

        book(world, NINE.replace(hour=20), NINE.replace(hour=21))
        world.wait(590)
        assert len(world.receiver.changes(room)) == known
        world.wait(60)

        assert world.receiver.changes(room)[known:] == ["created", "updated", "updated"]
        assert world.tenant.courier.endpoints.state("https://sync.example.org/notify") == "ok"

    def test_a_very_slow_receiver_loses_notices(self, make_world: MakeWorld) -> None:
        """B12, drop state: 15 in a hundred above ten seconds; ten minutes of notices are gone, `missed` follows."""
        world = make_world(endpoint_sample_min=5, webhook_retry_seconds=1.0)
        room = world.subscribe(AULA, **LIFE)
        world.receiver.seconds = 11.0
        book_many(world, 10)
        world.wait(600)
        world.receiver.seconds = 0.0
        assert world.tenant.courier.endpoints.state("https://sync.example.org/notify") == "drop"

        lost = book(world, NINE.replace(hour=20), NINE.replace(hour=21))
        world.settle()
        world.wait(1300)

        copy = world.run(world.aula.by_ical(lost["iCalUId"]))
        told = [item["resourceData"]["id"] for item in world.receiver.items if "resourceData" in item]
        assert copy["id"] not in told
        assert "missed" in world.receiver.changes(room)

    def test_a_first_try_has_three_seconds_a_retry_ten(self, world: SimulatedWorld) -> None:
        """B12: what takes five seconds fails at first and is delivered by the retry."""
        room = world.subscribe(AULA)
        world.receiver.seconds = 5.0
        book(world)
        world.wait(8)
        assert world.receiver.changes(room) == []
        world.wait(60)

        assert sorted(world.receiver.changes(room)) == ["created", "updated", "updated"]

    def test_more_than_one_message_holds_are_tried_again_later_and_later_too(self, world: SimulatedWorld) -> None:
        """What waited behind a message that nobody took was sent with it at once, again and again, in no time."""
        room = world.subscribe(AULA)
        world.receiver.is_down = True
        for number in range(ITEMS_MAX):
            start = NINE + timedelta(minutes=30 * number)
            book(world, start, start + timedelta(minutes=30))
        world.wait(600)
        assert 4 < world.receiver.refused < 60
        world.receiver.is_down = False
        world.wait(1800)

        changes = world.receiver.changes(room)
        assert len(changes) > ITEMS_MAX
        assert changes.count("created") == ITEMS_MAX

    def test_a_few_slow_answers_prove_nothing(self, world: SimulatedWorld) -> None:
        """B12: a receiver is judged by a hundred answers."""
        world.subscribe(AULA)
        world.receiver.seconds = 4.0
        book_many(world, 3)
        world.wait(600)

        assert world.tenant.courier.endpoints.state("https://sync.example.org/notify") == "ok"

    @pytest.mark.parametrize(("state", "heard"), [("ok", 3), ("slow", 0), ("drop", 0)])
    def test_states_are_set_by_hand(self, world: SimulatedWorld, state: str, heard: int) -> None:
        """Fault switch: slow and drop state, through the control room."""
        room = world.subscribe(AULA)
        asked = world.call("POST", "/sim/endpoints", {"host": "sync.example.org", "state": state})
        assert [item["state"] for item in asked.json()] == [state]
        book(world)
        world.wait(60)

        assert len(world.receiver.changes(room)) == heard
        world.wait(600)
        assert len(world.receiver.changes(room)) == (0 if state == "drop" else 3)


class TestFaultSwitches:
    @pytest.mark.parametrize(("effect", "afterwards"), [("slow_endpoint", 3), ("drop_endpoint", 0)])
    def test_slow_and_drop(self, world: SimulatedWorld, effect: str, afterwards: int) -> None:
        """Fault switches: slow and drop state, as rules."""
        room = world.subscribe(AULA)
        world.tenant.faults.add(effect=effect)
        book(world)
        world.wait(60)
        assert world.receiver.changes(room) == []
        world.wait(600)

        assert len(world.receiver.changes(room)) == afterwards

    def test_batched(self, world: SimulatedWorld) -> None:
        """Fault switch: several subscriptions in one POST."""
        one, other = world.subscribe(AULA), world.subscribe("studio@example.org")
        world.tenant.faults.add(effect="batch", seconds=20.0, nth=1)
        book(world, rooms=[AULA, "studio@example.org"])
        world.settle()

        assert len(world.receiver.posts) == 1
        assert {item["subscriptionId"] for item in world.receiver.items} == {one, other}

    def test_missed(self, world: SimulatedWorld) -> None:
        """Fault switch: a change is not told, `missed` is."""
        room = world.subscribe(AULA, **LIFE)
        world.tenant.faults.add(effect="missed", times=1)
        book(world)
        world.settle()

        assert sorted(world.receiver.changes(room)) == ["missed", "updated", "updated"]

    def test_subscription_removed(self, world: SimulatedWorld) -> None:
        """B14, fault switch: it ends, a lifecycle notice says so, renewing it answers 404."""
        room = world.subscribe(AULA, **LIFE)
        world.tenant.faults.add(effect="remove_subscription", times=1)
        book(world)
        world.settle()

        assert world.receiver.changes(room) == ["subscriptionRemoved"]
        assert world.call("PATCH", f"/subscriptions/{room}", {}).status == 404

    @pytest.mark.parametrize("answer", ["PATCH", "reauthorize"])
    def test_reauthorization_required(self, world: SimulatedWorld, answer: str) -> None:
        """Fault switch: deliveries pause until the subscription is renewed or reauthorized, then go on."""
        room = world.subscribe(AULA, **LIFE)
        world.tenant.faults.add(effect="reauthorize", times=1)
        book(world)
        world.wait(600)
        assert world.receiver.changes(room) == ["reauthorizationRequired"]
        soon = {"expirationDateTime": f"{world.loop.now() + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"}
        if answer == "PATCH":
            assert world.call("PATCH", f"/subscriptions/{room}", soon).status == 200
        else:
            assert world.call("POST", f"/subscriptions/{room}/reauthorize").status == 204
        world.settle()

        assert sorted(world.receiver.changes(room)[1:]) == ["created", "updated", "updated"]

    def test_an_unanswered_pause_loses_notices(self, world: SimulatedWorld) -> None:
        """Fault switch: after four hours what was held back is gone."""
        room = world.subscribe(AULA, **LIFE)
        world.tenant.faults.add(effect="reauthorize", times=1)
        book(world)
        world.wait(5 * 3600)
        world.call("POST", f"/subscriptions/{room}/reauthorize")
        world.settle()

        assert "created" not in world.receiver.changes(room)
        assert world.tenant.courier.dropped == 3

    def test_a_duplicate_subscription_is_accepted(self, world: SimulatedWorld) -> None:
        """Fault switch: 201 for what should be refused with 409."""
        world.subscribe(AULA)
        world.tenant.faults.add(effect="accept_duplicate", times=1)
        world.subscribe(AULA)
        body = {"changeType": "created,updated,deleted", "resource": f"/users/{AULA}/events",
                "notificationUrl": "https://x.example.org/n",
                "expirationDateTime": f"{world.loop.now() + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"}  # fmt: skip

        assert world.call("POST", "/subscriptions", body).status == 409
        assert len(world.get("/subscriptions")["value"]) == 2


class TestB15RenewalRefused:
    @pytest.mark.parametrize(("status", "code"), [(401, "InvalidAuthenticationToken"), (403, "ErrorAccessDenied")])
    def test_401_and_403(self, world: SimulatedWorld, status: int, code: str) -> None:
        """B15: a renewal may be refused although the subscription lives on."""
        room = world.subscribe(AULA)
        world.tenant.faults.add(effect="error", method="PATCH", path="/subscriptions/", status=status)
        body = {"expirationDateTime": f"{world.loop.now() + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"}
        answer = world.call("PATCH", f"/subscriptions/{room}", body)

        assert (answer.status, answer.json()["error"]["code"]) == (status, code)
        assert world.call("GET", f"/subscriptions/{room}").status == 200


class TestDelayedOverARestart:
    def test_late_and_held_back_notices_survive(self, make_world: MakeWorld, tmp_path: Any) -> None:
        """What waits for later is kept in the state file."""
        world = make_world(state_file=tmp_path / "tenant.db")
        room = world.subscribe(AULA, **LIFE)
        world.tenant.faults.add(effect="late", seconds=300.0, times=1)
        world.tenant.faults.add(effect="reauthorize", times=1)
        book(world)
        world.wait(60)
        assert world.receiver.changes(room) == ["reauthorizationRequired"]

        world.tenant.close()
        world.tenant = world.open()
        world.wait(300)
        assert world.receiver.changes(room)[1:] == ["created"]
        world.call("POST", f"/subscriptions/{room}/reauthorize")
        world.settle()

        assert world.receiver.changes(room)[2:] == ["updated", "updated"]

"""Subscriptions and what they deliver."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.simulator.test_booking import AULA, ELEVEN, NINE, TEN, answers, book, copies
from tests.simulator.virtual import SimulatedWorld

ALEX = "alex@example.org"


def code_of(response: Any) -> tuple[int, str]:
    return response.status, response.json()["error"]["code"]


def in_minutes(world: SimulatedWorld, minutes: float) -> str:
    return f"{world.loop.now() + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}+00:00"


class TestB6Created:
    def test_room_and_organizer(self, world: SimulatedWorld) -> None:
        """B3, B6: created, then updated for the acceptance and the rewriting; created and updated on the organizer."""
        room, organizer = world.subscribe(AULA), world.subscribe(ALEX)
        book(world)
        world.settle()

        assert world.receiver.changes(room) == ["created", "updated", "updated"]
        assert world.receiver.changes(organizer) == ["created", "updated"]

    def test_more_touches(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """B6: up to three updates."""
        world = make_world(extra_touches=1, seed=3)
        room = world.subscribe(AULA)
        for hour in range(8):
            book(world, NINE.replace(hour=hour), NINE.replace(hour=hour, minute=30))
        world.settle()

        assert 8 * 2 < world.receiver.changes(room).count("updated") < 8 * 3


class TestB7UpdatedAndDeleted:
    def test_moved_and_cancelled(self, world: SimulatedWorld) -> None:
        """B7: one to three `updated`; `deleted` with an `updated` before it when the copy goes."""
        world.tenant.office.set_processing(AULA, RemoveCanceledMeetings=True)
        event = book(world)
        world.settle()
        room = world.subscribe(AULA)
        world.run(world.alex.move(event["id"], TEN, ELEVEN))
        world.settle()
        moved = world.receiver.changes(room)
        world.run(world.alex.cancel(event["id"]))
        world.settle()

        assert moved == ["updated"] * 3
        assert world.receiver.changes(room)[3:] == ["updated", "deleted"]


class TestB8Answers:
    def test_updated_on_the_organizers_copy_if_sent(self, world: SimulatedWorld) -> None:
        """B8: an answer that is not sent is not heard of."""
        book(world)
        world.settle()
        organizer = world.subscribe(ALEX)
        world.run(world.aula.answer(copies(world)[0]["id"], "tentativelyAccept", send=False))
        world.settle()
        assert world.receiver.changes(organizer) == []
        world.run(world.aula.answer(copies(world)[0]["id"], "accept"))
        world.settle()
        assert world.receiver.changes(organizer) == ["updated"]


class TestB9Payload:
    def test_id_and_etag_only(self, world: SimulatedWorld) -> None:
        """B9: exactly these properties; GET gives what is there now."""
        subscription = world.subscribe(AULA)
        book(world)
        world.settle()

        item = world.receiver.items[-1]
        copy = copies(world)[0]
        room = world.get(f"/users/{AULA}")["id"]
        resource = f"Users/{room}/Events/{copy['id']}"
        assert item.pop("id")
        assert item == {
            "subscriptionId": subscription,
            "subscriptionExpirationDateTime": "2026-11-26T07:00:00Z",
            "clientState": "secret",
            "changeType": "updated",
            "tenantId": world.options.tenant_id,
            "resource": resource,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Event",
                "@odata.id": resource,
                "@odata.etag": copy["@odata.etag"],
                "id": copy["id"],
            },
        }

    def test_immutable_ids_by_header_at_creation(self, world: SimulatedWorld) -> None:
        """B60: the subscription keeps the format it was created with."""
        body = {
            "changeType": "created", "resource": f"/users/{AULA}/events", "notificationUrl": "https://x.example.org/n",
            "expirationDateTime": in_minutes(world, 100),
        }  # fmt: skip
        world.call("POST", "/subscriptions", body, Prefer='IdType="ImmutableId"')
        book(world)
        world.settle()

        told = world.receiver.items[0]["resourceData"]["id"]
        assert told != copies(world)[0]["id"]
        assert world.run(world.aula.get(told))["id"] == copies(world)[0]["id"]


class TestB11Unreliable:
    @pytest.mark.parametrize(
        ("effect", "expected"),
        [
            ({"effect": "lose", "path": "created"}, ["updated", "updated"]),
            ({"effect": "lose"}, []),
            ({"effect": "duplicate", "nth": 1}, ["created", "created", "updated", "updated"]),
            ({"effect": "late", "nth": 1, "seconds": 180}, ["updated", "updated", "created"]),
        ],
    )
    def test_lost_doubled_late(self, world: SimulatedWorld, effect: dict[str, Any], expected: list[str]) -> None:
        """B11: on demand, counted or by chance."""
        room = world.subscribe(AULA)
        assert world.call("POST", "/sim/faults", effect).status == 200
        book(world)
        world.settle()
        world.wait(200)

        assert world.receiver.changes(room) == expected

    def test_foreign_notices(self, world: SimulatedWorld) -> None:
        """Wrong client state, unknown subscription."""
        room = world.subscribe(AULA)
        world.tenant.faults.add(effect="foreign_state", nth=1)
        world.tenant.faults.add(effect="foreign_subscription", nth=1)
        book(world)
        world.settle()

        assert world.receiver.items[0]["clientState"] != "secret"
        assert world.receiver.items[1]["subscriptionId"] != room

    def test_reordered(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """B7, B11: the order is not the order of events."""
        world = make_world(notification_delay=(10.0, 10.0))
        room = world.subscribe(AULA)
        world.tenant.faults.add(effect="reorder")
        book(world)
        world.settle()

        assert world.receiver.changes(room)[0] == "updated"
        assert sorted(world.receiver.changes(room)) == ["created", "updated", "updated"]


class TestB12SlowReceiver:
    def test_tried_again_until_it_answers(self, world: SimulatedWorld) -> None:
        """B12: back-off, nothing lost within four hours."""
        room = world.subscribe(AULA)
        world.receiver.is_down = True
        book(world)
        world.wait(3600)
        world.receiver.is_down = False
        world.wait(3600)

        assert world.receiver.changes(room) == ["created", "updated", "updated"]

    def test_given_up_after_four_hours(self, world: SimulatedWorld) -> None:
        """B12: then dropped; a lifecycle notice `missed` follows."""
        room = world.subscribe(AULA, lifecycleNotificationUrl="https://sync.example.org/lifecycle")
        world.receiver.is_down = True
        book(world)
        world.wait(5 * 3600)
        world.receiver.is_down = False
        world.wait(2 * 3600)

        assert set(world.receiver.changes(room)) == {"missed"}
        assert world.receiver.urls[0].endswith("/lifecycle")


class TestB13Handshake:
    def test_both_urls_are_called_before_the_answer(self, world: SimulatedWorld) -> None:
        """B13: with the token, query strings kept."""
        world.subscribe(
            AULA,
            notificationUrl="https://sync.example.org/notify?key=1",
            lifecycleNotificationUrl="https://sync.example.org/life",
        )

        first, second = world.receiver.validated
        assert first.startswith("https://sync.example.org/notify?key=1&validationToken=Validation%3A%20Testing")
        assert second.startswith("https://sync.example.org/life?validationToken=")

    @pytest.mark.parametrize("state", ["is_down", "answers_wrongly"])
    def test_a_failed_handshake_makes_no_subscription(self, world: SimulatedWorld, state: str) -> None:
        """B13: 400."""
        setattr(world.receiver, state, True)
        body = {
            "changeType": "created", "resource": f"/users/{AULA}/events", "notificationUrl": "https://x.example.org/n",
            "expirationDateTime": in_minutes(world, 100),
        }  # fmt: skip

        assert code_of(world.call("POST", "/subscriptions", body)) == (400, "ValidationError")
        assert world.get("/subscriptions")["value"] == []


class TestB14SilentEnd:
    def test_after_the_end_it_is_unknown(self, world: SimulatedWorld) -> None:
        """B14: nobody is told; PATCH answers 404 ResourceNotFound."""
        subscription = world.subscribe(AULA, expirationDateTime=in_minutes(world, 60))
        world.wait(3601)
        book(world)
        world.settle()

        later = world.call("PATCH", f"/subscriptions/{subscription}", {"expirationDateTime": in_minutes(world, 60)})
        assert code_of(later) == (404, "ResourceNotFound")
        assert world.receiver.items == []

    def test_renewed_in_time_it_goes_on(self, world: SimulatedWorld) -> None:
        """PATCH extends; reauthorize does not."""
        subscription = world.subscribe(AULA, expirationDateTime=in_minutes(world, 60))
        world.wait(3000)
        path = f"/subscriptions/{subscription}"
        assert world.call("POST", f"{path}/reauthorize").status == 204
        assert world.get(path)["expirationDateTime"] == "2026-11-23T08:00:00Z"
        world.call("PATCH", path, {"expirationDateTime": in_minutes(world, 60)})
        world.wait(1000)

        assert world.get(path)["expirationDateTime"] == "2026-11-23T08:50:00Z"

    def test_lifecycle_notices(self, world: SimulatedWorld) -> None:
        """`reauthorizationRequired` before the end; `subscriptionRemoved` and `missed` on demand."""
        life = {"lifecycleNotificationUrl": "https://sync.example.org/lifecycle"}
        subscription = world.subscribe(AULA, expirationDateTime=in_minutes(world, 60), **life)
        world.wait(3000)
        world.call("POST", f"/sim/subscriptions/{subscription}/lifecycle", {"event": "missed"})
        world.call("POST", f"/sim/subscriptions/{subscription}/remove", {})
        world.settle()

        assert world.receiver.changes(subscription) == ["reauthorizationRequired", "missed", "subscriptionRemoved"]
        assert set(world.receiver.items[0]) == {
            "subscriptionId", "subscriptionExpirationDateTime", "tenantId", "clientState", "lifecycleEvent",
        }  # fmt: skip
        assert world.call("GET", f"/subscriptions/{subscription}").status == 404


class TestB15RenewedButDead:
    def test_calls_succeed_and_nothing_comes(self, world: SimulatedWorld) -> None:
        """B15: a renewed subscription is no proof of a working one."""
        subscription = world.subscribe(AULA)
        world.call("POST", f"/sim/subscriptions/{subscription}/kill")
        book(world)
        world.settle()

        body = {"expirationDateTime": in_minutes(world, 60)}
        assert world.call("PATCH", f"/subscriptions/{subscription}", body).status == 200
        assert world.receiver.items == []


class TestLifetimes:
    @pytest.mark.parametrize(("minutes", "status"), [(10_069, 201), (10_080, 400)])
    def test_ceiling(self, world: SimulatedWorld, minutes: int, status: int) -> None:
        """10,070 minutes at most."""
        body = {
            "changeType": "created", "resource": f"/users/{AULA}/events", "notificationUrl": "https://x.example.org/n",
            "expirationDateTime": in_minutes(world, minutes),
        }  # fmt: skip
        assert world.call("POST", "/subscriptions", body).status == status

    def test_floor(self, world: SimulatedWorld) -> None:
        """Below 45 minutes is raised to 45."""
        subscription = world.subscribe(AULA, expirationDateTime=in_minutes(world, 1))
        assert world.get(f"/subscriptions/{subscription}")["expirationDateTime"] == "2026-11-23T07:45:00Z"

    def test_duplicates_and_lists(self, world: SimulatedWorld) -> None:
        """409 for the same changes and resource, by address or id; lists hide the client state."""
        world.subscribe(AULA)
        room = world.get(f"/users/{AULA}")["id"]
        body = {
            "changeType": "updated,created,deleted", "resource": f"users/{room}/calendar/events",
            "notificationUrl": "https://x.example.org/n", "expirationDateTime": in_minutes(world, 60),
        }  # fmt: skip

        assert world.call("POST", "/subscriptions", body).status == 409
        listed = world.get("/subscriptions")["value"]
        assert [item["clientState"] for item in listed] == [None]
        assert world.call("DELETE", f"/subscriptions/{listed[0]['id']}").status == 204
        assert world.call("POST", "/subscriptions", body).status == 201


class TestB64UnwatchableMailbox:
    def test_on_another_backend(self, world: SimulatedWorld) -> None:
        """A mailbox without Graph cannot be watched: ExtensionError."""
        world.tenant.office.set_state(AULA, "disabled")
        body = {
            "changeType": "created", "resource": f"/users/{AULA}/events", "notificationUrl": "https://x.example.org/n",
            "expirationDateTime": in_minutes(world, 60),
        }  # fmt: skip
        assert code_of(world.call("POST", "/subscriptions", body)) == (400, "ExtensionError")


class TestB66SeveralInOnePost:
    def test_one_body_many_subscriptions(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """B66: receivers of many rooms get mixed bodies."""
        world = make_world(attendant_delay=(0.1, 0.2), notification_delay=(1.0, 1.0))
        one, other = world.subscribe(AULA), world.subscribe("studio@example.org")
        event = book(world, rooms=[AULA, "studio@example.org"])
        world.settle()

        assert {item["subscriptionId"] for item in world.receiver.posts[0]["value"]} == {one, other}
        assert answers(world, event) == ["accepted", "accepted"]


class TestResourceSpelling:
    def test_only_the_ids_are_reliable(self, make_world: Callable[..., SimulatedWorld]) -> None:
        """The path in a notice comes in several spellings; `resourceData.id` is always the event's."""
        world = make_world(resource_casing_varies=True)
        world.subscribe(AULA)
        for hour in range(6):
            book(world, NINE.replace(hour=hour), NINE.replace(hour=hour, minute=30))
        world.settle()

        assert len({item["resource"][:6] for item in world.receiver.items}) == 3
        known = {copy["id"] for copy in copies(world)}
        assert {item["resourceData"]["id"] for item in world.receiver.items} == known

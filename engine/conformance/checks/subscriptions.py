"""Subscriptions: the handshake, their life, and what is delivered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from engine.conformance.check import check, holds, same
from engine.conformance.stage import Stage

SUBSCRIPTION, DELIVERY = "Graph: subscription", "Graph: change-notifications-delivery-webhooks"
UNREACHABLE = "https://accord-conformance.invalid/notify"
UNKNOWN = "/subscriptions/11111111-2222-4333-8444-555555555555"


def wanted(stage: Stage, url: str, **more: Any) -> dict[str, Any]:
    """Return a body that subscribes to the test room."""
    return {
        "changeType": "created,updated,deleted",
        "resource": f"/users/{stage.room}/events",
        "notificationUrl": url,
        "expirationDateTime": _in(timedelta(hours=2)),
        "clientState": "accord-conformance",
        **more,
    }


def _in(wait: timedelta) -> str:
    return f"{datetime.now(UTC) + wait:%Y-%m-%dT%H:%M:%SZ}"


def _end(body: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(body["expirationDateTime"][:19]).replace(tzinfo=UTC)


async def subscribed(stage: Stage, **more: Any) -> dict[str, Any]:
    """Return a new subscription to the test room."""
    found: dict[str, Any] = (await stage.subscribe(wanted(stage, stage.ear().good, **more))).expect(201)
    return found


@check(DELIVERY, "B13")
async def a_receiver_that_cannot_be_reached_is_refused(stage: Stage) -> None:
    """No subscription without a handshake: 400."""
    (await stage.subscribe(wanted(stage, UNREACHABLE))).refuse(400)


@check(DELIVERY, "B13")
async def a_handshake_must_be_echoed(stage: Stage) -> None:
    """A receiver that answers the handshake with anything else: 400."""
    (await stage.subscribe(wanted(stage, stage.ear().odd))).refuse(400)


@check(DELIVERY, "B13")
async def both_addresses_are_called(stage: Stage) -> None:
    """Notification and lifecycle address are called before the 201; their query strings are kept."""
    ear = stage.ear()
    before = len(ear.handshakes)
    await subscribed(stage, notificationUrl=f"{ear.good}?of=1", lifecycleNotificationUrl=f"{ear.good}?of=2")
    same("handshakes", sorted(ear.handshakes[before:]), ["/notify?of=1", "/notify?of=2"])


@check(SUBSCRIPTION)
async def a_new_subscription_is_shown_in_full(stage: Stage) -> None:
    """201 with id, resource, client state and end."""
    found = await subscribed(stage)
    same("clientState", found["clientState"], "accord-conformance")
    same("changeType", found["changeType"], "created,updated,deleted")
    holds("id and end", found["id"] and found["expirationDateTime"])


@check("Graph: subscription-list")
async def a_list_hides_the_client_state(stage: Stage) -> None:
    """In the list `clientState` is null."""
    mine = await subscribed(stage)
    answer = await stage.ask("GET", "/subscriptions")
    answer.expect(200)
    (found,) = [each for each in answer.value if each["id"] == mine["id"]]
    same("clientState", found.get("clientState"), None)


@check(DELIVERY)
async def a_second_one_for_the_same_is_refused(stage: Stage) -> None:
    """The same changes of the same resource once more: 409."""
    await subscribed(stage)
    (await stage.subscribe(wanted(stage, stage.ear().good))).refuse(409)


@check("reported by developers")
async def the_end_must_not_be_too_far(stage: Stage) -> None:
    """An end more than 10,070 minutes ahead: 400."""
    answer = await stage.subscribe(wanted(stage, stage.ear().good, expirationDateTime=_in(timedelta(minutes=10_100))))
    answer.refuse(400)


@check(SUBSCRIPTION)
async def a_near_end_is_raised(stage: Stage) -> None:
    """An end less than 45 minutes ahead becomes one in 45 minutes."""
    found = await subscribed(stage, expirationDateTime=_in(timedelta(minutes=5)))
    left = _end(found) - datetime.now(UTC)
    holds(f"45 minutes, give or take one: {left}", timedelta(minutes=44) <= left <= timedelta(minutes=46))


@check("Graph: subscription-update")
async def a_subscription_is_renewed(stage: Stage) -> None:
    """PATCH of the end is answered by 200 with the new end."""
    mine = await subscribed(stage)
    body = {"expirationDateTime": _in(timedelta(hours=20))}
    found = (await stage.ask("PATCH", f"/subscriptions/{mine['id']}", body)).expect(200)
    holds("later than before", _end(found) > _end(mine))


@check("Graph: subscription-update", "B14")
async def a_subscription_that_is_gone_cannot_be_renewed(stage: Stage) -> None:
    """PATCH of one that is not there: 404."""
    (await stage.ask("PATCH", UNKNOWN, {"expirationDateTime": _in(timedelta(hours=2))})).refuse(404)


@check("Graph: subscription-delete")
async def a_deleted_subscription_is_gone(stage: Stage) -> None:
    """DELETE is answered by 204, and reading it by 404."""
    mine = await subscribed(stage)
    (await stage.ask("DELETE", f"/subscriptions/{mine['id']}")).expect(204)
    (await stage.ask("GET", f"/subscriptions/{mine['id']}")).refuse(404)


@check("Graph: subscription-reauthorize")
async def reauthorizing_extends_nothing(stage: Stage) -> None:
    """`reauthorize` is answered by 204, and the end stays."""
    mine = await subscribed(stage)
    (await stage.ask("POST", f"/subscriptions/{mine['id']}/reauthorize")).expect(204)
    found = (await stage.ask("GET", f"/subscriptions/{mine['id']}")).expect(200)
    same("end", _end(found), _end(mine))


@check("Graph: subscription-post-subscriptions")
async def required_properties_are_required(stage: Stage) -> None:
    """Without resource, change types, address or end: 400."""
    for name in ("resource", "changeType", "notificationUrl", "expirationDateTime"):
        body = {key: value for key, value in wanted(stage, UNREACHABLE).items() if key != name}
        (await stage.subscribe(body)).refuse(400)


@check("Graph: subscription-post-subscriptions")
async def change_types_must_be_known(stage: Stage) -> None:
    """A change type nobody knows: 400."""
    (await stage.subscribe(wanted(stage, UNREACHABLE, changeType="created,renamed"))).refuse(400)


@check("Graph: outlook-change-notifications-overview", "B6")
async def a_new_meeting_is_announced(stage: Stage) -> None:
    """A room that is booked: a notification with client state, resource and the id of the room's copy."""
    mine = await subscribed(stage)
    event = await stage.accepted()
    (copy,) = await stage.copies(stage.room, event)

    async def look() -> list[dict[str, Any]]:
        return [each for each in stage.ear().about(mine["id"]) if each["resourceData"]["id"] == copy["id"]]

    found = await stage.until("a notification about the room's copy", look)
    same("clientState", {each["clientState"] for each in found}, {"accord-conformance"})
    holds("the resource ends with the id", found[0]["resource"].endswith(copy["id"]))
    holds("created or updated", {each["changeType"] for each in found} <= {"created", "updated"})


@check("docs-contrib 6727", "B7")
async def a_deleted_copy_is_announced(stage: Stage) -> None:
    """The room's copy is deleted: a notification `deleted` with its id."""
    event = await stage.accepted()
    (copy,) = await stage.copies(stage.room, event)
    mine = await subscribed(stage)
    (await stage.ask("DELETE", stage.path(stage.room, copy["id"]))).expect(204)

    async def look() -> bool:
        told = stage.ear().about(mine["id"])
        return any(each["changeType"] == "deleted" and each["resourceData"]["id"] == copy["id"] for each in told)

    await stage.until("a notification of the deletion", look)


@check("Graph: outlook-immutable-id", "B60")
async def a_subscription_made_with_the_header_tells_immutable_ids(stage: Stage) -> None:
    """Made with `Prefer: IdType="ImmutableId"`, it names the room's copy by its immutable id."""
    body = wanted(stage, stage.ear().good)
    mine = (await stage.subscribe(body, Prefer='IdType="ImmutableId"')).expect(201)
    event = await stage.accepted()
    (copy,) = await stage.copies(stage.room, event)
    shown = await stage.ask("GET", stage.path(stage.room, copy["id"]), Prefer='IdType="ImmutableId"')
    wanted_id = shown.expect(200)["id"]

    async def look() -> bool:
        return any(each["resourceData"]["id"] == wanted_id for each in stage.ear().about(mine["id"]))

    await stage.until("a notification with the immutable id", look)

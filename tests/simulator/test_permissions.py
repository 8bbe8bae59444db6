"""What the application may do in the simulated tenant, and what it may not."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.simulator.virtual import SimulatedWorld

CALENDAR = "/users/aula@example.org/events"
BODY = {
    "subject": "x",
    "start": {"dateTime": "2026-12-01T10:00:00", "timeZone": "UTC"},
    "end": {"dateTime": "2026-12-01T11:00:00", "timeZone": "UTC"},
}
CALLS: dict[str, tuple[str, str, Any]] = {
    "Place.Read.All": ("GET", "/places/microsoft.graph.room", None),
    "Calendars.Read": ("GET", CALENDAR, None),
    "Calendars.ReadWrite": ("POST", CALENDAR, BODY),
    "MailboxSettings.Read": ("GET", "/users/aula@example.org/mailboxSettings", None),
    "User.ReadBasic.All": ("GET", "/users", None),
}


def code_of(world: SimulatedWorld, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, str]:
    answer = world.call(method, path, body, **headers)
    return answer.status, (answer.json() or {}).get("error", {}).get("code", "")


@pytest.mark.parametrize("permission", CALLS)
def test_each_call_needs_its_permission(world: SimulatedWorld, permission: str) -> None:
    """Everything but this one is granted, then it too. Writing includes reading."""
    method, path, body = CALLS[permission]
    others = [name for name in CALLS if not name.startswith(permission)]
    world.tenant.permissions.set(others)
    status, code = code_of(world, method, path, body)
    assert status == 403
    assert code == ("ErrorAccessDenied" if "aula" in path else "Authorization_RequestDenied")

    world.tenant.permissions.set([*others, permission])
    assert code_of(world, method, path, body)[0] in (200, 201)


def test_a_role_in_exchange_opens_the_mailboxes_of_its_scope_and_no_other(world: SimulatedWorld) -> None:
    """RBAC for applications: both add up. An alias is the mailbox too."""
    world.tenant.permissions.set([], {"Calendars.ReadWrite": ["Studio@example.org"]})

    assert code_of(world, "GET", "/users/atelier@example.org/events")[0] == 200
    assert code_of(world, "GET", CALENDAR) == (403, "ErrorAccessDenied")

    world.tenant.permissions.set(["Calendars.Read"], {"Calendars.ReadWrite": ["studio@example.org"]})
    assert code_of(world, "GET", CALENDAR)[0] == 200
    assert code_of(world, "POST", CALENDAR, BODY) == (403, "ErrorAccessDenied")


def test_a_subscription_needs_the_right_to_read_what_it_is_about(world: SimulatedWorld) -> None:
    world.tenant.permissions.set([], {"Calendars.Read": ["aula@example.org"]})

    world.subscribe("aula@example.org")
    refused = {
        "changeType": "updated",
        "resource": "users/studio@example.org/events",
        "notificationUrl": "https://x.example.org/n",
        "expirationDateTime": "2026-11-20T00:00:00Z",
    }
    assert code_of(world, "POST", "/subscriptions", refused) == (403, "ErrorAccessDenied")


def test_people_use_their_own_mailbox_whatever_the_application_may(world: SimulatedWorld) -> None:
    world.tenant.permissions.set([])

    assert world.run(world.alex.events()) == []
    own = {"Authorization": "Bearer demo:alex@example.org"}
    assert code_of(world, "GET", "/users/kim@example.org/events", **own) == (403, "ErrorAccessDenied")
    assert code_of(world, "GET", "/users/alex@example.org/events", **own)[0] == 200


def test_the_control_room_grants_shows_and_refuses_what_nobody_knows(world: SimulatedWorld) -> None:
    assert world.call("GET", "/sim/permissions").json() == {"granted": None, "scoped": {}}

    world.call("POST", "/sim/permissions", {"granted": ["Place.Read.All"]})

    assert world.call("GET", "/sim/permissions").json()["granted"] == ["Place.Read.All"]
    assert world.call("POST", "/sim/permissions", {"granted": ["Calenders.Read"]}).status == 400
    assert world.call("POST", "/sim/permissions", {"scoped": {"Place.Read.All": ["a@example.org"]}}).status == 400


def test_a_token_for_nobody_in_particular_is_no_persons(world: SimulatedWorld) -> None:
    """A signature covers whose a token is."""
    form = urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": world.options.client_id,
            "client_secret": world.options.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        }
    ).encode()
    url = f"https://login.microsoftonline.com/{world.options.tenant_id}/oauth2/v2.0/token"
    token = world.call("POST", url, form).json()["access_token"]
    head, expires, _who, signature = token.split(".")
    forged = f"{head}.{expires}.YWxleEBleGFtcGxlLm9yZ3wq.{signature}"

    assert code_of(world, "GET", CALENDAR, Authorization=f"Bearer {token}")[0] == 200
    assert code_of(world, "GET", CALENDAR, Authorization=f"Bearer {forged}")[0] == 401

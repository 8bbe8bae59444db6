"""People who let a program use their mailbox: consent, codes, tokens and their end."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

from tests.simulator.virtual import SimulatedWorld

ALEX = "alex@example.org"
BACK = "https://accord.example.org/back"
VERIFIER = "a-verifier-of-forty-three-characters-or-more-as-it-must-be"


def endpoint(world: SimulatedWorld, name: str) -> str:
    return f"https://login.microsoftonline.com/{world.options.tenant_id}/oauth2/v2.0/{name}"


def asked(world: SimulatedWorld, **more: str) -> dict[str, str]:
    challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    given = {
        "client_id": world.options.client_id, "response_type": "code", "redirect_uri": BACK, "state": "s1",
        "scope": "openid profile offline_access https://graph.microsoft.com/Calendars.ReadWrite",
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    return {**given, **more}


def decide(world: SimulatedWorld, decision: str = "accept", who: str = ALEX, **more: str) -> dict[str, str]:
    """Press a button of the consent page; return what comes back with the browser."""
    form = urlencode({**asked(world, **more), "who": who, "decision": decision}).encode()
    answer = world.call("POST", endpoint(world, "authorize"), form)
    assert answer.status == 302
    assert answer.headers["Location"].startswith(BACK)
    return {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def redeem(world: SimulatedWorld, **form: str) -> tuple[int, Any]:
    given = {
        "client_id": world.options.client_id, "client_secret": world.options.client_secret, "redirect_uri": BACK,
        "grant_type": "authorization_code", "code_verifier": VERIFIER,
    }  # fmt: skip
    answer = world.call("POST", endpoint(world, "token"), urlencode({**given, **form}).encode())
    return answer.status, answer.json()


def renew(world: SimulatedWorld, token: str) -> tuple[int, Any]:
    return redeem(world, grant_type="refresh_token", refresh_token=token)


class TestTheConsentPage:
    def test_says_what_is_asked_for_and_offers_the_person_hinted_at(self, world: SimulatedWorld) -> None:
        query = urlencode(asked(world, login_hint="kim@example.org", state='"><script>'))
        page = world.call("GET", f"{endpoint(world, 'authorize')}?{query}").body.decode()
        assert "<li>Calendars.ReadWrite</li>" in page
        assert page.index("kim@example.org") < page.index(ALEX)
        assert "<script>" not in page

    def test_sends_a_refusal_back(self, world: SimulatedWorld) -> None:
        found = decide(world, "cancel")
        assert (found["error"], found["state"]) == ("access_denied", "s1")

    def test_knows_its_applications(self, world: SimulatedWorld) -> None:
        query = urlencode(asked(world, client_id="another"))
        assert world.call("GET", f"{endpoint(world, 'authorize')}?{query}").status == 400


class TestTokens:
    def test_open_ones_own_calendar_and_nobody_elses(self, world: SimulatedWorld) -> None:
        _, grant = redeem(world, code=decide(world)["code"])
        own = {"Authorization": f"Bearer {grant['access_token']}"}

        assert world.call("GET", f"/users/{ALEX}/events", **own).status == 200
        assert world.call("GET", "/users/kim@example.org/events", **own).status == 403
        assert world.call("GET", f"/users/{ALEX}/mailboxSettings", **own).status == 403

    def test_say_who_it_is(self, world: SimulatedWorld) -> None:
        _, grant = redeem(world, code=decide(world, nonce="n1")["code"])
        payload = grant["id_token"].split(".")[1]
        claims = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        assert (claims["preferred_username"], claims["aud"], claims["nonce"]) == (ALEX, world.options.client_id, "n1")

    @pytest.mark.parametrize(
        "wrong", [{"code_verifier": "another"}, {"redirect_uri": "https://evil.example/"}, {"code": "0.x"}]
    )
    def test_are_refused_to_who_did_not_ask(self, world: SimulatedWorld, wrong: dict[str, str]) -> None:
        status, found = redeem(world, **{"code": decide(world)["code"], **wrong})
        assert (status, found["error"]) == (400, "invalid_grant")

    def test_a_code_is_good_once_and_for_ten_minutes(self, world: SimulatedWorld) -> None:
        code = decide(world)["code"]
        assert redeem(world, code=code)[0] == 200
        assert redeem(world, code=code)[0] == 400
        late = decide(world)["code"]
        world.wait(601)
        assert redeem(world, code=late)[0] == 400

    def test_are_renewed_until_they_are_revoked(self, world: SimulatedWorld) -> None:
        _, grant = redeem(world, code=decide(world)["code"])
        world.wait(4000)
        status, fresh = renew(world, grant["refresh_token"])
        own = {"Authorization": f"Bearer {fresh['access_token']}"}
        assert (status, world.call("GET", f"/users/{ALEX}/events", **own).status) == (200, 200)

        world.call("POST", f"/sim/people/{ALEX}/revoke")
        assert renew(world, fresh["refresh_token"])[1]["error"] == "invalid_grant"
        assert renew(world, "1.0.x.y")[0] == 400

    def test_no_refresh_token_comes_unasked(self, world: SimulatedWorld) -> None:
        _, grant = redeem(world, code=decide(world, scope="openid Calendars.ReadWrite")["code"])
        assert "refresh_token" not in grant

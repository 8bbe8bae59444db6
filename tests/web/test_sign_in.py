"""Signing in with a provider of identities: who gets in, as whom, in which role, and what is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from engine.settings import SignInSettings
from engine.web.access import Role
from engine.web.failures import BURST
from engine.web.provider import SignInRefused, role_of, vouch
from tests.web.conftest import TestClient
from tests.web.identities import CLIENT_ID, CLIENT_SECRET, Identities, running_identities
from tests.web.visitors import AMELIE, NOW, House, open_house

ZOE = {"name": "Zoé Petit", "preferred_username": "zoe.petit@example.org", "roles": ["staff"]}


@pytest.fixture
def identities() -> Iterator[Identities]:
    with running_identities(lambda: NOW) as found:
        found.people["zoe"] = dict(ZOE)
        yield found


@pytest.fixture
def house(tmp_path: Path, identities: Identities) -> Iterator[House]:
    settings = SignInSettings(issuer=identities.address, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    with open_house(tmp_path, sign_in=settings) as found:
        yield found


def leave(visitor: TestClient, next: str = "/") -> dict[str, str]:
    """Go to the provider; return what it is asked."""
    answer = visitor.get("/sign-in/microsoft", params={"next": next})
    assert answer.status_code == 303
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def sign_in(house: House, identities: Identities, login: str = "zoe") -> tuple[TestClient, Any]:
    """Sign in as *login*; return the browser and the last answer."""
    visitor = house.visitor()
    asked = leave(visitor)
    back = urlsplit(identities.let_in(login, asked))
    return visitor, visitor.get(f"{back.path}?{back.query}")


class TestWhoGetsIn:
    def test_somebody_the_provider_vouches_for(self, house: House, identities: Identities) -> None:
        visitor, answer = sign_in(house, identities)

        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
        page = visitor.get("/account").text
        assert "Zoé Petit · zoe.petit@example.org · Staff" in page

    def test_they_go_on_to_where_they_wanted(self, house: House, identities: Identities) -> None:
        visitor = house.visitor()
        asked = leave(visitor, "/board?view=week")
        back = urlsplit(identities.let_in("zoe", asked))

        assert visitor.get(f"{back.path}?{back.query}").headers["Location"] == "/board?view=week"

    @pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example", "/\\evil.example"])
    def test_nobody_is_sent_elsewhere(self, house: House, identities: Identities, next: str) -> None:
        visitor = house.visitor()
        back = urlsplit(identities.let_in("zoe", leave(visitor, next)))

        assert visitor.get(f"{back.path}?{back.query}").headers["Location"] == "/"

    def test_the_provider_is_asked_with_pkce_and_nonce(self, house: House) -> None:
        asked = leave(house.visitor())

        assert asked["code_challenge_method"] == "S256"
        assert len(asked["code_challenge"]) == 43
        assert asked["response_type"] == "code"
        assert asked["scope"] == "openid profile email"
        assert asked["redirect_uri"] == "http://127.0.0.1:8420/sign-in/microsoft/back"
        assert len({asked["state"], asked["nonce"], leave(house.visitor())["state"]}) == 3

    def test_the_development_sign_in_is_gone(self, house: House) -> None:
        visitor = house.visitor()

        answer = visitor.post("/sign-in/development", data={"address": AMELIE.address, "role": "admin"})

        assert answer.status_code == 404
        assert "Sign in with Microsoft" in visitor.get("/sign-in").text
        assert AMELIE.address not in visitor.get("/sign-in").text

    def test_without_a_provider_there_is_no_such_way(self, tmp_path: Path) -> None:
        with open_house(tmp_path) as house:
            assert house.visitor().get("/sign-in/microsoft").status_code == 404
            assert house.visitor().get("/sign-in/microsoft/back?code=x&state=y").status_code == 404

    def test_signing_in_again_ends_the_session_before(self, house: House, identities: Identities) -> None:
        """A secret that was there before somebody signed in opens nothing afterwards (session fixation)."""
        visitor, _ = sign_in(house, identities)
        before = visitor.cookies["accord_session"]
        back = urlsplit(identities.let_in("zoe", leave(visitor)))
        visitor.get(f"{back.path}?{back.query}")

        old = house.visitor()
        old.cookies.set("accord_session", before)
        assert old.get("/board").status_code == 303

    def test_keys_may_change(self, house: House, identities: Identities) -> None:
        sign_in(house, identities)
        identities.change_keys()

        _, answer = sign_in(house, identities)

        assert answer.status_code == 303
        assert identities.asked.count("/keys") == 2


class TestWhatIsNotBelieved:
    @pytest.mark.parametrize(
        "lie",
        [
            {"nonce": "another"},
            {"aud": "another-app"},
            {"iss": "https://evil.example"},
            {"exp": int((NOW - timedelta(hours=1)).timestamp())},
            {"iat": int((NOW + timedelta(hours=1)).timestamp())},
            {"idp": "https://sts.windows.net/another-tenant/"},
            {"preferred_username": "no address"},
            {"preferred_username": None},
        ],
        ids=str,
    )
    def test_an_identity_that_does_not_fit(self, house: House, identities: Identities, lie: dict[str, Any]) -> None:
        identities.claims = lie

        visitor, answer = sign_in(house, identities)

        assert answer.status_code == 403
        assert "accord_session" not in visitor.cookies
        assert visitor.get("/board").status_code == 303

    def test_a_token_of_somebody_elses_key(self, house: House, identities: Identities) -> None:
        published = identities.published
        identities.key = RSAKey.generate_key(2048, {"kid": published.kid})

        _, answer = sign_in(house, identities)

        assert answer.status_code == 403

    def test_another_browser_cannot_use_the_answer(self, house: House, identities: Identities) -> None:
        """Who sends a victim the end of their own sign-in does not sign the victim in."""
        thief, victim = house.visitor(), house.visitor()
        back = urlsplit(identities.let_in("zoe", leave(thief)))
        leave(victim)

        answer = victim.get(f"{back.path}?{back.query}")

        assert answer.status_code == 403
        assert "accord_session" not in victim.cookies

    def test_a_code_is_good_once(self, house: House, identities: Identities) -> None:
        visitor = house.visitor()
        back = urlsplit(identities.let_in("zoe", leave(visitor)))
        journey = visitor.cookies["accord_journey"]
        assert visitor.get(f"{back.path}?{back.query}").status_code == 303

        visitor.cookies.set("accord_journey", journey)

        assert visitor.get(f"{back.path}?{back.query}").status_code == 403

    @pytest.mark.parametrize("query", ["", "?state=x", "?code=x", "?error=access_denied&state=x", "?code=x&state=%00"])
    @pytest.mark.parametrize("cookie", [None, "", "x", "e30=", "bnVsbA==", "%ff"])
    def test_nonsense(self, house: House, query: str, cookie: str | None) -> None:
        visitor = house.visitor(**({} if cookie is None else {"Cookie": f"accord_journey={cookie}"}))

        assert visitor.get(f"/sign-in/microsoft/back{query}").status_code == 403

    def test_what_the_provider_says_no_to(self, house: House) -> None:
        visitor = house.visitor()
        asked = leave(visitor)

        answer = visitor.get(f"/sign-in/microsoft/back?error=access_denied&state={asked['state']}")

        assert answer.status_code == 403
        assert "did not let you in" in answer.text

    @pytest.mark.parametrize(
        ("error", "english", "french"),
        [
            ("access_denied", "ask an administrator of your directory", "demandez à un administrateur"),
            ("temporarily_unavailable", "Try again in a few minutes", "Réessayez dans quelques minutes"),
            ("consent_required", "this word: consent_required", "consent_required</p>"),
            ("<b>", "this word: no_code", "no_code</p>"),
        ],
    )
    def test_a_refusal_says_what_to_do_and_keeps_the_way(
        self, house: House, error: str, english: str, french: str
    ) -> None:
        for language, said in (("en", english), ("fr", french)):
            visitor = house.visitor(**{"Accept-Language": language})
            asked = leave(visitor, "/board?view=week")
            back = {"error": error, "error_description": "<i>AADSTS65004</i>", "state": asked["state"]}

            answer = visitor.get("/sign-in/microsoft/back", params=back)

            assert answer.status_code == 403
            assert said in answer.text
            assert "AADSTS" not in answer.text
            assert 'href="/sign-in?next=/board%3Fview%3Dweek"' in answer.text

    def test_a_wrong_state_is_to_be_begun_again(self, house: House) -> None:
        visitor = house.visitor()
        leave(visitor)

        answer = visitor.get("/sign-in/microsoft/back?code=x&state=y")

        assert "Begin again here" in answer.text

    def test_a_provider_that_falls_silent_on_the_way_is_named(self, house: House, identities: Identities) -> None:
        """Nothing of the app has failed, and no try of the person's counts against them."""
        visitor = house.visitor(**{"Accept-Language": "fr"})
        back = urlsplit(identities.let_in("zoe", leave(visitor, "/mine")))
        identities.is_down = True

        answer = visitor.get(f"{back.path}?{back.query}")

        assert answer.status_code == 503
        assert "Microsoft ne répond pas" in answer.text
        assert 'href="/sign-in?next=/mine"' in answer.text
        assert "accord_session" not in visitor.cookies

    @pytest.mark.parametrize(
        "metadata",
        [
            {"issuer": "https://login.microsoftonline.com/another/v2.0"},
            {"token_endpoint": "http://evil.example/token"},
            {"jwks_uri": None},
        ],
    )
    def test_a_discovery_that_does_not_fit(
        self, house: House, identities: Identities, metadata: dict[str, object]
    ) -> None:
        identities.metadata = metadata

        assert house.visitor().get("/sign-in/microsoft").status_code == 403

    def test_a_provider_that_is_down_is_tried_again_later(self, house: House, identities: Identities) -> None:
        identities.is_down = True
        assert house.visitor().get("/sign-in/microsoft").status_code == 503

        identities.is_down = False

        assert sign_in(house, identities)[1].status_code == 303

    def test_nothing_secret_is_logged(
        self, house: House, identities: Identities, caplog: pytest.LogCaptureFixture
    ) -> None:
        identities.claims = {"nonce": "another"}
        sign_in(house, identities)

        told = " ".join(str(vars(record)) for record in caplog.records)
        assert "sign-in refused" in told
        for secret in (CLIENT_SECRET, "zoe.petit", "Zoé"):
            assert secret not in told


class TestRoles:
    @pytest.mark.parametrize(
        ("given", "role"),
        [
            (["viewer"], Role.VIEWER),
            (["staff"], Role.STAFF),
            (["viewer", "admin", "staff"], Role.ADMIN),
            ([], Role.REQUESTER),
            (None, Role.REQUESTER),
            ("admin", Role.REQUESTER),
            (["Admin", "owner", 7], Role.REQUESTER),
        ],
    )
    def test_come_from_app_roles(self, given: object, role: Role) -> None:
        assert role_of(given) is role

    def test_the_mail_address_comes_before_the_name_people_sign_in_with(self) -> None:
        claims = {"email": "zoe@example.org", "preferred_username": "z123@example.org"}

        assert vouch(claims).person.address == "zoe@example.org"

    @pytest.mark.parametrize("idp", ["live.com", "https://sts.windows.net/x/", 1])
    def test_guests_are_refused(self, idp: object) -> None:
        with pytest.raises(SignInRefused, match="guests"):
            vouch({"iss": "https://issuer.example", "idp": idp, "email": "boss@example.org"})


class TestWhoFailsOften:
    def test_has_to_wait(self, house: House, identities: Identities) -> None:
        visitor = house.visitor()
        for _ in range(BURST):
            assert visitor.get("/sign-in/microsoft/back?code=x&state=y").status_code == 403

        answer = visitor.get("/sign-in/microsoft/back?code=x&state=y")

        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 1
        assert house.visitor().get("/sign-in/microsoft").status_code == 429
        assert house.visitor().get("/sign-in").status_code == 200

    def test_so_has_who_tries_tokens(self, house: House) -> None:
        visitor = house.visitor(Authorization="Bearer wrong")
        for _ in range(BURST):
            assert visitor.get("/api/loans").status_code == 401

        answer = visitor.get("/api/loans")

        assert answer.status_code == 429
        assert answer.headers["Content-Type"] == "application/problem+json"

    def test_others_do_not(self, house: House) -> None:
        visitor = house.visitor(Authorization="Bearer wrong")
        for _ in range(BURST + 1):
            visitor.get("/api/loans")
        elsewhere = TestClient(house.app, base_url="http://127.0.0.1:8420", client=("192.0.2.7", 50000))

        assert elsewhere.get("/api/loans", headers={"Authorization": "Bearer wrong"}).status_code == 401

"""Which tokens show that Graph sent a notification, and sent it to us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from engine.errors import Unreachable
from engine.web.notice_tokens import ASKED_AGAIN_AFTER, KEPT, LEEWAY_SECONDS, PUBLISHER, NoticeTokens

AUDIENCE = "0e4b6a4c-5bb0-4c4c-9c0d-6a4b7f1c2d3e"
ISSUER = "https://login.microsoftonline.com/84bd8158-6d4d-4958-8b9f-9d6445542f95/v2.0"
HOUR = timedelta(hours=1)


@cache
def key(name: str = "first") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name})


class Platform:
    """The identity platform, and the check of its tokens."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 9, tzinfo=UTC)
        self.published = [key()]
        self.is_down = False
        self.asked = 0
        self.later: list[Callable[[], None]] = []
        self.tokens = NoticeTokens(AUDIENCE, [ISSUER], fetch=self.fetch, now=lambda: self.now, start=self.later.append)

    def fetch(self) -> Mapping[str, Any]:
        self.asked += 1
        if self.is_down:
            raise Unreachable("not now")
        return {"keys": [each.as_dict(private=False) for each in self.published]}

    def learn(self) -> None:
        while self.later:
            self.later.pop()()

    def sign(self, *, by: RSAKey | None = None, **claims: Any) -> str:
        now = int(self.now.timestamp())
        told = {"aud": AUDIENCE, "iss": ISSUER, "azp": PUBLISHER, "nbf": now, "exp": now + 3600} | claims
        used = by or key()
        told = {name: value for name, value in told.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": used.kid}, told, used)

    def believes(self, **claims: Any) -> bool:
        return self.tokens.believes(self.sign(**claims))


@pytest.fixture
def platform() -> Platform:
    found = Platform()
    found.tokens.prepare()
    found.learn()
    return found


def test_graphs_own_is_believed(platform: Platform) -> None:
    assert platform.believes()
    assert platform.believes(azp=None, appid=PUBLISHER)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": None},
        {"iss": ISSUER.replace("84bd", "94bd")},
        {"iss": None},
        {"azp": AUDIENCE},
        {"azp": None},
        {"exp": None},
        {"exp": 1},
        {"exp": "soon"},
        {"nbf": 4_000_000_000},
    ],
)
def test_nobody_elses(platform: Platform, claims: dict[str, Any]) -> None:
    assert not platform.believes(**claims)


def test_not_one_signed_by_others(platform: Platform) -> None:
    forged = RSAKey.generate_key(2048, {"kid": "first"})
    assert not platform.believes(by=forged)
    assert not platform.tokens.believes(platform.sign()[:-8] + "AAAAAAAA")


@pytest.mark.parametrize("text", ["", "a.b.c", "x" * 10_000])
def test_not_what_is_no_token(platform: Platform, text: str) -> None:
    assert not platform.tokens.believes(text)


def test_not_one_with_a_shared_secret_or_none_at_all(platform: Platform) -> None:
    claims = {"aud": AUDIENCE, "iss": ISSUER, "azp": PUBLISHER, "exp": 4_000_000_000}
    secret = OctKey.import_key("secret" * 8)
    assert not platform.tokens.believes(jwt.encode({"alg": "HS256", "kid": "first"}, claims, secret))
    assert not platform.tokens.believes("eyJhbGciOiJub25lIn0.e30.")


def test_it_ends(platform: Platform) -> None:
    token = platform.sign()
    assert platform.tokens.believes(token)
    platform.now += HOUR + timedelta(seconds=LEEWAY_SECONDS)
    assert platform.tokens.believes(token)
    platform.now += timedelta(seconds=1)
    assert not platform.tokens.believes(token)


def test_nobody_waits_for_the_keys() -> None:
    platform = Platform()
    assert not platform.believes()
    assert (platform.asked, len(platform.later)) == (0, 1)
    platform.learn()
    assert platform.believes()


def test_keys_that_change_are_fetched_once_in_a_while(platform: Platform) -> None:
    platform.published = [key("second")]
    assert not platform.believes(by=key("second"))
    assert platform.later == []  # they were fetched a moment ago
    platform.now += ASKED_AGAIN_AFTER
    assert not platform.believes(by=key("second"))
    platform.learn()
    assert platform.believes(by=key("second"))
    assert platform.asked == 2


def test_old_keys_serve_while_no_new_ones_can_be_had(platform: Platform) -> None:
    platform.is_down = True
    platform.now += KEPT + HOUR
    assert platform.believes()
    platform.learn()
    assert platform.believes()

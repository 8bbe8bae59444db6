"""
The tokens that come along with notifications that bring their event: they show that Graph sent them, and to us.

Source: Graph docs, change-notifications-with-resource-data: a JSON web token signed with a key of the identity
platform, for our application (`aud`), issued by our tenant, to the publisher of notifications (`azp`; in tokens of the
first version `appid`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from engine.errors import EngineError

log = logging.getLogger(__name__)

PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""Who sends change notifications."""

LEEWAY_SECONDS = 120
KEPT, ASKED_AGAIN_AFTER = timedelta(hours=12), timedelta(minutes=5)
CHARACTERS_MAX = 8192
BELIEVED_MAX = 64

FetchKeys = Callable[[], Mapping[str, Any]]
"""Fetches the keys of the identity platform (RFC 7517). Raises EngineError."""


def fetch_keys(authority: str) -> Mapping[str, Any]:
    """Fetch the keys of the identity platform at *authority*, the ones of all tenants (Graph docs:
    change-notifications-with-resource-data). Raises Unreachable, Refused."""
    from engine.web.openid import check_endpoint, get_json

    found = get_json(f"{authority}/common/v2.0/.well-known/openid-configuration")
    return get_json(check_endpoint(found, "jwks_uri"))


class NoticeTokens:
    """
    Tells which tokens are to be believed. Safe to use from several threads.

    Graph waits three seconds for a receiver, so nobody waits here: while the keys are not known, or one is named that
    is not among them, no token is believed, and the keys are fetched meanwhile.

    Args:
        audience: our client id.
        issuers: what our tenant is called in tokens.
        fetch: fetches the keys.
        now: the clock.
        start: has something done meanwhile, such as in another thread.
    """

    def __init__(
        self,
        audience: str,
        issuers: Collection[str],
        *,
        fetch: FetchKeys,
        now: Callable[[], datetime],
        start: Callable[[Callable[[], None]], None],
    ) -> None:
        self._audience = audience
        self._issuers = frozenset(issuers)
        self._fetch = fetch
        self._now = now
        self._start = start
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._believed: dict[str, int] = {}
        """When tokens end that were found good: the same one comes with every notification of an hour."""

    def prepare(self) -> None:
        """Have the keys fetched before the first token comes."""
        self._ask()

    def believes(self, token: str) -> bool:
        """Tell whether *token* shows that Graph sent what it came with, to us."""
        now = int(self._now().timestamp())
        until = self._believed.get(token)
        if until is None:
            until = self._check(token, now)
            if until is None:
                return False
            if len(self._believed) >= BELIEVED_MAX:
                self._believed.clear()
            self._believed[token] = until
        return now <= until + LEEWAY_SECONDS

    def _check(self, token: str, now: int) -> int | None:
        """Return when a good token ends."""
        keys = self._known_keys()
        if keys is None or len(token) > CHARACTERS_MAX:
            return None
        try:
            registry = JWSRegistry(algorithms=["RS256"], strict_check_header=False)
            claims = jwt.decode(token, keys, registry=registry).claims
        except InvalidKeyIdError:
            self._ask()  # keys are changed now and then
            return None
        except (JoseError, ValueError):
            return None
        until, since = claims.get("exp"), claims.get("nbf", 0)
        is_ours = claims.get("aud") == self._audience and claims.get("iss") in self._issuers
        is_graph = PUBLISHER in (claims.get("azp"), claims.get("appid"))
        if not (isinstance(until, int) and isinstance(since, int) and is_ours and is_graph):
            return None
        return until if since - LEEWAY_SECONDS <= now <= until + LEEWAY_SECONDS else None

    def _known_keys(self) -> KeySet | None:
        if self._fetched_at is None or self._now() - self._fetched_at > KEPT:
            self._ask()
        return self._keys

    def _ask(self) -> None:
        """Have the keys fetched, unless that was done a moment ago."""
        with self._lock:
            if self._asked_at is not None and self._now() - self._asked_at < ASKED_AGAIN_AFTER:
                return
            self._asked_at = self._now()
        self._start(self._learn)

    def _learn(self) -> None:
        try:
            keys = KeySet.import_key_set(self._fetch())  # type: ignore[arg-type]  # it checks for itself
        except (EngineError, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("the keys of notifications could not be read", extra={"error": type(error).__name__})
            return
        self._keys, self._fetched_at = keys, self._now()

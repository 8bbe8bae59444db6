"""
Who somebody is, vouched for by a provider of identities: OpenID Connect Core 1.0, the code flow with PKCE (RFC 7636).

Made for Microsoft Entra ID with an app registration of a single tenant. There, app roles come in the claim `roles`; the
names of ours are `viewer`, `staff` and `admin`. Who has none signs in as a requester. The address comes from `email`,
else `preferred_username`: within one tenant both are the administrators' to set. A guest's are not: a token whose `idp`
is not its issuer is refused.

Endpoints and keys are learned from the issuer's discovery document and kept for an hour; keys are asked for anew when
a token names one we do not know.
"""

from __future__ import annotations

import hmac
import logging
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from engine.errors import Unreachable
from engine.web.locality import is_loopback_address
from engine.web.provider import Journey, SignInRefused, Vouched, vouch

log = logging.getLogger(__name__)

SCOPE = "openid profile email"
ALGORITHMS = ["RS256", "PS256", "ES256"]
"""Never `none`, and never one with a shared secret."""

TIMEOUT_SECONDS = 10
LEEWAY_SECONDS = 120
KEPT = timedelta(hours=1)
CHARACTERS_MAX = 4096


@dataclass(frozen=True, slots=True)
class _Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    keys: KeySet
    read_at: datetime


class OpenIdProvider:
    """
    Implements `IdentityProvider`. Loads slowly, so it is imported only where one is configured.

    Args:
        issuer: its name, as tokens carry it: `https://login.microsoftonline.com/<tenant id>/v2.0`.
        redirect: the address people come back to, as it was registered.
        now: the clock.
    """

    def __init__(
        self, issuer: str, client_id: str, client_secret: str, *, redirect: str, now: Callable[[], datetime]
    ) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect = redirect
        self._now = now
        self._known: _Metadata | None = None
        self._lock = threading.Lock()

    def begin(self) -> tuple[str, Journey]:
        """Return where to send somebody, and what to remember. Raises Unreachable, SignInRefused."""
        journey = Journey(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))
        address, _state = self._client().create_authorization_url(
            self._metadata().authorization_endpoint,
            state=journey.state,
            nonce=journey.nonce,
            code_verifier=journey.verifier,
        )
        return str(address), journey

    def finish(self, journey: Journey, answer: Mapping[str, str]) -> Vouched:
        """Return who came back with *answer*, the query of the redirect. Raises Unreachable, SignInRefused."""
        if not hmac.compare_digest(answer.get("state", "").encode(), journey.state.encode()):
            raise SignInRefused("state", "the answer does not belong to the question")
        if "code" not in answer:
            raise SignInRefused(_word(answer.get("error", "")) or "no_code", "the provider did not sign them in")
        token = self._fetch_token(answer["code"], journey)
        return vouch(self._read_claims(token, journey))

    def _client(self) -> Any:
        return OAuth2Session(
            self._client_id,
            self._client_secret,
            scope=SCOPE,
            redirect_uri=self._redirect,
            code_challenge_method="S256",
            token_endpoint_auth_method="client_secret_post",
            default_timeout=TIMEOUT_SECONDS,
        )

    def _fetch_token(self, code: str, journey: Journey) -> Mapping[str, Any]:
        client = self._client()
        try:
            token = client.fetch_token(
                self._metadata().token_endpoint, code=code[:CHARACTERS_MAX], code_verifier=journey.verifier
            )
        except requests.RequestException as error:
            raise Unreachable(f"the provider of identities did not answer: {type(error).__name__}") from error
        except AuthlibBaseError as error:
            raise SignInRefused(_word(str(error.error or "")) or "token", "the provider gave no token") from error
        except ValueError as error:
            raise Unreachable("the provider of identities answered with no JSON") from error
        finally:
            client.close()
        if not isinstance(token, dict) or not isinstance(token.get("id_token"), str):
            raise SignInRefused("no_id_token", "the provider gave no identity")
        return token

    def _read_claims(self, token: Mapping[str, Any], journey: Journey) -> Mapping[str, Any]:
        options = {
            "iss": {"essential": True, "values": [self._issuer]},
            "aud": {"essential": True, "values": [self._client_id]},
        }
        params = {"nonce": journey.nonce, "client_id": self._client_id, "access_token": token.get("access_token")}
        try:
            signed = self._decode(token["id_token"])
            claims = CodeIDToken(signed.claims, signed.header, options, params)
            claims.validate(now=int(self._now().timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError) as error:
            raise SignInRefused("id_token", f"the identity is not to be believed: {type(error).__name__}") from error
        return dict(claims)

    def _decode(self, id_token: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            return jwt.decode(id_token, self._metadata().keys, registry=registry)
        except (InvalidKeyIdError, ValueError):  # keys are changed now and then
            return jwt.decode(id_token, self._metadata(anew=True).keys, registry=registry)

    def _metadata(self, *, anew: bool = False) -> _Metadata:
        with self._lock:
            known = self._known
            if anew or known is None or self._now() - known.read_at > KEPT:
                known = self._known = self._read_metadata()
            return known

    def _read_metadata(self) -> _Metadata:
        found = get_json(f"{self._issuer}/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer:
            # Microsoft's answer for a tenant's domain names the tenant by its id: this tells which to configure.
            log.error("the provider calls itself otherwise", extra={"wanted": self._issuer, "is": found.get("issuer")})
            raise SignInRefused("issuer", "the provider calls itself otherwise than sign_in.issuer does")
        authorization, token, jwks = (
            check_endpoint(found, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
        )
        try:
            keys = KeySet.import_key_set(get_json(jwks))  # type: ignore[arg-type]  # it checks for itself
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Unreachable("the provider of identities answered with no keys") from error
        return _Metadata(authorization, token, jwks, keys, self._now())


def _word(value: str) -> str:
    """Return an error code of the provider's, when it looks like one."""
    return value if re.fullmatch(r"[a-z_]{1,60}", value) else ""


def check_endpoint(found: Mapping[str, Any], name: str) -> str:
    """Return the address *found* names. Raises SignInRefused when it is none to be trusted."""
    address = found.get(name)
    parts = urlsplit(address if isinstance(address, str) else "")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_address(parts.hostname or "")):
        raise SignInRefused("endpoint", f"the provider's {name} is no https address")
    return str(address)


def get_json(address: str) -> Mapping[str, Any]:
    """Return the object at *address*. Raises Unreachable."""
    try:
        answer = requests.get(address, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        found = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError) as error:
        raise Unreachable(f"the provider of identities did not answer: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Unreachable(f"the provider of identities answered {answer.status_code}")
    return found

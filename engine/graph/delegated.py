"""
People's own permission: a code becomes tokens, and a refresh token becomes access tokens for one mailbox.

Sources: Entra docs, v2-oauth2-auth-code-flow (parameters, PKCE, `offline_access`; `invalid_grant` means that the person
must sign in anew). The ID token comes straight from the token endpoint over TLS, which vouches for it as well as its
signature would (OpenID Connect Core, 3.1.3.7).
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from azure.core.credentials import AccessToken

from engine.errors import CredentialsRevoked, Malformed, OutcomeUnknown, Unreachable
from engine.graph.consent import SCOPES, App
from engine.graph.transport import Request, Response, Transport

EARLY = timedelta(minutes=5)
"""An access token this close to its end is not used any more."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token endpoint gave. `account`: whose it is, from the ID token; "" when none came along."""

    access_token: str
    seconds: int
    refresh_token: str
    account: str = ""
    nonce: str = ""


class _Answer(msgspec.Struct):
    access_token: str = ""
    expires_in: int = 0
    refresh_token: str = ""
    id_token: str = ""
    error: str = ""
    error_description: str = ""


class TokenDesk:
    """The token endpoint. Raises CredentialsRevoked when it refuses, Unreachable when it does not answer."""

    def __init__(self, app: App, transport: Transport) -> None:
        self._app = app
        self._transport = transport

    async def redeem(self, code: str, *, redirect: str, verifier: str) -> Grant:
        """Return what a code is good for."""
        more = {"code": code, "redirect_uri": redirect, "code_verifier": verifier}
        return await self._ask("authorization_code", more)

    async def renew(self, refresh_token: str) -> Grant:
        """Return a new access token; a new refresh token may come along and takes the old one's place."""
        found = await self._ask("refresh_token", {"refresh_token": refresh_token, "scope": " ".join(SCOPES)})
        return found if found.refresh_token else replace(found, refresh_token=refresh_token)

    async def _ask(self, grant_type: str, more: dict[str, str]) -> Grant:
        form = {"client_id": self._app.client_id, "client_secret": self._app.client_secret, "grant_type": grant_type}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        request = Request("POST", self._app.endpoint("token"), headers, urlencode({**form, **more}).encode())
        try:
            response = await self._transport.send(request)
        except OutcomeUnknown as error:
            raise Unreachable(f"ask for a token: {error}") from error
        return _read(response)


def _read(response: Response) -> Grant:
    try:
        answer = msgspec.json.decode(response.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreachable(f"ask for a token: {response.status} and no JSON") from error
    if response.status >= 500 or response.status == 429:
        raise Unreachable(f"ask for a token: {response.status} {answer.error}")
    if answer.error or not answer.access_token:
        text = answer.error_description.partition("\n")[0][:300]
        raise CredentialsRevoked(f"ask for a token: {answer.error or response.status}: {text}")
    claims = _claims(answer.id_token)
    account = str(claims.get("preferred_username") or claims.get("email") or "")
    nonce = str(claims.get("nonce") or "")
    return Grant(answer.access_token, answer.expires_in, answer.refresh_token, account, nonce)


def _claims(id_token: str) -> dict[str, Any]:
    if not id_token:
        return {}
    try:
        payload = id_token.split(".")[1]
        found = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise Malformed("the ID token cannot be read") from error
    return found if isinstance(found, dict) else {}


class RefreshCredential:
    """
    A person's permission as a credential: for the calendar of that person and no other.

    Args:
        desk: the token endpoint.
        refresh_token: the present one.
        keep: told of each new refresh token before it is used.
        now: the clock.
    """

    def __init__(
        self, desk: TokenDesk, refresh_token: str, *, keep: Callable[[str], None], now: Callable[[], datetime]
    ) -> None:
        self._desk = desk
        self._refresh_token = refresh_token
        self._keep = keep
        self._now = now
        self._access = AccessToken("", 0)

    async def get_token(self, *scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
        """Return a token; *scopes* were agreed on when the person consented."""
        if self._access.expires_on <= (self._now() + EARLY).timestamp():
            grant = await self._desk.renew(self._refresh_token)
            if grant.refresh_token != self._refresh_token:
                self._refresh_token = grant.refresh_token
                self._keep(grant.refresh_token)
            self._access = AccessToken(grant.access_token, int(self._now().timestamp()) + grant.seconds)
        return self._access

    async def close(self) -> None:
        """Nothing is open."""

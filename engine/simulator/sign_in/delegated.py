"""
People who let a program use their mailbox: the consent page, codes, and tokens that are renewed.

Sources: Entra docs, v2-oauth2-auth-code-flow (parameters, PKCE, errors), and OpenID Connect Core for the ID token. A
code lives ten minutes and is good once. Refresh tokens are signed, so they survive a restart; `revoke` ends those made
before.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode

from engine.simulator.sign_in.identity import Identity, pack, unpack
from engine.simulator.sign_in.permissions import Caller
from engine.simulator.wire import GraphError, Request, Response, json_response
from engine.simulator.world import World

CODE_LIFE = timedelta(minutes=10)
OPENID = frozenset({"openid", "profile", "email", "offline_access"})
GRAPH = "https://graph.microsoft.com/"

_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Permissions requested</title></head><body>
<h1>Permissions requested</h1><p>Simulated sign-in. The app asks for:</p><ul>{scopes}</ul>
<form method="post" action="{action}">{hidden}
<p><label>Sign in as <select name="who">{people}</select></label></p>
<p><button name="decision" value="accept">Accept</button> <button name="decision" value="cancel">Cancel</button></p>
</form></body></html>"""


@dataclass(frozen=True, slots=True)
class _Code:
    person: str
    scopes: frozenset[str]
    redirect: str
    challenge: str
    nonce: str
    until: datetime


class Delegated:
    """The authorization endpoint, and what the token endpoint gives to people's programs."""

    def __init__(self, world: World, identity: Identity, now: Callable[[], datetime]) -> None:
        self._world = world
        self._identity = identity
        self._now = now
        self._codes: dict[str, _Code] = {}
        self._revoked: dict[str, int] = {}

    def authorize(self, request: Request) -> Response:
        """Answer the authorization endpoint: GET shows the consent page, POST is the form of that page."""
        asked = request.query if request.method == "GET" else dict(parse_qsl(request.body.decode(errors="replace")))
        if asked.get("client_id") != self._world.options.client_id:
            raise GraphError(400, "unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        redirect = asked.get("redirect_uri", "")
        if not redirect.startswith(("https://", "http://")):
            raise GraphError(400, "invalid_request", "AADSTS50011: The redirect URI is not registered.")
        if asked.get("response_type") != "code":
            return _back(redirect, asked, {"error": "unsupported_response_type"})
        if request.method == "GET":
            return self._show(request, asked)
        if asked.get("decision") != "accept":
            text = "AADSTS65004: User declined to consent to access the app."
            return _back(redirect, asked, {"error": "access_denied", "error_description": text})
        return _back(redirect, asked, {"code": self._make_code(asked)})

    def _show(self, request: Request, asked: Mapping[str, str]) -> Response:
        hint = asked.get("login_hint", "").lower()
        people = sorted(
            (one for one in self._world.mailboxes.values() if one.kind == "user" and one.state == "active"),
            key=lambda one: (one.address.lower() != hint, one.display_name),
        )
        page = _PAGE.format(
            scopes="".join(f"<li>{escape(scope)}</li>" for scope in sorted(_scopes(asked))),
            action=escape(request.path),
            hidden="".join(
                f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
            ),
            people="".join(f'<option value="{escape(p.address)}">{escape(p.display_name)}</option>' for p in people),
        )
        return Response(200, {"Content-Type": "text/html; charset=utf-8"}, page.encode())

    def _make_code(self, asked: Mapping[str, str]) -> str:
        mailbox = self._world.find_mailbox(asked.get("who", ""))
        if mailbox is None or mailbox.kind != "user":
            raise GraphError(400, "invalid_request", "AADSTS50034: The user account does not exist.")
        code = f"0.{self._world.new_key()}"
        self._codes[code] = _Code(
            person=mailbox.address,
            scopes=_scopes(asked),
            redirect=asked["redirect_uri"],
            challenge=asked.get("code_challenge", ""),
            nonce=asked.get("nonce", ""),
            until=self._now() + CODE_LIFE,
        )
        return code

    def redeem(self, form: Mapping[str, str]) -> Response:
        """Answer the token endpoint for an authorization code."""
        code = self._codes.pop(form.get("code", ""), None)
        if code is None or self._now() >= code.until:
            return self._identity.refuse("invalid_grant", 70008, "The provided authorization code has expired.")
        verifier = urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        if form.get("redirect_uri") != code.redirect or (code.challenge and code.challenge != verifier):
            return self._identity.refuse("invalid_grant", 501481, "The code does not belong to this request.")
        return self._grant(code.person, code.scopes, nonce=code.nonce)

    def renew(self, form: Mapping[str, str]) -> Response:
        """Answer the token endpoint for a refresh token. A new one comes along; the old one stays good for a while."""
        packed, _, signature = form.get("refresh_token", "").rpartition(".")
        made, _, who = packed.removeprefix("1.").partition(".")
        caller = unpack(who) if hmac.compare_digest(signature, self._identity.sign(packed)) else None
        if caller is None or caller.person is None:
            return self._identity.refuse("invalid_grant", 9002313, "The refresh token is malformed.")
        if int(made) <= self._revoked.get(caller.person.lower(), -1):
            return self._identity.refuse("invalid_grant", 50173, "The provided grant has been revoked.")
        return self._grant(caller.person, caller.scopes or frozenset())

    def revoke(self, who: str) -> None:
        """End what somebody allowed up to now, as an administrator or they themselves would."""
        self._revoked[who.lower()] = self._instant()

    def _instant(self) -> int:
        return int(self._now().timestamp() * 1000)

    def _grant(self, person: str, scopes: frozenset[str], *, nonce: str = "") -> Response:
        options, seconds = self._world.options, self._world.options.token_seconds
        caller = Caller(person, scopes - OPENID)
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "scope": " ".join(sorted(scopes)),
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": self._identity.make_token(caller),
        }
        if "offline_access" in scopes:
            packed = f"1.{self._instant()}.{pack(Caller(person, scopes))}"
            answer["refresh_token"] = f"{packed}.{self._identity.sign(packed)}"
        mailbox = self._world.find_mailbox(person)
        if "openid" in scopes and mailbox is not None:
            now = int(self._now().timestamp())
            answer["id_token"] = self._identity.sign_claims({
                "iss": f"https://login.microsoftonline.com/{options.tenant_id}/v2.0", "aud": options.client_id,
                "iat": now, "nbf": now, "exp": now + seconds, "tid": options.tenant_id, "oid": mailbox.id,
                "sub": mailbox.id, "name": mailbox.display_name, "preferred_username": mailbox.address,
                "email": mailbox.address, **({"nonce": nonce} if nonce else {}),
            })  # fmt: skip
        return json_response(200, answer)


def _scopes(asked: Mapping[str, str]) -> frozenset[str]:
    return frozenset(scope.removeprefix(GRAPH) for scope in asked.get("scope", "").split())


def _back(redirect: str, asked: Mapping[str, str], found: dict[str, str]) -> Response:
    if "state" in asked:
        found["state"] = asked["state"]
    return Response(302, {"Location": f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(found)}"})

"""
The sign-in side: tokens for the application and for people, and the discovery document.

A token is a signed expiry and whose it is, so it stays good across a restart. Source: Entra docs,
v2-oauth2-client-creds-grant-flow.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from engine.simulator.options import TenantOptions
from engine.simulator.sign_in.permissions import Caller
from engine.simulator.wire import GraphError, Request, Response, json_response

Answer = Callable[[Mapping[str, str]], Response]
DELEGATED = ("authorization_code", "refresh_token")
"""Grants of people (Entra docs: v2-oauth2-auth-code-flow)."""


class Identity:
    """Issues and checks bearer tokens."""

    def __init__(self, options: TenantOptions, now: Callable[[], datetime]) -> None:
        self._options = options
        self._now = now

    def issue(self, request: Request, delegated: Mapping[str, Answer]) -> Response:
        """Answer POST /{tenant}/oauth2/v2.0/token; *delegated* answers grants of people by their type."""
        form = dict(parse_qsl(request.body.decode(errors="replace")))
        options = self._options
        if form.get("grant_type") in DELEGATED:
            return self._issue_to_person(form, delegated)
        if form.get("grant_type") != "client_credentials":
            return self.refuse("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if form.get("client_id") != options.client_id:
            return self.refuse("unauthorized_client", 700016, "Application was not found in the directory.")
        if not form.get("scope", "").endswith("/.default"):
            return self.refuse(
                "invalid_scope", 70011, "The provided value for the input parameter 'scope' is not valid."
            )
        if "client_assertion" not in form and form.get("client_secret") != options.client_secret:
            return self.refuse("invalid_client", 7000215, "Invalid client secret provided.", status=401)
        token = self.make_token()
        seconds = options.token_seconds
        answer = {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
        return json_response(200, answer)

    def _issue_to_person(self, form: Mapping[str, str], delegated: Mapping[str, Answer]) -> Response:
        if form.get("client_id") != self._options.client_id:
            return self.refuse("unauthorized_client", 700016, "Application was not found in the directory.")
        if form.get("client_secret") != self._options.client_secret:
            return self.refuse("invalid_client", 7000215, "Invalid client secret provided.", status=401)
        return delegated[form["grant_type"]](form)

    def make_token(self, caller: Caller | None = None, *, seconds: int | None = None) -> str:
        """Return a token that is good from now on for *seconds*, else the configured time; of the application's own
        when no *caller* is named."""
        expires = int(self._now().timestamp()) + (self._options.token_seconds if seconds is None else seconds)
        content = f"{expires}.{pack(caller or Caller())}"
        return f"eyJ0.{content}.{self.sign(content)}"

    def personal_token(self, address: str) -> str:
        """Return a token with which a person uses their own mailbox, as Outlook does."""
        static = self._options.static_token
        return f"{static}:{address}" if static else self.make_token(Caller(address))

    def check(self, request: Request) -> Caller:
        """Return who asks, when the token is good; raises Graph's 401 otherwise."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token, static = token.strip() if scheme.lower() == "bearer" else "", self._options.static_token
        if static and token.startswith(static) and token[len(static) :][:1] in ("", ":"):
            return Caller(token[len(static) + 1 :] or None)
        caller = self.read_token(token)
        if caller is None and self._options.require_token:
            raise _unauthorised(
                "Lifetime validation failed, the token is expired." if token else "Access token is empty."
            )
        return caller or Caller()

    def read_token(self, token: str) -> Caller | None:
        """Return whose token this is; None unless we made it and it has not expired."""
        head, _, rest = token.partition(".")
        content, _, signature = rest.rpartition(".")
        expires, _, packed = content.partition(".")
        if head != "eyJ0" or not expires.isdigit() or int(expires) <= self._now().timestamp():
            return None
        return unpack(packed) if hmac.compare_digest(signature, self.sign(content)) else None

    def sign(self, content: str) -> str:
        """Return the signature of what we made."""
        key = f"{self._options.client_secret}/{self._options.seed}".encode()
        return urlsafe_b64encode(hmac.new(key, content.encode(), sha256).digest()).decode().rstrip("=")

    def sign_claims(self, claims: Mapping[str, Any]) -> str:
        """Return a JSON web token of *claims*, signed with the client secret (RFC 7515, HS256)."""
        parts = (msgspec.json.encode(part) for part in ({"typ": "JWT", "alg": "HS256"}, claims))
        head = ".".join(urlsafe_b64encode(part).decode().rstrip("=") for part in parts)
        signature = hmac.new(self._options.client_secret.encode(), head.encode(), sha256).digest()
        return f"{head}.{urlsafe_b64encode(signature).decode().rstrip('=')}"

    def refuse(self, error: str, code: int, text: str, *, status: int = 400) -> Response:
        """Return an error of the token endpoint (Entra docs: v2-oauth2-auth-code-flow)."""
        body: dict[str, Any] = {
            "error": error,
            "error_description": f"AADSTS{code}: {text}",
            "error_codes": [code],
            "timestamp": f"{self._now():%Y-%m-%d %H:%M:%SZ}",
            "trace_id": "00000000-0000-4000-8000-000000000000",
            "correlation_id": "00000000-0000-4000-8000-000000000000",
        }
        return json_response(status, body)

    def consent(self, request: Request, *, refused: bool) -> Response:
        """
        Answer the admin consent page at once, as if the administrator had pressed a button.

        Sources: Entra docs, v2-oauth2-client-creds-grant-flow (first version) and v2-admin-consent (v2.0: the scope
        comes back, and a refusal carries `admin_consent=True` too).
        """
        query, options = request.query, self._options
        back = query.get("redirect_uri", "")
        if not back or not query.get("client_id"):
            raise GraphError(400, "invalid_request", "AADSTS900144: client_id and redirect_uri are required.")
        is_second = request.segments[1].lower() == "v2.0"
        found: dict[str, str] = {}
        if refused:
            found = {"error": "permission_denied", "error_description": "The admin canceled the request"}
        elif query["client_id"] != options.client_id:
            text = "AADSTS700016: Application was not found in the directory."
            found = {"error": "unauthorized_client", "error_description": text}
        if is_second or not found:
            found |= {"admin_consent": "True", "tenant": options.tenant_id}
        if is_second:
            found["scope"] = query.get("scope", "https://graph.microsoft.com/.default")
        if "state" in query:
            found["state"] = query["state"]
        return Response(302, {"Location": f"{back}{'&' if '?' in back else '?'}{urlencode(found)}"})

    def discover(self, request: Request) -> Response:
        """Answer the OpenID Connect discovery document (Entra docs: v2-protocols-oidc)."""
        here = f"{request.base}/{request.segments[0]}"
        return json_response(200, {
            "issuer": f"{here}/v2.0",
            "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
            "token_endpoint": f"{here}/oauth2/v2.0/token",
            "jwks_uri": f"{here}/discovery/v2.0/keys",
            "userinfo_endpoint": f"{request.base}/oidc/userinfo",
            "end_session_endpoint": f"{here}/oauth2/v2.0/logout",
            "tenant_region_scope": "EU",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code", "id_token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        })  # fmt: skip


def pack(caller: Caller) -> str:
    if caller.person is None:
        return ""
    scopes = "*" if caller.scopes is None else " ".join(sorted(caller.scopes))
    return urlsafe_b64encode(f"{caller.person}|{scopes}".encode()).decode().rstrip("=")


def unpack(packed: str) -> Caller:
    if not packed:
        return Caller()
    person, _, scopes = urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode().partition("|")
    return Caller(person, None if scopes == "*" else frozenset(scopes.split()))


def _unauthorised(message: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": "Bearer"})

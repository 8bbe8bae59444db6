"""
Where people are sent to permit us their own calendar.

Source: Entra docs, v2-oauth2-auth-code-flow (parameters, PKCE, `offline_access`).
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlencode

SCOPES = ("openid", "profile", "email", "offline_access", "https://graph.microsoft.com/Calendars.ReadWrite")
"""What a person is asked for: who they are, their own calendar, and both for longer than an hour."""


@dataclass(frozen=True, slots=True)
class App:
    """The registration people sign in to. `authority`: without a slash at the end."""

    authority: str
    tenant: str
    client_id: str
    client_secret: str

    def endpoint(self, name: str) -> str:
        return f"{self.authority}/{self.tenant}/oauth2/v2.0/{name}"


def authorize_address(app: App, *, redirect: str, state: str, nonce: str, verifier: str, hint: str) -> str:
    """Return where to send a person's browser."""
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "client_id": app.client_id,
        "response_type": "code",
        "response_mode": "query",
        "redirect_uri": redirect,
        "scope": " ".join(SCOPES),
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "login_hint": hint,
    }
    return f"{app.endpoint('authorize')}?{urlencode(query)}"

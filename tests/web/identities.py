"""
A provider of identities for tests: discovery, a page that asks who you are, codes, tokens and keys.

It is stricter than most: a code is good once, for the client, the redirect and the PKCE verifier it was asked with
(RFC 7636, section 4.6). `claims` and `metadata` let it lie.
"""

from __future__ import annotations

import json
import secrets
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "accord-test", "a secret of tests"


@dataclass
class Identities:
    """The provider. `people` are claims by login; what is asked of it is kept in `asked`."""

    address: str
    now: Callable[[], datetime]
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    algorithm: str = "RS256"
    is_down: bool = False
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = self.published = _first_key()

    def change_keys(self) -> None:
        self.key = self.published = _make_key()

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            **self.metadata,
        }

    def let_in(self, login: str, asked: dict[str, str]) -> str:
        """Return where the browser goes once *login* has been chosen."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = {**asked, "login": login}
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def redeem(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Return the tokens for a code; None when anything does not fit."""
        asked = self._codes.pop(form.get("code", ""), None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        fits = (
            asked is not None
            and asked["code_challenge_method"] == "S256"
            and asked["code_challenge"] == urlsafe_b64encode(digest).rstrip(b"=").decode()
            and (asked["client_id"], asked["redirect_uri"]) == (form["client_id"], form["redirect_uri"])
            and form["client_secret"] == CLIENT_SECRET
        )
        if not fits or asked is None:
            return None
        now = int(self.now().timestamp())
        claims = {
            "iss": self.address, "aud": CLIENT_ID, "sub": asked["login"], "iat": now, "exp": now + 3600,
            "nonce": asked["nonce"], **self.people[asked["login"]], **self.claims,
        }  # fmt: skip
        header = {"alg": self.algorithm, "kid": self.key.kid}
        return {"access_token": "none", "token_type": "Bearer", "id_token": jwt.encode(header, claims, self.key)}


def _make_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)})


_first_key = cache(_make_key)
"""The key that every provider begins with: to find one takes a tenth of a second."""


@contextmanager
def running_identities(now: Callable[[], datetime]) -> Iterator[Identities]:
    """Serve a provider on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            identities.asked.append(url.path)
            if identities.is_down:
                self._answer(503, "not now")
            elif url.path == "/.well-known/openid-configuration":
                self._answer(200, json.dumps(identities.discovery()), "application/json")
            elif url.path == "/keys":
                keys = {"keys": [identities.published.as_dict(private=False)]}
                self._answer(200, json.dumps(keys), "application/json")
            elif url.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(url.query).items()}
                links = "".join(
                    f'<p><a href="{escape(identities.let_in(login, asked))}">{escape(login)}</a></p>'
                    for login in identities.people
                )
                page = f"<!doctype html><title>Provider</title><link rel=icon href=data:,><h1>Who are you?</h1>{links}"
                self._answer(200, page, "text/html; charset=utf-8")
            else:
                self._answer(404, "")

        def do_POST(self) -> None:
            identities.asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            tokens = identities.redeem({name: values[0] for name, values in parse_qs(body).items()})
            if identities.is_down:
                self._answer(503, "not now")
            elif tokens is None:
                self._answer(400, json.dumps({"error": "invalid_grant"}), "application/json")
            else:
                self._answer(200, json.dumps(tokens), "application/json")

        def _answer(self, status: int, body: str, media_type: str = "text/plain") -> None:
            content = body.encode()
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    identities = Identities(f"http://127.0.0.1:{server.server_port}", now)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02))
    thread.start()
    try:
        yield identities
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""What every answer of the pages carries, and what requests from elsewhere meet.

A request that changes something must come from a page of ours: browsers say so in `Sec-Fetch-Site` (W3C Fetch
Metadata), older ones in `Origin`; one that says neither is no browser's and is refused. Cookies with `SameSite=Lax`
and a token per session stand behind that.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.web.locality import split_address

BODY_BYTES_MAX = 1024 * 1024

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would have browsers send "Origin: null" with forms
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PageDoor:
    """Stands before every page."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = {**HEADERS, **({"Strict-Transport-Security": "max-age=31536000"} if secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] not in SAFE_METHODS:
            if not comes_from_us(headers):
                refusal = PlainTextResponse("This request did not come from a page of this site.", 403)
                await refusal(scope, receive, self._labelled(send))
                return
            length = headers.get("content-length", "")
            if not length.isdecimal() or len(length) > 12 or int(length) > BODY_BYTES_MAX:
                await PlainTextResponse("The body is too large.", 413)(scope, receive, self._labelled(send))
                return
        await self._app(scope, receive, self._labelled(send))

    def _labelled(self, send: Send) -> Send:
        async def send_labelled(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        return send_labelled


def comes_from_us(headers: Headers) -> bool:
    """Tell whether a browser vouches that a page of this very site sent the request."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = split_address(headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == headers.get("host", "")


def derive_csrf(session_secret: str) -> str:
    """Return the token of a session: it follows from the cookie's secret and tells nothing about it."""
    return hmac.new(session_secret.encode("utf-8", "surrogatepass"), b"csrf", sha256).hexdigest()


def mask_csrf(token: str) -> str:
    """Return *token* in a form that differs each time, so that its compressed length tells nothing (BREACH)."""
    plain = bytes.fromhex(token)
    mask = secrets.token_bytes(len(plain))
    return urlsafe_b64encode(mask + bytes(a ^ b for a, b in zip(plain, mask, strict=True))).decode()


def is_csrf(given: str, token: str) -> bool:
    """Tell whether *given* is a masked form of *token*."""
    wanted = bytes.fromhex(token)
    try:
        raw = urlsafe_b64decode(given.encode("ascii"))
    except (Base64Error, UnicodeEncodeError, ValueError):
        return False
    if len(raw) != 2 * len(wanted):
        return False
    half = len(wanted)
    return hmac.compare_digest(bytes(a ^ b for a, b in zip(raw[half:], raw[:half], strict=True)), wanted)

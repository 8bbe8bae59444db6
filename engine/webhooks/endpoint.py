"""An endpoint: where webhooks go, what it wants to hear, and the secrets it knows us by."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from engine.errors import Fault
from engine.outbox.changes import CASE, CLOSURE, LOAN, ROOM
from engine.outbox.message import Message

CHANNEL = "webhook"

MODELS = (LOAN, ROOM, CASE, CLOSURE)

RECENT = timedelta(days=30)
"""Loans that ended longer ago are left out when everything is sent once more, unless somebody asks for all."""

PING = "ping"
"""The model of a message that only tries whether an endpoint is there."""

HEADER = "X-Lapin-Signature"
"""What receivers written for RDV Service Public look for."""

SECRET_PREFIX = "whsec_"
SECRET_CHARACTERS_MIN = 16
URL_CHARACTERS_MAX = 2000
NAME_CHARACTERS_MAX = 200
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_TAKEN_HEADERS = frozenset(
    {"host", "content-type", "content-length", "content-encoding", "user-agent", "transfer-encoding", "connection"}
    | {"authorization", "cookie", "accept", "accept-encoding", "expect", "upgrade", "trailer", "te"}
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """
    Where webhooks go.

    `secrets` are those that are live, the oldest first: one, or two while the receiver changes over. `personal` says
    whether it may be told who and why; `models` what it hears of.
    """

    id: int
    name: str
    url: str
    models: tuple[str, ...]
    personal: bool
    header: str
    secrets: tuple[str, ...]
    enabled: bool
    created_at: datetime
    created_by: str

    @property
    def receiver(self) -> str:
        """How the outbox names it."""
        return str(self.id)


@dataclass(frozen=True, slots=True)
class EndpointOrder:
    """What somebody wants of an endpoint. None: the present value, or the default of a new one."""

    name: str | None = None
    url: str | None = None
    models: tuple[str, ...] | None = None
    personal: bool | None = None
    header: str | None = None
    enabled: bool | None = None


def find_order_faults(order: EndpointOrder) -> list[Fault]:
    """Return what is wrong with how *order* is written; where its address leads, `guard` says."""
    faults = []
    if order.name is not None and not (0 < len(order.name.strip()) <= NAME_CHARACTERS_MAX and order.name.isprintable()):
        faults.append(Fault("name", "name_malformed", f"needs 1 to {NAME_CHARACTERS_MAX} printable characters"))
    if order.url is not None and (problem := url_problem(order.url)):
        faults.append(Fault("url", "url_malformed", problem))
    if order.models is not None:
        unknown = [model for model in order.models if model not in MODELS]
        if unknown or not order.models:
            faults.append(Fault("models", "model_unknown", f"one or more of {', '.join(MODELS)}"))
    if order.header is not None and not is_header(order.header):
        faults.append(Fault("header", "header_malformed", f"must be the name of a header such as {HEADER}"))
    return faults


def url_problem(url: str) -> str:
    """Return what is wrong with the spelling of *url*; empty when nothing is."""
    if len(url) > URL_CHARACTERS_MAX or not url.isprintable() or any(sign.isspace() for sign in url):
        return f"must be a web address of at most {URL_CHARACTERS_MAX} characters"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "must be a web address such as https://example.org/hook"
    if parts.scheme not in ("https", "http") or not parts.hostname:
        return "must be a web address such as https://example.org/hook"
    if parts.username is not None or parts.password is not None:
        return "must hold no name or password: the signature says who calls"
    if parts.fragment:
        return "must have no part after #: it would never be sent"
    return ""


def is_header(name: str) -> bool:
    """Tell whether a signature may travel under *name*."""
    lower = name.lower()
    return bool(_HEADER.fullmatch(name)) and lower not in _TAKEN_HEADERS and not lower.startswith("webhook-")


def secret_fault(secret: str) -> Fault | None:
    """Return what is wrong with a secret that somebody brought along; None when nothing is."""
    if len(secret) < SECRET_CHARACTERS_MIN or not secret.isascii() or not secret.isprintable() or " " in secret:
        message = f"must have at least {SECRET_CHARACTERS_MIN} ASCII characters, none of them a space"
        return Fault("secret", "secret_weak", message)
    if secret.startswith(SECRET_PREFIX):
        try:
            base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            return Fault("secret", "secret_malformed", f"after {SECRET_PREFIX} must come base64")
    return None


def masked(secret: str) -> str:
    """Return *secret* as a list shows it: its last three characters."""
    return f"…{secret[-3:]}"


class WebhookBook(Protocol):
    """What people may do about endpoints. Everything raises NotFound for one that is not there."""

    def list_endpoints(self) -> Sequence[Endpoint]: ...

    def find(self, endpoint_id: int) -> Endpoint: ...

    def add(self, order: EndpointOrder, *, secret: str | None, actor: str) -> Endpoint:
        """Make an endpoint; without *secret* one is drawn. Raises Invalid."""
        ...

    def change(self, endpoint_id: int, order: EndpointOrder, *, actor: str) -> Endpoint:
        """Change what *order* names. Raises Invalid."""
        ...

    def remove(self, endpoint_id: int, *, actor: str) -> None:
        """Remove an endpoint: what waits for it is never sent."""
        ...

    def rotate(self, endpoint_id: int, *, secret: str | None, actor: str) -> Endpoint:
        """Add a second live secret. Raises NotAllowed while there are two."""
        ...

    def retire(self, endpoint_id: int, *, actor: str) -> Endpoint:
        """End the older of two live secrets. Raises NotAllowed when there is one only."""
        ...

    def ping(self, endpoint_id: int) -> Message:
        """Send a message that only tries whether the endpoint is there; return it as it waits."""
        ...

    def resend(self, endpoint_id: int, *, since: datetime | None) -> int:
        """
        Tell the endpoint of everything that is, as created: rooms and closures, open cases, and the loans that had not
        ended at *since* (None: all). Returns how many messages that makes.
        """
        ...

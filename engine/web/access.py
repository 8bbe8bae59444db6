"""Who may do what: bearer tokens, and three roles of which each may do all that the one before may."""

from __future__ import annotations

import hmac
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from engine.web.failures import Failures
from engine.web.parts import Parts, WebParts
from engine.web.translations import N_


class Role(StrEnum):
    """From the least to the most trusted."""

    REQUESTER = "requester"
    """Sees what is free, and has a hand in own loans. For people in the app; no token has it."""
    VIEWER = "viewer"
    """Reads."""
    STAFF = "staff"
    """Books, changes, acts on loans, settles cases."""
    ADMIN = "admin"
    """Imports rooms, sets rules, adds assets, makes tokens."""

    def includes(self, least: Role) -> bool:
        return _RANKS[self] >= _RANKS[least]


_RANKS = {role: rank for rank, role in enumerate(Role)}


BOOTSTRAP = "bootstrap"
"""The name under which the token from the environment acts."""

TOKEN_CHARACTERS_MAX = 512


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    name: str
    role: Role

    @property
    def actor(self) -> str:
        """How histories name the caller."""
        return f"app:{self.name}"


class Refusal(HTTPException):
    """Somebody does not get in. `text` is one that the catalogues know, for `values`; `detail` says it in English."""

    def __init__(self, status: int, text: str, *, headers: dict[str, str] | None = None, **values: object) -> None:
        super().__init__(status, text % values if values else text, headers)
        self.text = text
        self.values = values


bearer = HTTPBearer(auto_error=False, description="A token made by `POST /api/tokens` or `token create`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


def identify(request: Request, parts: WebParts, credentials: HTTPAuthorizationCredentials | None) -> Caller:
    """Return who calls. Raises 401 without a token, or with one that nobody has; 429 after too many of those."""
    if credentials is None:
        raise unauthorized(N_("A bearer token is needed: Authorization: Bearer <token>."))
    check_failures(request, parts.failures)
    token = credentials.credentials
    caller = recognise(parts, token)
    if caller is None:
        parts.failures.note(request.client.host if request.client else None)
        raise unauthorized(N_("The bearer token is unknown or revoked."))
    return caller


def check_failures(request: Request, failures: Failures) -> None:
    """Raise 429 when the address of *request* failed too often of late to get in."""
    if wait := failures.wait(request.client.host if request.client else None):
        seconds = str(math.ceil(wait.total_seconds()))
        raise Refusal(429, N_("Too many attempts from this address failed."), headers={"Retry-After": seconds})


def unauthorized(text: str) -> Refusal:
    return Refusal(401, text, headers={"WWW-Authenticate": 'Bearer realm="accord"'})


def recognise(parts: WebParts, token: str) -> Caller | None:
    """Return who *token* speaks for; None when nobody has it. Failures are the caller's to count."""
    if not 0 < len(token) <= TOKEN_CHARACTERS_MAX:
        return None
    if parts.bootstrap_token and _is_same(token, parts.bootstrap_token):
        return Caller(BOOTSTRAP, Role.ADMIN)
    found = parts.tokens.authenticate(token)
    if found is None or found.role not in tuple(Role):
        return None
    return Caller(found.name, Role(found.role))


def _is_same(given: str, wanted: str) -> bool:
    """Compare in a time that tells neither where two tokens differ nor how long the wanted one is."""
    return hmac.compare_digest(sha256(given.encode()).digest(), sha256(wanted.encode()).digest())


def require(least: Role) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency that lets in callers of at least role *least*."""

    # Not in a thread: going there costs more.
    async def gate(request: Request, parts: Parts, credentials: Credentials) -> Caller:
        caller = identify(request, parts, credentials)
        if not caller.role.includes(least):
            text = N_("This needs the role %(least)s; the token %(name)s has %(role)s.")
            raise Refusal(403, text, least=least, name=repr(caller.name), role=caller.role)
        return caller

    return gate


Viewer = Annotated[Caller, Depends(require(Role.VIEWER))]
Staff = Annotated[Caller, Depends(require(Role.STAFF))]
Admin = Annotated[Caller, Depends(require(Role.ADMIN))]

"""Who vouches for people who sign in, and what is made of what it says of them. `openid.py` speaks to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from engine.errors import Refused
from engine.ids import Address
from engine.loans.loan import Requester
from engine.web.access import Role


@dataclass(frozen=True, slots=True)
class Journey:
    """What we must remember while somebody is at the provider: in a cookie of their own browser."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody the provider vouches for, and the role it gives them."""

    person: Requester
    role: Role


class SignInRefused(Refused):
    """The provider, or we, will not have it. `code` is for the log and for whoever is asked about it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class IdentityProvider(Protocol):
    """The provider."""

    def begin(self) -> tuple[str, Journey]:
        """Return where to send somebody, and what to remember. Raises Unreachable, SignInRefused."""
        ...

    def finish(self, journey: Journey, answer: Mapping[str, str]) -> Vouched:
        """Return who came back with *answer*, the query of the redirect. Raises Unreachable, SignInRefused."""
        ...


def vouch(claims: Mapping[str, Any]) -> Vouched:
    """Return whom validated *claims* are about. Raises SignInRefused for guests, and without an address."""
    if claims.get("idp") not in (None, claims.get("iss")):
        raise SignInRefused("guest", "guests of the directory cannot sign in")
    address = next((text for key in ("email", "preferred_username") if (text := _text(claims.get(key)))), "")
    if not re.fullmatch(r"[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>.]+", address):
        raise SignInRefused("no_address", "the provider tells no address")
    return Vouched(Requester(Address(address), _text(claims.get("name")) or address), role_of(claims.get("roles")))


def role_of(given: object) -> Role:
    """Return the most trusted of the app roles *given*; a requester has none."""
    known = [Role(name) for name in given if name in tuple(Role)] if isinstance(given, list) else []
    return max(known, key=tuple(Role).index, default=Role.REQUESTER)


def _text(value: object) -> str:
    return value.strip()[:255] if isinstance(value, str) else ""

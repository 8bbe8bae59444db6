"""Notifications that bring their event, in a world: its tenant's keys, and a certificate that is made once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from engine.app.office import Office
from engine.graph.certificate import make_certificate
from engine.graph.content import load_private_key
from engine.simulator import Tenant
from engine.simulator.notices.content import wrap_key


def open_worlds_contents(office: Office, tenant: Tenant, keyring: Keyring | None = None) -> None:
    """
    Have *office* take over what the notifications of *tenant* bring, if its settings want that.

    Args:
        keyring: opens what the tenant wraps with it; None: every key is unwrapped as it came.
    """
    if office.settings.sync.content and office.settings.sync.delivery == "push":
        from engine.app.contents import open_contents  # brings what checks tokens, which most worlds do without

        options = tenant.options
        open_contents(
            office,
            audience=options.client_id,
            tenant_id=options.tenant_id,
            authority="https://login.microsoftonline.com",
            fetch=tenant.tokens.keys,
            make=_share_certificate,
            load=keyring.load if keyring is not None else load_private_key,
            start=lambda task: task(),
        )


class Keyring:
    """
    Remembers what was wrapped for which key. To unwrap it takes RSA more than a millisecond, and in a world with
    contents a tenth of all time. What was not wrapped here, or for another key, RSA has to tell.
    """

    def __init__(self) -> None:
        self._wrapped: dict[tuple[int, bytes], bytes] = {}

    def wrap(self, public_key: Any, key: bytes) -> bytes:
        """Return *key*, encrypted for *public_key*."""
        wrapped = wrap_key(public_key, key)
        self._wrapped[_modulus(public_key), wrapped] = key
        return wrapped

    def load(self, text: str) -> RememberingKey:
        """Return the private key that *text* (PEM) holds."""
        return RememberingKey(load_private_key(text), self._wrapped)


class RememberingKey:
    """A private key that knows some of what was wrapped for it."""

    def __init__(self, key: Any, wrapped: dict[tuple[int, bytes], bytes]) -> None:
        self._key = key
        self._wrapped = wrapped
        self._modulus = _modulus(key.public_key())

    def decrypt(self, wrapped: bytes, padding: Any) -> bytes:
        known = self._wrapped.get((self._modulus, wrapped))
        found: bytes = self._key.decrypt(wrapped, padding) if known is None else known
        return found


def _modulus(public_key: Any) -> int:
    return int(public_key.public_numbers().n)


def _share_certificate(begins_at: datetime, life: timedelta) -> tuple[str, str]:
    return _make(begins_at.year, life)


@cache
def _make(year: int, life: timedelta) -> tuple[str, str]:
    """Worlds differ in many things, not in a certificate: making one takes a tenth of a second or more."""
    return make_certificate(datetime(year, 1, 1, tzinfo=UTC), life)

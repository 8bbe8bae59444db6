"""
What a notification brings of its event, encrypted, and the token that shows who sent it.

Sources: Graph docs, change-notifications-with-resource-data (ciphers, validation tokens) and
changeNotificationEncryptedContent; Entra docs, access-token-claims-reference and signing key rollover.
"""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from random import Random
from types import MappingProxyType
from typing import Any

import msgspec

from engine.simulator.options import TenantOptions
from engine.simulator.wire import bad_request

PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""Who sends notifications, as tokens name it in `azp` (Graph docs: change-notifications-with-resource-data)."""

KEY_ID = "simulated-notifications"
TOKEN_SECONDS = 3600
BITS = range(2048, 4097)
"""How long a certificate's RSA key may be (Graph docs: change-notifications-with-resource-data)."""


def read_certificate(text: object) -> Any:
    """Return the certificate of a subscription, base64 of its DER form. Raises Graph's 400."""
    return _read_certificate(str(text or ""))


@lru_cache(maxsize=64)
def _read_certificate(text: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509 import load_der_x509_certificate

    try:
        certificate = load_der_x509_certificate(b64decode(text, validate=True))
        key = certificate.public_key()
    except ValueError as error:
        raise bad_request("encryptionCertificate is no X.509 certificate.", code="ValidationError") from error
    if not isinstance(key, RSAPublicKey) or key.key_size not in BITS:
        raise bad_request("encryptionCertificate needs an RSA key of 2048 to 4096 bits.", code="ValidationError")
    return certificate


Wrap = Callable[[Any, bytes], bytes]
"""Wraps a key for whoever has the private half of a public one."""


def wrap_key(public_key: Any, key: bytes) -> bytes:
    """Return *key*, encrypted for *public_key*."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), label=None)  # Graph's choice
    wrapped: bytes = public_key.encrypt(key, oaep)
    return wrapped


def encrypt(
    document: dict[str, Any], certificate: str, certificate_id: str, rng: Random, *, wrap: Wrap = wrap_key
) -> dict[str, str]:
    """Return `encryptedContent`: AES-256-CBC under a key of its own, which is wrapped for *certificate*."""
    from cryptography.hazmat.primitives import hashes, hmac, padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    found, key = read_certificate(certificate), rng.randbytes(32)
    padder = padding.PKCS7(128).padder()
    padded = padder.update(msgspec.json.encode(document)) + padder.finalize()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    data = encryptor.update(padded) + encryptor.finalize()
    signature = hmac.HMAC(key, hashes.SHA256())
    signature.update(data)
    return {
        "data": _text(data),
        "dataSignature": _text(signature.finalize()),
        "dataKey": _text(wrap(found.public_key(), key)),
        "encryptionCertificateId": certificate_id,
        "encryptionCertificateThumbprint": found.fingerprint(hashes.SHA1()).hex().upper(),
    }


def garble(content: dict[str, str]) -> dict[str, str]:
    """Return *content* with one bit of it changed on the way."""
    data = bytearray(b64decode(content["data"]))
    data[len(data) // 2] ^= 1
    return {**content, "data": _text(bytes(data))}


def cut(content: dict[str, str]) -> dict[str, str]:
    """Return *content* with its second half lost on the way."""
    data = b64decode(content["data"])
    return {**content, "data": _text(data[: len(data) // 2])}


def lock_away(content: dict[str, str]) -> dict[str, str]:
    """Return *content* as if it were encrypted for a certificate that its receiver has no more, or never had."""
    return {**content, "encryptionCertificateId": "nobodys"}


SPOILERS: Mapping[str, Callable[[dict[str, str]], dict[str, str]]] = MappingProxyType(
    {"garble_content": garble, "cut_content": cut, "unknown_key": lock_away}
)
"""What becomes of what a notification brings, by the effect of the fault."""


class Tokens:
    """The tokens that come along with contents, and the keys they are signed with."""

    def __init__(self, options: TenantOptions, now: Callable[[], datetime]) -> None:
        self._options = options
        self._now = now
        self._made: tuple[int, str] = (0, "")

    def current(self) -> str:
        """Return a token of the second version, good for half an hour at least."""
        now = int(self._now().timestamp())
        until, token = self._made
        if until - now < TOKEN_SECONDS / 2:
            until = now + TOKEN_SECONDS
            token = self._sign({
                "aud": self._options.client_id,
                "iss": f"https://login.microsoftonline.com/{self._options.tenant_id}/v2.0",
                "iat": now, "nbf": now, "exp": until, "tid": self._options.tenant_id, "azp": PUBLISHER, "ver": "2.0",
            })  # fmt: skip
            self._made = until, token
        return token

    def keys(self) -> dict[str, Any]:
        """Return what `discovery/v2.0/keys` answers (RFC 7517)."""
        numbers = _signing_key().public_key().public_numbers()
        size = (numbers.n.bit_length() + 7) // 8
        known = {"n": _url_text(numbers.n.to_bytes(size, "big")), "e": _url_text(numbers.e.to_bytes(3, "big"))}
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, **known}]}

    def _sign(self, claims: dict[str, Any]) -> str:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        parts = ({"typ": "JWT", "alg": "RS256", "kid": KEY_ID}, claims)
        head = ".".join(_url_text(msgspec.json.encode(part)) for part in parts)
        signature = _signing_key().sign(head.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{head}.{_url_text(signature)}"


@cache
def _signing_key() -> Any:
    """Made once per process: it takes a tenth of a second, and only contents need it."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _url_text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")

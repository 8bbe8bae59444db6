"""
What notifications bring of their event, opened.

Source: Graph docs, change-notifications-with-resource-data: the key comes wrapped with RSA-OAEP (SHA-1) for our
certificate; with it the data is signed (HMAC-SHA256) and encrypted (AES-256-CBC, PKCS7, the key's first 16 bytes as
initial value). The data is the selected properties of the event, as JSON.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as asymmetric
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.graph.parse import parse_event
from engine.graph.payloads import EventItem
from engine.rooms.event import EventCopy

CHARACTERS_MAX = 1_000_000
"""Of one part: what a receiver takes as a whole is no longer."""

KEYS_KEPT = 4
"""Private keys: the newest and those still used."""
KEY_BYTES = 32
BLOCK_BYTES = 16

_WRAPPING = asymmetric.OAEP(asymmetric.MGF1(hashes.SHA1()), hashes.SHA1(), label=None)
_PADDING = padding.PKCS7(BLOCK_BYTES * 8)
_decode = msgspec.json.Decoder(EventItem).decode


@lru_cache(maxsize=KEYS_KEPT)
def load_private_key(text: str) -> Any:
    """Return the key that *text* (PEM) holds. Checking its numbers takes some 50 ms, so the last few are kept."""
    return load_pem_private_key(text.encode(), None)


def open_content(sealed: Mapping[str, Any], private_key: Any) -> bytes | None:
    """
    Return what *sealed*, an `encryptedContent`, holds; None when it is not as it was sent, or not for this key.

    Args:
        private_key: an RSA key as `load_private_key` returns it.
    """
    parts = [_decode_part(sealed.get(name)) for name in ("dataKey", "data", "dataSignature")]
    wrapped, data, signature = parts
    if wrapped is None or data is None or signature is None:
        return None
    try:
        key: bytes = private_key.decrypt(wrapped, _WRAPPING)
        if len(key) != KEY_BYTES or not hmac.compare_digest(hmac.digest(key, data, sha256), signature):
            return None
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:BLOCK_BYTES])).decryptor()
        unpadder = _PADDING.unpadder()
        return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
    except (ValueError, UnsupportedAlgorithm):
        return None


def parse_content(content: bytes, event_id: str) -> EventCopy | None:
    """Return the copy that *content* shows; None when it is of another event, or says less than a reading would."""
    try:
        item = _decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    needed = (
        item.ical_uid, item.type, item.start, item.end, item.is_all_day, item.is_cancelled, item.is_draft,
        item.is_organizer, item.sensitivity, item.show_as, item.organizer, item.attendees, item.response_status,
        item.change_key, item.modified,
    )  # fmt: skip
    if item.id != event_id or any(each is None for each in needed) or item.type != "singleInstance":
        return None
    return parse_event(item)


def _decode_part(text: object) -> bytes | None:
    if not isinstance(text, str) or not 0 < len(text) <= CHARACTERS_MAX:
        return None
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return None

"""Secrets of people, sealed before they are kept: who reads the database, or a backup of it, reads none of them."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from engine.errors import CredentialsRevoked


class Sealer:
    """
    Seals with a key from outside the database (AES-128-CBC with HMAC-SHA256: the Fernet specification).

    Args:
        key: one text, or several with commas, the newest first: it seals, and all of them open.
    """

    def __init__(self, key: str) -> None:
        keys = [Fernet(urlsafe_b64encode(sha256(each.strip().encode()).digest())) for each in key.split(",")]
        self._keys = MultiFernet(keys)

    def seal(self, text: str) -> str:
        return self._keys.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed. Raises CredentialsRevoked when the key is another one now."""
        try:
            return self._keys.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise CredentialsRevoked("what is sealed cannot be opened: personal.key is another one") from error

"""Certificates: the last day of one, read from its file; and those we make for notifications that bring their event."""

from __future__ import annotations

from base64 import b64encode
from datetime import date, datetime, timedelta
from pathlib import Path

KEY_BITS = 2048
"""Graph takes 2,048 to 4,096, self-signed as well (Graph docs: change-notifications-with-resource-data)."""


def read_last_day(path: str) -> date | None:
    """Return the day (UTC) on which the first certificate of a PEM file ends; None when it cannot be read."""
    from cryptography.x509 import load_pem_x509_certificate  # 20 ms, for those who have a certificate

    try:
        return load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc.date()
    except (OSError, ValueError):
        return None


def make_certificate(begins_at: datetime, life: timedelta) -> tuple[str, str]:
    """Return a new self-signed certificate (DER, base64) and its key (PKCS#8, PEM): a tenth of a second or two."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Accord notifications")])
    serial = x509.random_serial_number()
    certificate = x509.CertificateBuilder(name, name, key.public_key(), serial, begins_at, begins_at + life)
    made = certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return b64encode(made).decode(), secret.decode()

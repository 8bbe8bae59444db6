"""The last day of a certificate, read from its file."""

from __future__ import annotations

from datetime import date
from pathlib import Path


def read_last_day(path: str) -> date | None:
    """Return the day (UTC) on which the first certificate of a PEM file ends; None when it cannot be read."""
    from cryptography.x509 import load_pem_x509_certificate  # 20 ms, for those who have a certificate

    try:
        return load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc.date()
    except (OSError, ValueError):
        return None

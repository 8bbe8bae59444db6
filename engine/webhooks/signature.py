"""Signatures: proof to a receiver that a message is ours, whole, and not an old one.

Two kinds, both in every message:

- RDV Service Public's: a header (`X-Lapin-Signature` unless told otherwise) with the HMAC-SHA256 of the exact body, in
  hexadecimal, keyed with the secret as it is written. It proves nothing about when. (betagouv/rdv-service-public,
  app/jobs/webhook_job.rb)
- Standard Webhooks: `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`, a space-separated
  list of `v1,<base64>` of the HMAC-SHA256 of `<id>.<timestamp>.<body>`, keyed with what follows `whsec_` in base64.
  (standard-webhooks/standard-webhooks, spec/standard-webhooks.md)

While two secrets are live, the list holds a signature by each, and the older one's hexadecimal signature keeps its
header while the newer one's comes in `<header>-Next`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from engine.webhooks.endpoint import SECRET_PREFIX


def sign_hex(body: bytes, secret: str) -> str:
    """Return RDV Service Public's signature of *body*."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sign_standard(message_id: str, timestamp: int, body: bytes, secret: str) -> str:
    """Return the Standard Webhooks signature of *body*, version included."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    """Return the key that Standard Webhooks makes of a secret; one without its prefix counts as it is written."""
    if secret.startswith(SECRET_PREFIX):
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return secret.encode()


def signature_headers(
    message_id: str, at: datetime, body: bytes, *, secrets: Sequence[str], header: str
) -> dict[str, str]:
    """Return all headers that prove a message sent at *at* (aware). *secrets* are the live ones, oldest first."""
    timestamp = int(at.timestamp())
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign_standard(message_id, timestamp, body, secret) for secret in secrets),
        header: sign_hex(body, secrets[0]),
    }
    if len(secrets) > 1:
        headers[f"{header}-Next"] = sign_hex(body, secrets[-1])
    return headers

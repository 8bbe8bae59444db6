"""Check webhooks of Accord. Nothing but Python's own library is needed.

As a program it reads one message a line, {"headers": {...}, "body": "..."}, and says of each whether to believe it:
WEBHOOK_SECRETS='whsec_...' python verify.py < messages.jsonl
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time

TOLERANCE_SECONDS = 300
SEEN = set()  # of message ids; in earnest a table with a unique column, written with what the message brings about


def refusal_of(headers, body, secrets, now, seen):
    """Return why not to believe a message, or "" if it is genuine. `body` is the bytes as they came."""
    named = {name.lower(): value for name, value in headers.items()}
    message, timestamp = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    if not message or not (timestamp.isascii() and timestamp.isdigit()):
        return "no id or timestamp"
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return "too old"
    signed = f"{message}.{timestamp}.".encode() + body
    given = named.get("webhook-signature", "").split(" ")
    if not any(
        hmac.compare_digest(sign(signed, secret).encode(), each.encode()) for secret in secrets for each in given
    ):
        return "wrong signature"
    if message in seen:
        return "seen before"
    seen.add(message)
    return ""


def sign(signed, secret):
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def is_signed_as_rdv(body, header, secrets):
    """Check X-Lapin-Signature, for receivers written for RDV Service Public. It says nothing about when."""
    return any(
        hmac.compare_digest(hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode(), header.encode())
        for secret in secrets
    )


if __name__ == "__main__":
    known = os.environ["WEBHOOK_SECRETS"].split(",")
    for line in sys.stdin:
        came = json.loads(line)
        raw = came["body"].encode()
        why = refusal_of(came["headers"], raw, known, time.time(), SEEN)
        if not why and not is_signed_as_rdv(raw, came["headers"].get("X-Lapin-Signature", ""), known):
            why = "wrong X-Lapin-Signature"
        print("refused: " + why if why else "genuine", flush=True)

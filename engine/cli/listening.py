"""A receiver of webhooks on this machine that prints what comes, for `webhooks listen`."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import typer

from engine.cli.output import note
from engine.webhooks.signature import sign_hex, sign_standard

TOLERANCE_SECONDS = 300
"""How old a timestamp may be (Standard Webhooks recommends five minutes)."""

BODY_BYTES_MAX = 10 * 1024 * 1024


def check(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], header: str, now: float) -> list[str]:
    """Return what is wrong with a message's signatures; nothing when it has been signed by one of *secrets*."""
    faults = []
    named = {name.lower(): value for name, value in headers.items()}
    given = [named.get(name, "") for name in (header.lower(), f"{header.lower()}-next")]
    if not any(_is_same(sign_hex(body, secret), each) for secret in secrets for each in given):
        faults.append(f"{header} is wrong")
    message_id, timestamp = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return [*faults, "webhook-timestamp is missing or too old"]
    wanted = [sign_standard(message_id, int(timestamp), body, secret) for secret in secrets]
    if not any(_is_same(each, sent) for each in wanted for sent in named.get("webhook-signature", "").split()):
        faults.append("webhook-signature is wrong")
    return faults


def _is_same(wanted: str, given: str) -> bool:
    return hmac.compare_digest(wanted.encode(), given.encode())


def open_listener(
    port: int, *, secrets: Sequence[str], header: str, status: int, tell: Callable[[str], None]
) -> ThreadingHTTPServer:
    """Return a server on loopback that tells each message in lines; whoever asks runs it."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(min(length, BODY_BYTES_MAX))
            for line in describe(dict(self.headers.items()), body, secrets=secrets, header=header, now=time.time()):
                tell(line)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return None

    return ThreadingHTTPServer(("127.0.0.1", port), Receiver)


def describe(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], header: str, now: float) -> list[str]:
    """Return the lines that tell of a message: what it is, whether it is signed, and what it says."""
    try:
        document = json.loads(body)
        meta = document["meta"]
        head = f"{meta['model']}.{meta['event']} because of {meta['webhook_reason']} at {meta['timestamp']}"
        shown = json.dumps(document["data"], ensure_ascii=False, indent=2)
    except (ValueError, KeyError, TypeError):
        head, shown = "a body that is no webhook", body[:2000].decode("utf-8", "replace")
    message_id = next((value for name, value in headers.items() if name.lower() == "webhook-id"), "without an id")
    faults = check(headers, body, secrets=secrets, header=header, now=now) if secrets else []
    verdict = (
        ("NOT GENUINE: " + "; ".join(faults) if faults else "signature good") if secrets else "signature unchecked"
    )
    return [f"{head}  [{message_id}, {verdict}]", shown]


def serve(port: int, *, secrets: Sequence[str], header: str, status: int) -> None:
    """Receive until Ctrl-C."""
    with open_listener(port, secrets=secrets, header=header, status=status, tell=typer.echo) as server:
        note(f"listening on http://127.0.0.1:{server.server_address[1]}/ and answering {status}; Ctrl-C ends it")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            note("done")

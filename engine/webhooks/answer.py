"""Which answers to a webhook count as taken."""

from __future__ import annotations

import re

_HTML = re.compile(rb"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


def answer_error(status: int, content_type: str, body: bytes) -> str | None:
    """
    Return why an answer does not count as taken; None when it does: any 2xx that is no web page.

    A page behind a 200 is a firewall's or a sign-in form's, not the receiver's (betagouv/rdv-service-public,
    app/jobs/webhook_job.rb). A redirect is not followed: the signature is for this address, and the next one was not
    looked at.
    """
    if 300 <= status < 400:
        return f"HTTP {status}: a redirect, which is not followed; set the endpoint’s address to where it leads"
    if not 200 <= status < 300:
        return f"HTTP {status}"
    if content_type.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml") or _HTML.match(
        body.removeprefix(b"\xef\xbb\xbf")
    ):
        return f"HTTP {status} with a web page: a firewall or a sign-in form answered, not the receiver"
    return None

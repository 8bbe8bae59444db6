"""One request to the simulated Outlook, as a person's client makes it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from engine.errors import Unreachable

SECONDS = 30.0
TOKEN = "demo"
"""The simulated tenant's fixed token; it opens nothing else."""

Ask = Callable[[str, str, bytes | None], tuple[int, bytes]]
"""`ask(method, url, body)` gives status and body."""


def ask_over_http(method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
    """Make one request, past any proxy. Raises Unreachable when nobody answers."""
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import ProxyHandler, Request, build_opener

    headers = {"Authorization": f"Bearer {token_for(url)}", "Content-Type": "application/json"}
    try:
        request = Request(url, body, headers, method=method)
        with build_opener(ProxyHandler({})).open(request, timeout=SECONDS) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()
    except (URLError, HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        message = f"no simulated Outlook answers at {url}: {reason}; start it with run or simulate serve"
        raise Unreachable(message) from error


def token_for(url: str) -> str:
    """Return the token to ask *url* with: in somebody's mailbox their own, so that no permission is needed."""
    _, _, rest = url.partition("/v1.0/users/")
    return f"{TOKEN}:{unquote(rest.partition('/')[0])}" if rest else TOKEN

"""Where a request says that it comes from, and whether that is this very machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from starlette.requests import Request

FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""A request with one of these came through a proxy: that the proxy is on loopback says nothing about its caller."""


def is_local(request: Request) -> bool:
    """Tell whether nobody but a program on this machine can have sent *request*."""
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    return is_loopback_address(request.client.host)


def is_loopback_address(host: str) -> bool:
    """Tell whether *host*, an address or `localhost`, means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def split_address(address: str) -> SplitResult:
    """Return the parts of the *address* in a header, none where it cannot be one: callers send what they like."""
    try:
        return urlsplit(address)
    except ValueError:  # brackets that hold no IPv6 address
        return urlsplit("")

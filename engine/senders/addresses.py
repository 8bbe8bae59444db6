"""Which addresses a name has."""

from __future__ import annotations

import socket


def look_up(host: str) -> tuple[str, ...]:
    """Return the numeric addresses of a host's name, itself when it is one; none when nobody knows the name now."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))

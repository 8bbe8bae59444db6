"""Slowing down who fails again and again: wrong tokens, wrong feeds, and sign-ins that come to nothing.

Who succeeds is never counted. Each address may fail `BURST` times at once and once every `PAUSE` after that; an IPv6
network of one customer (/64) counts as one address.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from datetime import datetime, timedelta

from engine.web.pace import Pace

BURST = 20
PAUSE = timedelta(seconds=3)

UNKNOWN = "unknown"


class Failures:
    """How often each address failed of late. Lives in this process; threads share it.

    Args:
        now: the clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._pace = Pace(now, burst=BURST, pause=PAUSE)

    def wait(self, address: str | None) -> timedelta:
        """Return how long *address* has to wait before it may try again; zero when it may at once."""
        return self._pace.wait(_network(address))

    def note(self, address: str | None) -> None:
        """Remember that *address* failed."""
        self._pace.note(_network(address))


def _network(address: str | None) -> str:
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return UNKNOWN
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))

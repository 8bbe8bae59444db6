"""Slowing down who fails again and again: wrong tokens, and sign-ins that come to nothing.

Who succeeds is never counted. Each address may fail `BURST` times at once and once every `PAUSE` after that; an IPv6
network of one customer (/64) counts as one address.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

BURST = 20
PAUSE = timedelta(seconds=3)
ADDRESSES_MAX = 10_000
"""How many addresses are remembered; beyond that, those whose failures are forgiven soonest are forgotten."""

UNKNOWN = "unknown"


class Failures:
    """How often each address failed of late. Lives in this process; threads share it.

    Args:
        now: the clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._forgiven_at: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def wait(self, address: str | None) -> timedelta:
        """Return how long *address* has to wait before it may try again; zero when it may at once."""
        with self._lock:
            forgiven_at = self._forgiven_at.get(_network(address))
        if forgiven_at is None:
            return timedelta(0)
        return max(timedelta(0), forgiven_at - self._now() - (BURST - 1) * PAUSE)

    def note(self, address: str | None) -> None:
        """Remember that *address* failed."""
        now, network = self._now(), _network(address)
        with self._lock:
            self._forgiven_at[network] = max(now, self._forgiven_at.get(network, now)) + PAUSE
            if len(self._forgiven_at) > ADDRESSES_MAX:
                self._forget(now)

    def _forget(self, now: datetime) -> None:
        kept = sorted(((at, name) for name, at in self._forgiven_at.items() if at > now), reverse=True)
        self._forgiven_at = {name: at for at, name in kept[: ADDRESSES_MAX // 2]}


def _network(address: str | None) -> str:
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return UNKNOWN
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))

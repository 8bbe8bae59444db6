"""Where webhooks may go, by the settings: what adding an endpoint and sending to it both ask."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from engine.errors import Fault
from engine.senders import addresses
from engine.settings import Settings
from engine.webhooks.guard import LOOPBACK, Network, destination_fault, parse_networks


def allowed_networks(settings: Settings) -> tuple[Network, ...]:
    """Return the networks that may be called although they are not public."""
    return parse_networks(settings.webhooks.allowed_networks) + (LOOPBACK if settings.simulated else ())


def destination_check(settings: Settings) -> Callable[[str], Fault | None]:
    """Return what tells why nothing would be sent to a well-formed address. It looks up names, outside transactions."""
    allowed = allowed_networks(settings)

    def check(url: str) -> Fault | None:
        host = urlsplit(url).hostname or ""
        return destination_fault(url, addresses.look_up(host), allowed=allowed)

    return check

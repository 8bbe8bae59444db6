"""Which addresses a webhook may be sent to: public ones, and networks that whoever runs this engine has allowed.

Whoever may set up an endpoint chooses where this machine sends requests, so an endpoint must not reach what only this
machine can: other services on it, neighbours in its network, the metadata service of its cloud.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from engine.errors import Fault

Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
"""Allowed beside the simulated tenant, so that receivers can be tried on one machine."""

_NAT64 = IPv6Network("64:ff9b::/96")


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Return the networks that *texts* name, such as `10.20.0.0/16`. Raises ValueError."""
    return tuple(ip_network(text.strip()) for text in texts)


def refusal_of(address: str, *, is_secure: bool, allowed: Sequence[Network]) -> str | None:
    """
    Return why nothing may be sent to the numeric *address*; None when it may.

    *is_secure* says whether the connection is encrypted: over the public internet it must be.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return f"{address} is no address"
    meant = _embedded(found)
    if any(meant in network for network in allowed if network.version == meant.version):
        return None
    if not _is_public(meant) or not _is_public(found):
        return f"{found} is not a public address; webhooks.allowed_networks can allow it"
    if not is_secure:
        return "over the internet only https is spoken"
    return None


def destination_fault(url: str, addresses: Sequence[str], *, allowed: Sequence[Network]) -> Fault | None:
    """
    Return why nothing would ever be sent to a well-formed *url*, so that nobody sets up an endpoint in vain.

    *addresses* are those that its name has now, none when nobody knows. It is said again at every try: names change.
    """
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    for address in addresses:
        refusal = refusal_of(address, is_secure=is_secure, allowed=allowed)
        if refusal is not None:
            is_about_place = refusal_of(address, is_secure=True, allowed=allowed) is not None
            prefix = "" if address == parts.hostname or not is_about_place else f"{parts.hostname} leads there: "
            return Fault("url", "address_not_public" if is_about_place else "not_https", prefix + refusal)
    return None


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _NAT64):
        return True  # only a wrapping: what is inside counts
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one only wraps (mapped, NAT64, 6to4, Teredo); else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None) or address

"""
Time zones by the names Graph uses: Windows names, IANA names, and its own `tzone://` forms.

Source: Graph docs, dateTimeTimeZone and event (`tzone://Microsoft/Custom` for a legacy custom zone). Windows names
are mapped to IANA by CLDR's table, as tzlocal ships it.
"""

from __future__ import annotations

from datetime import UTC, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import tz_win, win_tz

_UTC_NAMES = frozenset({"utc", "etc/utc", "gmt", "z", "tzone://microsoft/utc", "coordinated universal time"})
_WINDOWS = {name.lower(): iana for name, iana in win_tz.items()}


@lru_cache(maxsize=512)
def find_zone(name: str) -> tzinfo | None:
    """Return the zone called *name*, without regard to case for Windows names; None when nobody knows it."""
    folded = name.strip().lower()
    if folded in _UTC_NAMES:
        return UTC
    iana = iana_name(name)
    try:
        return ZoneInfo(iana) if iana else None
    except (KeyError, ValueError, OSError):
        return None


def known_zone_name(name: str) -> str:
    """Return the IANA name of the zone called *name*; "" when nobody knows it."""
    zone = find_zone(name)
    return zone.key if isinstance(zone, ZoneInfo) else "UTC" if zone is not None else ""


def windows_name(iana: str) -> str:
    """Return the Windows name of an IANA zone, which every part of Exchange knows; *iana* itself where it has none."""
    return tz_win.get(iana, iana)


def iana_name(name: str) -> str | None:
    """Return the IANA name for a Windows one, or else *name* itself; None when it is no name."""
    text = name.strip()
    if not text or text.lower().startswith("tzone://"):
        return None
    return _WINDOWS.get(text.lower(), text)

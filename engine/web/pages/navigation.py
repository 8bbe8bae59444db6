"""What the navigation offers. A page that is there has its line here; there are no dead links."""

from __future__ import annotations

from dataclasses import dataclass

from engine.web.access import Role


@dataclass(frozen=True, slots=True)
class Entry:
    """One page in the navigation. `label` is English, translated where it is shown; `icon` is in icons.svg."""

    key: str
    path: str
    label: str
    icon: str
    least: Role = Role.REQUESTER
    only_simulated: bool = False


def N_(text: str) -> str:
    """Mark a text for the catalogues."""
    return text


ENTRIES = (Entry("board", "/board", N_("Board"), "calendar-range"),)


def navigation_for(role: Role, *, simulated: bool) -> list[Entry]:
    """Return the entries for one role, in their order."""
    return [entry for entry in ENTRIES if role.includes(entry.least) and (simulated or not entry.only_simulated)]

"""Names in the settings that nothing here has: misspelt, most likely, so they are told and never just match nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

NEAR_MAX = 3
NEAR_ENOUGH = 0.6
"""How alike names must be to be offered, from 0 to 1 (difflib's ratio): a letter or two of a short word."""


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A name that a setting has and nothing else, with the names it may have meant, the likeliest first."""

    setting: str
    """As in `settings.toml`: `view.rooms`."""
    name: str
    near: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What a log says of it, in English."""
        return f"{self.setting}: {self.fault}"

    @property
    def fault(self) -> str:
        """The same to somebody who has just set it."""
        meant = f"; did you mean {' or '.join(self.near)}?" if self.near else ""
        return f"there is no {self.name!r}{meant}"


def find_unknown(
    setting: str, wanted: Iterable[str], known: Iterable[str], *, only_with_near: bool = False
) -> Iterator[UnknownName]:
    """
    Yield the names of *wanted* that are not among *known*; case and outer spaces do not count.

    With *only_with_near* only those that look like a known one: the others may well be meant for what is still to come.
    """
    names = {fold(name): name for name in known}
    for name in wanted:
        if fold(name) in names:
            continue
        near = tuple(names[each] for each in get_close_matches(fold(name), names, n=NEAR_MAX, cutoff=NEAR_ENOUGH))
        if near or not only_with_near:
            yield UnknownName(setting, name.strip(), near)


def fold(name: str) -> str:
    """Return a name as names are compared."""
    return name.strip().casefold()

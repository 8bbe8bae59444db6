"""When a room is read whose notifications keep coming: late enough to find all of one change, soon enough for people.

What one person does sends a room one to four notifications (microsoft-graph-docs-contrib issue 6727): the request is
placed, and moments later the room answers and rewrites it. A first notice of an event is therefore rarely the last, and
whoever reads at once reads twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class GatherRule:
    """How long notifications of one room are gathered."""

    quiet: timedelta
    """How long nothing must have come, once every event that was named seems settled."""
    longest: timedelta
    """How long after the first notice the room is read, whatever has come; shorter than `quiet`: as long as that."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one notice says of an event. `event_id` None: nobody knows which."""

    event_id: str | None
    change_type: str
    etag: str | None


@dataclass(frozen=True, slots=True)
class Gathering:
    """The different things that notices of one room have told since it was due to be read."""

    began_at: datetime
    told: frozenset[Told] = frozenset()

    def with_more(self, told: Iterable[Told]) -> Gathering:
        """Return the gathering with further notices; one that comes twice counts once."""
        return Gathering(self.began_at, self.told.union(told))

    @property
    def is_settled(self) -> bool:
        """Tell whether no event is likely to be heard of again: each has ended, or was told in two versions."""
        named: dict[str, int] = {}
        for told in self.told:
            if told.event_id is not None:
                named[told.event_id] = named.get(told.event_id, 0) + (2 if told.change_type == "deleted" else 1)
        return all(count >= 2 for count in named.values())

    def read_at(self, rule: GatherRule, now: datetime) -> datetime:
        """Say when to read the room, a notice having come *now*: never later than the rule's longest, however many."""
        latest = self.began_at + max(rule.longest, rule.quiet)
        return min(latest, now + rule.quiet) if self.is_settled else latest

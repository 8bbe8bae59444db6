"""What one transaction changed, for those who are owed word of it: noted on the way, told just before the commit.

    transaction.changes.note(LOAN, 12, Event.UPDATED)            whoever writes the row says so
    transaction.changes.explain(12, "changed_in_app", "app:ann") whoever writes the history says why

A thing that is written several times in one transaction is told once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

LOAN, ROOM, CASE, CLOSURE = "loan", "room", "case", "closure"
"""What changes are about; the number is the loan's, the room's (closures too) or the case's."""

USER, OUTLOOK, CLOCK, ENGINE, BACKFILL, RETENTION, ERASURE = (
    "user",
    "outlook",
    "clock",
    "engine",
    "backfill",
    "retention",
    "erasure",
)
"""Why: a person acted in the app, Outlook says so, time passed, the engine decided, meetings from before were brought
in, personal data was removed because it is old, or because somebody asked."""


class Event(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed. `was` is how it was before it was destroyed, as whoever destroyed it holds it."""

    model: str
    number: int
    event: Event
    reason: str
    actor: str = ENGINE
    was: object = None


@dataclass(frozen=True, slots=True)
class _Noted:
    event: Event
    reason: str | None
    was: object


class Changes:
    """What one transaction changed so far."""

    def __init__(self) -> None:
        self._noted: dict[tuple[str, int], _Noted] = {}
        self._why: dict[int, tuple[str, str]] = {}

    def note(self, model: str, number: int, event: Event, *, reason: str | None = None, was: object = None) -> None:
        """Note that a thing was made, changed or taken away. Without *reason*, its history tells why."""
        key = (model, number)
        before = self._noted.get(key)
        if before is not None and event is Event.UPDATED:
            event, was = before.event, before.was
        elif before is not None and before.event is Event.CREATED and event is Event.DESTROYED:
            del self._noted[key]  # made and taken away within one transaction: nobody ever saw it
            return
        self._noted[key] = _Noted(event, reason or (before.reason if before else None), was)

    def explain(self, loan_number: int | None, code: str, actor: str) -> None:
        """Note a line of a loan's history: the last one of the transaction says why the loan changed."""
        if loan_number is not None:
            self._why[loan_number] = (code, actor)

    def __bool__(self) -> bool:
        return bool(self._noted)

    def __iter__(self) -> Iterator[Change]:
        """Yield what changed, in the order in which it was noted."""
        for (model, number), noted in self._noted.items():
            code, actor = self._why.get(number, ("", ENGINE)) if model == LOAN else ("", ENGINE)
            yield Change(model, number, noted.event, noted.reason or reason_of(code, actor), actor, noted.was)

    def copy(self) -> Changes:
        """Return another recorder with the same in it."""
        other = Changes()
        other._noted, other._why = dict(self._noted), dict(self._why)
        return other


_CLOSED = ((ROOM, Event.UPDATED), (CLOSURE, Event.CREATED))
_OPENED = ((ROOM, Event.UPDATED), (CLOSURE, Event.DESTROYED))

ROOM_EVENTS: Mapping[str, Sequence[tuple[str, Event]]] = MappingProxyType(
    {
        "room_added": ((ROOM, Event.CREATED),),
        "room_changed": ((ROOM, Event.UPDATED),),
        "room_moved_to_store": ((ROOM, Event.UPDATED),),
        "rules_changed": ((ROOM, Event.UPDATED),),
        "room_excluded": _CLOSED,
        "room_missing": _CLOSED,
        "room_suspended": _CLOSED,
        "room_included": _OPENED,
        "room_found": _OPENED,
        "room_resumed": _OPENED,
    }
)
"""What lines of a room's history tell. While a room is not active it has a closure: nothing is booked in it by us."""


def reason_of(code: str, actor: str) -> str:
    """Return why something changed, from the line of history it left."""
    if code.startswith("backfill"):
        return BACKFILL
    if actor.startswith("app:"):
        return USER
    return actor if actor in (OUTLOOK, CLOCK) else ENGINE

"""How far Outlook's side of a loan is, as last read: for people who compare both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from engine.ids import Address, LoanNumber
from engine.interval import Interval


class Standing(StrEnum):
    """How loan and meeting stand to each other."""

    UNWRITTEN = "unwritten"
    """There is no meeting yet, or a write to it is under way."""
    REFUSED = "refused"
    """There is no meeting: Outlook refused it, and a case says why."""
    LINKED = "linked"
    ENDED = "ended"
    """One side ended, and the other with it."""
    LEFT = "left"
    """The meeting goes its own way."""


@dataclass(frozen=True, slots=True)
class RoomSide:
    """What one room's own calendar has. `live`: it is in there, and not declined or gone."""

    name: str
    interval: Interval
    live: bool


@dataclass(frozen=True, slots=True)
class OutlookSide:
    """The meeting of a loan. `written_at`: when we last wrote it; None: only people have. Ended, it has no rooms."""

    standing: Standing
    organizer: Address | None
    web_link: str | None
    written_at: datetime | None
    rooms: tuple[RoomSide, ...] = ()

    def differs_from(self, interval: Interval) -> bool:
        """Tell whether a room that has it in its calendar has another time."""
        return any(room.live and room.interval != interval for room in self.rooms)


class SideShelf(Protocol):
    def outlook_side(self, number: LoanNumber) -> OutlookSide | None:
        """Return Outlook's side of a loan; None when it never had any."""
        ...


def standing_of(state: str, *, is_writing: bool, is_refused: bool = False) -> Standing:
    """Return the standing of a link in *state*; *is_refused*: Outlook refused its event."""
    if state == "pending" and is_refused and not is_writing:
        return Standing.REFUSED
    if state == "pending" or (is_writing and state == "linked"):
        return Standing.UNWRITTEN
    return {"ended": Standing.ENDED, "left": Standing.LEFT}.get(state, Standing.LINKED)


def one_per_room(rooms: Sequence[RoomSide]) -> tuple[RoomSide, ...]:
    """Return one line per room: what is live before what is not."""
    found: dict[str, RoomSide] = {}
    for room in sorted(rooms, key=lambda room: (room.name, not room.live, room.interval)):
        found.setdefault(room.name, room)
    return tuple(found.values())

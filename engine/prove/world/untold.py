"""What happens in a world's tenant that nobody tells the engine, and judges have to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Untold:
    """Meetings by their uid, rooms by their number, people by their address."""

    handed_over: set[str] = field(default_factory=set)
    """Meetings that an administrator gave to somebody else: until a room tells, nobody knows who has them."""
    dropped_unasked: set[tuple[int, str]] = field(default_factory=set)
    """What left a room that no other room's copy names while its organizer's mailbox was closed: given back, or taken
    out of the meeting, for all that anybody can tell."""
    emptied: dict[tuple[int, str], datetime] = field(default_factory=dict)
    """What a room's calendar held, or was asked for, when it was deleted, to be set up anew; and what was forwarded to
    a room, or silently rejected in it, which no other room's copy tells, and left it. With when that was, by the
    engine's clock."""
    closed: set[str] = field(default_factory=set)
    """Whose mailbox was closed at some time: what was to be written there then was refused, and a case told so."""
    left_by_plan: set[str] = field(default_factory=set)
    """Meetings from before the engine that the last plan to bring them in leaves, and says why."""

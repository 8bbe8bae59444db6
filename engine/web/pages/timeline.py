"""The board as values: a stretch of days, the rooms in their groups, and entries in minutes since its first midnight.

Minutes are those of the wall clock in the building's zone, so that 9 o'clock is at the same place on every day, the
days on which clocks change included. Pure: the handler reads, this module arranges, the browser draws.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from engine.interval import Interval, ceil_to_grid, floor_to_grid
from engine.loans.board import BoardEntry, BoardMeeting
from engine.loans.status import BLOCKING_STATUSES
from engine.rooms.room import Room, RoomState
from engine.web.pages.users import User

DAY_MINUTES = 24 * 60


class View(StrEnum):
    DAY = "day"
    WEEK = "week"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Span:
    """The days a view shows, in one zone."""

    first: date
    days: int
    zone: ZoneInfo

    @property
    def interval(self) -> Interval:
        return Interval(self.midnight(0), self.midnight(self.days))

    @property
    def dates(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.days)]

    def midnight(self, number: int) -> datetime:
        """Return the instant at which day *number* begins."""
        return datetime.combine(self.first + timedelta(days=number), time(0), self.zone).astimezone(UTC)

    def minute(self, instant: datetime) -> int:
        """Return the minutes of the wall clock from the first midnight to *instant*; negative before it."""
        local = instant.astimezone(self.zone)
        return (local.date() - self.first).days * DAY_MINUTES + local.hour * 60 + local.minute

    def instant(self, minute: int) -> datetime:
        """Return the instant at *minute*. One that the clock skips lies where the clock would have been."""
        day, rest = divmod(minute, DAY_MINUTES)
        local = datetime.combine(self.first + timedelta(days=day), time(rest // 60, rest % 60), self.zone)
        return local.astimezone(UTC)


def span_of(view: View, day: date, zone: ZoneInfo) -> Span:
    """Return the days *view* shows around *day*: that day, or its week from Monday on."""
    if view is View.WEEK:
        return Span(day - timedelta(days=day.weekday()), 7, zone)
    return Span(day, 1, zone)


# --- rooms --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rooms to show. Empty fields show all."""

    people: int = 0
    features: frozenset[str] = frozenset()
    store: int = 0
    words: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.people or self.features or self.store or self.words)

    def takes(self, room: Room) -> bool:
        """Tell whether *room* is shown. A room of unknown size seats nobody for sure, so it is left out."""
        if self.people and (room.capacity or 0) < self.people:
            return False
        if self.store and room.store_id != self.store:
            return False
        if not self.features <= {*room.tags, *room.features}:
            return False
        text = " ".join((room.name, room.building or "", *room.tags)).casefold()
        return all(word in text for word in self.words.casefold().split())


@dataclass(frozen=True, slots=True)
class Group:
    """Rooms of one building and floor. Both empty: rooms that tell neither."""

    building: str
    floor: str
    rooms: tuple[Room, ...]


def shown_rooms(rooms: Iterable[Room]) -> list[Room]:
    """Return the rooms that take part: excluded ones are left alone and not shown."""
    return [room for room in rooms if room.state is not RoomState.EXCLUDED]


def group_rooms(rooms: Iterable[Room]) -> list[Group]:
    """Return *rooms* by building and floor, each in the order people count in: 2 before 10, unknown places last."""
    groups: dict[tuple[str, str], list[Room]] = {}
    for room in rooms:
        groups.setdefault((room.building or "", room.floor or ""), []).append(room)
    keys = sorted(groups, key=lambda key: (key[0] == "", natural(key[0]), key[1] == "", natural(key[1])))
    return [Group(*key, tuple(sorted(groups[key], key=lambda room: (natural(room.name), room.id)))) for key in keys]


def natural(text: str) -> list[tuple[int, int, str]]:
    """Return a sort key that reads numbers in *text* as numbers."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts if part]


def all_features(rooms: Iterable[Room]) -> list[str]:
    """Return every tag and feature there is, each once."""
    return sorted({word for room in rooms for word in (*room.tags, *room.features)}, key=str.casefold)


# --- entries ------------------------------------------------------------------------------------------------------

Shown = dict[str, object]


def show_entry(entry: BoardEntry, span: Span, user: User) -> Shown:
    """
    Return an entry as the browser draws it, with what *user* may know.

    Keys are short, since there may be thousands: `id`, `n` loan, `r` room, `s` and `e` exact start and end, `b` and `f`
    what it blocks, `h` whether it holds the room, `st` item state, `ls` loan status, `hm` home, `t` title, `w` who,
    `v` version, `m` whether it may be moved, `q` whether it is of a series, `p` private, `o` own.
    """
    reads = user.may_read(entry.address, private=entry.private)
    movable = user.may_change(entry.address) and entry.status in BLOCKING_STATUSES
    shown: Shown = {
        "id": f"{entry.number}-{entry.room_id}",
        "n": entry.number if reads or user.may_change(entry.address) else 0,
        "r": entry.room_id,
        "s": span.minute(entry.interval.start),
        "e": span.minute(entry.interval.end),
        "b": span.minute(entry.blocked.start),
        "f": span.minute(entry.blocked.end),
        "h": int(entry.holds),
        "st": entry.state.value,
        "ls": entry.status.value,
        "hm": entry.home.value,
        "v": entry.version,
    }
    if reads:
        shown |= {"t": entry.title, "w": entry.requester}
    else:
        shown["p"] = 1
    shown |= {
        key: 1 for key, yes in (("m", movable), ("q", entry.is_series), ("o", user.is_address(entry.address))) if yes
    }
    return shown


def show_meeting(meeting: BoardMeeting, span: Span, order: int) -> Shown:
    """Return a meeting without a loan: a taken stretch, nothing else."""
    return {
        "id": f"m{order}",
        "n": 0,
        "r": meeting.room_id,
        "s": span.minute(meeting.interval.start),
        "e": span.minute(meeting.interval.end),
        "b": span.minute(floor_to_grid(meeting.interval.start)),
        "f": span.minute(ceil_to_grid(meeting.interval.end)),
        "h": 1,
        "st": "accepted",
        "ls": "meeting",
        "hm": "outlook",
        "p": 1,
    }


def show_all(
    entries: Iterable[BoardEntry], meetings: Iterable[BoardMeeting], span: Span, user: User, room_ids: Sequence[int]
) -> list[Shown]:
    """Return everything in the rooms shown, by start."""
    wanted = set(room_ids)
    shown = [show_entry(entry, span, user) for entry in entries if entry.room_id in wanted]
    ordered = sorted(meetings, key=lambda meeting: (meeting.interval, meeting.room_id))
    shown += [show_meeting(m, span, order) for order, m in enumerate(ordered) if m.room_id in wanted]
    return sorted(shown, key=lambda item: (item["s"], item["id"]))

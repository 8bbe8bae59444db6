"""The board as values: a stretch of days, the rooms in their groups, and entries in minutes since its first midnight.

Minutes are those of the wall clock in the building's zone, so that 9 o'clock is at the same place on every day, the
days on which clocks change included. Pure: the handler reads, this module arranges, the browser draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from operator import itemgetter
from types import MappingProxyType
from zoneinfo import ZoneInfo

from engine.folding import holds_words
from engine.interval import Interval
from engine.loans.board import BoardEntry, BoardMeeting
from engine.loans.loan import Home
from engine.loans.status import ItemState, LoanStatus, is_past_changing
from engine.rooms.room import Room, RoomState, natural, sort_by_name
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
        """Return the whole minutes of the wall clock from the first midnight to *instant*; negative before it."""
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
        has = {word.casefold() for word in (*room.tags, *room.features)}
        if not {word.casefold() for word in self.features} <= has:
            return False
        return holds_words(" ".join((room.name, room.building or "", *room.tags)), self.words)


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
    return [Group(*key, tuple(sort_by_name(groups[key]))) for key in keys]


def all_features(rooms: Iterable[Room]) -> list[str]:
    """Return every tag and feature there is, each once, however it is spelled."""
    words = sorted(
        {word for room in rooms for word in (*room.tags, *room.features)}, key=lambda word: (word.casefold(), word)
    )
    return list({word.casefold(): word for word in words}.values())


# --- entries ------------------------------------------------------------------------------------------------------

Shown = dict[str, object]

USUAL: Mapping[str, object] = MappingProxyType({"h": 1, "st": "accepted", "ls": "new", "hm": "outlook"})
"""What is left out of an entry when it is so: there may be thousands."""


class Minutes(dict[datetime, int]):
    """The minutes of a span, worked out once per instant: many bookings begin and end together."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def __missing__(self, instant: datetime) -> int:
        minute = self[instant] = self._span.minute(instant)
        return minute


def show_entry(entry: BoardEntry, minutes: Minutes, user: User, now: datetime) -> Shown:
    """
    Return an entry as the browser draws it at *now*, with what *user* may know.

    Keys are short: `n` loan (0: not to be opened), `r` room, `s` and `e` exact start and end, `v` version, `t` title,
    `w` who for, `p` private, `m` may be moved, `q` of a series, `o` own; and, unless as in `USUAL`, `h` whether it
    holds the room, `st` item state, `ls` loan status, `hm` home.
    """
    reads = user.may_read(entry.address, private=entry.private)
    may_change = user.may_change(entry.address, entry.store_id)
    shown: Shown = {
        "n": entry.number if reads or may_change else 0,
        "r": entry.room_id,
        "s": minutes[entry.interval.start],
        "e": minutes[entry.interval.end],
        "v": entry.version,
    }
    if reads:
        shown["t"], shown["w"] = entry.title, entry.requester
    else:
        shown["p"] = 1
    if may_change and not is_past_changing(entry.status, entry.interval.end, now=now):
        shown["m"] = 1
    if entry.is_series:
        shown["q"] = 1
    if user.is_address(entry.address):
        shown["o"] = 1
    if not entry.holds:
        shown["h"] = 0
    if entry.state is not ItemState.ACCEPTED:
        shown["st"] = entry.state.value
    if entry.status is not LoanStatus.NEW:
        shown["ls"] = entry.status.value
    if entry.home is not Home.OUTLOOK:
        shown["hm"] = entry.home.value
    return shown


def show_meeting(meeting: BoardMeeting, minutes: Minutes) -> Shown:
    """Return a meeting of which no loan has the room: a taken stretch, nothing else."""
    start, end = minutes[meeting.interval.start], minutes[meeting.interval.end]
    return {"n": 0, "r": meeting.room_id, "s": start, "e": end, "v": 0, "p": 1, "ls": "meeting"}


def show_all(
    entries: Iterable[BoardEntry],
    meetings: Iterable[BoardMeeting],
    span: Span,
    user: User,
    room_ids: Iterable[int],
    *,
    now: datetime,
) -> list[Shown]:
    """Return everything in the rooms shown, by start."""
    wanted, minutes = set(room_ids), Minutes(span)
    shown = [show_entry(entry, minutes, user, now) for entry in entries if entry.room_id in wanted]
    shown += [show_meeting(meeting, minutes) for meeting in meetings if meeting.room_id in wanted]
    return sorted(shown, key=itemgetter("s", "r", "n"))

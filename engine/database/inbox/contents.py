"""What notifications bring of events, saved instead of reading their room, where `reconcile.contents` allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Protocol

from sqlalchemy import and_, bindparam, select, update

from engine.database.inbox.gatherings import Gatherings
from engine.database.mirror.mirror import copy_table, load_known, write_copies
from engine.database.rooms.book import RoomCache
from engine.database.rooms.copies import is_live, make_row
from engine.database.sql.marks import Priority
from engine.database.sql.prepared import Prepared
from engine.database.sql.transaction import Transaction
from engine.database.tables import metadata
from engine.database.tables.types import Instant
from engine.database.work.meeting_marks import MeetingMarks
from engine.ids import BookableId, EventId
from engine.interval import Interval
from engine.reconcile.contents import KnownCopy, is_alone, is_usable, newest_of, seen_at, told_in_full
from engine.reconcile.gathering import GatherRule, Told
from engine.reconcile.ledger import SyncRules
from engine.reconcile.observe import resolve_interval
from engine.rooms.event import EventCopy
from engine.rooms.room import RoomBook, RoomState

room_table = metadata.tables["room"]
notification_table = metadata.tables["notification"]

_READING = Prepared(select(
    room_table.c.state, room_table.c.delta_link, room_table.c.reading,
    room_table.c.window_start, room_table.c.window_end, room_table.c.read_at,
).where(room_table.c.id == bindparam("room")))  # fmt: skip
_c = copy_table.c
_BESIDE = Prepared(
    select(_c.start_at, _c.end_at).where(
        _c.room_id == bindparam("room"),
        _c.live,
        _c.end_at > bindparam("start", type_=Instant()),
        _c.start_at < bindparam("end", type_=Instant()),
        _c.event_id.not_in(bindparam("ids", expanding=True)),
    )
)
_n = notification_table.c
_DELETED = Prepared(
    select(_n.event_id).where(
        _n.room_id == bindparam("room"),
        _n.change_type == "deleted",
        _n.event_id.in_(bindparam("ids", expanding=True)),
    )
)
_unshown = and_(
    _c.room_id == bindparam("room"), _c.unconfirmed, _c.observed_at < bindparam("before", type_=Instant())
)  # fmt: skip
_UNSHOWN = Prepared(select(_c.ical_uid).where(_unshown))
_DOUBT_UNSHOWN = Prepared(update(copy_table).where(_unshown).values(doubt=True, unconfirmed=False))

News = tuple[Told, EventCopy | None]
"""A notice, and the event that it brings, if it is of use."""


class ContentReader(Protocol):
    """Opens what notifications bring."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many were opened, or why not, since the start."""
        ...

    def read(self, sealed: Mapping[str, Any], tokens: Sequence[str], *, event_id: str) -> EventCopy | None:
        """Return the copy; None unless it is beyond doubt Graph's, of that event, and complete."""
        ...


class Contents:
    """
    Takes over what notifications bring.

    Args:
        reader: opens it.
        rooms, rules: as the ledger has them.
        gather: how long a booking waits for a further notification of its event.
    """

    def __init__(
        self,
        rooms: RoomCache,
        rules: Callable[[], SyncRules],
        *,
        reader: ContentReader,
        gather: GatherRule,
    ) -> None:
        self._rooms = rooms
        self._rules = rules
        self._gatherings = Gatherings(gather)
        self.reader = reader

    def catch_up(self) -> None:
        """Have rooms and rules at hand, as they are now: within a transaction only what was read before counts."""
        self._rooms.current_book()
        self._rules()

    def take(self, transaction: Transaction, room: int, news: Sequence[News]) -> list[Told]:
        """
        Save what *news* of *room* bring and may stand for a reading of it, and mark the bookings of these events for
        when nothing more is likely to be told. Returns the notices for which the room has to be read all the same.
        """
        told = [each for each, _ in news]
        usable = self._usable(transaction, BookableId(room), newest_of(told_in_full(news)))
        if not usable:
            return told
        due_at = self._gatherings.due_at(room, told, now=transaction.now)
        delay = (due_at - transaction.now).total_seconds()
        marks = MeetingMarks(transaction, priority=Priority.LIVE, delay=delay, postpones=True)
        marks.mark(self._save(transaction, BookableId(room), usable))
        taken = {copy.event_id for copy in usable}
        return [each for each in told if each.event_id not in taken]

    def _save(self, transaction: Transaction, room_id: BookableId, copies: Sequence[EventCopy]) -> tuple[str, ...]:
        reading = _READING.run(transaction.connection, {"room": room_id}).one().reading
        zone, book = self._rooms.zone_of(room_id), self._rooms.book()
        return save_contents(transaction, room_id, copies, zone=zone, book=book, reading=reading)

    def _usable(
        self, transaction: Transaction, room_id: BookableId, copies: Mapping[EventId, EventCopy]
    ) -> list[EventCopy]:
        """Return those of *copies*, the newest of each event, that may stand for a reading."""
        if not copies:
            return []
        room = _READING.run(transaction.connection, {"room": room_id}).one_or_none()
        if room is None or room.state != RoomState.ACTIVE.value or room.delta_link is None or not room.window_start:
            return []  # it is being read whole, or nobody reads it
        known = _load_known_copies(transaction, room_id, list(copies))
        domains = self._rules().domains
        fit = [
            copy
            for name, copy in copies.items()
            if is_usable(copy, known.get(name), domains=domains, read_at=room.read_at)
        ]
        fit = self._less_ended(transaction, room_id, [copy for copy in fit if copy.event_id not in known], fit)
        return self._alone(transaction, room_id, fit, window=Interval(room.window_start, room.window_end))

    def _alone(
        self, transaction: Transaction, room_id: BookableId, copies: Sequence[EventCopy], *, window: Interval
    ) -> list[EventCopy]:
        """Return those of *copies* that lie in *window* and, while they block their room, have it to themselves."""
        zone = self._rooms.zone_of(room_id)
        times = {copy.event_id: resolve_interval(copy, zone) for copy in copies}
        found = []
        for copy in copies:
            mine = times[copy.event_id]
            if mine is None or mine.start < window.start or mine.end > window.end:
                continue
            others = [times[other.event_id] for other in copies if other is not copy and is_live(other)]
            beside = [other for other in others if other is not None]
            beside += self._beside(transaction, room_id, mine, list(times))
            if not is_live(copy) or is_alone(mine, beside):
                found.append(copy)
        return found

    def _less_ended(
        self, transaction: Transaction, room_id: BookableId, new: Sequence[EventCopy], fit: list[EventCopy]
    ) -> list[EventCopy]:
        """Leave out what nobody knows and was told to be deleted: what tells of it was late."""
        if not new:
            return fit
        ids = [copy.event_id for copy in new]
        ended = {row[0] for row in _DELETED.run(transaction.connection, {"room": room_id, "ids": ids})}
        return [copy for copy in fit if copy.event_id not in ended]

    def _beside(
        self, transaction: Transaction, room_id: BookableId, interval: Interval, ids: Sequence[EventId]
    ) -> list[Interval]:
        """Return when other events are in the room that may touch *interval*, rounded."""
        blocked = interval.blocked()
        values = {"room": room_id, "start": blocked.start, "end": blocked.end, "ids": list(ids)}
        rows = _BESIDE.run(transaction.connection, values)
        return [Interval(row.start_at, row.end_at) for row in rows]


def save_contents(
    transaction: Transaction,
    room_id: BookableId,
    copies: Iterable[EventCopy],
    *,
    zone: tzinfo,
    book: RoomBook,
    reading: int,
) -> tuple[str, ...]:
    """Save what notifications brought of single events, to be confirmed by the room's next reading; returns the uids of
    their meetings. Whether they may be saved is the caller's to know (`reconcile.contents`)."""
    now = transaction.now
    rows = [
        make_row(room_id, copy, zone=zone, reading=reading, now=seen_at(copy, now), book=book) | {"unconfirmed": True}
        for copy in copies
    ]
    write_copies(transaction, rows)
    return tuple(row["ical_uid"] for row in rows if row["ical_uid"])


def doubt_unshown(transaction: Transaction, room_id: BookableId, before: datetime) -> list[str]:
    """
    Put in doubt what notifications brought of events up to *before*, when a complete round of changes began that did
    not show them: they were there and are no more, or the notification overtook the calendar. Returns their uids.
    """
    values = {"room": room_id, "before": before}
    uids = [row[0] for row in _UNSHOWN.run(transaction.connection, values) if row[0]]
    _DOUBT_UNSHOWN.run(transaction.connection, values)
    return uids


def _load_known_copies(
    transaction: Transaction, room_id: BookableId, ids: Sequence[EventId]
) -> dict[EventId, KnownCopy]:
    return {
        EventId(event_id): KnownCopy(
            live=row.live,
            certain=not (row.doubt or row.gone),
            alone=row.series_master is None,
            modified_at=row.modified_at,
        )
        for event_id, row in load_known(transaction, room_id, ids).items()
    }

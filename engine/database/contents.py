"""What notifications bring of events, saved instead of reading their room, where `reconcile.contents` allows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import bindparam, select

from engine.database.connection import Database, Transaction
from engine.database.copies import is_live
from engine.database.gatherings import Gatherings
from engine.database.marks import Priority
from engine.database.mirror import Marker, Mirror, copy_table
from engine.database.prepared import Prepared
from engine.database.roombook import RoomCache
from engine.database.tables import metadata
from engine.database.types import Instant
from engine.ids import BookableId, EventId
from engine.interval import Interval
from engine.reconcile.contents import is_alone, is_usable, newest_of
from engine.reconcile.gathering import GatherRule, Told
from engine.reconcile.ledger import SyncRules
from engine.reconcile.observe import resolve_interval
from engine.rooms.event import EventCopy
from engine.rooms.room import RoomState

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


class ContentReader(Protocol):
    """Opens what notifications bring."""

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
        database: Database,
        rooms: RoomCache,
        rules: Callable[[], SyncRules],
        *,
        reader: ContentReader,
        gather: GatherRule,
    ) -> None:
        self._mirror = Mirror(database.dialect, rooms)
        self._rooms = rooms
        self._rules = rules
        self._gatherings = Gatherings(gather)
        self.reader = reader

    def catch_up(self) -> None:
        """Have rooms and rules at hand: within a transaction only what was read before counts."""
        self._rooms.book()
        self._rules()

    def take(
        self, transaction: Transaction, room: int, copies: Sequence[EventCopy], told: Sequence[Told]
    ) -> frozenset[EventId]:
        """Save those of *copies* that may stand for a reading of *room*, and mark their bookings for when *told* says
        that nothing more is likely; returns their ids. The newest copy of an event counts for all of them."""
        newest = newest_of(copies)
        room_id = BookableId(room)
        usable = self._usable(transaction, room_id, newest)
        if not usable:
            return frozenset()
        book, reading = self._rooms.book(), _READING.run(transaction.connection, {"room": room}).one().reading
        uids = self._mirror.save_contents(transaction, room_id, usable, book=book, reading=reading)
        due_at = self._gatherings.due_at(room, told, now=transaction.now)
        delay = (due_at - transaction.now).total_seconds()
        Marker(transaction, priority=Priority.LIVE, delay=delay, postpones=True).mark_meetings(uids)
        return frozenset(copy.event_id for copy in usable)

    def _usable(
        self, transaction: Transaction, room_id: BookableId, copies: Mapping[EventId, EventCopy]
    ) -> list[EventCopy]:
        room = _READING.run(transaction.connection, {"room": room_id}).one_or_none()
        if room is None or room.state != RoomState.ACTIVE.value or room.delta_link is None or not room.window_start:
            return []  # it is being read whole, or nobody reads it
        known = self._mirror.load_known(transaction, room_id, list(copies))
        domains = self._rules().domains
        fit = [
            copy
            for name, copy in copies.items()
            if is_usable(copy, known.get(name), domains=domains, read_at=room.read_at)
        ]
        fit = self._less_ended(transaction, room_id, [copy for copy in fit if copy.event_id not in known], fit)
        zone, window = self._rooms.zone_of(room_id), Interval(room.window_start, room.window_end)
        times = {copy.event_id: resolve_interval(copy, zone) for copy in fit}
        found = []
        for copy in fit:
            mine = times[copy.event_id]
            if mine is None or mine.start < window.start or mine.end > window.end:
                continue
            others = [times[other.event_id] for other in fit if other is not copy and is_live(other)]
            beside = [other for other in others if other is not None]
            beside += self._beside(transaction, room_id, mine, [other.event_id for other in fit])
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

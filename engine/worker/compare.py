"""The pass over one room by night, key `compare:<room>`: read everything anew and compare it with what we hold.

Notifications and delta bring nearly everything; this finds the rest. What it finds is repaired by the ordinary passes,
and counted: in a room whose subscription works, anything at all that only this finds is worth a look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from engine.ids import BookableId
from engine.interval import Interval
from engine.reconcile.actions import ChangeEvent, Plan
from engine.reconcile.ledger import Ledger
from engine.rooms.calendar import ChangesPage
from engine.worker.bookings import BookingPass
from engine.worker.rooms import RoomPass

log = logging.getLogger(__name__)


class Comparisons(Protocol):
    """What the pass needs of `database.comparisons.ComparisonStore`; each method is one transaction."""

    def bookings_of(self, rooms: Sequence[BookableId]) -> list[tuple[str, str]]: ...
    def is_waiting(self, kind: str, key: str) -> bool: ...
    def count_news(self, room_id: BookableId, page: ChangesPage, *, window: Interval, before: datetime) -> int: ...
    def count_unseen(self, room_id: BookableId, *, reading: int) -> int: ...
    def mark(self, kind: str, key: str, *, priority: int) -> None: ...
    def order_checks(self, room_id: BookableId, *, most: int, priority: int) -> int: ...
    def save(self, room_id: BookableId, *, copies: int, bookings: int, tells: bool) -> None: ...


class ComparePass:
    """
    Compares one room.

    Args:
        checks: of how many bookings of a room, each night, the organizer's copy is read for what only it shows.
        tells: whether drift opens a case: notifications should have announced everything.
    """

    def __init__(
        self,
        ledger: Ledger,
        comparisons: Comparisons,
        rooms: RoomPass,
        bookings: BookingPass,
        *,
        checks: int,
        tells: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._comparisons = comparisons
        self._rooms = rooms
        self._bookings = bookings
        self._checks = checks
        self._tells = tells
        self._now = now

    async def compare(self, room_id: BookableId, *, priority: int) -> tuple[int, int]:
        """Compare a room; returns how many copies and how many bookings had drifted. Raises what reading raises."""
        await self._rooms.read(room_id, priority=priority)  # what the next sweep would have found is no drift
        reading = self._ledger.load_reading(room_id)
        if reading is None or reading.window is None:
            return 0, 0
        copies = await self._read_anew(room_id, reading.window, priority)
        bookings = await self._compare_bookings(room_id, priority)
        self._comparisons.order_checks(room_id, most=self._checks, priority=priority)
        self._comparisons.save(room_id, copies=copies, bookings=bookings, tells=self._tells)
        if copies or bookings:
            log.warning("drift found", extra={"room": room_id, "copies": copies, "bookings": bookings})
        return copies, bookings

    async def _read_anew(self, room_id: BookableId, window: Interval, priority: int) -> int:
        """Read the whole window; returns how many copies in *window*, followed until now, were not as we held them."""
        began_at, found = self._now(), 0

        def look(page: ChangesPage) -> None:
            nonlocal found
            found += self._comparisons.count_news(room_id, page, window=window, before=began_at)

        reading = await self._rooms.read_anew(room_id, priority=priority, look=look)
        if reading is None:
            return 0
        return found + self._comparisons.count_unseen(room_id, reading=reading)

    async def _compare_bookings(self, room_id: BookableId, priority: int) -> int:
        """Mark every booking that is not at rest; returns how many. One that waits for its turn is not out of step."""
        found = 0
        for kind, key in self._comparisons.bookings_of([room_id]):
            await asyncio.sleep(0)  # people wait for other passes
            if self._comparisons.is_waiting(kind, key):
                continue
            seen = await self._bookings.preview(kind, key)
            if seen is not None and not seen[1].is_rest:
                self._comparisons.mark(kind, key, priority=priority)
                found += not _is_text(seen[1])
        return found


def _is_text(plan: Plan) -> bool:
    """Tell whether a plan only brings the text of our own event up to date: that is no drift."""
    return plan.loan is None and plan.writes == (ChangeEvent(text=True),)

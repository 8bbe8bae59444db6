"""The pass over one backfill, key `backfill:<number>`: take its next step. The queue, or a command, calls it again.

What the mirror holds is planned without a request. Only a stretch that nobody follows (the past, or beyond the
horizon) is read first, page by page.
"""

from __future__ import annotations

import logging
from typing import Protocol

from engine.errors import MailboxClosed, ResyncRequired
from engine.interval import Interval
from engine.reconcile.backfill.book import Backfill
from engine.rooms.calendar import ChangesPage, RoomCalendar
from engine.rooms.room import Room

log = logging.getLogger(__name__)

PAGE_SIZE = 500

AT_ONCE = 20
"""Within the service, where people wait for other writes: some 40 milliseconds."""


class Backfills(Protocol):
    """What the pass needs of `database.backfills.BackfillDesk`; each method is one transaction."""

    def next_stretch(self, number: int) -> tuple[Room, Interval, str | None] | None: ...
    def save_stretch(self, number: int, room: Room, stretch: Interval, page: ChangesPage) -> None: ...
    def pass_over(self, number: int, room: Room) -> None: ...
    def carry_on(self, number: int, *, at_once: int) -> Backfill: ...


class BackfillPass:
    """Takes one step of a backfill at a time."""

    def __init__(self, backfills: Backfills, calendar: RoomCalendar) -> None:
        self._backfills = backfills
        self._calendar = calendar

    async def advance(self, number: int, *, at_once: int = AT_ONCE) -> Backfill:
        """
        Take the next step and return where the backfill stands. Raises NotFound, and whatever reading raises.

        Args:
            at_once: meetings carried out in one transaction. While it lasts nobody else writes.
        """
        wanted = self._backfills.next_stretch(number)
        if wanted is not None:
            await self._read(number, *wanted)
        return self._backfills.carry_on(number, at_once=at_once)

    async def _read(self, number: int, room: Room, stretch: Interval, link: str | None) -> None:
        """Read the next page of a stretch; a room that cannot be read is planned without it."""
        try:
            page = await self._fetch(room, stretch, link)
        except ResyncRequired:
            page = await self._fetch(room, stretch, None)
        except MailboxClosed as error:
            log.warning("planned without what could not be read: %s", error, extra={"room": room.id})
            self._backfills.pass_over(number, room)
            return
        self._backfills.save_stretch(number, room, stretch, page)

    async def _fetch(self, room: Room, stretch: Interval, link: str | None) -> ChangesPage:
        window = stretch if link is None else None
        return await self._calendar.fetch_changes(room.address, link=link, window=window, page_size=PAGE_SIZE)

"""The pass over one room: read what changed in its calendar, and mark the bookings it names.

The reading of a room is a chain of pages. Each page is saved with its link in one transaction, so a
crash repeats a page and never skips one. When the token is lost the whole window is read anew, and
what that does not show is put in doubt, never deleted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.errors import MailboxClosed, ResyncRequired, Unreachable
from engine.ids import BookableId
from engine.interval import Interval
from engine.reconcile.ledger import Ledger, Reading, UnsettledSeries
from engine.rooms.calendar import ChangesPage, RoomCalendar
from engine.rooms.room import Room, RoomState

log = logging.getLogger(__name__)

PAGES_MAX = 5_000
"""A reading longer than this goes in circles (observed by developers: endless paging with changing links)."""

WINDOW_MARGIN = timedelta(days=30)
"""How far the window may have slid before it is opened anew: a delta window never moves by itself (event-delta)."""

DATES_MARGIN = timedelta(days=31)
"""How far beyond the window the dates of a series are listed."""

PAGE_SIZE_WHOLE, PAGE_SIZE_CHANGES = 500, 100


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How far back and ahead calendars are read; the horizon may be changed at run time, so it is asked for."""

    history: timedelta
    horizon: Callable[[], timedelta]

    def window(self, now: datetime) -> Interval:
        """Return the window to read, from midnight to midnight UTC."""
        today = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return Interval(today - self.history, today + self.horizon())

    def reach(self, now: datetime) -> Interval:
        """Return the stretch of which dates of series are listed: one that was moved out of the window is not gone."""
        window = self.window(now)
        return Interval(window.start - DATES_MARGIN, window.end + DATES_MARGIN)

    def is_stale(self, window: Interval, now: datetime) -> bool:
        """Tell whether *window* has to be opened anew: it has slid far, or the horizon has grown since."""
        return now - window.start > self.history + WINDOW_MARGIN or self.window(now).length > window.length


class RoomPass:
    """Reads rooms. `import_existing` says whether meetings found at first contact become loans by themselves."""

    def __init__(
        self,
        ledger: Ledger,
        calendar: RoomCalendar,
        *,
        window: WindowRule,
        import_existing: Callable[[], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._window = window
        self._import_existing = import_existing
        self._now = now

    async def read(self, room_id: BookableId, *, priority: int) -> datetime | None:
        """Read the changes of one room since it was read last, or the whole window the first time.

        Returns when the last notification for the room had come. Raises MailboxClosed: the room is suspended.
        """
        reading = self._ledger.load_reading(room_id)
        if reading is None:
            return None
        with self._suspending(room_id):
            try:
                unsettled = await self._read_from(reading, priority)
            except ResyncRequired:
                log.info("delta token lost, reading the whole window", extra={"room": room_id})
                unsettled = await self._read_whole(room_id, priority)
            await self._settle_series(reading.room, unsettled)
        if reading.room.state is RoomState.SUSPENDED:
            self._ledger.resume_room(room_id)
        return reading.signalled_at

    async def read_anew(self, room_id: BookableId, *, priority: int, look: Callable[[ChangesPage], None]) -> int | None:
        """
        Read the whole window of one room, whatever was read before; returns the number of this reading.
        None: the room is not followed any more. Raises MailboxClosed: it is suspended.

        Args:
            look: shown each page before it is saved.
        """
        reading = self._ledger.begin_reading(room_id, self._window.window(self._now()))
        if reading is None:
            return None
        with self._suspending(room_id):
            unsettled = await self._read_pages(reading, None, whole=True, priority=priority, look=look)
            await self._settle_series(reading.room, unsettled)
        return reading.number

    @contextmanager
    def _suspending(self, room_id: BookableId) -> Iterator[None]:
        """Suspend the room whose mailbox turns out to be closed."""
        try:
            yield
        except MailboxClosed as error:
            if self._ledger.suspend_room(room_id, str(error)):
                log.warning("mailbox closed, room suspended", extra={"room": room_id})
            raise

    async def _read_from(self, reading: Reading, priority: int) -> Sequence[UnsettledSeries]:
        window = reading.window
        if window is None or self._window.is_stale(window, self._now()):
            return await self._read_whole(reading.room.id, priority)
        link = reading.next_link or reading.delta_link
        return await self._read_pages(reading, link, whole=reading.delta_link is None, priority=priority)

    async def _read_whole(self, room_id: BookableId, priority: int) -> Sequence[UnsettledSeries]:
        reading = self._ledger.begin_reading(room_id, self._window.window(self._now()))
        if reading is None:
            return ()  # excluded while Graph was asked: it is read whole once it is followed again
        return await self._read_pages(reading, None, whole=True, priority=priority)

    async def _read_pages(
        self,
        reading: Reading,
        link: str | None,
        *,
        whole: bool,
        priority: int,
        look: Callable[[ChangesPage], None] | None = None,
    ) -> Sequence[UnsettledSeries]:
        """Read page after page; returns the series of which a date is in doubt after the last."""
        seen: set[str] = set()
        for _ in range(PAGES_MAX):
            page = await self._fetch(reading, link, whole=whole)
            if page.unreadable:
                self._tell_unreadable(reading, page)
            if look is not None:
                look(page)
            saved = self._ledger.save_page(
                reading, page, whole=whole, import_existing=self._import_existing(), priority=priority
            )
            link = page.next_link
            if link is None:
                return saved.unsettled
            if link in seen:
                break
            seen.add(link)
            reading = replace(reading, next_link=link)
        raise Unreachable(f"the calendar of {reading.room.name} goes in circles: the same page again and again")

    async def _fetch(self, reading: Reading, link: str | None, *, whole: bool) -> ChangesPage:
        return await self._calendar.fetch_changes(
            reading.room.address,
            link=link,
            window=reading.window if link is None else None,
            page_size=PAGE_SIZE_WHOLE if whole else PAGE_SIZE_CHANGES,
        )

    async def _settle_series(self, room: Room, unsettled: Sequence[UnsettledSeries]) -> None:
        """Ask for the dates of each series of which one is in doubt: once per series, never date by date."""
        if not unsettled:
            return
        reach = self._window.reach(self._now())
        for series in unsettled:
            master = None
            if series.is_master_unknown:
                master = await self._calendar.fetch_event(room.address, series.master_id)
            dates = None
            if master is not None or not series.is_master_unknown:
                dates = await self._calendar.fetch_dates(room.address, series.master_id, reach)
            if dates is None:
                found = [await self._calendar.fetch_event(room.address, each) for each in series.full_dates]
                dates = tuple(copy for copy in found if copy is not None)
            copies = dates if master is None else (master, *dates)
            self._ledger.save_dates(room.id, series.master_id, copies)

    def _tell_unreadable(self, reading: Reading, page: ChangesPage) -> None:
        log.warning("items of a page could not be read", extra={"room": reading.room.id, "items": page.unreadable})

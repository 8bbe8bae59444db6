"""The organizer's side of series: read once for all dates, and kept until anything of the series changes.

What all dates share (title, privacy) is kept in the database. The dates themselves, which tell who declined one of them
and what was cancelled, are listed when a pass needs one, and kept in memory: hundreds of passes over the dates of one
series that was cut short ask once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from engine.errors import EngineError, MailboxClosed, Malformed, Refused, Unmatched
from engine.ids import ICalUid, fold_address
from engine.interval import Interval
from engine.reconcile.ledger import Ledger, Series
from engine.rooms.calendar import RoomCalendar
from engine.rooms.event import EventCopy, EventType
from engine.rooms.series import day_of, lone_key, name_date
from engine.worker.locks import Locks

KEPT = 64
"""Series whose dates are kept; a series of a year has some hundred bytes per date."""

CHECK_AGE = timedelta(seconds=5)
"""How old a list may be when a pass looks for answers that did not come: passes over many dates look together."""

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Dates:
    version: int
    read_at: datetime
    mailbox: str
    by_key: Mapping[str, EventCopy] | EngineError
    """Each date by what may name it; or why they cannot be read."""


class SeriesReader:
    """Reads the organizers' copies of series. *window* is the stretch of time of which dates are listed."""

    def __init__(
        self, ledger: Ledger, calendar: RoomCalendar, *, window: Callable[[], Interval], now: Callable[[], datetime]
    ) -> None:
        self._ledger = ledger
        self._calendar = calendar
        self._window = window
        self._now = now
        self._locks = Locks()
        self._kept: dict[str, _Dates] = {}

    def covers(self, series: Series) -> bool:
        """Tell whether the date lies in the stretch of which dates are listed: only there absence means anything."""
        day, window = day_of(series.key), self._window()
        return day is not None and window.start.date() < day < window.end.date()

    def reaches(self, interval: Interval) -> bool:
        """Tell whether dates that take place at *interval* are listed, whichever day they were meant for."""
        return self._window().overlaps(interval)

    async def read_shared(self, series: Series, mailbox: str) -> Series:
        """Return *series* with what all its dates share, as the organizer's master in *mailbox* says it.

        A mailbox that may not be read is asked once, too.
        """
        async with self._locks.holding(series.uid):
            series = self._ledger.load_series(series.key) or series
            if series.is_read and series.mailbox == fold_address(mailbox):
                return series
            try:
                copy = await self._calendar.find_event(mailbox, series.uid)
            except (MailboxClosed, Malformed, Refused, Unmatched):
                copy = None
            self._ledger.save_series(series, fold_address(mailbox), copy)
            return self._ledger.load_series(series.key) or series

    async def read_date(
        self, series: Series, mailbox: str, *, since_change: bool, agreed_at: datetime | None
    ) -> EventCopy | None:
        """
        Return the organizer's copy of the date that *series* names; None when the organizer has none.

        Args:
            series: as it was loaded with the booking.
            mailbox: the organizer's.
            since_change: whether what was read after the last known change will do, however long ago that was.
            agreed_at: when both sides agreed on what the organizer's copy said, ahead of the rooms: of that no version
                of the series tells, and another process may have read it. What was read before will not do.

        Raises MailboxClosed and Refused when the mailbox may not be read.
        """
        async with self._locks.holding(series.uid):
            kept = self._kept.get(series.uid)
            if kept is None or not self._will_do(kept, series, mailbox, since_change, agreed_at):
                kept = await self._list(self._ledger.load_series(series.key) or series, mailbox)
            if isinstance(kept.by_key, EngineError):
                raise kept.by_key
            return _pick(kept.by_key, series)

    def _will_do(
        self, kept: _Dates, series: Series, mailbox: str, since_change: bool, agreed_at: datetime | None
    ) -> bool:
        is_new = kept.version >= series.version and kept.mailbox == fold_address(mailbox)
        if agreed_at is not None and kept.read_at < agreed_at:
            return False
        return is_new and (since_change or self._now() - kept.read_at <= CHECK_AGE)

    async def _list(self, series: Series, mailbox: str) -> _Dates:
        """List the dates and keep them; that they may not be read is kept as well."""
        began_at = self._now()
        try:
            dates: Mapping[str, EventCopy] | EngineError = await self._fetch(series, mailbox, self._window())
        except (MailboxClosed, Refused) as error:
            dates = error
        return self._keep(series.uid, _Dates(series.version, began_at, fold_address(mailbox), dates))

    def _keep(self, name: str, dates: _Dates) -> _Dates:
        self._kept.pop(name, None)
        self._kept[name] = dates
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return dates

    async def find_in_room(self, series: Series | None, room: str, uid: ICalUid) -> EventCopy | None:
        """Return a room's own copy of the meeting *uid*, or of the date that *series* names; None when it has none.

        Raises what reading raises.
        """
        if series is None:
            return await self._calendar.find_event(room, uid)
        return await self.read_in_room(series, room)

    async def read_in_room(self, series: Series, room: str) -> EventCopy | None:
        """Return the copy of the date in a room's own calendar; None when it has none. Asked once for all dates.

        Raises MailboxClosed and Refused when the calendar may not be read.
        """
        name = f"{series.uid} {room}"
        async with self._locks.holding(name):
            kept = self._kept.get(name)
            if kept is None or kept.version < series.version or self._now() - kept.read_at > CHECK_AGE:
                kept = await self._list_in_room(series, room, name)
            if isinstance(kept.by_key, EngineError):
                raise kept.by_key
            return _pick(kept.by_key, series)

    async def _list_in_room(self, series: Series, room: str, name: str) -> _Dates:
        began_at = self._now()
        dates: Mapping[str, EventCopy] | EngineError = {}
        try:
            master = await self._calendar.find_event(room, series.uid)
            found = await self._calendar.fetch_dates(room, master.event_id, self._window()) if master else None
            dates = _by_name(series, found or ())
        except (MailboxClosed, Refused) as error:
            dates = error
        return self._keep(name, _Dates(series.version, began_at, fold_address(room), dates))

    def forget(self, series: Series) -> None:
        """List the dates anew at the next question: one of them is not what it was."""
        self._kept.pop(series.uid, None)

    async def find_date(self, series: Series, mailbox: str) -> EventCopy | None:
        """Return the organizer's copy of the date as it is right now, for a write; None when there is none."""
        day = day_of(series.key)
        assert day is not None, "a date of a series has a day"
        noon = datetime.combine(day, time(12), UTC)
        near = await self._fetch(series, mailbox, Interval(noon - 2 * ONE_DAY, noon + 2 * ONE_DAY))
        return _pick(near, series) or _pick(await self._fetch(series, mailbox, self._window()), series)

    async def _fetch(self, series: Series, mailbox: str, window: Interval) -> dict[str, EventCopy]:
        """List the dates in *mailbox* within *window*, each by what names it; none where the series is no more."""
        copies = None
        if series.event_id is not None and series.mailbox == fold_address(mailbox):
            copies = await self._calendar.fetch_dates(mailbox, series.event_id, window)
        if copies is None:
            master = await self._calendar.find_event(mailbox, series.uid)
            self._ledger.save_series(series, fold_address(mailbox), master)
            copies = await self._calendar.fetch_dates(mailbox, master.event_id, window) if master is not None else None
        return _by_name(series, copies or ())


def _by_name(series: Series, copies: Sequence[EventCopy]) -> dict[str, EventCopy]:
    """Return the dates of a series by what may name each of them."""
    untouched = [copy for copy in copies if copy.type is EventType.OCCURRENCE]
    is_all_day = any(copy.all_day is not None for copy in untouched or copies)
    found: dict[str, EventCopy] = {}
    for copy in copies:
        key = name_date(series.uid, copy, zone=series.zone, is_all_day=is_all_day)
        found.update((name, copy) for name in (key, lone_key(copy.ical_uid)) if name is not None)
    return found


def _pick(dates: Mapping[str, EventCopy], series: Series) -> EventCopy | None:
    """Return the date that *series* names, by its name or by what would name it now."""
    return dates.get(series.key) or dates.get(series.key_now or "")

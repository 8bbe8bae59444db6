"""
One mailbox's calendar: its single events and series, who overlaps whom, and its log of changes.

The log holds each event or series once, at its latest version, oldest first: what changed since version N is read from
the end, so a delta costs what changed and not what exists.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from heapq import merge
from typing import NamedTuple

from engine.simulator.calendars.records import NEVER, Event, Shape, Tombstone
from engine.simulator.calendars.series import Series, split_key, split_uid, touches


class Unit(NamedTuple):
    """What is never torn apart: a single event, or a series with what touches a window. `spot` orders units."""

    spot: tuple[datetime, int]
    key: str
    items: list[Event]


class Calendar:
    """The default calendar of one mailbox; the only one that rooms use."""

    def __init__(self, mailbox: str) -> None:
        self.mailbox = mailbox
        self.events: dict[str, Event] = {}
        """Single events and masters by key; exceptions are in their series."""
        self.series: dict[str, Series] = {}
        self.former: dict[str, list[Shape]] = {}
        """How series stood that are gone altogether, by the key of their master."""
        self.transactions: dict[str, str] = {}
        self._by_ical: dict[str, list[str]] = {}
        self._loose: dict[str, list[str]] = {}
        self._by_start: list[tuple[datetime, int, str]] = []
        self._placed: dict[str, tuple[datetime, int, str]] = {}
        self._longest = timedelta(0)
        self._log: dict[str, int] = {}

    def add(self, event: Event) -> None:
        """Take in a new event or master."""
        self.events[event.key] = event
        self._by_ical.setdefault(event.ical_uid, []).append(event.key)
        parts = split_uid(event.ical_uid)
        if parts is not None:
            self._loose.setdefault(parts[0], []).append(event.key)
        if event.transaction_id:
            self.transactions[event.transaction_id] = event.key
        self._place(event)

    def touch(self, event: Event) -> list[Event]:
        """Log that *event* reached a new version, and note where it stands; returns the exceptions that ended by it."""
        gone = self._place(event)
        self.log(event.key, event.version)
        return gone

    def remove(self, event: Event) -> list[Event]:
        """Forget *event*, a single one or a master; the log keeps its key. Returns the exceptions that ended by it."""
        del self.events[event.key]
        self._by_ical[event.ical_uid].remove(event.key)
        parts = split_uid(event.ical_uid)
        if parts is not None:
            self._loose[parts[0]].remove(event.key)
        if event.transaction_id and self.transactions.get(event.transaction_id) == event.key:
            del self.transactions[event.transaction_id]
        self._unplace(event.key)
        series = self.series.pop(event.key, None)
        return list(series.exceptions.values()) if series else []

    def log(self, key: str, version: int) -> None:
        """Move *key* to the end of the log."""
        self._log.pop(key, None)
        self._log[key] = version

    def restore(self, events: Iterable[Event], tombstones: Iterable[Tombstone]) -> None:
        """Fill an empty calendar from stored documents."""
        versions: dict[str, int] = {}
        for stone in tombstones:
            versions[stone.key] = stone.version
            self.former[stone.key] = stone.former
        exceptions = []
        for event in sorted(events, key=lambda item: item.number):
            if event.series:
                exceptions.append(event)
                continue
            self.add(event)
            versions[event.key] = event.version
        for event in exceptions:
            if event.series in self.series:
                self.series[event.series].adopt(event)
        self._log = dict(sorted(versions.items(), key=lambda item: item[1]))

    # -- finding

    def find(self, key: str) -> Event | None:
        """Return the event, master, exception or occurrence with that key."""
        found = self.events.get(key)
        parts = split_key(key) if found is None else None
        if parts is None or parts[0] not in self.series:
            return found
        return self.series[parts[0]].at(parts[1])

    def by_ical(self, ical_uid: str) -> Event | None:
        """Return the copy of the meeting, or of the one date of a series, that *ical_uid* names."""
        keys = self._by_ical.get(ical_uid)
        if keys:
            return self.events[keys[0]]
        series = self.series_by_ical(ical_uid)
        parts = split_uid(ical_uid)
        return series.at(parts[1]) if series and parts else None

    def series_by_ical(self, ical_uid: str) -> Series | None:
        """Return the series that the occurrence with *ical_uid* belongs to, whether or not that is still there."""
        parts = split_uid(ical_uid)
        keys = self._by_ical.get(parts[0]) if parts else None
        return self.series.get(keys[0]) if keys else None

    def all_by_ical(self, ical_uid: str) -> list[Event]:
        """Return every single event and master with that iCalUId."""
        return [self.events[key] for key in self._by_ical.get(ical_uid, ())]

    def loose_dates(self, ical_uid: str) -> list[Event]:
        """Return the dates of the series *ical_uid* that are here by themselves, as single events."""
        return [self.events[key] for key in self._loose.get(ical_uid, ())]

    def everything(self) -> Iterator[Event]:
        """Yield every stored copy: single events, masters, exceptions."""
        yield from self.events.values()
        for series in self.series.values():
            yield from series.exceptions.values()

    def window(self, start: datetime, end: datetime) -> Iterator[Event]:
        """Yield the single events, occurrences and exceptions that touch [start, end), by start time."""
        expanded = [series.window(start, end) for series in self.series.values()]
        return merge(self._singles(start, end), *expanded, key=_spot)

    def units(self, start: datetime, end: datetime, after: tuple[datetime, int] | None = None) -> Iterator[Unit]:
        """Yield what touches [start, end), a series whole where its first date is; *after* is a spot to go on from."""
        series = []
        for key, found in self.series.items():
            items = found.window(start, end)
            if items:
                series.append(Unit((items[0].start, found.master.number), key, items))
        series.sort(key=lambda unit: unit.spot)
        singles = (Unit(_spot(event), event.key, [event]) for event in self._singles(start, end, after))
        rest = (unit for unit in series if after is None or unit.spot > after)
        return merge(singles, rest, key=lambda unit: unit.spot)

    def _singles(self, start: datetime, end: datetime, after: tuple[datetime, int] | None = None) -> Iterator[Event]:
        reach = min(self._longest, start - NEVER)  # an event may end in the year 9999
        index = bisect_left(self._by_start, (start - reach, -1, ""))
        if after is not None:
            index = max(index, bisect_left(self._by_start, (after[0], after[1], "\uffff")))
        for moment, _, key in self._by_start[index:]:
            if moment >= end:
                return
            event = self.events[key]
            if touches(event.start, event.end, start, end):
                yield event

    def changes_since(self, version: int) -> list[tuple[str, int]]:
        """Return (key, version) of everything that changed after *version*, oldest first."""
        found = []
        for key, changed_at in reversed(self._log.items()):
            if changed_at <= version:
                break
            found.append((key, changed_at))
        found.reverse()
        return found

    def _place(self, event: Event) -> list[Event]:
        """Note where *event* stands: by its start, or as a series; it may turn from one into the other."""
        if event.recurrence is not None:
            event.type = "seriesMaster"
            self._unplace(event.key)
            if event.key not in self.series:
                self.series[event.key] = Series(event)
            return self.series[event.key].settle(event.version)
        event.type = "singleInstance"
        ended = self.series.pop(event.key, None)
        if ended is not None:
            event.former.append(ended.close(event.version))
        self._place_single(event)
        return list(ended.exceptions.values()) if ended else []

    def _place_single(self, event: Event) -> None:
        spot = (event.start, event.number, event.key)
        if self._placed.get(event.key) != spot:
            self._unplace(event.key)
            insort(self._by_start, spot)
            self._placed[event.key] = spot
        self._longest = max(self._longest, event.end - event.start)

    def _unplace(self, key: str) -> None:
        spot = self._placed.pop(key, None)
        if spot is not None:
            del self._by_start[bisect_left(self._by_start, spot)]


def _spot(event: Event) -> tuple[datetime, int]:
    return event.start, event.number


def is_blocking(event: Event) -> bool:
    """
    Tell whether a room's copy makes its room unavailable to others.

    Free, cancelled and zero-length items do not; neither do requests nobody has judged yet (MS-OXOCAL 3.1.4.8.1 for
    free items; observed by developers for all-day ones, which default to free).
    """
    if event.is_cancelled or event.is_draft or event.show_as == "free" or event.start == event.end:
        return False
    return event.is_organizer or event.response in ("accepted", "tentativelyAccepted")

"""
One mailbox's calendar: its events, who overlaps whom, and its log of changes.

The log holds each event once, at its latest version, oldest first: what changed since version N is read from the end,
so a delta costs what changed and not what exists.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from engine.simulator.records import Event, Tombstone


class Calendar:
    """The default calendar of one mailbox; the only one that rooms use."""

    def __init__(self, mailbox: str) -> None:
        self.mailbox = mailbox
        self.events: dict[str, Event] = {}
        self.transactions: dict[str, str] = {}
        self._by_ical: dict[str, list[str]] = {}
        self._by_start: list[tuple[datetime, int, str]] = []
        self._placed: dict[str, tuple[datetime, int, str]] = {}
        self._longest = timedelta(0)
        self._log: dict[str, int] = {}

    def add(self, event: Event) -> None:
        """Take in a new event."""
        self.events[event.key] = event
        self._by_ical.setdefault(event.ical_uid, []).append(event.key)
        if event.transaction_id:
            self.transactions[event.transaction_id] = event.key
        self._place(event)

    def touch(self, event: Event) -> None:
        """Log that *event* reached a new version, and note where it stands now."""
        self._place(event)
        self.log(event.key, event.version)

    def remove(self, event: Event) -> None:
        """Forget *event*; the log keeps its key."""
        del self.events[event.key]
        self._by_ical[event.ical_uid].remove(event.key)
        if event.transaction_id and self.transactions.get(event.transaction_id) == event.key:
            del self.transactions[event.transaction_id]
        self._unplace(event.key)

    def log(self, key: str, version: int) -> None:
        """Move *key* to the end of the log."""
        self._log.pop(key, None)
        self._log[key] = version

    def restore(self, events: Iterable[Event], tombstones: Iterable[Tombstone]) -> None:
        """Fill an empty calendar from stored documents."""
        versions: dict[str, int] = {stone.key: stone.version for stone in tombstones}
        for event in sorted(events, key=lambda item: item.number):
            self.add(event)
            versions[event.key] = event.version
        self._log = dict(sorted(versions.items(), key=lambda item: item[1]))

    def by_ical(self, ical_uid: str) -> Event | None:
        """Return the copy of the meeting *ical_uid*, if this mailbox has one."""
        keys = self._by_ical.get(ical_uid)
        return self.events[keys[0]] if keys else None

    def all_by_ical(self, ical_uid: str) -> list[Event]:
        """Return every copy with that iCalUId."""
        return [self.events[key] for key in self._by_ical.get(ical_uid, ())]

    def window(self, start: datetime, end: datetime, after: tuple[datetime, int] | None = None) -> Iterator[Event]:
        """
        Yield the events that touch [start, end), by start time.

        A zero-length event belongs to the window its instant lies in. *after* skips up to a (start, number) cursor.
        """
        index = bisect_left(self._by_start, (start - self._longest, -1, ""))
        if after is not None:
            index = max(index, bisect_left(self._by_start, (after[0], after[1], "\uffff")))
        for moment, _, key in self._by_start[index:]:
            if moment >= end:
                return
            event = self.events[key]
            if event.end > start or (event.start == event.end and event.start >= start):
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

    def _place(self, event: Event) -> None:
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


def is_in_window(event: Event, start: datetime, end: datetime) -> bool:
    """Tell whether *event* touches [start, end); an instant belongs to the window it lies in."""
    return event.start < end and (event.end > start or (event.start == event.end and event.start >= start))


def is_blocking(event: Event) -> bool:
    """
    Tell whether a room's copy makes its room unavailable to others.

    Free, cancelled and zero-length items do not; neither do requests nobody has judged yet (MS-OXOCAL 3.1.4.8.1 for
    free items; observed by developers for all-day ones, which default to free).
    """
    if event.is_cancelled or event.is_draft or event.show_as == "free" or event.start == event.end:
        return False
    return event.is_organizer or event.response in ("accepted", "tentativelyAccepted")

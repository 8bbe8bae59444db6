"""
One series in one mailbox: a master that is stored, exceptions that are stored, occurrences that are only computed.

An occurrence's id is its master's with the date the pattern put it on, so it stays the same when the occurrence becomes
an exception. Its iCalUId is the meeting's with that date in bytes 17 to 20 (MS-OXOCAL 2.2.1.27, PidLidGlobalObjectId
against PidLidCleanGlobalObjectId). Times are wall-clock in the series' zone. An exception keeps what differs from its
master and follows it in the rest.
"""

from __future__ import annotations

from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from engine.simulator.calendars.records import Attendee, Event, Shape
from engine.simulator.calendars.recurrence import Recurrence, dates_of
from engine.simulator.times import UnknownZone, find_zone

_KEY_BYTES = 37
_DATE = slice(32, 40)
_UID_HEAD = "040000008200E00074C5B7101A82E008"
_NO_DATE = "00000000"
_DAY = timedelta(days=1)
_STANDARD = str.maketrans("-_", "+/")

INHERITED = (
    "subject", "body", "body_type", "start_zone", "end_zone", "is_all_day", "is_organizer", "is_cancelled", "is_draft",
    "organizer_name", "organizer_address", "organizer_mailbox", "show_as", "intended_show_as", "sensitivity",
    "location", "locations", "hide_attendees", "has_attachments", "pending_reason", "properties", "extras",
)  # fmt: skip
"""What an exception shares with its master until it has a value of its own; answers and times have rules of theirs."""


# -- names


def occurrence_key(master: str, day: date) -> str:
    """Return the id part of the occurrence on *day*: opaque, stable, in the alphabet of the master's."""
    raw = _decode(master) + day.toordinal().to_bytes(8, "big")
    return (b64encode if {"+", "/"} & set(master) else urlsafe_b64encode)(raw).decode()


def split_key(key: str) -> tuple[str, date] | None:
    """Return the master's key and the date in an occurrence's key; None for any other key."""
    try:
        raw = _decode(key)
        day = date.fromordinal(int.from_bytes(raw[_KEY_BYTES:], "big"))
    except (ValueError, OverflowError):
        return None
    if len(raw) != _KEY_BYTES + 8:
        return None
    return (b64encode if {"+", "/"} & set(key) else urlsafe_b64encode)(raw[:_KEY_BYTES]).decode(), day


def _decode(key: str) -> bytes:
    return b64decode(key.translate(_STANDARD), validate=True)


def dated_uid(ical_uid: str, day: date) -> str:
    """Return the iCalUId of the occurrence on *day*."""
    return f"{ical_uid[: _DATE.start]}{day.year:04X}{day.month:02X}{day.day:02X}{ical_uid[_DATE.stop :]}"


def split_uid(ical_uid: str) -> tuple[str, date] | None:
    """Return the series' iCalUId and the date in an occurrence's; None for a meeting's own."""
    text = ical_uid[_DATE]
    if not ical_uid.startswith(_UID_HEAD) or text == _NO_DATE:
        return None
    try:
        day = date(int(text[:4], 16), int(text[4:6], 16), int(text[6:], 16))
    except ValueError:
        return None
    return clean_uid(ical_uid), day


def clean_uid(ical_uid: str) -> str:
    """Return the iCalUId without a date: that of the whole series."""
    return f"{ical_uid[: _DATE.start]}{_NO_DATE}{ical_uid[_DATE.stop :]}"


# -- times


def series_zone(recurrence: Recurrence, event: Event) -> str:
    """
    Return the zone a series is counted out in: recurrenceTimeZone, else that of its start.

    It may be empty or `tzone://Microsoft/Custom` (observed by developers, closeio sync-engine). All-day series float in
    the zone whose midnights they were given in.
    """
    if event.is_all_day or not recurrence.zone:
        return event.start_zone
    try:
        find_zone(recurrence.zone)
    except UnknownZone:
        return event.start_zone
    return recurrence.zone


def shape_of(event: Event, exceptions: Iterable[Event] = ()) -> Shape:
    """Return where the series of *event* stands; *exceptions* tell what was moved."""
    assert event.recurrence is not None
    shape = Shape(
        start=event.start, end=event.end, zone=series_zone(event.recurrence, event), recurrence=event.recurrence,
        cancelled=tuple(sorted(event.cancelled_dates)),
    )  # fmt: skip
    moved = [(item.slot, item.start, item.end) for item in exceptions if item.slot is not None]
    return msgspec.structs.replace(
        shape, moved=tuple(sorted((day, start, end) for day, start, end in moved if (start, end) != slot(shape, day)))
    )


def slot(shape: Shape, day: date) -> tuple[datetime, datetime]:
    """Return start and end of the occurrence on *day*, both by the wall clock of the series' zone."""
    zone = find_zone(shape.zone)
    start, end = shape.start.astimezone(zone), shape.end.astimezone(zone)
    first = _instant(day, start.time(), zone)
    last = _instant(day + (end.date() - start.date()), end.time(), zone)
    return first, last if last >= first else first + (shape.end - shape.start)


def _instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


def slots(shape: Shape, start: datetime, end: datetime) -> Iterator[tuple[date, datetime, datetime]]:
    """Yield (date, start, end) of what touches [start, end): moved ones where they are now, cancelled ones not."""
    moved = {day: (first, last) for day, first, last in shape.moved}
    skipped = {*shape.cancelled, *moved}
    zone = find_zone(shape.zone)
    reach = shape.end - shape.start + _DAY
    earliest = (start - reach if start > _FLOOR + reach else _FLOOR).astimezone(zone).date()
    latest = min(end, _CEILING).astimezone(zone).date()
    for day in dates_of(shape.recurrence).between(earliest, latest):
        if day not in skipped:
            first, last = slot(shape, day)
            if touches(first, last, start, end):
                yield day, first, last
    yield from ((day, *times) for day, times in moved.items() if touches(*times, start, end))


_FLOOR = datetime(1, 1, 3, tzinfo=UTC)
_CEILING = datetime(9999, 12, 29, tzinfo=UTC)


def touches(first: datetime, last: datetime, start: datetime, end: datetime) -> bool:
    """Tell whether [first, last) touches [start, end); an instant belongs to the window it lies in."""
    return first < end and (last > start or (first == last and first >= start))


# -- the series


class Series:
    """A master and its exceptions."""

    def __init__(self, master: Event) -> None:
        self.master = master
        self.exceptions: dict[date, Event] = {}
        self.shape = shape_of(master)
        self._written: dict[str, Any] = {}
        self._remember()

    def at(self, day: date) -> Event | None:
        """Return the exception or occurrence the pattern put on *day*; None when there is none, or none any more."""
        found = self.exceptions.get(day)
        if found is None and day in dates_of(self.shape.recurrence) and day not in self.shape.cancelled:
            found = self._occurrence(day, *slot(self.shape, day))
        return found

    def window(self, start: datetime, end: datetime) -> list[Event]:
        """Return what touches [start, end), by start."""
        found = [
            self.exceptions.get(day) or self._occurrence(day, *times) for day, *times in slots(self.shape, start, end)
        ]
        return sorted(found, key=lambda item: (item.start, item.number))

    def neighbours(self, day: date) -> tuple[Event | None, Event | None]:
        """Return what comes before and after the occurrence on *day*, by the pattern."""
        dates = dates_of(self.shape.recurrence)
        earlier = (found for other in dates.before(day) if (found := self.at(other)))
        later = (found for other in dates.after(day) if (found := self.at(other)))
        return next(earlier, None), next(later, None)

    def is_modified(self, item: Event) -> bool:
        """Tell whether an exception differs from its master in more than answers."""
        if any(day == item.slot for day, *_ in self.shape.moved):
            return True
        own, all_ = ({a.address.lower() for a in event.attendees} for event in (item, self.master))
        return own != all_ or any(getattr(item, name) != getattr(self.master, name) for name in INHERITED)

    def holds_nothing_but(self, day: date) -> bool:
        """Tell whether every other date of it is cancelled."""
        gone = {*self.master.cancelled_dates, day}
        return all(other in gone for other in dates_of(self.shape.recurrence).after(date.min))

    @property
    def end(self) -> datetime | None:
        """When the last occurrence is over; None for an endless series."""
        last = dates_of(self.shape.recurrence).last
        if last is None:
            return None
        return max([slot(self.shape, last)[1], *(item.end for item in self.exceptions.values())])

    def cancel(self, day: date) -> Event | None:
        """Take the occurrence on *day* out; returns the exception it was, if it was one."""
        self.master.cancelled_dates = sorted({*self.master.cancelled_dates, day})
        return self.exceptions.pop(day, None)

    def restore(self, day: date) -> Event:
        """Put the occurrence on *day* back."""
        self.master.cancelled_dates = [item for item in self.master.cancelled_dates if item != day]
        return self._occurrence(day, *slot(self.shape, day))

    def settle(self, version: int) -> list[Event]:
        """
        Follow the master after a change of anything: exceptions inherit, the shape is taken anew, versions are one.

        All copies in a series share the change key of their master: they are one item in the mailbox. Returns the
        exceptions that are gone because the pattern has no such date any more.
        """
        for item in self.exceptions.values():
            self._inherit(item)
        gone = self._drop_dateless()
        shape = shape_of(self.master, self.exceptions.values())
        if shape != self.shape:
            self.master.former.append(self.close(version))
            self.shape = shape
        for item in self.exceptions.values():
            item.version = version
        self._remember()
        return gone

    def close(self, version: int) -> Shape:
        """Return how it stood up to *version*, at which it ended."""
        return msgspec.structs.replace(self.shape, until=version)

    def adopt(self, item: Event) -> None:
        """Take in an exception from the store."""
        assert item.slot is not None
        self.exceptions[item.slot] = item
        item.version = self.master.version
        self.shape = shape_of(self.master, self.exceptions.values())

    def _drop_dateless(self) -> list[Event]:
        assert self.master.recurrence is not None
        dates = dates_of(self.master.recurrence)
        cancelled = [day for day in self.master.cancelled_dates if day in dates]
        self.master.cancelled_dates = cancelled
        lost = [day for day in self.exceptions if day not in dates or day in cancelled]
        return [self.exceptions.pop(day) for day in lost]

    def _occurrence(self, day: date, start: datetime, end: datetime) -> Event:
        master = self.master
        guests = [msgspec.structs.replace(attendee) for attendee in master.attendees]
        return msgspec.structs.replace(
            master, key=occurrence_key(master.key, day), ical_uid=dated_uid(master.ical_uid, day), start=start, end=end,
            type="occurrence", series=master.key, slot=day, original_start=start, recurrence=None, cancelled_dates=[],
            former=[], transaction_id=None, fingerprint="", attendees=guests, location=dict(master.location),
            locations=list(master.locations), extras=dict(master.extras), properties=dict(master.properties),
        )  # fmt: skip

    # -- inheriting

    def _remember(self) -> None:
        """Keep what the master says now, to see later what an exception has in common with it."""
        names = (*INHERITED, "attendees", "response", "responded_at", "sequence")
        self._written = {name: copied(getattr(self.master, name)) for name in names}

    def _inherit(self, item: Event) -> None:
        for name in INHERITED:
            if getattr(item, name) == self._written[name]:
                setattr(item, name, copied(getattr(self.master, name)))
        self._inherit_attendees(item)
        if item.sequence == self._written["sequence"]:
            if item.response == self._written["response"]:
                item.response, item.responded_at = self.master.response, self.master.responded_at
            item.sequence = self.master.sequence

    def _inherit_attendees(self, item: Event) -> None:
        """Follow the master's list unless the exception has another one; an answer for this date alone stays."""
        old: dict[str, Attendee] = {a.address.lower(): a for a in self._written["attendees"]}
        own = {a.address.lower(): a for a in item.attendees}
        if own.keys() == old.keys():
            item.attendees = [msgspec.structs.replace(a) for a in self.master.attendees]
        new = {a.address.lower(): a for a in self.master.attendees}
        for attendee in item.attendees:
            address = attendee.address.lower()
            kept, before = own.get(address), old.get(address)
            is_own = kept is not None and (
                before is None or kept.response != before.response or item.sequence != self._written["sequence"]
            )
            source = kept if is_own else new.get(address)
            if source is not None:
                attendee.response, attendee.responded_at = source.response, source.responded_at


def copied(value: Any) -> Any:
    """Return a value of an event that nobody else changes; `deepcopy` would look up for each part how to copy it."""
    kind = type(value)
    if kind is list:
        return [copied(each) for each in value]
    if kind is dict:
        return {name: copied(each) for name, each in value.items()}
    return msgspec.structs.replace(value) if kind is Attendee else value

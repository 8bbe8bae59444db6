"""What a person may ask the desk for: the limits, and every fault of a wish at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from engine.errors import Fault
from engine.interval import is_on_grid
from engine.loans.loan import Requester
from engine.loans.register import ItemRef, LoanChange, LoanOrder

ADDRESS_CHARACTERS_MAX = 320
"""64 before the `@`, 255 after it (RFC 5321, 4.5.3.1)."""

NAME_CHARACTERS_MAX = 255
TITLE_CHARACTERS_MAX = 255
"""Outlook's own limit for a subject."""

NOTES_CHARACTERS_MAX = 10_000
ITEMS_MAX = 500
"""Graph accepts up to 500 attendees (Graph docs: event, limits)."""

DAYS_MAX = 1826
"""How long a loan may last where no rule says less, in days: five years, as events in Exchange (EWS, response code
ErrorCalendarDurationIsTooLong). Longer ones are slips of the pen, and hold what they name for years."""

YEARS = range(2000, 3000)
"""Beyond them the grid and the databases come near the ends of their calendars."""


def find_order_faults(order: LoanOrder, *, now: datetime) -> list[Fault]:
    """Return what is wrong with a booking as it was sent, before anything is looked up."""
    return [
        *find_time_faults(order.interval.start, order.interval.end, now=now),
        *_requester_faults(order.requester, now),
        *_items_faults(order.items),
        *_text_faults("title", order.title, TITLE_CHARACTERS_MAX),
        *_text_faults("notes", order.notes, NOTES_CHARACTERS_MAX),
    ]


def find_change_faults(change: LoanChange, *, start: datetime, end: datetime, now: datetime) -> list[Fault]:
    """Return what is wrong with a change that leads to *start* and *end*; what is left alone is not judged."""
    faults: list[Fault] = []
    if change.start is not None or change.end is not None:
        given = {"start": change.start is not None, "end": change.end is not None}
        faults += find_time_faults(
            start, end, now=now, grid=tuple(field for field, is_given in given.items() if is_given)
        )
    if change.requester is not None:
        faults += _requester_faults(change.requester, now)
    if change.items is not None:
        faults += _items_faults(change.items)
    if change.title is not None:
        faults += _text_faults("title", change.title, TITLE_CHARACTERS_MAX)
    if change.notes is not None:
        faults += _text_faults("notes", change.notes, NOTES_CHARACTERS_MAX)
    return faults


def find_time_faults(
    start: datetime, end: datetime, *, now: datetime, grid: Sequence[str] = ("start", "end")
) -> list[Fault]:
    """Return the faults of a stretch of time. *grid* names the ends that must lie on the 15-minute grid."""
    ends = {"start": start, "end": end}
    faults = [
        Fault(field, "zone_missing", "a time needs an offset from UTC")
        for field, instant in ends.items()
        if instant.utcoffset() is None
    ]
    if not faults:
        faults = find_year_faults(ends)
    if faults:
        return faults
    faults = [
        Fault(field, "off_grid", "the time must lie on a quarter of an hour")
        for field in grid
        if not is_on_grid(ends[field])
    ]
    if end <= start:
        faults.append(Fault("end", "before_start", "the end must come after the start"))
    elif end <= now:
        faults.append(Fault("end", "in_the_past", "the end must lie in the future"))
    elif end - start > timedelta(days=DAYS_MAX):
        asked = math.ceil((end - start) / timedelta(days=1))
        faults.append(Fault("end", "lasts_too_long", f"a loan lasts {DAYS_MAX} days (five years) at most, not {asked}"))
    return faults


def find_year_faults(instants: Mapping[str, datetime]) -> list[Fault]:
    """Return the faults of *instants*, by the names of their fields, that are further away than anybody plans."""
    return [
        Fault(field, "out_of_range", f"the year must lie between {YEARS.start} and {YEARS.stop - 1}")
        for field, instant in instants.items()
        if instant.year not in YEARS
    ]


def _requester_faults(requester: Requester, now: datetime) -> list[Fault]:
    address = requester.address
    local, _, domain = address.partition("@")
    faults = _text_faults("requester.name", requester.name, NAME_CHARACTERS_MAX)
    if not requester.name.strip():
        faults.append(Fault("requester.name", "missing", "the requester needs a name"))
    if len(address) > ADDRESS_CHARACTERS_MAX:
        faults.append(Fault("requester.address", "too_long", f"at most {ADDRESS_CHARACTERS_MAX} characters"))
    elif not (local and domain) or address.count("@") != 1 or not address.isprintable() or " " in address:
        faults.append(Fault("requester.address", "implausible", "an address reads like name@example.org"))
    if requester.details is not None:
        found = requester.details.faults(now.date())
        faults += [Fault(f"requester.details.{name}", each.code, each.message) for name, each in found]
    return faults


def _items_faults(items: Sequence[ItemRef]) -> list[Fault]:
    if not items:
        return [Fault("items", "missing", "a loan needs at least one room or asset")]
    if len(items) > ITEMS_MAX:
        return [Fault("items", "too_many", f"at most {ITEMS_MAX} items")]
    seen: set[int] = set()
    faults = []
    for index, item in enumerate(items):
        if item.id in seen:
            faults.append(Fault(f"items.{index}", "doubled", f"item {item.id} is named twice"))
        seen.add(item.id)
    return faults


def _text_faults(field: str, text: str, characters_max: int) -> list[Fault]:
    if len(text) > characters_max:
        return [Fault(field, "too_long", f"at most {characters_max} characters")]
    if any(character == "\0" or "\ud800" <= character <= "\udfff" for character in text):
        return [Fault(field, "unstorable", "it holds a character that cannot be stored")]
    return []


def find_name_faults(name: str, description: str, store: str | None) -> list[Fault]:
    """Return what is wrong with the words of a new asset."""
    faults = _text_faults("name", name, NAME_CHARACTERS_MAX)
    if not name.strip():
        faults.append(Fault("name", "missing", "an asset needs a name"))
    faults += _text_faults("description", description, NOTES_CHARACTERS_MAX)
    return faults + _text_faults("store", store or "", NAME_CHARACTERS_MAX)

"""What people type, understood: local times, requesters, rooms by name. Pure; raises Invalid or NotFound."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from difflib import get_close_matches

from engine.errors import Fault, Invalid, NotFound
from engine.ids import Address
from engine.loans.loan import Asset, Requester
from engine.rooms.room import Room, match_rooms

_CLOCK = re.compile(r"(\d{1,2}):(\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def parse_moment(text: str, zone: tzinfo, *, field: str, day: date | None = None) -> datetime:
    """
    Return the instant, in UTC, that *text* names.

    Args:
        text: `2026-11-23 10:00` in local time, the same with an offset or Z, or `10:00` on *day*.
        zone: where local time is read. field: what to call it when it is wrong.
    """
    text = text.strip()
    clock = _CLOCK.fullmatch(text)
    if clock and day is None:
        raise Invalid(Fault(field, "day_missing", f"{text!r} needs a day, such as 2026-11-23 {text}"))
    try:
        if clock and day is not None:
            found = datetime.combine(day, time(int(clock[1]), int(clock[2])))
        else:
            found = datetime.fromisoformat(text + " 00:00" if _DAY.fullmatch(text) else text)
        return _resolve(found, zone, field).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(Fault(field, "moment_malformed", f"{text!r} is no time such as 2026-11-23 10:00")) from None


def parse_day(text: str, field: str) -> date:
    """Return the day that `2026-11-23` names; *field* is what to call it when it is wrong."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(Fault(field, "day_malformed", f"{text!r} is no day such as 2026-11-23")) from None


def _resolve(moment: datetime, zone: tzinfo, field: str) -> datetime:
    """Give a local time its offset; one that exists twice or never, as clocks are changed, is refused."""
    if moment.utcoffset() is not None:
        return moment
    early, late = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    exists = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment
    what = "exists twice: add its offset, such as +01:00" if exists else "does not exist: the clocks are put forward"
    raise Invalid(Fault(field, "moment_ambiguous", f"{moment:%Y-%m-%d %H:%M} {what}"))


def parse_stretch(start: str, end: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """Return both ends; an end of `11:00` is on the day of the start, `00:00` and `24:00` are that day's midnight."""
    first = parse_moment(start, zone, field="start")
    day = first.astimezone(zone).date()
    if end.strip() in ("00:00", "24:00"):
        end, day = "00:00", day + timedelta(days=1)
    last = parse_moment(end, zone, field="end", day=day)
    if last <= first:
        raise Invalid(Fault("end", "end_not_after_start", f"{end} is not after {start}"))
    return first, last


def parse_requester(text: str) -> Requester:
    """Return the person that `Alex Doe <alex@example.org>`, or an address alone, names."""
    from email.utils import parseaddr  # a slow import that help must not wait for

    name, address = parseaddr(text)
    if not re.fullmatch(r"[^\s@]+@[^\s@]+", address):
        message = f"{text!r} is no person such as 'Alex Doe <alex@example.org>'"
        raise Invalid(Fault("requester", "address_malformed", message))
    return Requester(Address(address), name or address.partition("@")[0])


def find_room(rooms: Sequence[Room], wanted: str) -> Room:
    """Return the room whose id, address or name is *wanted*. Raises NotFound with the nearest names."""
    found = match_rooms(rooms, wanted)
    if len(found) > 1:
        choices = ", ".join(room.address for room in found)
        raise Invalid(Fault("room", "room_ambiguous", f"{wanted!r} is the name of several rooms: {choices}"))
    if not found:
        known = [name for room in rooms for name in (room.name, room.address)]
        raise NotFound(f"there is no room {wanted!r}{suggest(wanted, known)}")
    return found[0]


def find_asset(assets: Sequence[Asset], wanted: str) -> Asset:
    """Return the asset whose id or name is *wanted*. Raises NotFound with the nearest names."""
    folded = wanted.strip().casefold()
    for asset in assets:
        if folded in (str(asset.id), asset.name.strip().casefold()):
            return asset
    raise NotFound(f"there is no asset {wanted!r}{suggest(wanted, [asset.name for asset in assets])}")


def suggest(wanted: str, known: Sequence[str]) -> str:
    """Return "; did you mean ...?" when something is near, else nothing."""
    shown = {name.casefold(): name for name in known}
    near = get_close_matches(wanted.casefold(), shown, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(repr(shown[name]) for name in near)}?" if near else ""

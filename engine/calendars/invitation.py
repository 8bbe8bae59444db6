"""What calendar programs take out of a mail: scheduling messages (iTIP, RFC 5546), one per loan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.calendars.entry import PRODUCT, CalendarEntry, event_lines, zone_lines
from engine.calendars.lines import fold, parameter


class Method(StrEnum):
    """What a program shall do."""

    REQUEST = "REQUEST"
    """Put one entry in, or bring it up to date."""
    CANCEL = "CANCEL"
    """Take one entry out."""
    PUBLISH = "PUBLISH"
    """Offer several, each with its own status: RFC 5546 allows no other method for more than one loan."""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody with a mail address."""

    address: str
    name: str = ""


def render_invitation(method: Method, entries: Sequence[CalendarEntry], *, organizer: Party, attendee: Party) -> str:
    """Return the message. `changed_at` of the entries is when it was made: what is newer counts (RFC 5546, 2.1.5)."""
    parties = (
        fold(f"ORGANIZER{_named(organizer)}:mailto:{organizer.address}"),
        fold(f"ATTENDEE{_named(attendee)};ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{attendee.address}"),
    )
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        f"METHOD:{method}",
        *zone_lines(entries),
    ]
    for entry in entries:
        lines += event_lines(entry, parties)
    lines += ["END:VCALENDAR", ""]
    return "\r\n".join(lines)


def _named(party: Party) -> str:
    return parameter("CN", party.name) if party.name else ""

"""Which events may become loans (H36-H39): a pure function, one check after the other.

Local booking rules (hours, window, duration) are not among the checks: Exchange accepted the
meeting, so it is imported and flagged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import Clash
from engine.ids import BookableId, domain_of
from engine.interval import Interval
from engine.loans.loan import Requester
from engine.reconcile.views import MeetingView
from engine.rooms.event import Mailbox


@dataclass(frozen=True, slots=True)
class Valid:
    requester: Requester
    interval: Interval
    rooms: frozenset[BookableId]
    """Rooms that have not declined."""


@dataclass(frozen=True, slots=True)
class Invalid:
    reason: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PeopleRule:
    """Whose meetings become loans in their own name (folded domains); `default_user` stands in for all others."""

    domains: frozenset[str]
    default_user: Requester | None = None


def resolve_requester(organizer: Mailbox | None, people: PeopleRule) -> Requester | None:
    """Return who asks (H36, H41): the organizer when of our domains, else the default user, else None."""
    if organizer is not None and domain_of(organizer.address) in people.domains:
        return Requester(organizer.address, organizer.name or organizer.address)
    return people.default_user


def validate(
    meeting: MeetingView, *, people: PeopleRule, clashes: Mapping[BookableId, Clash], told: Clash | None = None
) -> Valid | Invalid:
    """
    Tell whether *meeting* may become a loan.

    Args:
        meeting: as observed.
        people: our domains and the default user.
        clashes: what already holds each of its rooms on the rounded interval, this very booking apart.
        told: of all that does, what was named before: people go on reading that, whatever else has come since.

    Returns:
        Valid, or the first failed check with the values its text needs.
    """
    if meeting.is_draft:
        return Invalid("draft", {})
    requester = resolve_requester(meeting.organizer, people)
    if requester is None:
        return Invalid("organizer_unknown", {"organizer": meeting.organizer.address if meeting.organizer else ""})
    if (unfit := _check_dates(meeting) or _check_rooms(meeting, clashes, told)) is not None:
        return unfit
    assert meeting.interval is not None  # _check_dates has looked
    return Valid(requester, meeting.interval, meeting.holding)


def _check_dates(meeting: MeetingView) -> Invalid | None:
    if meeting.time_fault is not None:
        return Invalid(meeting.time_fault.code, {"text": meeting.time_fault.text})
    if meeting.zero_length:
        return Invalid("zero_length", {})
    if meeting.interval is None:
        return Invalid("dates_invalid", {"text": ""})
    return None


def _check_rooms(meeting: MeetingView, clashes: Mapping[BookableId, Clash], told: Clash | None) -> Invalid | None:
    if not meeting.answers:
        return Invalid("no_synced_room", {})
    if not meeting.holding:
        return Invalid("all_rooms_declined", {})
    if told is not None and told.item_id in meeting.holding:
        return Invalid("item_unavailable", clash_facts(told))
    for room in sorted(meeting.holding):
        if room in clashes:
            return Invalid("item_unavailable", clash_facts(clashes[room]))
    return None


def clash_facts(clash: Clash) -> dict[str, object]:
    """Return the values of a clash as the reason texts want them."""
    return {
        "item_id": clash.item_id,
        "item": clash.item_name,
        "loan": clash.loan_number,
        "start": f"{clash.start:%Y-%m-%d %H:%M}",
        "end": f"{clash.end:%Y-%m-%d %H:%M}",
    }

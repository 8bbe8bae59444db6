"""
The options of a room's booking attendant, and its judgement of one request: pure.

Source of names, defaults and meaning: Set-CalendarProcessing. Order of judgement: CSS-Exchange, Get-RBASummary: first
in or out of policy, then who may do what. Graph cannot read these options.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from engine.simulator.times import find_zone

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class CalendarProcessing:
    """One mailbox's options, in PowerShell's names turned to snake case, with Exchange Online's defaults for rooms."""

    automate_processing: str = "AutoAccept"
    allow_conflicts: bool = False
    booking_window_in_days: int = 180
    maximum_duration_in_minutes: int = 1440
    allow_recurring_meetings: bool = True
    enforce_scheduling_horizon: bool = True
    conflict_percentage_allowed: int = 0
    maximum_conflict_instances: int = 0
    schedule_only_during_work_hours: bool = False
    process_external_meeting_messages: bool = False
    all_book_in_policy: bool = True
    book_in_policy: tuple[str, ...] = ()
    all_request_in_policy: bool = False
    request_in_policy: tuple[str, ...] = ()
    all_request_out_of_policy: bool = False
    request_out_of_policy: tuple[str, ...] = ()
    forward_requests_to_delegates: bool = True
    resource_delegates: tuple[str, ...] = ()
    add_new_requests_tentatively: bool = True
    tentative_pending_approval: bool = True
    delete_subject: bool = True
    add_organizer_to_subject: bool = True
    delete_comments: bool = True
    delete_attachments: bool = True
    remove_private_property: bool = True
    remove_canceled_meetings: bool = False
    booking_type: str = "Standard"
    enforce_capacity: bool = False


_NAMES = {field.name.replace("_", ""): field.name for field in fields(CalendarProcessing)}
USER_PROCESSING = CalendarProcessing(automate_processing="AutoUpdate")
"""People's mailboxes: the calendar attendant places requests, nobody answers for them."""


def parse_processing(values: dict[str, Any]) -> CalendarProcessing:
    """Build options from a mapping; `AllowConflicts`, `allowConflicts` and `allow_conflicts` are one name."""
    known = {_NAMES[_squeeze(name)]: _freeze(value) for name, value in values.items()}
    return CalendarProcessing(**known)


def _squeeze(name: str) -> str:
    key = name.replace("_", "").lower()
    if key not in _NAMES:
        raise ValueError(f"no CalendarProcessing option is called {name!r}")
    return key


def _freeze(value: Any) -> Any:
    return tuple(str(item).lower() for item in value) if isinstance(value, list | tuple) else value


class Verdict(StrEnum):
    """What the attendant does with a request."""

    ACCEPT = "accept"
    DECLINE = "decline"
    PENDING = "pending"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class MeetingRequest:
    """What the attendant looks at; `addresses` are all the sender's addresses in lower case."""

    start: datetime
    end: datetime
    addresses: frozenset[str]
    people: int
    capacity: int | None
    conflicts: bool
    zone: str
    work_start: str
    work_end: str
    work_days: tuple[str, ...]


def judge(request: MeetingRequest, options: CalendarProcessing, *, now: datetime) -> tuple[Verdict, str]:
    """
    Say what becomes of *request* at *now*, and why.

    A meeting that is over is not processed at all (CSS-Exchange, Get-RBASummary).
    """
    if request.end <= now:
        return Verdict.IGNORE, "past"
    if options.booking_type.lower() == "reserved":
        return Verdict.DECLINE, "reserved"
    reason = out_of_policy(request, options, now=now)
    if reason:
        allowed = options.all_request_out_of_policy or _listed(request, options.request_out_of_policy)
        return (Verdict.PENDING if allowed else Verdict.DECLINE), reason
    if options.all_book_in_policy or _listed(request, options.book_in_policy):
        return Verdict.ACCEPT, ""
    if options.all_request_in_policy or _listed(request, options.request_in_policy):
        return Verdict.PENDING, "approval"
    return Verdict.DECLINE, "not_permitted"


def out_of_policy(request: MeetingRequest, options: CalendarProcessing, *, now: datetime) -> str:
    """Return the first rule that *request* breaks, or an empty text."""
    zone = find_zone(request.zone)
    last_day = now.astimezone(zone).date() + timedelta(days=options.booking_window_in_days)
    minutes = (request.end - request.start) / timedelta(minutes=1)
    broken = {
        "booking_window": request.end.astimezone(zone).date() > last_day,
        "duration": 0 < options.maximum_duration_in_minutes < minutes,
        "work_hours": options.schedule_only_during_work_hours and not _in_work_hours(request),
        "capacity": options.enforce_capacity and request.capacity is not None and request.people > request.capacity,
        "conflict": request.conflicts and not options.allow_conflicts,
    }
    return next((reason for reason, is_broken in broken.items() if is_broken), "")


def _listed(request: MeetingRequest, addresses: tuple[str, ...]) -> bool:
    return not request.addresses.isdisjoint(addresses)


def _in_work_hours(request: MeetingRequest) -> bool:
    zone = find_zone(request.zone)
    start, end = request.start.astimezone(zone), request.end.astimezone(zone)
    same_day = start.date() == end.date() and WEEKDAYS[start.weekday()] in request.work_days
    return same_day and request.work_start[:5] <= f"{start:%H:%M}" and f"{end:%H:%M}" <= request.work_end[:5]

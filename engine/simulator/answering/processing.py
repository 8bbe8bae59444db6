"""
The options of a room's booking attendant, and its judgement of one request: pure.

Source of names, defaults and meaning: Set-CalendarProcessing. Order of judgement: CSS-Exchange, Get-RBASummary: first
in or out of policy, then who may do what. Graph cannot read these options.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from engine.simulator.calendars.recurrence import WEEKDAYS
from engine.simulator.times import find_zone


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
    minimum_duration_in_minutes: int = 0
    """Workspaces only."""
    allow_multiple_resources: bool = True
    allow_distribution_group: bool = True
    """Kept and shown; there are no groups here."""
    enable_response_details: bool = True
    organizer_info: bool = True
    add_additional_response: bool = False
    additional_response: str = ""
    enable_auto_release: bool = False
    post_reservation_max_claim_time_in_minutes: int = 10
    remove_old_meeting_messages: bool = True
    """This one and the next two are about mail folders: kept and shown, nothing else."""
    remove_forwarded_meeting_notifications: bool = False
    delete_non_calendar_items: bool = True


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
    """
    What the attendant looks at; `addresses` are all the sender's addresses in lower case.

    `dates` are the single meetings it stands for, as far as the booking window goes, and `conflicts` how many of them
    find the room taken. `ends_at` is when the last one is over, None for an endless series. `people` counts, in a
    workspace, those of other bookings at that time too; `resources` and `workspaces` how many were asked together.
    """

    start: datetime
    end: datetime
    addresses: frozenset[str]
    people: int
    capacity: int | None
    conflicts: int
    zone: str
    work_start: str
    work_end: str
    work_days: tuple[str, ...]
    is_recurring: bool
    ends_at: datetime | None
    dates: tuple[tuple[datetime, datetime], ...]
    is_workspace: bool = False
    resources: int = 1
    workspaces: int = 0


def judge(request: MeetingRequest, options: CalendarProcessing, *, now: datetime) -> tuple[Verdict, str]:
    """
    Say what becomes of *request* at *now*, and why.

    A meeting that is over is not processed at all (CSS-Exchange, Get-RBASummary).
    """
    if request.ends_at is not None and request.ends_at <= now:
        return Verdict.IGNORE, "past"
    if options.enforce_capacity and request.workspaces > 1:
        return Verdict.IGNORE, "several_workspaces"  # Support: use-resource-booking-attendant-logs
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
    minutes = max(
        (end - start) / timedelta(minutes=1) for start, end in (request.dates or ((request.start, request.end),))
    )
    broken = {
        "recurring": request.is_recurring and not options.allow_recurring_meetings,
        "booking_window": _is_beyond_window(request, options, now),
        "minimum_duration": request.is_workspace and minutes < options.minimum_duration_in_minutes,
        "several_resources": request.resources > 1 and not options.allow_multiple_resources,
        "duration": 0 < options.maximum_duration_in_minutes < minutes,
        "work_hours": options.schedule_only_during_work_hours and not all(
            _in_work_hours(request, start, end) for start, end in request.dates
        ),
        "capacity": options.enforce_capacity and request.capacity is not None and request.people > request.capacity,
        "conflict": not options.allow_conflicts and _has_too_many_conflicts(request, options),
    }  # fmt: skip
    return next((reason for reason, is_broken in broken.items() if is_broken), "")


def last_bookable_day(zone: str, options: CalendarProcessing, now: datetime) -> date:
    """Return the last day of the booking window, by the room's calendar."""
    return now.astimezone(find_zone(zone)).date() + timedelta(days=options.booking_window_in_days)


def _is_beyond_window(request: MeetingRequest, options: CalendarProcessing, now: datetime) -> bool:
    """The horizon counts for the end of a series, or only for its first date (EnforceSchedulingHorizon)."""
    end = request.ends_at if options.enforce_scheduling_horizon else request.end
    last_day = last_bookable_day(request.zone, options, now)
    return end is None or end.astimezone(find_zone(request.zone)).date() > last_day


def _has_too_many_conflicts(request: MeetingRequest, options: CalendarProcessing) -> bool:
    """Tell whether either limit for a series is exceeded (Set-CalendarProcessing); a single date tolerates none."""
    if not request.is_recurring or not request.conflicts:
        return request.conflicts > 0
    percentage = 100 * request.conflicts / len(request.dates)
    return (
        percentage > options.conflict_percentage_allowed or request.conflicts > options.maximum_conflict_instances
    )  # fmt: skip


def _listed(request: MeetingRequest, addresses: tuple[str, ...]) -> bool:
    return not request.addresses.isdisjoint(addresses)


def _in_work_hours(request: MeetingRequest, first: datetime, last: datetime) -> bool:
    zone = find_zone(request.zone)
    start, end = first.astimezone(zone), last.astimezone(zone)
    same_day = start.date() == end.date() and WEEKDAYS[start.weekday()] in request.work_days
    return same_day and request.work_start[:5] <= f"{start:%H:%M}" and f"{end:%H:%M}" <= request.work_end[:5]

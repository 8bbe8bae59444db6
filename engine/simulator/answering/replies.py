"""
What a room writes back: the only place that says why, since the event itself never does.

Source: Set-CalendarProcessing (EnableResponseDetails, OrganizerInfo, AddAdditionalResponse, AdditionalResponse). The
wording is ours; Exchange's differs by language and version.
"""

from __future__ import annotations

from engine.simulator.answering.processing import CalendarProcessing

REASONS = {
    "approval": "This request waits for a delegate of the resource.",
    "booking_window": "This resource cannot be booked so far ahead: at most {window} days.",
    "capacity": "This resource does not hold so many people.",
    "conflict": "This resource is taken at that time.",
    "duration": "This resource doesn't accept meetings longer than {longest} minutes.",
    "minimum_duration": "This resource doesn't accept meetings shorter than {shortest} minutes.",
    "not_permitted": "You are not allowed to book this resource.",
    "recurring": "This resource does not accept recurring meetings.",
    "reserved": "This resource cannot be booked.",
    "several_resources": "This resource cannot be booked together with others.",
    "work_hours": "This resource can only be booked during its working hours.",
}


def reply_text(options: CalendarProcessing, response: str, reason: str, rivals: tuple[str, ...]) -> str:
    """Return the text under an answer; *rivals* are the organizers of what is in the way."""
    lines = [f"Your request was {response}."]
    if options.enable_response_details and reason in REASONS:
        lines.append(REASONS[reason].format(
            window=options.booking_window_in_days, longest=options.maximum_duration_in_minutes,
            shortest=options.minimum_duration_in_minutes,
        ))  # fmt: skip
        if reason == "conflict" and options.organizer_info and rivals:
            lines.append(f"In conflict with: {', '.join(rivals)}.")
    if options.add_additional_response and options.additional_response:
        lines.append(options.additional_response)
    return "\n".join(lines)

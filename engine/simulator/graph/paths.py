"""What a path under /v1.0 speaks of, and the refusals that depend on nothing but whose mailbox it is."""

from __future__ import annotations

from engine.simulator.calendars.records import Mailbox
from engine.simulator.graph.outlook import calendar_id
from engine.simulator.wire import GraphError


def path_kind(segments: list[str]) -> str:
    """Name the kind of call for the counters: places, users, events, event, action, calendarView, delta, ..."""
    head = segments[1].lower() if len(segments) > 1 else ""
    if head != "users":
        return head or "root"
    rest = [part.lower() for part in segments[3:] if part.lower() != "calendar"]
    if rest[:1] == ["calendars"]:
        rest = rest[2:]
    if not rest:
        return "users"
    if rest[0] == "calendarview":
        return "delta" if len(rest) > 1 else "calendarView"
    if rest[0] == "events":
        return ("events", "event", "action")[min(len(rest), 3) - 1]
    return rest[0]


def is_write(method: str, kind: str) -> bool:
    """Tell whether a request changes an event or answers one."""
    return method != "GET" and kind in ("events", "event", "action")


def within_calendar(rest: list[str], mailbox: Mailbox) -> list[str]:
    """Strip `/calendar` or `/calendars/{id}` from a path: both name the default calendar."""
    head = rest[0].lower()
    if head == "calendar":
        return rest[1:]
    if head == "calendars" and len(rest) > 1:
        if rest[1] != calendar_id(mailbox):
            raise GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return rest[2:]
    return rest


def unknown_user(segments: list[str]) -> GraphError:
    """Return the 404 for somebody the directory does not know; Exchange and Entra word it differently."""
    if len(segments) == 3:
        message = (
            f"Resource '{segments[2]}' does not exist or one of its queried reference-property objects are not present."
        )
        return GraphError(404, "Request_ResourceNotFound", message)
    return GraphError(404, "ErrorInvalidUser", f"The requested user '{segments[2]}' is invalid.")


def refuse_closed(mailbox: Mailbox) -> None:
    """Refuse a mailbox that exists and cannot be read: 404 or 403, never to be taken for a deleted event."""
    if mailbox.state == "disabled":
        message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        raise GraphError(404, "MailboxNotEnabledForRESTAPI", message)
    if mailbox.state == "denied":
        raise GraphError(403, "ErrorAccessDenied", "Access to OData is disabled.")

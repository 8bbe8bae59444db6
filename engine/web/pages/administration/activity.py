"""Activity: what the engine is doing right now, what it gave up, what it asks of Microsoft, and when it does what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from starlette.responses import Response

from engine.reconcile.contacts import CONTACTS
from engine.reconcile.telling.activity import KeyState
from engine.rooms.connection import Use, expiry_of
from engine.web.api.rooms import IMPORT
from engine.web.api.wire import STORABLE
from engine.web.pages.page import AdminPage, Page, StaffPage, ViewerPage
from engine.web.translations import N_

router = APIRouter()

Word = Annotated[str, Form(min_length=1, max_length=512), STORABLE]

JOBS: Mapping[str, str] = MappingProxyType(
    {
        "import_rooms": N_("Read the directory’s list of rooms"),
        "retry_rooms": N_("Try suspended rooms again"),
        "sweep_rooms": N_("Read rooms that were not read of late"),
        "compare_rooms": N_("Compare every room whole"),
        "loan_clock": N_("Loans that become overdue, or are closed"),
        "retention": N_("Clear away what is old"),
        "check_subscriptions": N_("Renew what Outlook notifies us of"),
        "poll_rooms": N_("Ask the rooms in turn"),
        "export_contacts": N_("Export requesters from outside as contacts"),
        "own_calendars": N_("Look at people’s own calendars"),
        "check_names": N_("Look for names in the settings that nothing has"),
        "reach_dates": N_("Bring in what the view’s dates have come to reach"),
        "check_credential": N_("See how long secret or certificate still holds"),
    }
)
"""Timed jobs, in English."""

CALLS: Mapping[str, str] = MappingProxyType(
    {
        "batch": N_("Several at once"),
        "list places": N_("List rooms"),
        "read changes": N_("Read a room’s changes"),
        "read event": N_("Read a meeting"),
        "find event": N_("Find a meeting"),
        "list dates": N_("List the dates of a series"),
        "create event": N_("Create a meeting"),
        "create series": N_("Create a series"),
        "change event": N_("Change a meeting"),
        "delete event": N_("Delete a meeting"),
        "decline event": N_("Decline for a room"),
        "create subscription": N_("Subscribe to a room"),
        "renew subscription": N_("Renew a subscription"),
        "delete subscription": N_("Drop a subscription"),
        "list subscriptions": N_("List subscriptions"),
        "read settings": N_("Read a mailbox’s settings"),
        "list contact folders": N_("List folders of contacts"),
        "create contact folder": N_("Create a folder of contacts"),
        "list contacts": N_("List contacts"),
        "create contact": N_("Create a contact"),
        "change contact": N_("Change a contact"),
        "delete contact": N_("Delete a contact"),
    }
)
"""What is asked of Graph, in English."""

FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "throttled": N_("Microsoft asked us to wait."),
        "outcome_unknown": N_("The answer was lost; it is found out whether it was done."),
        "unreachable": N_("Microsoft could not be reached."),
        "stale": N_("Somebody changed it at the same moment; it is looked at again."),
        "resync_required": N_("The calendar must be read from the beginning."),
        "unmatched": N_("It is not there any more."),
        "mailbox_closed": N_("The mailbox cannot be opened."),
        "refused": N_("Microsoft refused it."),
        "malformed": N_("The answer could not be understood."),
        "credentials_revoked": N_("Microsoft refuses our identity."),
    }
)
"""What came of requests that failed, in English."""

MODES: Mapping[str, str] = MappingProxyType(
    {"two_way": N_("Both ways"), "read_only": N_("Reads Outlook only"), "shadow": N_("Shadow: changes nothing")}
)

KeyNamer = Callable[[str, str], tuple[str, str]]


@router.get("/activity")
def show_activity(page: ViewerPage) -> Response:
    """Show what goes on; the page asks again by itself."""
    found = page.parts.activity.read()
    traffic = page.parts.read_traffic()
    return page.render(
        "activity.html",
        here="activity",
        found=found,
        sent=page.parts.outbox.counts(),
        silent=page.parts.outbox.failing(),
        parked=[key for key in found.keys if key.state is KeyState.PARKED],
        queue=[key for key in found.keys if key.state is not KeyState.PARKED][:20],
        traffic=traffic,
        mode=page.say(MODES.get(mode := page.parts.rules().mode, mode)),
        jobs=JOBS,
        calls=CALLS,
        faults=FAULTS,
        name_key=name_keys(page),
        exports=Use.CONTACTS in page.parts.connection.uses,
        expiry=expiry_of(page.parts.connection, page.now.date()),
        unknown_names=page.parts.unknown_names(),
    )


@router.post("/activity/retry")
def retry(page: StaffPage, kind: Word, key: Word) -> Response:
    """Have the engine look at a key at once, given up or waiting."""
    if not page.parts.activity.is_known(kind, key):
        raise HTTPException(404)
    page.parts.web.enqueue(kind, key)
    return page.go("/activity")


@router.post("/activity/retry-all")
def retry_all(page: StaffPage) -> Response:
    """Have the engine look again at what it gave up, the longest ago first."""
    for key in page.parts.activity.read().keys:
        if key.state is KeyState.PARKED:
            page.parts.web.enqueue(key.kind, key.key)
    return page.go("/activity")


@router.post("/activity/import")
def import_now(page: AdminPage) -> Response:
    """Read the directory's list of rooms now."""
    page.parts.web.enqueue(*IMPORT)
    return page.go("/activity")


@router.post("/activity/contacts")
def export_contacts(page: AdminPage) -> Response:
    """Export requesters from outside as contacts now."""
    if Use.CONTACTS not in page.parts.connection.uses:
        raise HTTPException(404)
    page.parts.web.enqueue(*CONTACTS)
    return page.go("/activity")


@router.post("/activity/sync")
def synchronise_now(page: StaffPage) -> Response:
    """Read every room's calendar now, and look at all that changed there."""
    for room in page.parts.web.rooms.load_rooms():
        if room.is_synced:
            page.parts.web.enqueue("room", str(room.id))
    return page.go("/activity")


@router.post("/activity/compare")
def compare_now(page: AdminPage) -> Response:
    """Compare every room whole now, instead of tonight."""
    page.parts.compare_rooms()
    return page.go("/activity")


def name_keys(page: Page) -> KeyNamer:
    """Return what calls keys of the queue by a name, and knows the page they lead to (empty: none)."""
    rooms = {str(room.id): room.name for room in page.parts.web.rooms.load_rooms()}

    def name(kind: str, key: str) -> tuple[str, str]:
        room = rooms.get(key, key)
        match kind:
            case "room":
                return page.say("Calendar of %(room)s", room=room), f"/rooms/{key}"
            case "compare":
                return page.say("Comparison of %(room)s", room=room), f"/rooms/{key}"
            case "subscription" if key == "all":
                return page.say("All subscriptions"), ""
            case "subscription":
                return page.say("Subscription of %(room)s", room=room), f"/rooms/{key}"
            case "places":
                return page.say("The list of rooms"), "/rooms"
            case "loan":
                return page.say("Loan %(number)s", number=key), f"/loans/{key}"
            case "case":
                return page.say("Case %(number)s", number=key), f"/cases/{key}"
            case "backfill":
                return page.say("Backfill %(number)s", number=key), f"/backfills/{key}"
            case "own":
                return page.say("Somebody’s own calendar"), ""
            case "contacts":
                return page.say("Contacts of requesters from outside"), ""
            case "outbox":
                channel, _, whom = key.partition(":")
                whom = page.say("webhook %(number)s", number=whom) if channel == "webhook" else whom
                is_admin = page.user is not None and page.user.is_admin
                return page.say("Messages to %(whom)s", whom=whom), "/outbox" if is_admin else ""
            case "series":
                return page.say("Series %(number)s", number=key), ""
            case "meeting":
                return page.say("A meeting in Outlook"), ""
        return f"{kind}:{key}", ""

    return name

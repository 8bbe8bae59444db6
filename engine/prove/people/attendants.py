"""What rooms, their delegates and their administrators do of themselves: other rules, verdicts, rooms given back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from engine.prove.people.people import Crowd
from engine.prove.world.sight import name_of_copy
from engine.prove.world.virtual import START

QUIET = timedelta(hours=16)
"""So long after a world begins nothing is booked yet, and its day is the same."""

RULES: tuple[Mapping[str, Any], ...] = (
    {"AllBookInPolicy": False, "AllRequestInPolicy": True},
    {"AllBookInPolicy": False, "AllRequestInPolicy": True, "TentativePendingApproval": False},
    {"AllBookInPolicy": True, "AllRequestInPolicy": False},
    {"AllRequestOutOfPolicy": True},
    {"AllRequestOutOfPolicy": False},
    {"AllowConflicts": True},
    {"AllowConflicts": False},
    {"AutomateProcessing": "AutoUpdate"},
    {"AutomateProcessing": "AutoAccept"},
    {"BookingWindowInDays": 1080},
    {"BookingWindowInDays": 2},
    {"MaximumDurationInMinutes": 0},
    {"MaximumDurationInMinutes": 60},
    {"AllowRecurringMeetings": False},
    {"AllowRecurringMeetings": True},
    {"ConflictPercentageAllowed": 60, "MaximumConflictInstances": 2},
    {"RemoveCanceledMeetings": True},
    {"DeleteSubject": False, "AddOrganizerToSubject": False, "RemovePrivateProperty": False},
    {"DeleteSubject": False, "AddOrganizerToSubject": False, "RemovePrivateProperty": True},
)
"""Options of Set-CalendarProcessing that people change."""


def change_rules(crowd: Crowd) -> None:
    """Let an administrator give a room other rules."""
    room, rules = crowd.draw_room(), crowd.random.choice(RULES)
    crowd.tell(f"room {room} has other rules: {dict(rules)}")
    crowd.world.tenant.office.set_processing(crowd.world.room_addresses[room - 1], **rules)


def ask_delegates(crowd: Crowd) -> None:
    """Let a room's requests wait for its delegates, and somebody ask for it: one meeting, or a series."""
    room, person = crowd.draw_room(), crowd.draw_person()
    rules = {"AllBookInPolicy": False, "AllRequestInPolicy": True, "ResourceDelegates": [crowd.world.people[0]]}
    crowd.tell(f"room {room} asks its delegates; person {person} asks for it")
    crowd.world.tenant.office.set_processing(crowd.world.room_addresses[room - 1], **rules)
    interval = crowd.draw_interval()
    booking = crowd.world.person(person).book(interval.start, interval.end, rooms=crowd.world.addresses([room]))
    crowd.remember_meeting(crowd.world.run(booking), person, interval)


def let_hours_pass(crowd: Crowd) -> None:
    """Let nothing happen for hours: delegates are late, rooms stay silent. No booking begins meanwhile."""
    hours, now = crowd.random.choice([0.5, 2.0, 5.0]), crowd.world.loop.now()
    if now + timedelta(hours=hours) >= START + QUIET:
        return
    crowd.tell(f"{hours} hours pass")
    crowd.world.wait(hours * 3600)


def decide_request(crowd: Crowd) -> None:
    """Let a delegate approve or reject a request that waits in a room, whatever else is there; silently at times."""
    office = crowd.world.tenant.office
    waiting = [
        (room, event)
        for room, address in enumerate(crowd.world.room_addresses, 1)
        for event in office.pending(address)
        if not event.series
    ]
    if not waiting:
        return
    room, event = crowd.random.choice(waiting)
    approves, tells = crowd.random.random() < 0.6, crowd.random.random() < 0.8
    crowd.tell(
        f"a delegate of room {room} {'approves' if approves else 'rejects'} {event.ical_uid[-15:]}"
        f"{'' if tells else ' and tells nobody'}"
    )
    before = set(crowd.world.copies_of(room))
    office.settle(crowd.world.room_addresses[room - 1], event.ical_uid, approve=approves, send=tells)
    if not tells:
        for name in before - set(crowd.world.copies_of(room)):
            _note_emptied(crowd, room, name)


def release_room(crowd: Crowd) -> None:
    """Let a room be given back: nobody checked in, or an administrator tidied up. Its organizer hears nothing."""
    room = crowd.draw_room()
    held = [
        event
        for event in crowd.world.run(crowd.world.room(room).events())
        if event["type"] == "singleInstance" and not event["isCancelled"] and not event["isOrganizer"]
    ]
    if not held:
        return
    event = crowd.random.choice(held)
    crowd.tell(f"room {room} is released from {event['iCalUId'][-15:]}")
    name = name_of_copy(event)
    if _note_emptied(crowd, room, name):
        organizer = event["organizer"]["emailAddress"]["address"]
        is_closed = organizer in crowd.world.people and crowd.world.tenant.office.find(organizer).state != "active"
        if is_closed:
            crowd.world.untold.dropped_unasked.add((room, name))
    crowd.world.tenant.office.release(crowd.world.room_addresses[room - 1], event["iCalUId"])


def _note_emptied(crowd: Crowd, room: int, name: str) -> bool:
    """Note that a meeting leaves a room and its organizer hears nothing, unless another room's copy tells of it."""
    is_untold = not _is_named_elsewhere(crowd, room, name)
    if is_untold:
        crowd.world.untold.emptied[room, name] = crowd.world.now()
    return is_untold


def _is_named_elsewhere(crowd: Crowd, room: int, name: str) -> bool:
    """Tell whether another room's copy names this room: those of a meeting that was forwarded to it do not. By an
    address of which the list of rooms has not told yet it does not count: that is not kept."""
    others = (crowd.world.copies_of(other) for other in range(1, len(crowd.world.room_addresses) + 1) if other != room)
    return any(_is_named(crowd, room, copies[name]) for copies in others if name in copies)


def _is_named(crowd: Crowd, room: int, copy: dict[str, Any]) -> bool:
    book = crowd.world.office.rooms.room_book()
    told = [each for each in copy["attendees"] if book.by_address(each["emailAddress"]["address"]) is not None]
    return room in crowd.world.invited({**copy, "attendees": told})

"""What comes from nobody of ours: requests from outside the tenant, and events written straight into a calendar."""

from __future__ import annotations

from typing import Any

from engine.prove.people.memory import Remembered
from engine.prove.people.people import Crowd, say
from engine.simulator.people import Person
from engine.simulator.series_calls import times_in

GUEST = "guest@elsewhere.example"


def ask_from_outside(crowd: Crowd) -> None:
    """Let somebody of another organisation ask for rooms; some of those take such requests (B38)."""
    rooms, interval = crowd.draw_rooms(), crowd.draw_interval()
    office, addresses = crowd.world.tenant.office, crowd.world.addresses(rooms)
    for address in addresses:
        if crowd.random.random() < 0.7:
            office.set_processing(address, ProcessExternalMeetingMessages=True)
    crowd.tell(f"somebody outside asks for {rooms} {say(interval)}")
    body = {
        "subject": "Visit", **times_in(interval.start, interval.end, crowd.draw_zone()),
        "attendees": crowd.world.invitations(rooms),
    }  # fmt: skip
    event = office.request_from_outside(GUEST, "A Guest", body)
    crowd.bookings.append(Remembered("outside", ical_uid=event.ical_uid, interval=interval))


def change_from_outside(crowd: Crowd) -> None:
    """Let somebody of another organisation move their meeting, take it to other rooms, or call it off."""
    booking = crowd.pick("outside")
    if booking is None or booking.ical_uid is None:
        return
    office, act = crowd.world.tenant.office, crowd.random.choice(["move", "re-room", "cancel"])
    crowd.tell(f"somebody outside lets {booking.ical_uid[-15:]} {act}")
    match act:
        case "move":
            interval = crowd.draw_interval()
            office.change_from_outside(GUEST, booking.ical_uid, times_in(interval.start, interval.end, "UTC"))
            booking.interval, booking.edits = interval, booking.edits + 1
        case "re-room":
            rooms = crowd.draw_rooms()
            office.change_from_outside(GUEST, booking.ical_uid, {"attendees": crowd.world.invitations(rooms)})
        case _:
            office.cancel_from_outside(GUEST, booking.ical_uid)
            booking.cancelled = True


def write_into_room(crowd: Crowd) -> None:
    """Write an event straight into a room's calendar, which checks nothing (B16); some are drafts, some have guests."""
    room, interval = crowd.draw_room(), crowd.draw_interval()
    more: dict[str, Any] = {"isDraft": crowd.random.random() < 0.2}
    people = crowd.world.people[:1] if crowd.random.random() < 0.3 else []
    crowd.tell(f"an event is written into room {room} {say(interval)} {'as a draft' if more['isDraft'] else ''}")
    made = _hand_of(crowd, room).book(interval.start, interval.end, people=people, zone=crowd.draw_zone(), **more)
    event = crowd.world.run(made)
    booking = Remembered("room", ical_uid=event["iCalUId"], event_id=event["id"], person=room, interval=interval)
    crowd.bookings.append(booking)


def change_in_room(crowd: Crowd) -> None:
    """Move or delete what was written straight into a room's calendar."""
    booking = crowd.pick("room")
    if booking is None or booking.event_id is None:
        return
    hand, interval = _hand_of(crowd, booking.person), crowd.draw_interval()
    is_moved = crowd.random.random() < 0.6
    crowd.tell(
        f"what was written into room {booking.person}, {(booking.ical_uid or '')[-15:]}, "
        f"{'is moved to ' + say(interval) if is_moved else 'is deleted'}"
    )
    if is_moved:
        crowd.world.run(hand.move(booking.event_id, interval.start, interval.end))
        booking.interval, booking.edits = interval, booking.edits + 1
    else:
        crowd.world.run(hand.delete(booking.event_id))
        booking.cancelled = True


def _hand_of(crowd: Crowd, room: int) -> Person:
    """Return whoever writes in a room's calendar."""
    return Person(crowd.world.tenant, crowd.world.room_addresses[room - 1])

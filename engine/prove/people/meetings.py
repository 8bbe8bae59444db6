"""What organizers do with single meetings, beside booking, moving and cancelling them."""

from __future__ import annotations

from engine.prove.people.people import Crowd, say
from engine.simulator.people import event_path

SECRET = "Surgery"
"""The title of private meetings: it must be found nowhere in the database."""


def meet_privately(crowd: Crowd) -> None:
    """Book a private meeting."""
    person, rooms, interval = crowd.draw_person(), crowd.draw_rooms(), crowd.draw_interval()
    crowd.tell(f"person {person} meets privately in {rooms} {interval.start:%d %H:%M}-{interval.end:%H:%M}")
    booking = crowd.world.person(person).book(
        interval.start, interval.end, rooms=crowd.world.addresses(rooms), subject=SECRET, sensitivity="private"
    )
    crowd.remember_meeting(crowd.world.run(booking), person, interval)


def meet_hidden(crowd: Crowd) -> None:
    """Book a meeting whose guests do not see each other: each room's copy lists that room alone (B54)."""
    person, rooms, interval = crowd.draw_person(), crowd.draw_rooms(), crowd.draw_interval()
    crowd.tell(f"person {person} meets guests who do not see each other in {rooms} {say(interval)}")
    booking = crowd.world.person(person).book(
        interval.start, interval.end, rooms=crowd.world.addresses(rooms), people=crowd.world.people, hideAttendees=True
    )
    crowd.remember_meeting(crowd.world.run(booking), person, interval)


def draft(crowd: Crowd) -> None:
    """Write a meeting that is not sent yet: Outlook saves such by itself (B51)."""
    person, rooms, interval = crowd.draw_person(), crowd.draw_rooms(), crowd.draw_interval()
    crowd.tell(f"person {person} drafts a meeting in {rooms} {say(interval)}")
    booking = crowd.world.person(person).book(
        interval.start, interval.end, rooms=crowd.world.addresses(rooms), isDraft=True
    )
    crowd.remember_meeting(crowd.world.run(booking), person, interval)


def send_draft(crowd: Crowd) -> None:
    """Send a meeting that was a draft."""
    written = [
        (booking, event)
        for booking in crowd.bookings
        if booking.side == "outlook" and booking.series is None and not booking.cancelled
        and (event := crowd.find_event(booking)) is not None and event["isDraft"]
    ]  # fmt: skip
    if not written:
        return
    booking, event = crowd.random.choice(written)
    crowd.tell(f"person {booking.person} sends the draft {event['iCalUId'][-15:]}")
    crowd.world.run(crowd.world.person(booking.person).change(event["id"], isDraft=False))


def turn_private(crowd: Crowd) -> None:
    """Let an organizer make a meeting private, or a private one public: under another title, which is no secret."""
    booking = crowd.pick("outlook")
    event = crowd.find_single(booking) if booking is not None else None
    if booking is None or event is None:
        return
    is_private = event["sensitivity"] == "private"
    changes = {"sensitivity": "normal", "subject": "Meeting"} if is_private else {"sensitivity": "private"}
    crowd.tell(f"person {booking.person} makes {event['iCalUId'][-15:]} {changes['sensitivity']}")
    crowd.world.run(crowd.world.person(booking.person).change(event["id"], **changes))


def forward(crowd: Crowd) -> None:
    """Let an organizer forward a meeting to a room: it is invited as a person would be. Drafts cannot be forwarded."""
    booking = crowd.pick("outlook")
    event = crowd.find_single(booking) if booking is not None else None
    if booking is None or event is None or event["isDraft"]:
        return
    room = crowd.draw_room()
    address = crowd.world.room_addresses[room - 1]
    crowd.tell(f"person {booking.person} forwards {event['iCalUId'][-15:]} to room {room}")
    body = {"toRecipients": [{"emailAddress": {"address": address, "name": f"Room {room}"}}], "comment": ""}
    crowd.world.run(crowd.world.person(booking.person).call("POST", f"{event_path(event['id'])}/forward", body))


def swap_rooms(crowd: Crowd) -> None:
    """Let two meetings take each other's rooms, one right after the other."""
    found = [(booking, crowd.find_single(booking)) for booking in (crowd.pick("outlook"), crowd.pick("outlook"))
             if booking is not None]  # fmt: skip
    pair = [(booking, event) for booking, event in found if event is not None]
    if len(pair) < 2 or pair[0][0] is pair[1][0]:
        return
    rooms = [
        [each["emailAddress"]["address"] for each in event["attendees"] if each["type"] == "resource"]
        for _, event in pair
    ]
    crowd.tell(f"{' and '.join(event['iCalUId'][-15:] for _, event in pair)} swap rooms: {rooms}")
    for (booking, event), taken in zip(pair, reversed(rooms), strict=True):
        crowd.world.run(crowd.world.person(booking.person).set_rooms(event["id"], taken))


def rename(crowd: Crowd) -> None:
    """Let an organizer give a meeting another title."""
    booking = crowd.pick("outlook")
    event = crowd.find_event(booking) if booking is not None else None
    if booking is None or event is None or event["sensitivity"] == "private":
        return
    crowd.tell(f"person {booking.person} renames {event['iCalUId'][-15:]}")
    crowd.world.run(crowd.world.person(booking.person).change(event["id"], subject="Retreat"))

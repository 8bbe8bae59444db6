"""What people book at odd times: whole days, series over a change of the clocks, and rooms that lie elsewhere."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from engine.prove.people.memory import RememberedSeries
from engine.prove.people.people import DAYS, ZONES, Crowd
from engine.prove.people.series import book_series
from engine.prove.world import garble
from engine.simulator.series_calls import times_in

CLOCK_CHANGES = (date(2027, 3, 14), date(2027, 3, 28), date(2027, 10, 31), date(2027, 11, 7))
"""Sundays: New York and Paris in spring, Paris and New York in autumn. A room hears of the later two only once its
booking window is wide enough."""

NIGHT = (1.5, 2.0, 2.5, 3.0)
"""Hours of which some do not exist that night, or exist twice."""


def meet_whole_days(crowd: Crowd) -> None:
    """Book a day or two as a whole: from midnight to midnight, wherever the room is."""
    person, rooms = crowd.draw_person(), crowd.draw_rooms()
    first = crowd.world.at(0, days=crowd.random.randint(1, DAYS))
    last, zone = first + timedelta(days=crowd.random.choice([1, 1, 2])), crowd.draw_zone()
    crowd.tell(f"person {person} takes {rooms} for whole days {first:%d}-{last:%d} ({zone})")
    body = {
        "isAllDay": True, "start": _midnight(first, zone), "end": _midnight(last, zone),
        "subject": "Fair", "attendees": crowd.world.invitations(rooms),
    }  # fmt: skip
    made = crowd.world.run(crowd.world.person(person).call("POST", "/events", body))
    crowd.remember_meeting(made, person, None)


def make_whole_day(crowd: Crowd) -> None:
    """Let somebody turn a meeting into one of a whole day."""
    booking = crowd.pick("outlook")
    event = crowd.find_single(booking) if booking is not None else None
    if booking is None or event is None:
        return
    first = crowd.world.at(0, days=crowd.random.randint(1, DAYS))
    body = {"isAllDay": True, "start": _midnight(first, "UTC"), "end": _midnight(first + timedelta(days=1), "UTC")}
    crowd.tell(f"person {booking.person} makes the meeting {event['iCalUId'][-15:]} last all of the {first:%d}")
    crowd.world.run(crowd.world.person(booking.person).change(event["id"], **body))
    booking.interval, booking.edits = None, booking.edits + 1


def meet_without_length(crowd: Crowd) -> None:
    """Book a meeting that ends when it begins: it holds no room, and is no loan."""
    person, rooms, interval = crowd.draw_person(), crowd.draw_rooms(), crowd.draw_interval()
    crowd.tell(f"person {person} meets in {rooms} at {interval.start:%d %H:%M}, for no time")
    start = interval.start
    booking = crowd.world.person(person).book(start, start, rooms=crowd.world.addresses(rooms), zone=crowd.draw_zone())
    crowd.remember_meeting(crowd.world.run(booking), person, None)


def lose_length(crowd: Crowd) -> None:
    """Let somebody make a meeting end when it begins."""
    booking = crowd.pick("outlook")
    event = crowd.find_single(booking) if booking is not None else None
    if booking is None or event is None or event["isAllDay"]:
        return
    crowd.tell(f"person {booking.person} lets the meeting {event['iCalUId'][-15:]} last no time")
    start = crowd.read_time(event["start"])
    crowd.world.run(crowd.world.person(booking.person).change(event["id"], **times_in(start, start, "UTC")))
    booking.interval, booking.edits = None, booking.edits + 1


def garble_times(crowd: Crowd) -> None:
    """Let an old client save a meeting with times that nobody can read; half of them are new."""
    if crowd.random.random() < 0.5:
        crowd.meet()
    booking = crowd.pick("outlook")
    event = crowd.find_single(booking) if booking is not None else None
    if booking is None or event is None or event["isAllDay"]:
        return
    side, odd = crowd.random.choice(["start", "end"]), crowd.random.choice(garble.ODD)
    crowd.tell(f"the {side} of {event['iCalUId'][-15:]} reads {dict(odd)}")
    crowd.world.garble.of[event["iCalUId"]] = (side, odd)
    crowd.world.run(crowd.world.person(booking.person).rename(event["id"], "Odd times"))


def mend_times(crowd: Crowd) -> None:
    """Let a newer client save such a meeting again."""
    odd = [each for each in crowd.bookings if each.ical_uid in crowd.world.garble.of and not each.cancelled]
    booking = crowd.random.choice(odd) if odd else None
    event = crowd.find_single(booking) if booking is not None else None
    if booking is None or event is None:
        return
    crowd.tell(f"the times of {event['iCalUId'][-15:]} can be read again")
    del crowd.world.garble.of[event["iCalUId"]]
    crowd.world.run(crowd.world.person(booking.person).rename(event["id"], "Plain times"))


def _midnight(day: datetime, zone: str) -> dict[str, str]:
    return {"dateTime": f"{day:%Y-%m-%dT00:00:00}", "timeZone": zone}


def meet_over_clock_change(crowd: Crowd) -> None:
    """Book a series that keeps its hour on the wall while the clocks change."""
    person, rooms, zone = crowd.draw_person(), crowd.draw_rooms(), crowd.random.choice(ZONES)
    change, kind = crowd.random.choice(CLOCK_CHANGES), crowd.random.choice(["daily", "weekly"])
    first = change - timedelta(days=1 if kind == "daily" else 5)
    hour = crowd.random.choice([*NIGHT, crowd.draw_hour()])
    crowd.tell(f"person {person} meets {kind} in {rooms} from {first} at {hour} ({zone})")
    master = book_series(crowd.world, person, first, hour, *rooms, zone=zone, kind=kind, times=3)
    crowd.follow(RememberedSeries(person, master["id"], first, 3, kind, zone))


def set_room_zone(crowd: Crowd) -> None:
    """Let an administrator say in which zone a room lies."""
    room = crowd.draw_room()
    zone = crowd.random.choice([None, "Europe/Paris", "America/New_York", "Asia/Kathmandu"])
    crowd.tell(f"room {room} is said to lie in {zone}")
    crowd.world.office.rooms.set_time_zone(crowd.world.item(room).id, zone)

"""Bookings that begin and end while the world lives, and the promise about them: what is over stays as it was (P53)."""

from __future__ import annotations

from datetime import timedelta

from engine.interval import Interval
from engine.loans.register import LoanChange
from engine.loans.status import WITHDRAWN_STATUSES
from engine.prove.people.memory import Over, Remembered
from engine.prove.people.people import Crowd, name_of, say
from engine.simulator.series_calls import times_in

QUARTER = timedelta(minutes=15)
MINUTES = (1, 7, 7, 20, 20, 45, 90)
"""How long nothing happens: bookings begin and end meanwhile."""
STEP_MINUTES = 5
"""So often the desk's clock runs while time passes; the service runs it more often."""

AMONG = (
    *("meet_soon", "meet_soon", "meet_soon", "book_soon", "book_soon", "book_soon"),
    *("let_minutes_pass", "let_minutes_pass", "let_minutes_pass", "let_minutes_pass", "sleep_over_the_clock"),
    *("move_soon", "move_soon", "lengthen", "lengthen"),
    *("move_meeting", "move_loan", "reroom_meeting", "reroom_loan"),
    *("cancel_meeting", "cancel_loan", "hand_over", "give_loan", "expect_check_in", "check_in"),
)
"""What people of such a world do."""


def draw_soon(crowd: Crowd) -> Interval:
    """Return times that begin within the hour."""
    now = crowd.world.loop.now()
    begun = now.replace(minute=now.minute - now.minute % 15, second=0, microsecond=0)
    start = begun + crowd.random.randint(1, 4) * QUARTER
    return Interval(start, start + crowd.random.randint(1, 4) * QUARTER)


def meet_soon(crowd: Crowd) -> None:
    """Meet in Outlook within the hour."""
    person, rooms, interval = crowd.draw_person(), crowd.draw_rooms(), draw_soon(crowd)
    crowd.is_begun = True
    crowd.tell(f"person {person} meets soon in {rooms} {say(interval)}")
    booking = crowd.world.person(person).book(interval.start, interval.end, rooms=crowd.world.addresses(rooms))
    crowd.remember_meeting(crowd.world.run(booking), person, interval)


def book_soon(crowd: Crowd) -> None:
    """Book a room at the desk for within the hour."""
    person, rooms, interval = crowd.draw_person(), crowd.draw_rooms(), draw_soon(crowd)
    crowd.is_begun = True
    crowd.tell(f"desk books {rooms} soon for person {person} {say(interval)}")
    loan = crowd.world.book_at(person, interval, *rooms)
    crowd.remember(loan, person)
    crowd.log[-1] += f" = loan {loan.number}"


def let_minutes_pass(crowd: Crowd) -> None:
    """Let time pass over the start and the end of bookings, while the desk's clock checks out and closes loans."""
    minutes = crowd.random.choice(MINUTES)
    crowd.tell(f"{minutes} minutes pass")
    for done in range(0, minutes, STEP_MINUTES):
        crowd.world.wait(60.0 * min(STEP_MINUTES, minutes - done))
        crowd.world.office.desk.run_clock()


def sleep_over_the_clock(crowd: Crowd) -> None:
    """Let half an hour pass in which the desk's clock stands still: what is over is not closed yet."""
    crowd.tell("30 minutes pass, and nobody runs the clock")
    crowd.world.wait(1800.0)


def move_soon(crowd: Crowd) -> None:
    """Give a booking, also one that has begun or is over, times within the hour: at either side."""
    booking = crowd.pick(crowd.random.choice(["outlook", "app"]))
    if booking is not None:
        _give(crowd, booking, draw_soon(crowd))


def lengthen(crowd: Crowd) -> None:
    """Let a booking, most telling while it runs, end later: at either side."""
    booking = crowd.pick(crowd.random.choice(["outlook", "app"]))
    if booking is not None and booking.interval is not None:
        longer = Interval(booking.interval.start, booking.interval.end + crowd.random.randint(1, 3) * QUARTER)
        _give(crowd, booking, longer)


def _give(crowd: Crowd, booking: Remembered, interval: Interval) -> None:
    number = crowd.number_of(booking)
    if crowd.random.random() < 0.5:
        if number is None:
            return
        crowd.tell(f"desk gives {name_of(booking)} (loan {number}) {say(interval)}")
        crowd.world.change(number, LoanChange(start=interval.start, end=interval.end))
        booking.over = None
    else:
        event = crowd.find_single(booking)
        if event is None:
            return
        crowd.tell(f"person {booking.person} gives {name_of(booking)} {say(interval)} in Outlook")
        times = times_in(interval.start, interval.end, "UTC")
        crowd.world.run(crowd.world.person(booking.person).change(event["id"], **times))
    booking.interval, booking.edits = interval, booking.edits + 1


def expect_check_in(crowd: Crowd) -> None:
    """Let a room be given back, from now on, when nobody checks in within ten minutes (auto-release)."""
    room = crowd.draw_room()
    crowd.tell(f"room {room} expects people to check in")
    crowd.world.tenant.office.set_processing(crowd.world.room_addresses[room - 1], EnableAutoRelease=True)


def check_in(crowd: Crowd) -> None:
    """Let somebody check in at a room."""
    room = crowd.draw_room()
    shown = crowd.world.run(crowd.world.room(room).events())
    held = [event for event in shown if event["type"] == "singleInstance" and not event["isCancelled"]]
    if not held:
        return
    event = crowd.random.choice(held)
    crowd.tell(f"somebody checks in at room {room} for {event['iCalUId'][-15:]}")
    crowd.world.tenant.office.check_in(crowd.world.room_addresses[room - 1], event["iCalUId"])


def let_rooms_be(crowd: Crowd) -> None:
    """Let people check in everywhere, and no room expect it any more: at rest nothing is to happen by rooms' clocks."""
    office = crowd.world.tenant.office
    for number, address in enumerate(crowd.world.room_addresses, 1):
        office.set_processing(address, EnableAutoRelease=False)
        for event in crowd.world.run(crowd.world.room(number).events()):
            office.check_in(address, event["iCalUId"])


def let_a_quarter_begin(crowd: Crowd) -> None:
    """Wait until no booking ends for a while: what is told of one goes when it is over, and that is no unrest."""
    now = crowd.world.loop.now()
    crowd.world.wait((QUARTER - timedelta(minutes=now.minute, seconds=now.second) % QUARTER).total_seconds())
    crowd.world.settle()


def note_what_is_over(crowd: Crowd) -> None:
    """Remember each loan whose time is over now: before anybody edits it, and before the end is judged."""
    now = crowd.world.loop.now()
    for booking in crowd.bookings:
        number = crowd.number_of(booking) if booking.over is None else None
        if number is None or booking.uncertain:
            continue
        loan = crowd.world.loan(number)
        if loan.interval.end <= now and loan.status not in WITHDRAWN_STATUSES:
            booking.over = Over(loan.interval, loan.requester.address.casefold())


def find_changed(crowd: Crowd) -> str | None:
    """Say which loan that was over is not any more what it was then: nothing said later in Outlook changes it."""
    for booking in crowd.bookings:
        number = crowd.number_of(booking) if booking.over is not None else None
        if number is None or booking.uncertain:
            continue
        loan = crowd.world.loan(number)
        found = Over(loan.interval, loan.requester.address.casefold())
        if found != booking.over or loan.status in WITHDRAWN_STATUSES:
            return f"P53: loan {number} was over, {booking.over}, and is {loan.status} {found}"
    return None

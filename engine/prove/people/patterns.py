"""Series of every other kind, from both sides: several days a week, monthly, yearly, endless; and their dates."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from engine.interval import Interval
from engine.loans.recurrence import Recurrence, Repeat, Weekday, recur
from engine.loans.register import LoanChange
from engine.prove.people.memory import Remembered, RememberedSeries
from engine.prove.people.people import DAYS, Crowd, say
from engine.prove.people.series import PARIS, PLACE, at
from engine.rooms.series import day_of
from engine.simulator import series_calls
from engine.simulator.calendars.recurrence import INDEXES, WEEKDAYS
from engine.simulator.series_calls import times_in

LATE_DAYS = (date(2026, 11, 30), date(2026, 12, 31), date(2027, 1, 29))
"""Days that some months do not have, or that are the last of their kind in the month."""

KINDS = ("weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly", "relativeYearly")
OTHER = "other"
"""As `RememberedSeries.kind`: its dates are known by their names only."""


def meet_by_pattern(crowd: Crowd) -> None:
    """Book a series on several days a week, by the date or the weekday of a month or year; some have no end."""
    person, rooms, hour = crowd.draw_person(), crowd.draw_rooms(), crowd.draw_hour()
    first, kind = _draw_first(crowd), crowd.random.choice(KINDS)
    every, days, times = 1, [WEEKDAYS[first.weekday()]], crowd.random.randint(2, 4)
    if kind == "weekly":
        days += crowd.random.sample(WEEKDAYS, 2)
        every = crowd.random.choice([1, 2])
    is_endless = crowd.random.random() < 0.35
    if is_endless and kind == "weekly":
        every, days = 4, days[:2]  # some dozens of loans, not hundreds
    if kind.endswith("Yearly") and not is_endless:
        times = 2
    _open_rooms(crowd, rooms, is_endless=is_endless)
    recurrence = series_calls.recur(
        first, kind, every=every, days=days, index=_index(first), times=None if is_endless else times
    )
    begins = datetime.combine(first, time(0), PLACE).replace(tzinfo=None) + timedelta(hours=hour)
    crowd.tell(
        f"person {person} meets {kind} in {rooms} from {first} at {hour}, "
        f"every {every} {days}, {'for ever' if is_endless else times}"
    )
    body = {
        "subject": "Committee", "recurrence": recurrence, "attendees": crowd.world.invitations(rooms),
        "start": {"dateTime": begins.isoformat(), "timeZone": PARIS},
        "end": {"dateTime": (begins + timedelta(hours=1)).isoformat(), "timeZone": PARIS},
    }  # fmt: skip
    master = crowd.world.run(crowd.world.person(person).call("POST", "/events", body))
    begun = date.fromisoformat(master["recurrence"]["range"]["startDate"])
    crowd.follow(RememberedSeries(person, master["id"], begun, times, OTHER, PARIS))


def _draw_first(crowd: Crowd) -> date:
    near = [crowd.world.at(0, days=days).date() for days in range(1, DAYS + 1)]
    return crowd.random.choice([*near, *near, *LATE_DAYS])


def _index(day: date) -> str:
    """Return which of its weekday in its month *day* is: the fifth is the last."""
    return INDEXES[min((day.day - 1) // 7, 4)]


def _open_rooms(crowd: Crowd, rooms: list[int], *, is_endless: bool) -> None:
    """Let most rooms take what reaches far ahead, which they decline by default (B33)."""
    if crowd.random.random() < 0.8:
        far = {"EnforceSchedulingHorizon": False} if is_endless else {"BookingWindowInDays": 1080}
        for address in crowd.world.addresses(rooms):
            crowd.world.tenant.office.set_processing(address, **far)


def cut(crowd: Crowd, series: RememberedSeries, rooms: list[int], hour: float) -> None:
    """Let this and the following dates of a series of any pattern go on otherwise."""
    days = sorted(day for each in series.dates if not each.cancelled and (day := _day(each)) is not None)
    if len(days) < 2:
        return
    after = crowd.random.choice(days[1:4])
    crowd.tell(f"person {series.person} takes the series of {series.first} from {after} on to {rooms} at {hour}")
    times = times_in(at(after, hour), at(after, hour + 1), series.zone)
    change = crowd.world.person(series.person).change_following(
        series.event_id, after, attendees=crowd.world.invitations(rooms), **times
    )
    following = crowd.world.run(change)
    crowd.look_at(series, times=False)
    crowd.follow(RememberedSeries(series.person, following["id"], after, series.length, OTHER, series.zone))


def move_date(crowd: Crowd) -> None:
    """Let an organizer move one date of a series to another hour of its day: an exception."""
    booking = _draw_date(crowd)
    event = crowd.find_event(booking) if booking is not None else None
    if booking is None or event is None or booking.interval is None:
        return
    hour, day = crowd.draw_hour(), booking.interval.start.date()
    interval = Interval(at(day, hour), at(day, hour + 1))
    if crowd.world.times_of(event) == interval:
        return  # that is no edit
    crowd.tell(f"person {booking.person} moves the date {(booking.ical_uid or '')[-15:]} to {say(interval)}")
    crowd.world.run(crowd.world.person(booking.person).move(event["id"], interval.start, interval.end))
    booking.interval, booking.edits = interval, booking.edits + 1


def move_date_at_desk(crowd: Crowd) -> None:
    """Let the desk move one date of a series to another hour of its day."""
    booking = _draw_date(crowd)
    number = crowd.number_of(booking) if booking is not None else None
    if booking is None or number is None or booking.interval is None:
        return
    hour, day = crowd.draw_hour(), booking.interval.start.date()
    change = LoanChange(start=at(day, hour), end=at(day, hour + 1))
    if crowd.world.loan(number).interval == Interval(at(day, hour), at(day, hour + 1)):
        return  # that is no edit
    crowd.tell(f"desk moves loan {number}, a date of a series, to {day} at {hour}")
    booking.interval, booking.edits = crowd.world.change(number, change).interval, booking.edits + 1


def cancel_date(crowd: Crowd) -> None:
    """Let an organizer cancel one date of a series."""
    booking = _draw_date(crowd)
    event = crowd.find_event(booking) if booking is not None else None
    if booking is None or event is None:
        return
    crowd.tell(f"person {booking.person} cancels the date {(booking.ical_uid or '')[-15:]}")
    crowd.world.run(crowd.world.person(booking.person).cancel(event["id"]))
    booking.cancelled = True


def _draw_date(crowd: Crowd) -> Remembered | None:
    dates = [each for each in crowd.bookings if each.series is not None and not each.cancelled]
    return crowd.random.choice(dates) if dates else None


def _day(booking: Remembered) -> date | None:
    return day_of(booking.ical_uid or "")


def draw_recurrence(crowd: Crowd) -> Recurrence:
    """Return how a series of the app repeats that is not daily, by count or until a day."""
    first, hour, repeat = _draw_first(crowd), crowd.draw_hour(), crowd.random.choice(list(Repeat)[1:])
    is_yearly = repeat in (Repeat.YEARLY, Repeat.YEARLY_BY_WEEKDAY)
    weekdays: tuple[Weekday, ...] = ()
    if repeat is Repeat.WEEKLY:
        weekdays = tuple(crowd.random.sample(list(Weekday), 2))
    count = 2 if is_yearly else crowd.random.randint(2, 4)
    has_last_day = crowd.random.random() < 0.3 and not is_yearly
    until = first + timedelta(days=crowd.random.choice([20, 70])) if has_last_day else None
    return recur(
        repeat, at(first, hour), at(first, hour + 1), "Europe/Paris", every=crowd.random.choice([1, 1, 2]),
        weekdays=weekdays, count=None if has_last_day else count, until=until,
    )  # fmt: skip

"""People at Outlook who make series of a date each day, and change them: whole, or this and following."""

from __future__ import annotations

from engine.prove.people import patterns
from engine.prove.people.memory import RememberedSeries
from engine.prove.people.people import DAYS, Crowd, parse_instant
from engine.prove.people.series import STEPS, at, book_series


def meet_daily(crowd: Crowd) -> None:
    """Book a short daily series: it meets everything else."""
    person, rooms = crowd.draw_person(), crowd.draw_rooms()
    first = crowd.world.at(0, days=crowd.random.randint(1, DAYS - 1)).date()
    hour, times = crowd.draw_hour(), crowd.random.randint(2, DAYS)
    crowd.tell(f"person {person} meets daily in {rooms} from {first} at {hour}, {times} times")
    master = book_series(crowd.world, person, first, hour, *rooms, kind="daily", times=times)
    crowd.follow(RememberedSeries(person, master["id"], first, times))


def move_series(crowd: Crowd) -> None:
    series = crowd.pick_series()
    if series is None:
        return
    hour = crowd.draw_hour()
    crowd.tell(f"person {series.person} moves the series of {series.first} to {hour}")
    organizer, start, end = crowd.world.person(series.person), at(series.first, hour), at(series.first, hour + 1)
    master = crowd.world.run(organizer.get(series.event_id))
    crowd.world.run(organizer.move(series.event_id, start, end))
    crowd.look_at(series, times=(parse_instant(master["start"]), parse_instant(master["end"])) != (start, end))


def cut_series(crowd: Crowd) -> None:
    """Let this and the following dates go on otherwise: a shortened series, and another one."""
    series = crowd.pick_series()
    if series is None or series.length < 2:
        return
    rooms, hour = crowd.draw_rooms(), crowd.draw_hour()
    if series.kind not in STEPS:
        patterns.cut(crowd, series, rooms, hour)
        return
    kept = crowd.random.randint(1, series.length - 1)
    after, left = series.first + kept * STEPS[series.kind], series.length - kept
    shown = crowd.world.dates_by_name(series.person, series.event_id)
    if not any(name.rpartition("@")[2] >= f"{after:%Y%m%d}" for name in shown):
        return  # the desk has ended the series before
    series.length = kept
    crowd.tell(f"person {series.person} takes the series of {series.first} from {after} on to {rooms} at {hour}")
    crowd.world.run(crowd.world.person(series.person).cancel_following(series.event_id, after))
    crowd.look_at(series, times=False)
    following = book_series(
        crowd.world, series.person, after, hour, *rooms, zone=series.zone, kind=series.kind, times=left
    )
    crowd.follow(RememberedSeries(series.person, following["id"], after, left, series.kind, series.zone))


def reroom_series(crowd: Crowd) -> None:
    series = crowd.pick_series()
    if series is None:
        return
    rooms = crowd.draw_rooms()
    crowd.tell(f"person {series.person} takes the series of {series.first} to rooms {rooms}")
    crowd.world.run(crowd.world.person(series.person).set_rooms(series.event_id, crowd.world.addresses(rooms)))
    crowd.look_at(series, times=False)


def cancel_series(crowd: Crowd) -> None:
    series = crowd.pick_series()
    if series is None:
        return
    crowd.tell(f"person {series.person} cancels the series of {series.first}")
    crowd.world.run(crowd.world.person(series.person).cancel(series.event_id))
    series.cancelled = True
    crowd.look_at(series)

"""
The demo building: twelve rooms on three floors, twenty people, meetings this week and on the days ahead, two of them
every week.

Everything follows from the tenant's seed and the day that is asked for. The meetings lie there as if accepted long
ago; nobody is mailed.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from engine.simulator.calendars.recurrence import WEEKDAYS
from engine.simulator.series_calls import recur
from engine.simulator.tenant import Tenant

DOMAIN = "example.org"
NOT_BOOKABLE = "not-bookable"
"""The tag that demo settings ignore."""


class DemoRoom(NamedTuple):
    """One room of the building."""

    code: str
    name: str
    floor: int
    capacity: int
    tags: tuple[str, ...]
    building: str = "Maison des Tilleuls"


ROOMS = (
    DemoRoom("tilleul", "Tilleul", 0, 60, ("projector", "stage", "microphone")),
    DemoRoom("platane", "Platane", 0, 24, ("projector", "whiteboard")),
    DemoRoom("saule", "Saule", 0, 8, ("screen",)),
    DemoRoom("accueil", "Accueil", 0, 2, (NOT_BOOKABLE,)),
    DemoRoom("erable", "Érable", 1, 18, ("projector", "video-conference")),
    DemoRoom("bouleau", "Bouleau", 1, 12, ("screen", "whiteboard")),
    DemoRoom("cerisier", "Cerisier", 1, 6, ("screen",)),
    DemoRoom("noisetier", "Noisetier", 1, 4, ()),
    DemoRoom("chataignier", "Châtaignier", 2, 30, ("projector", "piano"), "Annexe"),
    DemoRoom("frene", "Frêne", 2, 10, ("screen", "video-conference"), "Annexe"),
    DemoRoom("sureau", "Sureau", 2, 5, ("whiteboard",), "Annexe"),
    DemoRoom("local-technique", "Local technique", 2, 1, (NOT_BOOKABLE,), "Annexe"),
)

PEOPLE = (
    ("amelie.durand", "Amélie Durand"),
    ("jean-baptiste.lefevre", "Jean-Baptiste Lefèvre"),
    ("noemie.garnier", "Noémie Garnier"),
    ("mathieu.dupuis", "Mathieu Dupuis"),
    ("chloe.moreau", "Chloé Moreau"),
    ("fatima.benali", "Fatima Benali"),
    ("youssef.haddad", "Youssef Haddad"),
    ("kwame.mensah", "Kwame Mensah"),
    ("ngozi.okafor", "Ngozi Okafor"),
    ("linh.nguyen", "Linh Nguyễn"),
    ("kenji.tanaka", "田中 健二"),
    ("wei.zhang", "张伟"),
    ("olena.shevchenko", "Олена Шевченко"),
    ("maria.papadopoulou", "Μαρία Παπαδοπούλου"),
    ("soren.lindqvist", "Søren Lindqvist"),
    ("zofia.wisniewska", "Zofia Wiśniewska"),
    ("ines.carvalho", "Inês Carvalho"),
    ("lucia.fernandez", "Lucía Fernández"),
    ("patrick.oconnor", "Patrick O'Connor"),
    ("greta.muller", "Greta Müller"),
)

SUBJECTS = (
    "Point d'équipe", "Weekly planning", "Comité de pilotage", "Entretien", "Formation sécurité", "Design review",
    "Budget 2027", "Répétition", "Onboarding", "Atelier lecture", "Steering committee", "Retour d'expérience",
    "Kick-off", "Conseil de quartier", "Cours du soir",
)  # fmt: skip
LENGTHS = (30, 45, 60, 60, 60, 90, 120)
BUSY, QUIET = 0.45, 0.12
"""How likely a gap of a working day holds a meeting, and one of a Saturday or Sunday."""


class Weekly(NamedTuple):
    """A series of the demo; at *start* on the wall clock, on *weekday* (Monday is 0)."""

    room: str
    subject: str
    weekday: int
    start: time
    minutes: int


SERIES = (
    Weekly("bouleau", "Weekly planning", 1, time(9, 30), 60),
    Weekly("erable", "Comité de pilotage", 3, time(14), 90),
)
SERIES_WEEKS = 10


def populate(tenant: Tenant, *, today: date, zone: str = "Europe/Paris") -> None:
    """
    Furnish an empty tenant; one that has people already is left as it is.

    Args:
        today: its week, from Monday, and the six days after it get meetings; whoever looks finds some ahead.
        zone: where the building stands.
    """
    if tenant.world.mailboxes:
        return
    for login, name in PEOPLE:
        tenant.office.add_person(f"{login}@{DOMAIN}", name, zone=zone)
    for room in ROOMS:
        _add_room(tenant, room, zone)
    for floor in range(3):
        members = tuple(f"{room.code}@{DOMAIN}" for room in ROOMS if room.floor == floor)
        tenant.office.add_room_list(f"floor-{floor}@{DOMAIN}", f"Floor {floor}", members)
    monday = today - timedelta(days=today.weekday())
    for series in SERIES:
        _add_series(tenant, series, monday, zone)
    _add_days(tenant, monday, today + timedelta(days=6), zone)
    tenant.world.store.flush()


def _add_room(tenant: Tenant, room: DemoRoom, zone: str) -> None:
    equipment: dict[str, Any] = {}
    if "video-conference" in room.tags:
        equipment = {"audioDeviceName": "Speakerphone", "videoDeviceName": "Camera"}
    tenant.office.add_room(
        f"{room.code}@{DOMAIN}",
        room.name,
        zone=zone,
        capacity=room.capacity,
        tags=list(room.tags),
        building=room.building,
        floorNumber=room.floor,
        floorLabel=str(room.floor),
        isWheelChairAccessible=room.floor < 2,
        displayDeviceName="Screen" if "screen" in room.tags else None,
        **equipment,
    )


def _add_series(tenant: Tenant, series: Weekly, monday: date, zone: str) -> None:
    day = monday + timedelta(days=series.weekday)
    _place(
        tenant, series.room, PEOPLE[series.weekday][0], series.subject, _at(day, series.start, zone),
        series.minutes, zone, recur(day, days=[WEEKDAYS[series.weekday]], times=SERIES_WEEKS, zone=zone),
    )  # fmt: skip


def _add_days(tenant: Tenant, first: date, last: date, zone: str) -> None:
    """Fill each room's day with meetings one after another, with gaps."""
    rng = Random(f"{tenant.options.seed}/demo")
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        for room in ROOMS:
            if NOT_BOOKABLE not in room.tags:
                _add_day(tenant, room, day, zone, rng)


def _add_day(tenant: Tenant, room: DemoRoom, day: date, zone: str, rng: Random) -> None:
    held = [series for series in SERIES if series.room == room.code and series.weekday == day.weekday()]
    chance = BUSY if day.weekday() < 5 else QUIET
    minute = 8 * 60 + rng.choice((0, 30, 60, 90))
    while minute < 17 * 60:
        length = rng.choice(LENGTHS)
        if rng.random() < chance and not any(_overlaps(series, minute, length) for series in held):
            organizer, subject = rng.choice(PEOPLE)[0], rng.choice(SUBJECTS)
            _place(tenant, room.code, organizer, subject, _at(day, time(minute // 60, minute % 60), zone), length, zone)
        minute += length + rng.choice((0, 15, 30, 60))


def _overlaps(series: Weekly, minute: int, length: int) -> bool:
    start = series.start.hour * 60 + series.start.minute
    return minute < start + series.minutes and start < minute + length


def _at(day: date, clock: time, zone: str) -> datetime:
    return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)


def _place(
    tenant: Tenant, room: str, organizer: str, subject: str, start: datetime, minutes: int, zone: str,
    recurrence: dict[str, Any] | None = None,
) -> None:  # fmt: skip
    end = start + timedelta(minutes=minutes)
    tenant.office.place_accepted(
        f"{room}@{DOMAIN}", f"{organizer}@{DOMAIN}", subject=subject, start=start, end=end, zone=zone,
        recurrence=recurrence,
    )  # fmt: skip

"""Finding a room: when, how long, how many, with what; the rooms that suit, the best first, one click to book."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from engine.loans.openings import find_openings, widen
from engine.web.api.wire import WHOLE, Line
from engine.web.pages.forms import Clock, Day, Sent, parse_clock
from engine.web.pages.occupancy.findings import find_rooms
from engine.web.pages.occupancy.timeline import all_features, shown_rooms
from engine.web.pages.page import UserPage
from engine.web.pages.times import QUARTERS, Times, read_times

router = APIRouter()

FEATURES_MAX = 30
LENGTHS = (15, 30, 45, 60, 75, 90, 105, 120, 150, 180, 240, 300, 360, 420, 480, 600, 720, 1440)
"""How many minutes are offered."""

MINUTES_MAX = 14 * 24 * 60


class FindWish(Sent):
    """What somebody looks for."""

    day: Day | None = None
    start: Clock | None = None
    minutes: Annotated[int, Field(ge=15, le=MINUTES_MAX, multiple_of=15), WHOLE] = 60
    people: Annotated[int, Field(ge=0, le=100_000), WHOLE] = 0
    feature: list[Line] = Field(default=[], max_length=FEATURES_MAX)


@router.get("/find")
def show_rooms(page: UserPage, wish: Annotated[FindWish, Query()]) -> Response:
    """Show the rooms that suit."""
    parts = page.parts
    begins = read_times(
        day=wish.day, start=parse_clock(wish.start), until=None, end=None, seen="", now=page.now, zone=parts.zone
    ).start
    times = Times(begins, begins + timedelta(minutes=wish.minutes))
    rooms = {room.id: room for room in shown_rooms(parts.web.rooms.load_rooms())}
    interval = times.interval
    findings = None
    if interval is not None and interval.end > page.now:
        known = parts.web.register.availability(widen(interval))
        openings = find_openings(interval, known, now=page.now, zone=parts.zone)
        findings = find_rooms(openings, rooms, people=wish.people, features=wish.feature)
    return page.render(
        "find.html",
        here="find",
        wish=wish,
        times=times,
        findings=findings,
        is_empty=not rooms,
        features=all_features(rooms.values()),
        quarters=QUARTERS,
        lengths=sorted({*LENGTHS, wish.minutes}),
    )

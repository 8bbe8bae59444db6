"""How many requests a change costs, and how many silence does: exact counts on virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

from engine.app.timetable import plan_service_jobs
from engine.bench.report import Figure
from engine.bench.world import ACTOR, VirtualWorld
from engine.ids import LoanNumber
from engine.loans.register import LoanChange
from engine.loans.status import LoanAction
from engine.schedule.clock_jobs import ClockJob

BURST = 20
SINGLES = 10
"""Meetings whose requests are averaged: rooms take now longer, now shorter to answer."""

WITHOUT_CONTENT = ", without content"
"""Of what is measured with notifications that do not bring their event, so that rooms are read: it has no goal."""

SECONDS_BETWEEN_CHANGES = 90.0
"""The pace of a busy desk: forty changes an hour."""


@dataclass
class Count:
    """What the engine asked of Graph, seen from both ends of the wire."""

    requests: int = 0
    writes: int = 0
    organizer_reads: int = 0


@contextmanager
def counting(world: VirtualWorld) -> Iterator[Count]:
    """Count the engine's requests until everything they lead to has settled."""
    before = len(world.transport.requests)
    count = Count()
    yield count
    world.settle()
    sent = world.transport.requests[before:]
    count.requests = len(sent)
    count.writes = sum(method != "GET" and "/subscriptions" not in url for method, url in sent)
    count.organizer_reads = sum(method == "GET" and "/delta" not in url for method, url in sent)


def measure_remote_changes(*, content: bool = True) -> list[Figure]:
    """Count the requests of changes that people make in Outlook (goal: one each, and a tenth in a burst).

    *content*: notifications bring their event, as they do unless Graph will not (decision 0029).
    """
    with VirtualWorld(rooms=2, settings=_settings(content)) as world:
        singles = _count_single_remote(world)
        created, moved = _count_bursts(world)
    how, one, tenth = ("", 1.0, 0.1) if content else (WITHOUT_CONTENT, None, None)
    figures = [
        _requests("G1", f"single {kind} in Outlook{how}", requests, goal=one, note=note)
        for kind, requests, note in singles
    ]
    reading = (created.requests - created.organizer_reads) / BURST
    own = f"and {created.organizer_reads / BURST:g} reads of the organizer's copy each"
    figures.append(_requests("G1", f"burst of {BURST} moves in one room{how}", moved.requests / BURST, goal=tenth))
    figures.append(_requests("G1", f"burst of {BURST} creates in one room, delta{how}", reading, goal=tenth, note=own))
    return figures


def _settings(content: bool) -> dict[str, str]:
    return {"ENGINE_SYNC__CONTENT": "true" if content else "false"}


def _count_single_remote(world: VirtualWorld) -> list[tuple[str, float, str]]:
    rounds = [_count_one_meeting(world, days=10 + number) for number in range(SINGLES)]
    reasons = "for the organizer's copy", "", "to tell a cancelled meeting from one that left the room"
    found = []
    for kind, why, counts in zip(("create", "move", "cancel"), reasons, zip(*rounds, strict=True), strict=True):
        reads = sum(count.organizer_reads for count in counts) / SINGLES
        note = f"of them {reads:g} {why}" if reads else ""
        found.append((kind, sum(count.requests for count in counts) / SINGLES, note))
    return found


def _count_one_meeting(world: VirtualWorld, *, days: int) -> tuple[Count, Count, Count]:
    person = world.person(0)
    with counting(world) as created:
        meeting = world.run(person.book(world.at(9, days=days), world.at(10, days=days), rooms=[world.rooms[0]]))
    with counting(world) as moved:
        world.run(person.move(meeting["id"], world.at(11, days=days), world.at(12, days=days)))
    with counting(world) as cancelled:
        world.run(person.cancel(meeting["id"]))
    return created, moved, cancelled


def _count_bursts(world: VirtualWorld) -> tuple[Count, Count]:
    person = world.person(1)

    async def book_all() -> list[dict[str, Any]]:
        hours = [world.at(hour / 2, days=2) for hour in range(BURST)]
        return [
            await person.book(start, start + timedelta(minutes=30), rooms=[world.rooms[1]]) for start in hours
        ]  # fmt: skip

    async def move_all(meetings: list[dict[str, Any]]) -> None:
        for number, meeting in enumerate(meetings):
            start = world.at(number / 2, days=3)
            await person.move(meeting["id"], start, start + timedelta(minutes=30))

    with counting(world) as created:
        meetings = world.run(book_all())
    with counting(world) as moved:
        world.run(move_all(meetings))
    return created, moved


def measure_local_changes(*, stream: int, content: bool = True) -> list[Figure]:
    """Count writes and all requests of changes made in the app: one by one, and in a stream at a desk's pace.

    *content*: notifications bring their event, as they do unless Graph will not (decision 0029).
    """
    how, most = ("", 1.5) if content else (WITHOUT_CONTENT, None)
    with VirtualWorld(rooms=6, people=6, settings=_settings(content)) as world:
        singles = _count_single_local(world)
        streamed = _count_stream(world, stream)
    figures = []
    for kind, count in singles:
        figures.append(_requests("G2", f"isolated {kind} in the app, all requests{how}", count.requests, goal=None))
        figures.append(_requests("G2", f"isolated {kind} in the app, writes{how}", count.writes, goal=1.0))
    writes = streamed.writes / stream
    figures.append(_requests("G2", f"stream in the app, writes per change{how}", writes, goal=1.0))
    note = f"{stream} changes, one every {SECONDS_BETWEEN_CHANGES:g} s, 6 rooms"
    figures.append(
        _requests("G2", f"stream in the app, all per change{how}", streamed.requests / stream, goal=most, note=note)
    )
    return figures


def _count_single_local(world: VirtualWorld) -> list[tuple[str, Count]]:
    with counting(world) as created:
        loan = world.book(0, 0, world.at(9), world.at(10))
    with counting(world) as moved:
        _move(world, loan.number, hour=11.0, days=1)
    with counting(world) as cancelled:
        _cancel(world, loan.number)
    return [("create", created), ("move", moved), ("cancel", cancelled)]


def _count_stream(world: VirtualWorld, changes: int) -> Count:
    """Make *changes*: six in ten are bookings, three are moves, one is a cancellation."""
    chance = Random(1)
    alive: list[LoanNumber] = []
    with counting(world) as count:
        for number in range(changes):
            drawn = chance.random()
            days, hour = 4 + number // 24, float(number % 24)
            if drawn < 0.6 or not alive:
                start = world.at(hour, days=days)
                alive.append(world.book(number, number % 6, start, start + timedelta(minutes=45)).number)
            elif drawn < 0.9:
                _move(world, alive[number % len(alive)], hour=hour, days=40 + number // 24)
            else:
                _cancel(world, alive.pop(number % len(alive)))
            world.wait(SECONDS_BETWEEN_CHANGES)
    return count


def _move(world: VirtualWorld, number: LoanNumber, *, hour: float, days: int) -> None:
    start = world.at(hour, days=days)
    world.office.desk.change(number, LoanChange(start=start, end=start + timedelta(minutes=45)), actor=ACTOR)


def _cancel(world: VirtualWorld, number: LoanNumber) -> None:
    world.office.desk.act(number, LoanAction.CANCEL, actor=ACTOR)


def measure_silence(*, rooms: int, days: float, content: bool = True) -> list[Figure]:
    """Count what *rooms* idle rooms cost in *days*, the timed jobs running as the service plans them.

    *content*: notifications bring their event, so that subscriptions live for a day (decision 0029).
    """
    how = "" if content else WITHOUT_CONTENT
    with VirtualWorld(rooms=rooms, settings=_settings(content)) as world:
        before = len(world.transport.requests)
        jobs = [world.loop.create_task(_drive(job)) for job in plan_service_jobs(world.settings, world.office)]
        world.wait(days * 86_400.0)
        for job in jobs:
            job.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            world.run(asyncio.gather(*jobs))
        sent = world.transport.requests[before:]
    places = sum("/places" in url for _, url in sent)
    listing = sum(method == "GET" and "/subscriptions" in url for method, url in sent)
    deltas = sum("/delta" in url for _, url in sent)
    renewals = sum(method != "GET" and "/subscriptions" in url for method, url in sent)
    per_room = (len(sent) - places - listing) / rooms / days
    note = f"{deltas / rooms / days:.2f} safety deltas, {renewals / rooms / days:.2f} renewals; {rooms} rooms"
    return [
        _requests("G3", f"idle room and day, over {days:g} days{how}", per_room, goal=6.0, floor=0.15, note=note,
                  floor_name="push alone"),
        _requests("", f"whole tenant and idle day: list of rooms{how}", (places + listing) / days, goal=None),
    ]  # fmt: skip


async def _drive(job: ClockJob) -> None:
    """Run a timed job by the virtual clock."""
    await asyncio.sleep((job.every if job.first_after is None else job.first_after).total_seconds())
    while True:
        answer = job.task()
        if inspect.isawaitable(answer):
            await answer
        await asyncio.sleep(job.every.total_seconds())


def _requests(
    name: str,
    what: str,
    value: float,
    *,
    goal: float | None,
    floor: float | None = None,
    floor_name: str = "",
    note: str = "",
) -> Figure:
    return Figure(name, what, value, "requests", goal, floor=floor, floor_name=floor_name, note=note)

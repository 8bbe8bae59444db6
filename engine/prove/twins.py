"""Worlds lived through twice, with one thing different the second time, or nothing: what must not depend on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from engine.database.tables import metadata
from engine.loans.loan import Loan
from engine.loans.status import ItemState
from engine.prove.judges.invariants import Broken
from engine.prove.schedule import SETTINGS, Outcome, Schedule, run_schedule
from engine.prove.world.store import OpenDatabase
from engine.prove.world.world import World

_copy, _room = metadata.tables["room_copy"], metadata.tables["room"]

BEHIND, AHEAD = timedelta(days=-1), timedelta(days=1)
"""By how much the engine's clock is wrong, from its first contact on."""

READS_ONLY = {"ENGINE_SYNC__MODE": "read_only", "ENGINE_SYNC__FIRST_CONTACT": "import"}


def live_twice(schedule: Schedule, *, database: OpenDatabase) -> Outcome:
    """C5: the same schedule goes the same way, request by request."""
    first, second = run_schedule(schedule, database=database), run_schedule(schedule, database=database)
    if first.trace != second.trace and first.is_kept:
        return replace(first, broken=f"C5: the second time it went another way: {first.trace}, {second.trace}")
    return first


def live_with_wrong_clocks(schedule: Schedule, *, database: OpenDatabase) -> Outcome:
    """I18: an engine whose clock is a day wrong keeps every promise; one behind comes to the same end in calm weather.

    One that is ahead may not: its desk refuses what it takes to be over. Nor is one with notifications that bring their
    event: Graph refuses subscriptions for more than a day, by its own clock.
    """
    schedule = replace(schedule, content=False)
    ahead = run_schedule(schedule, database=database, skew=AHEAD)
    if not ahead.is_kept:
        return ahead
    calm = replace(schedule, weather=(), steps=tuple(replace(step, gusts=()) for step in schedule.steps))
    ends: list[End] = []
    first = run_schedule(calm, database=database, at_end=lambda world: ends.append(_see(world)))
    behind = run_schedule(calm, database=database, skew=BEHIND, at_end=lambda world: ends.append(_see(world)))
    if first.is_kept and behind.is_kept and ends[0] != ends[1]:
        return replace(behind, broken=f"I18: a clock that is a day behind: {_difference(*ends)}")
    return behind if first.is_kept else first


def live_beside_a_reference(schedule: Schedule, *, database: OpenDatabase) -> Outcome:
    """C11: in the end the store knows of the rooms what an engine knows that reads them from nothing."""
    return run_schedule(schedule, database=database, at_end=lambda world: _compare_with_fresh(world, database))


TWINS: dict[str, Callable[..., Outcome]] = {
    "same": live_twice,
    "clock": live_with_wrong_clocks,
    "reference": live_beside_a_reference,
}
"""What worlds may be compared with, by name."""


@dataclass(frozen=True, slots=True)
class End:
    """What both sides say in the end. Events without their uids: the tenant draws those, in the order of requests."""

    loans: tuple[Any, ...]
    events: tuple[Any, ...]


def _see(world: World) -> End:
    loans = sorted(world.loans, key=lambda loan: loan.number)
    events = sorted(
        (each["subject"], str(world.times_of(each)), sorted(world.invited(each).items()))
        for each in world.all_events()
        if not each["isCancelled"]
    )
    told = ((each.number, each.status, each.interval, each.requester.address, _items(each)) for each in loans)
    return End(tuple(told), tuple(map(str, events)))


def _items(loan: Loan) -> list[tuple[str, ItemState]]:
    return [(item.name, item.state) for item in loan.items]


def _difference(one: End, other: End) -> str:
    for before, after in ((one.loans, other.loans), (one.events, other.events)):
        changed = [each for each in after if each not in before] or [each for each in before if each not in after]
        if changed:
            return str(changed[0])
    return "another order"


def _compare_with_fresh(world: World, database: OpenDatabase) -> None:
    known, book = _mirror(world), {int(loan.number): loan for loan in world.live_loans}
    loans = {uid: book[number] for number, uid in world.links().items() if uid and number in book}
    zones = {room.address: room.time_zone for room in world.office.rooms.room_book().rooms}
    world.kill()
    kept = world.database, world.settings
    world.database, world.settings = database(world.loop.now), world.make_settings(SETTINGS | READS_ONLY)
    try:
        world.start()
        world.settle()
        for room in world.office.rooms.room_book().rooms:  # what an administrator has said stands nowhere else
            world.office.rooms.set_time_zone(room.id, zones.get(room.address))
        world.heal()
        fresh, book = _mirror(world), {int(loan.number): loan for loan in world.live_loans}
        others = {uid: book[number] for number, uid in world.links().items() if uid and number in book}
    finally:
        world.kill()
        world.database.close()
        world.database, world.settings = kept
        world.start()
    if known != fresh:
        raise Broken(f"C11: only the old store knows {sorted(known - fresh)}, only a new one {sorted(fresh - known)}")
    for uid in loans.keys() & others.keys():
        if loans[uid].interval != others[uid].interval:
            raise Broken(f"C11: loan {loans[uid].number} has {loans[uid].interval}, read anew {others[uid].interval}")


def _mirror(world: World) -> set[tuple[str, str, str, str]]:
    """Return what is known of meetings to come in rooms: room, meeting, times."""
    statement = (
        select(_room.c.address, _copy.c.ical_uid, _copy.c.start_at, _copy.c.end_at)
        .join(_room, _room.c.id == _copy.c.room_id)
        .where(
            _copy.c.live, _copy.c.ical_uid.is_not(None), _room.c.state == "active", _copy.c.start_at < _copy.c.end_at
        )
    )
    with world.database.read() as transaction:
        return {tuple(map(str, row)) for row in transaction.connection.execute(statement)}  # type: ignore[misc]

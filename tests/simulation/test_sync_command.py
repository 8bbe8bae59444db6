"""`sync`: what it prints, in which order, and what it does with --apply."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from engine.app import errands
from engine.app.engine import Engine
from engine.prove.world.world import World
from engine.reconcile.telling.lines import PlanLine
from engine.rooms.room import RoomState
from tests.simulation.conftest import MakeWorld
from tests.simulation.test_app_series import book, masters, shown, utc


@pytest.fixture
def world(worlds: MakeWorld) -> World:
    return worlds(rooms=2)


def sync(world: World, monkeypatch: pytest.MonkeyPatch, *, apply: bool = False) -> Sequence[PlanLine]:
    """Run the command while no service runs: only its own engine works."""

    @asynccontextmanager
    async def opened(_settings: object) -> AsyncIterator[Engine]:
        assert world.engine is not None
        yield world.engine

    monkeypatch.setattr(errands, "_open_engine", opened)
    lines: Sequence[PlanLine] = world.run(errands.plan_sync(world.settings, None, apply=apply, language="en"))
    return lines


def stop_service(world: World) -> None:
    assert world.engine is not None
    world.engine.loop.stop()
    world.wait(1.0)


def test_lines_come_in_the_order_of_their_bookings(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was booked first, on either side."""
    stop_service(world)
    world.book(1, 15, 16, 1)
    world.meet(2, 11, 12, 1)
    world.book(1, 9, 10, 2)
    world.meet(2, 13, 14, 2)
    world.wait(5.0)

    whats = [line.what for line in sync(world, monkeypatch)]

    day = f"{world.at(0):%Y-%m-%d}"
    assert whats == [
        "event of loan 2",
        f"new loan {day} 11:00 - 12:00",
        f"new loan {day} 13:00 - 14:00",
        "event of loan 1",
    ]


def test_a_new_series_of_the_app_is_written_as_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --apply; without it only the lines say so."""
    stop_service(world)
    book(world)

    assert [line.what for line in sync(world, monkeypatch)] == [f"event of loan {number}" for number in range(1, 5)]
    assert masters(world) == []

    sync(world, monkeypatch, apply=True)

    assert shown(world) == utc(world, 9, 9, 9, 9)
    assert world.count_writes() == 1
    world.wait(5.0)
    sync(world, monkeypatch, apply=True)  # the room has answered
    assert sync(world, monkeypatch) == []


def test_a_closed_mailbox_keeps_no_other_room_from_being_compared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told at the end, and its room is suspended as the service would suspend it."""
    stop_service(world)
    world.meet(2, 11, 12, 1)
    world.wait(5.0)
    world.tenant.office.set_state(world.room_addresses[0], "denied")

    lines = sync(world, monkeypatch)

    assert [(line.sign, line.what) for line in lines] == [
        ("+", f"new loan {world.at(0):%Y-%m-%d} 11:00 - 12:00"),
        ("!", "Room 1"),
    ]
    assert "refuses to be read" in lines[-1].why
    assert world.office.rooms.load_rooms()[0].state is RoomState.SUSPENDED

"""What a room does with the meetings it is invited to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulator.virtual import SimulatedWorld

NINE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TEN = NINE + timedelta(hours=1)
ELEVEN = NINE + timedelta(hours=2)


def book(world: SimulatedWorld, start: datetime = NINE, end: datetime = TEN, **more: Any) -> dict[str, Any]:
    more.setdefault("rooms", ["aula@example.org"])
    created: dict[str, Any] = world.run(world.alex.book(start, end, **more))
    return created


def answers(world: SimulatedWorld, event: dict[str, Any]) -> list[str]:
    shown = world.run(world.alex.get(event["id"]))
    return [item["status"]["response"] for item in shown["attendees"]]


def copies(world: SimulatedWorld) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.run(world.aula.events())
    return found


class TestB1FreeSlot:
    def test_the_room_answers_later_than_the_creation(self, world: SimulatedWorld) -> None:
        """B1: 201 says nothing; the room's answer comes by itself."""
        event = book(world)

        assert answers(world, event) == ["none"]
        assert copies(world) == []

        world.settle()

        assert answers(world, event) == ["accepted"]
        assert copies(world)[0]["responseStatus"]["response"] == "accepted"

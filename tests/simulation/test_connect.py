"""Trying a tenant, with and without each permission: what the first page and `connect --try` show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from engine.app.trials import try_tenant
from engine.ids import Address
from engine.prove.world.world import World

ALL = ("Place.Read.All", "Calendars.ReadWrite")
CLOSED = "person-2@example.org"
FINE = {
    "identity": "ok", "places": "ok", "room_calendars": "ok", "writing": "ok", "closed": "ok", "notifications": "ok",
}  # fmt: skip


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World(rooms=2, people=2, settings={"ENGINE_GRAPH__CLOSED_MAILBOX": CLOSED}).open()
    yield made
    made.close()


def outcomes(world: World, granted: Iterable[str], scoped: dict[str, list[str]] | None = None) -> dict[str, str]:
    world.tenant.permissions.set(granted, scoped)
    assert world.engine is not None
    found = world.run(try_tenant(world.office, world.engine.calendar))
    return {trial.needed.value: trial.outcome.value for trial in found}


def in_scope(world: World) -> dict[str, list[str]]:
    return {"Calendars.ReadWrite": [*world.room_addresses, world.people[0]]}


def test_scoped_permissions_are_all_that_is_needed(world: World) -> None:
    assert outcomes(world, ["Place.Read.All"], in_scope(world)) == FINE


def test_consent_for_every_mailbox_is_found_out(world: World) -> None:
    """R9-R13 done, and not limited: everything works, and what must not work does too."""
    assert outcomes(world, ALL) == {**FINE, "closed": "failed"}
    assert outcomes(world, ALL, in_scope(world)) == {**FINE, "closed": "failed"}


def test_without_places_there_is_no_room_to_try(world: World) -> None:
    found = outcomes(world, [], in_scope(world))
    assert found == {**FINE, "places": "failed", "room_calendars": "not_tried"}


def test_without_calendars_nothing_is_read_or_written(world: World) -> None:
    found = outcomes(world, ["Place.Read.All"])
    assert found == {**FINE, "room_calendars": "failed", "writing": "failed"}


def test_reading_alone_does_not_write(world: World) -> None:
    scope = {"Calendars.Read": in_scope(world)["Calendars.ReadWrite"]}
    assert outcomes(world, ["Place.Read.All"], scope) == {**FINE, "writing": "failed"}


def test_a_mailbox_that_is_not_there_proves_nothing(world: World) -> None:
    known = world.office.connection
    world.office.connection = replace(known, closed_mailbox=Address("nobody@example.org"))
    try:
        assert outcomes(world, ["Place.Read.All"], in_scope(world))["closed"] == "failed"
    finally:
        world.office.connection = known


def test_nothing_is_left_in_anybodys_calendar(world: World) -> None:
    outcomes(world, ["Place.Read.All"], in_scope(world))
    world.settle()
    assert world.run(world.person(1).events()) == []

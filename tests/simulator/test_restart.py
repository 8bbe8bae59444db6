"""A tenant with a state file comes back as it was, however it ended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.simulator.test_booking import AULA, NINE, TEN, answers, book, copies
from tests.simulator.virtual import SimulatedWorld

MakeWorld = Callable[..., SimulatedWorld]


def crash(world: SimulatedWorld) -> None:
    """Forget the tenant without a goodbye, and open another one on the same file."""
    old = world.tenant
    old.steps.close()
    old.courier.close()
    state: Any = old.world.store
    state._connection.close()  # what was not flushed is lost
    world.tenant = world.open()
    for driver in (world.alex, world.kim, world.aula, world.studio):
        driver.tenant = world.tenant


def test_everything_comes_back(make_world: MakeWorld, tmp_path: Path) -> None:
    """Directory, calendars, versions, delta tokens, subscriptions, options."""
    world = make_world(state_file=tmp_path / "tenant.db")
    subscription = world.subscribe(AULA)
    world.call("POST", f"/sim/rooms/{AULA}/processing", {"DeleteSubject": False})
    event = book(world)
    world.settle()
    _, link = world.delta(AULA)
    before = copies(world)
    crash(world)

    assert copies(world) == before
    assert world.delta(AULA, link)[0] == []
    assert world.get(f"/subscriptions/{subscription}")["clientState"] == "secret"
    assert world.call("GET", f"/sim/rooms/{AULA}/processing").json()["delete_subject"] is False
    assert answers(world, event) == ["accepted"]
    assert world.call("GET", "/sim").json()["rooms"] == 2


def test_new_ids_do_not_repeat_old_ones(make_world: MakeWorld, tmp_path: Path) -> None:
    """The same seed must not draw the same ids in the next life."""
    world = make_world(state_file=tmp_path / "tenant.db")
    first = book(world)
    crash(world)
    second = book(world, by=world.kim)

    assert first["id"] != second["id"]
    assert first["iCalUId"] != second["iCalUId"]
    assert first["changeKey"] != second["changeKey"]


def test_the_attendant_goes_on_where_it_was(make_world: MakeWorld, tmp_path: Path) -> None:
    """A request on its way, and one already lying there tentatively, are answered in the next life."""
    world = make_world(state_file=tmp_path / "tenant.db")
    room = world.subscribe(AULA)
    event = book(world)
    crash(world)
    world.wait(2.0)
    assert copies(world)[0]["showAs"] == "tentative"
    crash(world)
    world.settle()

    assert answers(world, event) == ["accepted"]
    assert set(world.receiver.changes(room)) == {"created", "updated"}


def test_notices_that_waited_are_sent(make_world: MakeWorld, tmp_path: Path) -> None:
    """Nothing that was announced is forgotten."""
    world = make_world(state_file=tmp_path / "tenant.db")
    room = world.subscribe(AULA)
    world.receiver.is_down = True
    book(world)
    world.wait(10)
    crash(world)
    world.receiver.is_down = False
    world.wait(3600)

    assert world.receiver.changes(room) == ["created", "updated", "updated"]


def test_deletions_are_remembered(make_world: MakeWorld, tmp_path: Path) -> None:
    """`@removed` survives a restart."""
    world = make_world(state_file=tmp_path / "tenant.db")
    book(world, NINE, TEN)
    world.settle()
    _, link = world.delta(AULA)
    world.run(world.aula.answer(copies(world)[0]["id"], "decline"))
    crash(world)

    assert [item["@removed"]["reason"] for item in world.delta(AULA, link)[0]] == ["deleted"]

"""
Things that happen a little later inside the tenant: mail arriving, an attendant deciding.

A step is a document until it is done, and its removal is committed together with its effects: after a crash it either
has happened or is still to come.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from engine.simulator.calendars.records import Step
from engine.simulator.world import World

Handler = Callable[..., None]
CLAIM = "claim"
"""The one kind of step that may lie far ahead and leaves the tenant quiet meanwhile."""


class Steps:
    """The list of what is still to come, and who does it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._handlers: dict[str, Handler] = {}
        self._waiting: dict[int, Step] = {}
        self._closed = False

    def on(self, kind: str, handler: Handler) -> None:
        """Let *handler* do the steps called *kind*; it gets the step's arguments as keywords."""
        self._handlers[kind] = handler

    def schedule(self, kind: str, delay: float, **arguments: Any) -> None:
        """Do *kind* in *delay* seconds; arguments must survive JSON."""
        world = self._world
        step = Step(world.next_number(), kind, world.now() + timedelta(seconds=delay), arguments)
        self._waiting[step.number] = step
        world.store.put(f"step/{step.number}", step)
        world.call_later(delay, lambda: self._run(step))

    def resume(self) -> None:
        """Schedule again what a former life left undone."""
        for raw in self._world.store.load("step"):
            step = msgspec.json.decode(raw, type=Step)
            self._world.sequence = max(self._world.sequence, step.number)
            self._waiting[step.number] = step
        for step in sorted(self._waiting.values(), key=lambda item: item.number):
            delay = max(0.0, (step.due - self._world.now()).total_seconds())
            self._world.call_later(delay, lambda step=step: self._run(step))  # type: ignore[misc]

    @property
    def waiting(self) -> int:
        """How many steps are on their way; a meeting that waits for its people is not."""
        return sum(step.kind != CLAIM for step in self._waiting.values())

    def cancel(self, kind: str, **arguments: Any) -> bool:
        """Forget the steps called *kind* whose arguments include these; tell whether there were any."""
        wanted = arguments.items()
        found = [step for step in self._waiting.values() if step.kind == kind and wanted <= step.arguments.items()]
        for step in found:
            del self._waiting[step.number]
            self._world.store.drop(f"step/{step.number}")
        return bool(found)

    def close(self) -> None:
        """Do nothing more; what waits stays in the store."""
        self._closed = True

    def _run(self, step: Step) -> None:
        if self._closed or self._waiting.pop(step.number, None) is None:
            return
        self._world.store.drop(f"step/{step.number}")
        self._handlers[step.kind](**step.arguments)
        self._world.store.flush()

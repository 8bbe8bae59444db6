"""What a planted bug is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Act = TypeVar("Act", bound=Callable[[], None])


@dataclass(frozen=True)
class Bug:
    """A planted bug: *plant* puts it into this process, for good."""

    name: str
    what: str
    """What the engine does wrong with it, in words."""
    plant: Callable[[], None]
    story: str
    """The story whose crash sweep is expected to notice it; or else"""
    tests: str
    """the file of tests that is."""


BUGS: dict[str, Bug] = {}


def bug(what: str, *, story: str = "", tests: str = "") -> Callable[[Act], Act]:
    """Enter a function into the table under its own name, with the story or the file of tests that should notice it."""
    assert bool(story) != bool(tests), "either a story or tests"

    def enter(plant: Act) -> Act:
        BUGS[plant.__name__] = Bug(plant.__name__, what, plant, story, tests)
        return plant

    return enter


def replace_in(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace the function *name* of a module or class by what *make* makes of it. It must be there."""
    setattr(owner, name, make(getattr(owner, name)))


def load_bugs() -> dict[str, Bug]:
    """Return the whole table, by name."""
    from tests.mutants import bugs_deciding, bugs_graph, bugs_reading, bugs_writing

    assert all((bugs_deciding, bugs_graph, bugs_reading, bugs_writing))
    return dict(BUGS)
